//! The fields that a caller sent, taken one by one, and the schema of what can be sent.

use schemars::Schema;

use super::{Argument, Json, Object, ParseContext, json};
use crate::call::error::{Error, FieldProblem, Result};

/// Keys that some clients add to every call. They are dropped, never rejected.
pub const CLIENT_ARTEFACTS: &[&str] =
    &["toolCallId", "sessionId", "action", "chatInput", "tool", "task_progress"];

/// Maximum unknown fields that an error names one by one.
const UNKNOWN_TOLD: usize = 16;

/// One field of an input, for schemas and documents.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it means, from the field's doc comment.
    pub about: String,
    /// The JSON schema of its value, without the description.
    pub schema: serde_json::Value,
    /// Whether it is required.
    pub required: bool,
}

/// The arguments of one tool.
pub trait Input: Sized + Clone + Send + 'static {
    /// Its fields in order.
    fn fields() -> Vec<Field>;

    /// The valid input. Problems are reported to `sent`.
    fn read(sent: &mut Fields) -> Option<Self>;

    /// [`Parse::canonical`](super::Parse::canonical) of the field `name`.
    fn canonical(name: &str, value: &Json) -> Json;
}

/// The greatest `maxLength` in a schema. llama.cpp turns a schema into a grammar that repeats a rule
/// that often, and rejects 2,000 repetitions. A greater limit is only in the description.
const MAX_TOLD: u64 = 1_000;

/// The JSON schema of an input: no additional properties, every field described.
pub fn object_schema(fields: &[Field]) -> serde_json::Map<String, serde_json::Value> {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = field.schema.clone();
        if let Some(object) = schema.as_object_mut() {
            let about = field.about.clone() + &untold_length(object);
            object.insert("description".to_owned(), about.into());
        }
        properties.insert(field.name.to_owned(), schema);
        if field.required {
            required.push(field.name);
        }
    }
    let mut schema = serde_json::Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// Removes a `maxLength` that is too great for a schema. Returns the sentence that states it instead.
fn untold_length(schema: &mut serde_json::Map<String, serde_json::Value>) -> String {
    let Some(most) = schema.get("maxLength").and_then(serde_json::Value::as_u64) else {
        return String::new();
    };
    if most <= MAX_TOLD {
        return String::new();
    }
    schema.remove("maxLength");
    format!(" At most {},{:03} characters.", most / 1_000, most % 1_000)
}

/// A record's JSON schema, with every subschema inlined.
pub fn output_schema<T: schemars::JsonSchema>() -> Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(schemars::transform::RecursiveTransform(|schema: &mut Schema| {
            // Rust's names of number types are not formats of JSON Schema, and clients warn about them.
            let is_text =
                schema.get("type").is_some_and(|kind| kind.to_string().contains("string"));
            if !is_text {
                schema.remove("format");
            }
            split_types(schema);
        }))
        .into_generator()
        .into_root_schema_for::<T>()
}

/// Turns a schema with a list of types, which many clients do not support, into an `anyOf`.
fn split_types(schema: &mut Schema) {
    let Some(serde_json::Value::Array(types)) = schema.get("type") else { return };
    let types = types.clone();
    let Some(object) = schema.as_object_mut() else { return };
    let description = object.remove("description");
    let mut whole = std::mem::take(object);
    if let Some(serde_json::Value::Array(words)) = whole.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let choices: serde_json::Value = types
        .into_iter()
        .map(|kind| {
            if kind == "null" {
                return serde_json::json!({ "type": kind });
            }
            whole.insert("type".to_owned(), kind);
            serde_json::Value::Object(whole.clone())
        })
        .collect();
    if let Some(description) = description {
        object.insert("description".to_owned(), description);
    }
    object.insert("anyOf".to_owned(), choices);
}

/// The fields that a caller sent, taken one by one. Problems are collected on the way.
#[derive(Debug)]
pub struct Fields {
    left: Object,
    /// The names that were sent, with any value.
    sent: Vec<String>,
    /// The names whose value is not blank, with the value itself if it is one short word.
    held: Vec<(String, Option<String>)>,
    /// The names whose value is a blank text.
    blank: Vec<String>,
    known: Vec<&'static str>,
    problems: Vec<FieldProblem>,
    context: ParseContext,
}

impl Fields {
    /// The fields of a JSON object.
    pub fn new(object: Object, context: ParseContext) -> Self {
        let sent = object.iter().map(|(name, _)| name.clone()).collect();
        let blank = object.iter().filter(|(_, value)| value.is_blank() && *value != Json::Null);
        let blank = blank.map(|(name, _)| name.clone()).collect();
        let held = object.iter().filter(|(_, value)| !value.is_blank());
        let held = held.map(|(name, value)| (name.clone(), value.word())).collect();
        Self { left: object, sent, held, blank, known: Vec::new(), problems: Vec::new(), context }
    }

    /// Takes the field `name` as a `T`. Reports an invalid value and returns `None`.
    pub fn take<T: Argument>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let at = self.left.iter().position(|(sent, _)| sent == name);
        let sent = at.map(|at| self.left.swap_remove(at).1);
        match T::read(sent, self.context) {
            Ok(value) => Some(value),
            Err(refused) => {
                self.problems.extend(refused.at(name));
                None
            }
        }
    }

    /// Removes a field before the rest is read as an input.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        self.sent.retain(|sent| sent != name);
        let at = self.left.iter().position(|(sent, _)| sent == name)?;
        Some(self.left.remove(at).1)
    }

    /// The names that were sent, with any value.
    pub fn names(&self) -> &[String] {
        &self.sent
    }

    /// Whether the field was sent, with any value.
    pub fn was_sent(&self, name: &str) -> bool {
        self.sent.iter().any(|sent| sent == name)
    }

    /// Whether the field was sent with a value that is not blank.
    pub fn holds(&self, name: &str) -> bool {
        self.held.iter().any(|(held, _)| held == name)
    }

    /// The field's value, if it is one short word.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.held.iter().find(|(held, _)| held == name)?.1.as_deref()
    }

    /// Reports a problem of one field. Always returns `None`, which the caller can return in turn.
    pub fn refuse<T>(&mut self, field: &str, problem: impl Into<String>) -> Option<T> {
        if !self.problems.iter().any(|known| known.field == field) {
            let problem = problem.into();
            self.problems.push(FieldProblem { field: field.to_owned(), problem });
        }
        None
    }

    /// Reports every known field with a blank text. As a filter it would silently match all rows.
    pub fn refuse_blanks(&mut self) {
        for name in std::mem::take(&mut self.blank) {
            if self.known.contains(&name.as_str()) {
                self.refuse::<()>(&name, "must not be empty: leave it out or send null");
            }
        }
    }

    /// Adds names that the caller can also send, for the list in the problem of an unknown field.
    pub fn also_known(&mut self, names: &[&'static str]) {
        self.known.extend_from_slice(names);
    }

    /// What values depend on, such as the country of telephone numbers without a country code.
    pub const fn context(&self) -> ParseContext {
        self.context
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

    /// Ends the reading. Returns `input` if there was no problem and no unknown field.
    pub fn finish<T>(mut self, input: Option<T>) -> Result<T, Vec<FieldProblem>> {
        let unknown_fields = std::mem::take(&mut self.left);
        for (name, _) in unknown_fields.iter().take(UNKNOWN_TOLD) {
            let problem = unknown(name, &self.known);
            self.refuse::<()>(&shown(name), problem);
        }
        if let Some(more @ 1..) = unknown_fields.len().checked_sub(UNKNOWN_TOLD) {
            self.refuse::<()>("arguments", format!("hold {more} more unknown fields"));
        }
        match input {
            Some(input) if self.problems.is_empty() => Ok(input),
            _ => Err(self.problems),
        }
    }
}

/// Reads `object` as the input of a write. A problem of the idempotency key is reported together with
/// those of the fields.
pub fn read<T: Input, K>(
    object: Object,
    key: Result<K, FieldProblem>,
    context: ParseContext,
) -> Result<(T, K)> {
    let mut fields = Fields::new(object, context);
    let input = T::read(&mut fields);
    fields.also_known(&[crate::call::idempotency::FIELD]);
    match (fields.finish(input), key) {
        (Ok(input), Ok(key)) => Ok((input, key)),
        (input, key) => {
            Err(Error::fields(input.err().into_iter().flatten().chain(key.err()).collect()))
        }
    }
}

/// Reads `object` as the input of a read.
pub fn read_filters<T: Input>(object: Object, context: ParseContext) -> Result<T> {
    let mut fields = Fields::new(object, context);
    let input = T::read(&mut fields);
    fields.refuse_blanks();
    fields.finish(input).map_err(Error::fields)
}

/// Parses the text of a tool's arguments as an object.
pub fn parse_object(text: &str) -> Result<Object> {
    match json::parse(text) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(Error::invalid("Send the arguments as a JSON object.")),
        Err(error) => Err(Error::invalid(format!("Send readable JSON arguments: {error}."))),
    }
}

/// The problem of an unknown field, with the nearest known name. A name longer than any known one is near
/// none, and is not compared: that would take as long as both are long.
fn unknown(name: &str, known: &[&'static str]) -> String {
    let compared = if name.len() <= json::MAX_SHOWN { known } else { &[] };
    let nearest = compared
        .iter()
        .map(|known| (strsim::osa_distance(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(3) / 2);
    match nearest {
        Some((_, nearest)) => format!("is not a field of this tool; the nearest one is {nearest}"),
        None if known.is_empty() => "is not a field of this tool, which takes none".to_owned(),
        None => format!("is not a field of this tool, which takes {}", known.join(", ")),
    }
}

/// A name that the caller sent, cut short and without control characters, so that it can be shown.
fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(json::MAX_SHOWN).collect()
}
