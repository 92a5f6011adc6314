//! Arguments: what a caller sent becomes valid types, or a list of everything that is wrong.
//!
//! An input is declared once with [`input!`](crate::argument::input): its fields' types carry the
//! limits, and the same constants make the JSON schema and the validation. How a field's type
//! treats `null` and emptiness is told by its wrapper:
//!
//! | type | meaning | `null` or empty |
//! | --- | --- | --- |
//! | `T` | required | refused |
//! | `Option<T>` | may be left out | not sent |
//! | [`Patch<T>`] | an update that can also clear | clears |
//! | [`Sent<T>`] | an update that cannot clear | refused |

mod json;
mod values;

use schemars::Schema;

pub use json::{Json, Object};
pub use values::{
    Color, CountryCode, Email, Latitude, Longitude, PageLimit, PhoneText, Text, Time, Words,
};

use crate::access::Country;
use crate::error::{Error, FieldProblem, Result};
use crate::id::{Id, Kind};

/// Keys that some clients add to every call; they are dropped, never refused.
pub const CLIENT_ARTEFACTS: &[&str] = &["toolCallId", "sessionId", "action", "chatInput", "tool"];

/// What a value's meaning depends on beside its text.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The country of telephone numbers without a country code.
    pub country: Country,
}

/// Why a value was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing was there: `null`, or a text with nothing in it.
    Empty,
    /// What is wrong, as the end of a sentence that begins with the field's name.
    Because(String),
    /// What is wrong inside a nested object.
    Inside(Vec<FieldProblem>),
}

/// A type that a field's value can have.
pub trait Parse: Sized {
    /// The JSON schema, with every limit.
    fn schema() -> serde_json::Value;

    /// The valid value, or why not. Never called with `null`.
    fn parse(value: Json, setting: Setting) -> Result<Self, Refused>;
}

/// A field's type: a [`Parse`] type in a wrapper that says what leaving it out means.
pub trait Argument: Sized {
    /// Whether leaving the field out is refused.
    const REQUIRED: bool;
    /// The JSON schema of the value.
    fn schema() -> serde_json::Value;
    /// The valid value, or why not.
    fn read(sent: Option<Json>, setting: Setting) -> Result<Self, Refused>;
}

fn some<T: Parse>(sent: Option<Json>, setting: Setting) -> Result<Option<T>, Refused> {
    match sent {
        None => Ok(None),
        Some(Json::Null) => Err(Refused::Empty),
        Some(value) => T::parse(value, setting).map(Some),
    }
}

impl<T: Parse> Argument for T {
    const REQUIRED: bool = true;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, setting: Setting) -> Result<Self, Refused> {
        match some(sent, setting) {
            Ok(Some(value)) => Ok(value),
            Ok(None) | Err(Refused::Empty) => Err(Refused::Because("is required".to_owned())),
            Err(other) => Err(other),
        }
    }
}

impl<T: Parse> Argument for Option<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, setting: Setting) -> Result<Self, Refused> {
        match some(sent, setting) {
            Err(Refused::Empty) => Ok(None),
            other => other,
        }
    }
}

/// One field of an update that can be cleared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not sent: stays as it is.
    #[default]
    Keep,
    /// Sent as `null` or empty: becomes nothing.
    Clear,
    /// Becomes this.
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

    /// The same change of a value made from this one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(make(value)),
        }
    }

    /// Whether the field stays as it is.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T: Parse> Argument for Patch<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        let mut schema = T::schema();
        if let Some(kind) = schema.get_mut("type") {
            *kind = serde_json::json!([kind.take(), "null"]);
        }
        schema
    }

    fn read(sent: Option<Json>, setting: Setting) -> Result<Self, Refused> {
        match some(sent, setting) {
            Ok(None) => Ok(Self::Keep),
            Ok(Some(value)) => Ok(Self::Set(value)),
            Err(Refused::Empty) => Ok(Self::Clear),
            Err(other) => Err(other),
        }
    }
}

/// One field of an update that cannot be cleared: a required one, a boolean, a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<T>(pub Option<T>);

impl<T: Parse> Argument for Sent<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, setting: Setting) -> Result<Self, Refused> {
        match some(sent, setting) {
            Err(Refused::Empty) => Err(Refused::Because("cannot be cleared".to_owned())),
            other => other.map(Self),
        }
    }
}

impl<K: Kind> Parse for Id<K> {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "format": "uuid" })
    }

    fn parse(value: Json, _: Setting) -> Result<Self, Refused> {
        let problem = || Refused::Because(format!("must be the UUID of a {}", K::WORD));
        match value {
            Json::Text(text) if text.trim().is_empty() => Err(Refused::Empty),
            Json::Text(text) => Self::parse(&text).ok_or_else(problem),
            _ => Err(problem()),
        }
    }
}

impl Parse for bool {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "boolean" })
    }

    fn parse(value: Json, _: Setting) -> Result<Self, Refused> {
        match value {
            Json::Boolean(truth) => Ok(truth),
            other => {
                Err(Refused::Because(format!("must be true or false, not {}", other.type_name())))
            }
        }
    }
}

/// One field of an input, for schemas and documents.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it means, from the field's doc comment.
    pub about: String,
    /// The JSON schema of its value, without the description.
    pub schema: serde_json::Value,
    /// Whether leaving it out is refused.
    pub required: bool,
}

/// The arguments of one tool.
pub trait Input: Sized + Clone + Send + 'static {
    /// Its fields in order.
    fn fields() -> Vec<Field>;

    /// The valid input; what is wrong is reported to `sent`.
    fn read(sent: &mut Fields) -> Option<Self>;
}

/// The JSON schema of an input: closed, every field described.
pub fn object_schema(fields: &[Field]) -> serde_json::Map<String, serde_json::Value> {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = field.schema.clone();
        if let Some(object) = schema.as_object_mut()
            && !field.about.is_empty()
        {
            object.insert("description".to_owned(), field.about.clone().into());
        }
        properties.insert(field.name.to_owned(), schema);
        if field.required {
            required.push(field.name);
        }
    }
    let mut schema = serde_json::Map::new();
    schema.insert("type".to_owned(), "object".into());
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), properties.into());
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// A record's JSON schema, with every subschema in place.
pub fn output_schema<T: schemars::JsonSchema>() -> Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator()
        .into_root_schema_for::<T>()
}

/// The fields that a caller sent, taken one by one; what is wrong is gathered on the way.
#[derive(Debug)]
pub struct Fields {
    left: Object,
    /// The names that were sent, whatever their values.
    sent: Vec<String>,
    /// Those of them that hold something, and the word for those that are short texts.
    held: Vec<(String, Option<String>)>,
    known: Vec<&'static str>,
    problems: Vec<FieldProblem>,
    setting: Setting,
}

impl Fields {
    /// The fields of a JSON object.
    pub fn new(object: Object, setting: Setting) -> Self {
        let sent = object.iter().map(|(name, _)| name.clone()).collect();
        let held = object.iter().filter(|(_, value)| !value.is_blank());
        let held = held.map(|(name, value)| (name.clone(), value.word())).collect();
        Self { left: object, sent, held, known: Vec::new(), problems: Vec::new(), setting }
    }

    /// Takes the field `name` as a `T`; `None` when it is wrong, which is then reported.
    pub fn take<T: Argument>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let at = self.left.iter().position(|(sent, _)| sent == name);
        let sent = at.map(|at| self.left.swap_remove(at).1);
        match T::read(sent, self.setting) {
            Ok(value) => Some(value),
            Err(Refused::Empty) => self.refuse(name, "must not be empty"),
            Err(Refused::Because(problem)) => self.refuse(name, problem),
            Err(Refused::Inside(problems)) => {
                self.problems.extend(problems.into_iter().map(|inner| FieldProblem {
                    field: format!("{name}.{}", inner.field),
                    problem: inner.problem,
                }));
                None
            }
        }
    }

    /// Takes a field out of the object before it is read as an input.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        self.sent.retain(|sent| sent != name);
        let at = self.left.iter().position(|(sent, _)| sent == name)?;
        Some(self.left.remove(at).1)
    }

    /// The names that were sent, whatever their values.
    pub fn names(&self) -> &[String] {
        &self.sent
    }

    /// Whether the field was sent at all, whatever its value.
    pub fn was_sent(&self, name: &str) -> bool {
        self.sent.iter().any(|sent| sent == name)
    }

    /// Whether the field was sent with something in it.
    pub fn holds(&self, name: &str) -> bool {
        self.held.iter().any(|(held, _)| held == name)
    }

    /// The field's value, if it is one short word.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.held.iter().find(|(held, _)| held == name)?.1.as_deref()
    }

    /// Reports a problem of one field; always `None`, for the taker to return.
    pub fn refuse<T>(&mut self, field: &str, problem: impl Into<String>) -> Option<T> {
        if !self.problems.iter().any(|known| known.field == field) {
            let problem = problem.into();
            self.problems.push(FieldProblem { field: field.to_owned(), problem });
        }
        None
    }

    /// The country of telephone numbers without a country code, and what else values depend on.
    pub const fn setting(&self) -> Setting {
        self.setting
    }

    /// Reports an update that would change nothing: only `ids` were sent.
    pub fn require_change(&mut self, ids: &[&str]) {
        let changes = self
            .known
            .iter()
            .filter(|known| !ids.contains(*known) && self.sent.iter().any(|sent| sent == **known));
        if changes.count() == 0 && self.problems.is_empty() && self.left.is_empty() {
            let known: Vec<_> =
                self.known.iter().filter(|known| !ids.contains(*known)).copied().collect();
            let known = known.join(", ");
            self.refuse::<()>("arguments", format!("need at least one field to change: {known}"));
        }
    }

    /// The end of the reading: `input` if nothing was wrong and nothing unknown was sent.
    pub fn finish<T>(mut self, input: Option<T>) -> Result<T, Vec<FieldProblem>> {
        for (name, _) in std::mem::take(&mut self.left) {
            let problem = unknown(&name, &self.known);
            self.refuse::<()>(&shown(&name), problem);
        }
        match input {
            Some(input) if self.problems.is_empty() => Ok(input),
            _ => Err(self.problems),
        }
    }
}

/// Reads `object` as an input.
pub fn read<T: Input>(object: Object, setting: Setting) -> Result<T> {
    let mut fields = Fields::new(object, setting);
    let input = T::read(&mut fields);
    fields.finish(input).map_err(Error::fields)
}

/// The text of a tool's arguments as an object, without what clients add on their own.
pub fn parse_object(text: &str) -> Result<Object> {
    match serde_json::from_str(text) {
        Ok(Json::Object(mut object)) => {
            object.retain(|(name, _)| !CLIENT_ARTEFACTS.contains(&name.as_str()));
            Ok(object)
        }
        Ok(_) => Err(Error::invalid("Send the arguments as a JSON object.")),
        Err(error) => Err(Error::invalid(format!("Send readable JSON arguments: {error}."))),
    }
}

/// What is wrong with an unknown field, with the nearest known one.
fn unknown(name: &str, known: &[&'static str]) -> String {
    let nearest = known
        .iter()
        .map(|known| (strsim::osa_distance(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(3) / 2);
    match nearest {
        Some((_, nearest)) => format!("is not a field of this tool; did you mean {nearest}?"),
        None if known.is_empty() => "is not a field of this tool, which takes none".to_owned(),
        None => format!("is not a field of this tool, which takes {}", known.join(", ")),
    }
}

/// A name that somebody sent, short and harmless enough to be shown.
fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

/// A field's name on the wire: a Rust keyword is written raw in the struct.
pub(crate) fn field_name(identifier: &'static str) -> &'static str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// Declares a tool's input: a struct whose fields are read and described by their types.
///
/// `rules = function` names a `fn(&mut Fields)` for the rules between fields; it runs whether or
/// not single fields failed, so that everything wrong is told at once. `..fields: Type` at the end
/// takes another input's fields in, at the same level.
macro_rules! input {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident $(, rules = $rules:path)? {
            $( $(#[doc = $field_about:literal])* pub $field:ident: $type:ty, )*
            $( ..$flat:ident: $flat_type:ty )?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $( $(#[doc = $field_about])* pub $field: $type, )*
            $( #[doc = "The fields at the same level."] pub $flat: $flat_type, )?
        }

        impl $crate::argument::Input for $name {
            fn fields() -> Vec<$crate::argument::Field> {
                [
                    vec![$( $crate::argument::Field {
                        name: $crate::argument::field_name(stringify!($field)),
                        about: concat!($($field_about, "\n"),*).trim().replace("\n ", " "),
                        schema: <$type as $crate::argument::Argument>::schema(),
                        required: <$type as $crate::argument::Argument>::REQUIRED,
                    } ),*],
                    $( <$flat_type as $crate::argument::Input>::fields(), )?
                ]
                .concat()
            }

            fn read(sent: &mut $crate::argument::Fields) -> Option<Self> {
                // An input without fields takes nothing.
                let _: &$crate::argument::Fields = sent;
                $( let $field =
                    sent.take::<$type>($crate::argument::field_name(stringify!($field))); )*
                $( let $flat = <$flat_type as $crate::argument::Input>::read(sent); )?
                $( $rules(sent); )?
                Some(Self { $( $field: $field?, )* $( $flat: $flat?, )? })
            }
        }
    };
}
pub(crate) use input;

/// Makes an input usable as a nested object in another one.
macro_rules! nested {
    ($name:ident) => {
        impl $crate::argument::Parse for $name {
            fn schema() -> serde_json::Value {
                let fields = <$name as $crate::argument::Input>::fields();
                serde_json::Value::Object($crate::argument::object_schema(&fields))
            }

            fn parse(
                value: $crate::argument::Json,
                setting: $crate::argument::Setting,
            ) -> Result<Self, $crate::argument::Refused> {
                use $crate::argument::{Fields, Input, Json, Refused};
                let Json::Object(object) = value else {
                    let problem = format!("must be an object, not {}", value.type_name());
                    return Err(Refused::Because(problem));
                };
                let mut fields = Fields::new(object, setting);
                let input = Self::read(&mut fields);
                fields.finish(input).map_err(Refused::Inside)
            }
        }
    };
}
pub(crate) use nested;

/// Declares a closed set of words: the type, its schema, and its form in the database and on the
/// wire, from one list.
macro_rules! choices {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $( $(#[$choice_about:meta])* $choice:ident = $word:literal, )* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $( $(#[$choice_about])* $choice, )* }

        impl $name {
            /// Every choice, in order.
            pub const ALL: &'static [Self] = &[$(Self::$choice),*];

            /// The word on the wire and in the database.
            pub const fn word(self) -> &'static str {
                match self { $( Self::$choice => $word, )* }
            }

            /// The choice that this word names.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.word() == word)
            }
        }

        impl $crate::argument::Parse for $name {
            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "string", "enum": [$($word),*] })
            }

            fn parse(
                value: $crate::argument::Json,
                _: $crate::argument::Setting,
            ) -> Result<Self, $crate::argument::Refused> {
                use $crate::argument::{Json, Refused};
                let problem = || Refused::Because(
                    format!("must be one of {}", [$($word),*].join(", ")),
                );
                match value {
                    Json::Text(word) if word.trim().is_empty() => Err(Refused::Empty),
                    Json::Text(word) => Self::from_word(&word).ok_or_else(problem),
                    _ => Err(problem()),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),*] })
            }
        }

        impl zoop_db::Param for $name {
            fn value(&self) -> zoop_db::Value<'_> {
                zoop_db::Value::Text(self.word())
            }
        }

        impl zoop_db::Column for $name {
            const NAME: &'static str = stringify!($name);
            fn read(value: zoop_db::Value<'_>) -> Option<Self> {
                match value {
                    zoop_db::Value::Text(word) => Self::from_word(word),
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use choices;
