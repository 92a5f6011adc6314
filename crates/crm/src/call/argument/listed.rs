//! The schema of an input as `tools/list` tells it. `docs/tools.md` has what is left out here.

use serde_json::{Map, Value};

use super::fields::{Field, object_schema};
use crate::call::idempotency;

/// The schema of an input as callers are told it. A model reads it with every request, so it leaves out what a call
/// rarely needs and a refusal tells as well: lengths, ranges of fractions, and descriptions that say no more than the
/// field's name or than the server's instructions.
pub(crate) fn listed_schema(fields: &[Field]) -> Map<String, Value> {
    let told = fields.iter().filter(|field| !TOLD_ONCE.contains(&field.name));
    let mut schema = object_schema(&told.cloned().collect::<Vec<_>>());
    shorten(&mut schema);
    schema
}

fn shorten(schema: &mut Map<String, Value>) {
    schema.remove("maxLength");
    // An id is called so, and comes from an answer.
    if schema.get("format").is_some_and(|format| format == "uuid") {
        schema.remove("format");
    }
    if schema.get("type").is_some_and(|kind| kind == "number") {
        schema.remove("minimum");
        schema.remove("maximum");
    }
    if let Some(items) = schema.get_mut("items").and_then(Value::as_object_mut) {
        shorten(items);
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        let Some(property) = property.as_object_mut() else { continue };
        let about = property.get("description").and_then(Value::as_str);
        if about.is_some_and(|about| is_clear_without(name, about)) {
            property.remove("description");
        }
        shorten(property);
    }
}

/// Fields of all writes that the server's instructions tell once. They are accepted although they are not listed.
const TOLD_ONCE: &[&str] = &[idempotency::FIELD];

/// Fields of many tools that the server's instructions explain.
const EXPLAINED_ONCE: &[&str] = &["cursor"];

/// Whether a field's name says all that its description does.
fn is_clear_without(name: &str, about: &str) -> bool {
    let letters = |text: &str| {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_lowercase()).collect::<Vec<_>>()
    };
    EXPLAINED_ONCE.contains(&name)
        || letters(about) == letters(name)
        || name.ends_with("id") && about.ends_with("'s id.")
}
