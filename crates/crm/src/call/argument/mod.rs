//! Arguments: turns what a caller sent into valid types, or into a list of all problems.
//!
//! An input is declared once with `input!`. The types of its fields carry the limits, and the JSON
//! schema and the validation use the same constants. The wrapper of a field's type says how it treats
//! `null` and, if the type accepts strings, a blank string:
//!
//! | type | meaning | `null` or blank |
//! | --- | --- | --- |
//! | `T` | required | rejected |
//! | `Option<T>` | may be left out | as if not sent |
//! | [`Patch<T>`] | a field of an update that can be cleared | clears |
//! | [`NotNull<T>`] | a field of an update that cannot be cleared | rejected |

mod arguments;
mod author;
mod calendar;
mod declare;
mod fields;
mod hints;
mod json;
mod list;
mod listed;
mod money;
mod name;
mod number;
mod values;

pub use arguments::{Arguments, Value};
pub use author::Author;
pub use calendar::{Date, DateOrTime, LocalTime, PeriodEnd, TimeOfDay};
pub(crate) use declare::{choices, field_name, input, nested, not_sent};
pub use fields::{
    CLIENT_ADDED_KEYS, Field, Fields, Input, object_schema, output_schema, parse_object, read,
    read_filters,
};
pub(crate) use fields::{parse_nested, rename_aliases};
pub use hints::{Hint, Instead};

#[cfg(test)]
pub(crate) use json::MAX_MEMBERS;
pub use json::{Json, Object, is_blank};
pub use list::List;
pub(crate) use listed::listed_schema;
pub use name::Name;
pub use number::{Duration, Minutes, Ranged, Seconds};
pub use values::{
    Color, CountryCode, CurrencyCode, Email, Latitude, Longitude, PhoneNumber, SearchText, Text,
    ZoneName,
};

use crate::call::error::FieldProblem;
use crate::values::country::Country;
use crate::values::id::{Id, Kind};
use crate::values::text;

/// What the meaning of a value depends on, in addition to the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseContext {
    /// The default country of telephone numbers without a country code.
    pub country: Country,
}

/// Why a value was rejected.
#[derive(Debug, PartialEq, Eq)]
pub enum ParseError {
    /// The value is `null` or a blank string.
    Empty,
    /// The value is invalid. The string ends a sentence that begins with the field's name.
    Invalid(String),
    /// Problems inside a nested object or a list, each with its path relative to the value: `.city`,
    /// `[2].quantity`.
    Inside(Vec<FieldProblem>),
}

impl ParseError {
    /// A value of the wrong type. `problem` names the expected type.
    pub(crate) fn wrong_type(problem: &str, value: &Json) -> Self {
        Self::Invalid(format!("{problem}, not {}", value.type_name()))
    }

    /// Problems with the fields of a nested object.
    pub(crate) fn inside(mut problems: Vec<FieldProblem>) -> Self {
        for problem in &mut problems {
            problem.field.insert(0, '.');
        }
        Self::Inside(problems)
    }

    /// The problems with the value at `path`.
    fn at(self, path: &str) -> Vec<FieldProblem> {
        let problem = |problem| vec![FieldProblem { field: path.to_owned(), problem }];
        match self {
            Self::Empty => problem("must not be empty".to_owned()),
            Self::Invalid(text) => problem(text),
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

    /// Parses the value, which is never `null`.
    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError>;

    /// The canonical form of a filter's value. A cursor stores this form. If the caller sends the same filter together
    /// with the cursor, the canonical forms are compared. `null` means that the value does not narrow the list.
    fn canonical(value: &Json) -> Json {
        match value {
            Json::Text(text) => Json::Text(text::trim_keeping_modifiers(text).to_owned()),
            Json::Boolean(false) => Json::Null,
            other => other.clone(),
        }
    }
}

/// A field's type: a [`Parse`] type, or a wrapper of one that says what leaving out the field means.
pub trait Argument: Sized {
    /// Whether the field is required.
    const REQUIRED: bool;
    /// The JSON schema of the value.
    fn schema() -> serde_json::Value;
    /// The field's description: its doc comment, and any text that its type adds.
    fn about(documentation: String) -> String {
        documentation
    }
    /// Parses the value, if one was sent.
    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError>;
    /// [`Parse::canonical`] of the value. The default is for fields of updates, which are never filters.
    fn canonical(value: &Json) -> Json {
        value.clone()
    }
}

fn parse_if_sent<T: Parse>(
    sent: Option<Json>,
    context: ParseContext,
) -> Result<Option<T>, ParseError> {
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
        match parse_if_sent(sent, context) {
            Ok(Some(value)) => Ok(value),
            Ok(None) | Err(ParseError::Empty) => Err(ParseError::Invalid("is required".to_owned())),
            Err(other) => Err(other),
        }
    }

    fn canonical(value: &Json) -> Json {
        <T as Parse>::canonical(value)
    }
}

impl<T: Parse> Argument for Option<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        match parse_if_sent(sent, context) {
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
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(convert(value)),
        }
    }

    /// Whether the field keeps its value.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T: Parse> Argument for Patch<T> {
    const REQUIRED: bool = false;

    /// `null` is accepted, but the schema does not say so. It would have to list two types, and many clients pass
    /// schemas to model servers that reject such a list.
    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn about(documentation: String) -> String {
        documentation + " null clears it."
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        match parse_if_sent(sent, context) {
            Ok(None) => Ok(Self::Keep),
            Ok(Some(value)) => Ok(Self::Set(value)),
            Err(ParseError::Empty) => Ok(Self::Clear),
            Err(other) => Err(other),
        }
    }
}

/// One field of an update that cannot be cleared, such as a name that every record has, a boolean or an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNull<T>(pub Option<T>);

impl<T: Parse> Argument for NotNull<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        match parse_if_sent(sent, context) {
            Err(ParseError::Empty) => Err(ParseError::Invalid("cannot be cleared".to_owned())),
            other => other.map(Self),
        }
    }
}

impl<K: Kind> Parse for Id<K> {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "format": "uuid" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let problem = format!("must be a UUID: the id of {} {}", article(K::WORD), K::WORD);
        match value {
            Json::Text(text) if is_blank(&text) => Err(ParseError::Empty),
            // This is the function of `Id` itself, not of the trait.
            Json::Text(text) => Self::parse(&text).ok_or(ParseError::Invalid(problem)),
            other => Err(ParseError::wrong_type(&problem, &other)),
        }
    }

    fn canonical(value: &Json) -> Json {
        match value {
            Json::Text(text) => Json::Text(text.to_ascii_lowercase()),
            other => other.clone(),
        }
    }
}

/// The indefinite article for a kind's word. The words that begin with "u", such as "user", need "a".
fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

impl Parse for bool {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "boolean" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        match value {
            Json::Boolean(value) => Ok(value),
            other => Err(ParseError::Invalid(format!(
                "must be true or false, not {}",
                other.type_name()
            ))),
        }
    }
}

/// A boolean filter of which `false` narrows the list too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Parse for Flag {
    fn schema() -> serde_json::Value {
        <bool as Parse>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        <bool as Parse>::parse(value, context).map(Self)
    }

    fn canonical(value: &Json) -> Json {
        value.clone()
    }
}
