//! The fields that a caller sent, read one by one, and the schema of the fields that can be sent.

use schemars::Schema;

use super::hints::{self, Hint};
use super::{Argument, Json, Object, ParseContext, ParseError, json};
use crate::call::error::{Error, FieldProblem, Result};

/// Keys that some clients add to every call. They are dropped, never rejected.
pub const CLIENT_ADDED_KEYS: &[&str] =
    &["toolCallId", "sessionId", "action", "chatInput", "tool", "task_progress"];

/// Maximum number of unknown fields that an error names.
const MAX_UNKNOWN_NAMED: usize = 16;

/// One field of an input, for schemas and documents.
#[derive(Debug, Clone)]
pub struct Field {
    /// The field's name.
    pub name: &'static str,
    /// What the field means, from its doc comment.
    pub about: String,
    /// The JSON schema of the field's value, without the description.
    pub schema: serde_json::Value,
    /// Whether the field is required.
    pub required: bool,
}

/// The arguments of one tool.
pub trait Input: Sized + Clone + Send + 'static {
    /// Other names that a read accepts for its filters, each with the filter's own name.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];

    /// The input's fields, in order.
    fn fields() -> Vec<Field>;

    /// Reads the input. If it is invalid, reports the problems to `sent` and returns `None`.
    fn read(sent: &mut Fields) -> Option<Self>;

    /// [`Parse::canonical`](super::Parse::canonical) for the field `name`.
    fn canonical(name: &str, value: &Json) -> Json;
}

/// The JSON schema of an input: no additional properties, every field described.
pub fn object_schema(fields: &[Field]) -> serde_json::Map<String, serde_json::Value> {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = field.schema.clone();
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), field.about.clone().into());
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

/// The JSON schema of an answer, with every subschema inlined.
pub fn output_schema<T: schemars::JsonSchema>() -> Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(schemars::transform::RecursiveTransform(|schema: &mut Schema| {
            // Remove the names of Rust's number types: JSON Schema has no such formats, and clients warn.
            let is_string =
                schema.get("type").is_some_and(|kind| kind.to_string().contains("string"));
            if !is_string {
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
    let mut common = std::mem::take(object);
    if let Some(serde_json::Value::Array(words)) = common.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let choices: serde_json::Value = types
        .into_iter()
        .map(|kind| {
            if kind == "null" {
                return serde_json::json!({ "type": kind });
            }
            common.insert("type".to_owned(), kind);
            serde_json::Value::Object(common.clone())
        })
        .collect();
    if let Some(description) = description {
        object.insert("description".to_owned(), description);
    }
    object.insert("anyOf".to_owned(), choices);
}

/// The fields that a caller sent. They are read one by one, and their problems are collected.
#[derive(Debug)]
pub struct Fields {
    /// The fields that have not been read yet.
    unread: Object,
    /// The names of all fields that were sent.
    sent: Vec<String>,
    /// The fields whose value is not blank: the name, and the value if it is a short string.
    filled: Vec<(String, Option<String>)>,
    /// The names of the fields whose value is a blank string.
    blank: Vec<String>,
    /// The names of the fields that the input has.
    known: Vec<&'static str>,
    /// What to suggest for fields that the input does not have.
    hints: Vec<Hint>,
    problems: Vec<FieldProblem>,
    context: ParseContext,
}

impl Fields {
    /// The fields of a JSON object.
    pub fn new(object: Object, context: ParseContext) -> Self {
        let sent = object.iter().map(|(name, _)| name.clone()).collect();
        let blank = object.iter().filter(|(_, value)| value.is_blank() && *value != Json::Null);
        let blank = blank.map(|(name, _)| name.clone()).collect();
        let filled = object.iter().filter(|(_, value)| !value.is_blank());
        let filled = filled.map(|(name, value)| (name.clone(), value.short_string())).collect();
        let (known, hints, problems) = (Vec::new(), Vec::new(), Vec::new());
        Self { unread: object, sent, filled, blank, known, hints, problems, context }
    }

    /// Reads the field `name` as a `T`. If its value is invalid, reports the problem and returns `None`.
    pub fn take<T: Argument>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let index = self.unread.iter().position(|(sent, _)| sent == name);
        let sent = index.map(|index| self.unread.swap_remove(index).1);
        match T::read(sent, self.context) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.extend(error.at(name));
                None
            }
        }
    }

    /// Removes a field, so that the input does not read it.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        self.sent.retain(|sent| sent != name);
        let index = self.unread.iter().position(|(sent, _)| sent == name)?;
        Some(self.unread.remove(index).1)
    }

    /// The names of all fields that were sent.
    pub fn names(&self) -> &[String] {
        &self.sent
    }

    /// Whether the field was sent, whatever its value.
    pub fn was_sent(&self, name: &str) -> bool {
        self.sent.iter().any(|sent| sent == name)
    }

    /// Whether the field was sent with a value that is not blank.
    pub fn is_filled(&self, name: &str) -> bool {
        self.filled.iter().any(|(filled, _)| filled == name)
    }

    /// The field's value, if it is a short string.
    pub fn short_string(&self, name: &str) -> Option<&str> {
        self.filled.iter().find(|(filled, _)| filled == name)?.1.as_deref()
    }

    /// Reports a problem with one field. Always returns `None`, which the caller can return in turn.
    pub fn refuse<T>(&mut self, field: &str, problem: impl Into<String>) -> Option<T> {
        if !self.problems.iter().any(|known| known.field == field) {
            let problem = problem.into();
            self.problems.push(FieldProblem { field: field.to_owned(), problem });
        }
        None
    }

    /// Reports every known field whose value is a blank string. A blank filter would silently match all rows.
    pub fn refuse_blanks(&mut self) {
        for name in std::mem::take(&mut self.blank) {
            if self.known.contains(&name.as_str()) {
                self.refuse::<()>(&name, "must not be empty: leave it out or send null");
            }
        }
    }

    /// Adds names that the error about an unknown field lists as valid.
    pub fn also_known(&mut self, names: &[&'static str]) {
        self.known.extend_from_slice(names);
    }

    /// Adds suggestions for the error about an unknown field.
    pub fn suggest(&mut self, hints: &[Hint]) {
        self.hints.extend_from_slice(hints);
    }

    /// What the meaning of values depends on, such as the default country of telephone numbers.
    pub const fn context(&self) -> ParseContext {
        self.context
    }

    /// Reports an update that would change nothing, because only the fields `ids` were sent.
    pub fn require_change(&mut self, ids: &[&str]) {
        let changes = self
            .known
            .iter()
            .filter(|known| !ids.contains(*known) && self.sent.iter().any(|sent| sent == **known));
        if changes.count() == 0 && self.problems.is_empty() && self.unread.is_empty() {
            let known: Vec<_> =
                self.known.iter().filter(|known| !ids.contains(*known)).copied().collect();
            let known = known.join(", ");
            self.refuse::<()>("arguments", format!("need at least one field to change: {known}"));
        }
    }

    /// Returns `input`, or all problems if there are any. Unknown fields are problems.
    pub fn finish<T>(mut self, input: Option<T>) -> Result<T, Vec<FieldProblem>> {
        let unknown_fields = std::mem::take(&mut self.unread);
        for (name, _) in unknown_fields.iter().take(MAX_UNKNOWN_NAMED) {
            let problem = unknown_field(name, &self.known, &self.hints);
            self.refuse::<()>(&shorten(name), problem);
        }
        if let Some(more @ 1..) = unknown_fields.len().checked_sub(MAX_UNKNOWN_NAMED) {
            self.refuse::<()>("arguments", format!("contain {more} more unknown fields"));
        }
        match input {
            Some(input) if self.problems.is_empty() => Ok(input),
            _ => Err(self.problems),
        }
    }
}

/// Reads `object` as the input of a write. A problem with the idempotency key is reported together with
/// the problems with the fields.
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

/// Gives filters that were sent under another name ([`Input::ALIASES`]) their own name. If a filter was sent under
/// both names with different meanings, the other name stays, so that it is reported as unknown.
pub(crate) fn rename_aliases<T: Input>(object: &mut Object) {
    for (alias, name) in T::ALIASES {
        let value = |wanted: &str| {
            let found = object.iter().find(|(sent, _)| sent == wanted);
            found.map(|(_, value)| T::canonical(name, value))
        };
        let Some(by_alias) = value(alias) else { continue };
        let unused = match value(name) {
            None | Some(Json::Null) => name,
            Some(by_name) if by_alias == Json::Null || by_alias == by_name => alias,
            Some(_) => continue,
        };
        object.retain(|(sent, _)| sent != unused);
        if let Some((sent, _)) = object.iter_mut().find(|(sent, _)| sent == alias) {
            (*name).clone_into(sent);
        }
    }
}

/// Reads `object` as the input of a read. A blank filter is a problem.
pub fn read_filters<T: Input>(mut object: Object, context: ParseContext) -> Result<T> {
    rename_aliases::<T>(&mut object);
    let mut fields = Fields::new(object, context);
    let input = T::read(&mut fields);
    fields.refuse_blanks();
    fields.finish(input).map_err(Error::fields)
}

/// Parses a nested object: the value of a field, or an item of a list.
pub(crate) fn parse_nested<T: Input>(value: Json, context: ParseContext) -> Result<T, ParseError> {
    let Json::Object(object) = value else {
        let problem = format!("must be an object, not {}", value.type_name());
        return Err(ParseError::Invalid(problem));
    };
    let mut fields = Fields::new(object, context);
    let input = T::read(&mut fields);
    fields.finish(input).map_err(ParseError::inside)
}

/// Parses the arguments of a tool as a JSON object.
pub fn parse_object(text: &str) -> Result<Object> {
    match json::parse(text) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(Error::invalid("Send the arguments as a JSON object.")),
        Err(error) => Err(Error::invalid(format!("Send the arguments as valid JSON: {error}."))),
    }
}

/// The problem with an unknown field, with what to use instead. A very long name is not compared with other names: no
/// name is similar, and the comparison would be slow.
fn unknown_field(name: &str, known: &[&'static str], hints: &[Hint]) -> String {
    let is_short = name.len() <= json::MAX_SHOWN;
    match is_short.then(|| hints::suggest(name, known, hints)).flatten() {
        Some(suggestion) => format!("is not a field of this tool; {suggestion}"),
        None if known.is_empty() => "is not a field of this tool, which takes none".to_owned(),
        None => format!("is not a field of this tool, which takes {}", known.join(", ")),
    }
}

/// A name that the caller sent, cut short and without control characters, so that an error can show it.
fn shorten(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(json::MAX_SHOWN).collect()
}
