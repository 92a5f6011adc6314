//! Arguments: turns what a caller sent into valid types, or into a list of every problem.
//!
//! An input is declared once with `input!`. The types of its fields carry the limits, and the JSON
//! schema and the validation use the same constants. The wrapper of a field's type says how it treats
//! `null` and empty values:
//!
//! | type | meaning | `null` or empty |
//! | --- | --- | --- |
//! | `T` | required | rejected |
//! | `Option<T>` | may be left out | not sent |
//! | [`Patch<T>`] | an update that can also clear | clears |
//! | [`NotNull<T>`] | an update that cannot clear | rejected |

mod arguments;
mod calendar;
mod declare;
mod fields;
mod json;
mod list;
mod name;
mod number;
mod values;

pub use arguments::{Arguments, Value};
pub use calendar::{Date, LocalTime, TimeOfDay};
pub(crate) use declare::{choices, field_name, input, nested};
pub use fields::{
    CLIENT_ARTEFACTS, Field, Fields, Input, object_schema, output_schema, parse_object, read,
    read_filters,
};

#[cfg(test)]
pub(crate) use json::MAX_MEMBERS;
pub use json::{Json, Object, is_blank};
pub use list::List;
pub use name::Name;
pub use number::{Duration, Minutes, Ranged, Seconds};
pub use values::{
    Color, CountryCode, Email, Latitude, Longitude, PhoneText, SearchText, Text, Time,
};

use crate::call::error::FieldProblem;
use crate::values::country::Country;
use crate::values::id::{Id, Kind};
use crate::values::text;

/// What the meaning of a value depends on, besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseContext {
    /// The country of telephone numbers without a country code.
    pub country: Country,
}

/// Why a value was rejected.
#[derive(Debug, PartialEq, Eq)]
pub enum ParseError {
    /// There was no value: `null` or a blank text.
    Empty,
    /// The problem, as the end of a sentence that begins with the field's name.
    Because(String),
    /// Problems inside a nested object or a list, each with its path from here: `.city`,
    /// `[2].quantity`.
    Inside(Vec<FieldProblem>),
}

impl ParseError {
    /// A value of the wrong type. `problem` names the expected one.
    pub(crate) fn another_type(problem: &str, value: &Json) -> Self {
        Self::Because(format!("{problem}, not {}", value.type_name()))
    }

    /// Problems of the fields of a nested object.
    pub(crate) fn inside(mut problems: Vec<FieldProblem>) -> Self {
        for problem in &mut problems {
            problem.field.insert(0, '.');
        }
        Self::Inside(problems)
    }

    /// The problems of the value at `path`.
    fn at(self, path: &str) -> Vec<FieldProblem> {
        let problem = |problem| vec![FieldProblem { field: path.to_owned(), problem }];
        match self {
            Self::Empty => problem("must not be empty".to_owned()),
            Self::Because(told) => problem(told),
            Self::Inside(mut problems) => {
                for problem in &mut problems {
                    problem.field.insert_str(0, path);
                }
                problems
            }
        }
    }
}

/// A type that a field's value can have.
pub trait Parse: Sized {
    /// The JSON schema, with every limit.
    fn schema() -> serde_json::Value;

    /// The valid value, or why not. Never called with `null`.
    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError>;

    /// The canonical form of a filter's value. Cursors store it, and a filter that is sent again is
    /// compared with it. `null` means that the value does not narrow the list.
    fn canonical(value: &Json) -> Json {
        match value {
            Json::Text(text) => Json::Text(text::trim_around(text).to_owned()),
            Json::Boolean(false) => Json::Null,
            other => other.clone(),
        }
    }
}

/// A field's type: a [`Parse`] type in a wrapper that says what leaving it out means.
pub trait Argument: Sized {
    /// Whether the field is required.
    const REQUIRED: bool;
    /// The JSON schema of the value.
    fn schema() -> serde_json::Value;
    /// The field's description: its documentation, and what its type adds.
    fn about(documented: String) -> String {
        documented
    }
    /// The valid value, or why not.
    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError>;
    /// [`Parse::canonical`] of the value.
    fn canonical(value: &Json) -> Json {
        value.clone()
    }
}

fn some<T: Parse>(sent: Option<Json>, context: ParseContext) -> Result<Option<T>, ParseError> {
    match sent {
        None => Ok(None),
        Some(Json::Null) => Err(ParseError::Empty),
        Some(value) => T::parse(value, context).map(Some),
    }
}

impl<T: Parse> Argument for T {
    const REQUIRED: bool = true;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        match some(sent, context) {
            Ok(Some(value)) => Ok(value),
            Ok(None) | Err(ParseError::Empty) => Err(ParseError::Because("is required".to_owned())),
            Err(other) => Err(other),
        }
    }
}

impl<T: Parse> Argument for Option<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        match some(sent, context) {
            Err(ParseError::Empty) => Ok(None),
            other => other,
        }
    }

    fn canonical(value: &Json) -> Json {
        T::canonical(value)
    }
}

/// One field of an update that can be cleared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not sent: the field keeps its value.
    #[default]
    Keep,
    /// Sent as `null` or empty: the field is cleared.
    Clear,
    /// Sent with this value.
    Set(T),
}

impl<T> Patch<T> {
    /// The field's value after the update.
    pub fn apply(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }

    /// Converts the new value, if there is one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(make(value)),
        }
    }

    /// Whether the field keeps its value.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T: Parse> Argument for Patch<T> {
    const REQUIRED: bool = false;

    /// `null` is not in the schema: many clients pass schemas to model servers that reject a list of
    /// types.
    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn about(documented: String) -> String {
        documented + " null clears it."
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        match some(sent, context) {
            Ok(None) => Ok(Self::Keep),
            Ok(Some(value)) => Ok(Self::Set(value)),
            Err(ParseError::Empty) => Ok(Self::Clear),
            Err(other) => Err(other),
        }
    }
}

/// One field of an update that cannot be cleared: a required one, a boolean, a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNull<T>(pub Option<T>);

impl<T: Parse> Argument for NotNull<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        match some(sent, context) {
            Err(ParseError::Empty) => Err(ParseError::Because("cannot be cleared".to_owned())),
            other => other.map(Self),
        }
    }
}

impl<K: Kind> Parse for Id<K> {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "format": "uuid" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let problem = format!("must be the UUID of a {}", K::WORD);
        match value {
            Json::Text(text) if is_blank(&text) => Err(ParseError::Empty),
            Json::Text(text) => Self::parse(&text).ok_or(ParseError::Because(problem)),
            other => Err(ParseError::another_type(&problem, &other)),
        }
    }

    fn canonical(value: &Json) -> Json {
        match value {
            Json::Text(text) => Json::Text(text.to_ascii_lowercase()),
            other => other.clone(),
        }
    }
}

impl Parse for bool {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "boolean" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        match value {
            Json::Boolean(truth) => Ok(truth),
            other => Err(ParseError::Because(format!(
                "must be true or false, not {}",
                other.type_name()
            ))),
        }
    }
}
