//! Reads the members of one JSON object as borrowed raw values, in one pass without recursion.
//!
//! Requests are parsed only in this module. What the members mean is up to its callers.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The values of the requested members, in the order in which their names were given.
pub(crate) struct Members<'a, const N: usize> {
    /// The first value of each name.
    pub(crate) values: [Option<&'a RawValue>; N],
    /// The first duplicate name in the object, whether requested or not.
    pub(crate) repeated: Option<String>,
}

/// Why text could not be read as an object.
pub(crate) enum Unreadable {
    /// The text is not JSON (RFC 8259), or a key is not valid Unicode.
    NotJson(serde_json::Error),
    /// The text is JSON, but not an object.
    NotAnObject,
}

impl<const N: usize> Members<'_, N> {
    /// The members of an empty object.
    pub(crate) fn none() -> Self {
        Self { values: [None; N], repeated: None }
    }
}

/// Reads the members called `names` and skips the others. Deep nesting cannot exhaust the stack: skipped and raw
/// values are scanned with a list on the heap.
pub(crate) fn members<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
) -> Result<Members<'a, N>, Unreadable> {
    let is_object = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    if !is_object {
        return Err(match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Unreadable::NotAnObject,
            Err(error) => Unreadable::NotJson(error),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members =
        deserializer.deserialize_map(MemberVisitor { names }).map_err(Unreadable::NotJson)?;
    deserializer.end().map_err(Unreadable::NotJson)?;
    Ok(members)
}

/// The contents of a JSON string; `None` for any other value, and for a string that is not valid Unicode (a lone
/// surrogate escape is valid JSON).
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// Whether a value is an object. Its first byte shows that: a raw value has no white space before it.
pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// Borrows from the input unless the string has escapes; a bare `Cow` would always copy.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct MemberVisitor<const N: usize> {
    names: [&'static str; N],
}

impl<'de, const N: usize> Visitor<'de> for MemberVisitor<N> {
    type Value = Members<'de, N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::none();
        // A set, not a list: a body full of unknown keys must not cost quadratic time.
        let mut others = HashSet::new();
        while let Some(Text(key)) = map.next_key()? {
            let value: &'de RawValue = map.next_value()?;
            let repeated = match self.names.iter().position(|name| *name == key) {
                Some(index) if members.values[index].is_none() => {
                    members.values[index] = Some(value);
                    None
                }
                Some(_) => Some(key),
                None => others.replace(key),
            };
            if let Some(key) = repeated {
                members.repeated.get_or_insert_with(|| key.into_owned());
            }
        }
        Ok(members)
    }
}
