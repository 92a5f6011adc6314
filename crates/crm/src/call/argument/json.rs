//! JSON as the caller sent it: keys keep their order, and a duplicate key is an error rather than a silent
//! loss.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::values::text;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, as `serde_json` represents it.
    Number(Number),
    /// A number beyond the range of a 64-bit float, such as `1e999`. No field accepts it.
    HugeNumber,
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order sent.
    Object(Object),
}

/// The members of a JSON object, in the order sent. Keys are unique.
pub type Object = Vec<(String, Json)>;

impl Json {
    /// The name of the value's type, for error messages.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::HugeNumber => "a number that is too large",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(value),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members.into_iter().map(|(name, value)| (name, value.into())).collect(),
            ),
        }
    }
}

/// Whether a string is empty or has only invisible characters. A string with control characters other than
/// white space is not blank but invalid.
pub fn is_blank(text: &str) -> bool {
    let is_blank = |character: char| {
        text::is_invisible(character) && (character.is_whitespace() || !character.is_control())
    };
    text.chars().all(is_blank)
}

/// Maximum length in bytes of a string that [`Json::short_string`] returns.
const MAX_SHORT_BYTES: usize = 32;

impl Json {
    /// Whether the value is `null` or a blank string.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => is_blank(text),
            _ => false,
        }
    }

    /// The string, if it is short enough to be a word of an enum.
    pub fn short_string(&self) -> Option<String> {
        match self {
            Self::Text(text) if text.len() <= MAX_SHORT_BYTES => Some(text.clone()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Json, A::Error> {
        members(map).map(Json::Object)
    }
}

/// Maximum number of members of one object. No tool has this many arguments. Parsing stops at the first member
/// above the maximum, so that a long object costs no more than a short one.
pub(crate) const MAX_MEMBERS: usize = 64;

/// Reads an object's members and rejects duplicate keys.
fn members<'de, V: Deserialize<'de>, A: MapAccess<'de>>(
    mut map: A,
) -> Result<Vec<(String, V)>, A::Error> {
    let mut members: Vec<(String, V)> = Vec::new();
    while let Some(key) = map.next_key::<String>()? {
        if members.iter().any(|(known, _)| *known == key) {
            let key: String = key.chars().take(MAX_SHOWN).collect();
            return Err(A::Error::custom(format_args!("the key {key:?} is sent twice")));
        }
        if members.len() == MAX_MEMBERS {
            return Err(A::Error::custom(format_args!(
                "no tool takes an object of more than {MAX_MEMBERS} fields"
            )));
        }
        members.push((key, map.next_value()?));
    }
    Ok(members)
}

/// An error shows at most this many characters of a name that the caller sent.
pub(super) const MAX_SHOWN: usize = 64;

/// How many levels of nesting are searched for huge numbers. A huge number at a deeper level makes the whole
/// text invalid.
const MAX_DEPTH: usize = 4;

/// Parses a JSON text.
///
/// `serde_json` rejects the whole text if it contains a huge number. The text is then parsed again value
/// by value, so that the error is reported for the number's field.
pub(super) fn parse(text: &str) -> serde_json::Result<Json> {
    serde_json::from_str(text).or_else(|error| parse_parts(text, MAX_DEPTH).map_err(|_| error))
}

/// Parses a JSON text that `serde_json` rejects as a whole.
fn parse_parts(text: &str, depth: usize) -> serde_json::Result<Json> {
    let part = |raw: &RawValue| {
        let text = raw.get();
        serde_json::from_str(text).or_else(|error| match depth.checked_sub(1) {
            Some(depth) => parse_parts(text, depth),
            None => Err(error),
        })
    };
    match text.trim_start_matches([' ', '\t', '\n', '\r']).as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(text)?;
            let members = members.into_iter().map(|(name, raw)| Ok((name, part(raw)?)));
            members.collect::<serde_json::Result<_>>().map(Json::Object)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            items.into_iter().map(part).collect::<serde_json::Result<_>>().map(Json::List)
        }
        // If the grammar allows the number, the only possible problem is its size.
        Some(b'-' | b'0'..=b'9') => {
            serde_json::from_str::<&RawValue>(text).map(|_| Json::HugeNumber)
        }
        _ => serde_json::from_str(text),
    }
}

/// An object's unparsed members.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        members(map).map(Members)
    }
}
