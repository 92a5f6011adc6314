//! The answers of tools: their fields, and an example from the test environment.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::page::{returns_one_record, value};
use crate::call::definition::ToolDef;
use crate::catalog;
use crate::testing::{Business, TestEnv};

/// Maximum length of a JSON value on one line, in characters: its indentation and the value. The name of the field
/// before it and the comma after it are not counted.
const MAX_LINE: usize = 110;

/// A field of an answer as the page shows it.
#[derive(PartialEq)]
struct Field {
    name: String,
    value: String,
    about: String,
}

/// Writes the fields of a tool's answer. `get` is the group's tool that returns one record. If the answer has most
/// fields of that record, the text refers to `get` instead of repeating them.
pub(super) fn describe(page: &mut String, tool: &ToolDef, get: Option<&ToolDef>) {
    let schema = tool.output_schema();
    let items = &schema["properties"]["rows"]["items"];
    let record =
        get.filter(|get| get.name != tool.name).map(|get| (get.name, fields(&get.output_schema())));
    let is_list = items.is_object();
    let own_fields = fields(if is_list { items } else { &schema });
    let prefix = if is_list { "rows[]." } else { "" };
    let mut shown: Vec<&Field> = own_fields.iter().collect();
    page.push('\n');
    if let Some((get_name, record_fields)) = record
        && own_fields.iter().filter(|field| record_fields.contains(field)).count() * 2
            > record_fields.len()
    {
        shown.retain(|field| !record_fields.contains(field));
        let has_own = |name: &str| own_fields.iter().any(|field| field.name == name);
        let left_out: Vec<_> = record_fields
            .iter()
            .filter(|field| !field.name.contains(['.', '[']) && !has_own(&field.name))
            .map(|field| format!("`{}`", field.name))
            .collect();
        let anchor = get_name.replace('.', "");
        let subject = if is_list { "Each of `rows` has" } else { "Returns" };
        let _ = write!(page, "{subject} the fields of [`{get_name}`](#{anchor})");
        if !left_out.is_empty() {
            let _ = write!(page, " without {}", left_out.join(", "));
        }
        page.push_str(if shown.is_empty() { ".\n" } else { ", and:\n\n" });
    }
    let outer: Vec<_> = if is_list { fields_besides_rows(&schema) } else { Vec::new() };
    if shown.is_empty() && outer.is_empty() {
        return;
    }
    if shown.is_empty() {
        // The sentence above ends with one newline, but a table needs an empty line before it.
        page.push('\n');
    }
    page.push_str("| answer | value | meaning |\n| --- | --- | --- |\n");
    for field in outer {
        let _ = writeln!(page, "| `{}` | {} | {} |", field.name, field.value, field.about);
    }
    for field in shown {
        let _ = writeln!(page, "| `{prefix}{}` | {} | {} |", field.name, field.value, field.about);
    }
}

/// The fields of a list besides its rows.
fn fields_besides_rows(schema: &Value) -> Vec<Field> {
    fields(schema).into_iter().filter(|field| !field.name.starts_with("rows")).collect()
}

/// The fields of an object, including those of nested objects. A list of records that a get tool returns is one field,
/// whose text refers to that tool.
fn fields(object: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    for (name, schema) in object["properties"].as_object().into_iter().flatten() {
        let about = schema["description"].as_str().unwrap_or_default().replace('|', "\\|");
        if let Some(get) = record_in(&schema["items"]) {
            let anchor = get.replace('.', "");
            let about = format!("{about} Each has the fields of [`{get}`](#{anchor}).");
            found.push(Field { name: name.clone(), value: value(schema), about });
            continue;
        }
        found.push(Field { name: name.clone(), value: value(schema), about });
        let (inner, path) = if schema["items"].is_object() {
            (&schema["items"], format!("{name}[]"))
        } else {
            (schema, name.clone())
        };
        let with_path = |field: Field| Field { name: format!("{path}.{}", field.name), ..field };
        found.extend(fields(inner).into_iter().map(with_path));
    }
    found
}

/// The tool that returns exactly this record, if there is one.
fn record_in(items: &Value) -> Option<&'static str> {
    let fields = items["properties"].as_object()?;
    catalog::mcp_tools()
        .filter(|(_, tool)| returns_one_record(tool))
        .find(|(_, tool)| tool.output_schema()["properties"].as_object() == Some(fields))
        .map(|(_, tool)| tool.name)
}

/// A test environment with the records that the examples name, and its business.
pub(super) fn sample() -> (TestEnv, Business) {
    let env = TestEnv::new();
    let business = env.business("Acme");
    // The note that the example of notes.list finds.
    let pinned = json!({ "body": "Inspector visit scheduled for Friday.", "pinned": true,
                         "subject_type": "job", "subject_id": business.id("job") });
    env.call(&business.owner, "notes.create", pinned).expect("a pinned note");
    (env, business)
}

/// Writes a call and the tool's answer.
pub(super) fn example(page: &mut String, tool: &ToolDef, (env, business): &(TestEnv, Business)) {
    let arguments = business.fill(tool.example);
    let answer = env
        .try_out(&business.owner, tool.name, &arguments)
        .unwrap_or_else(|error| panic!("{}: {error:?}", tool.name));
    let ids = Ids::new(business);
    let _ = write!(
        page,
        "\nExample arguments and the answer:\n\n```json\n{}\n```\n\n```json\n{}\n```\n",
        ids.replace_ids(&pretty(&arguments)),
        ids.replace_ids(&pretty(&answer))
    );
}

/// The id on the page for each id in the test. A sample record has the same id on the page in every example.
struct Ids(BTreeMap<String, String>);

impl Ids {
    fn new(business: &Business) -> Self {
        let people = [("owner", &business.owner), ("tech", &business.tech)]
            .map(|(name, access)| (name, Business::user(access).to_string()));
        let mut samples: Vec<_> = business.ids.iter().cloned().chain(people).collect();
        samples.sort();
        let ids = samples.into_iter().zip(1..).map(|((_, id), number)| (id, page_id(number)));
        Self(ids.collect())
    }

    /// Replaces the ids in `text` by ids of the page. Ids of other records than the samples get the next free ids, in
    /// the order of their appearance.
    fn replace_ids(&self, text: &str) -> String {
        let mut known = self.0.clone();
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        // An id is a whole string, and begins with 0 because it begins with the time of its creation.
        while let Some(start) = rest.find("\"0") {
            let (before, after) = rest.split_at(start + 1);
            replaced.push_str(before);
            let id = after.get(..36).filter(|id| uuid::Uuid::parse_str(id).is_ok());
            let Some(id) = id else {
                rest = after;
                continue;
            };
            let free = known.len() + 1;
            replaced.push_str(known.entry(id.to_owned()).or_insert_with(|| page_id(free)));
            rest = &after[36..];
        }
        replaced + rest
    }
}

fn page_id(number: usize) -> String {
    format!("0198c1f0-0000-7000-8000-{number:012}")
}

/// JSON for readers: a value that fits on one line is on one line.
fn pretty(json: &str) -> String {
    lines(&serde_json::from_str(json).expect("JSON"), 0)
}

fn lines(value: &Value, indent: usize) -> String {
    let short = one_line(value);
    if indent + short.chars().count() <= MAX_LINE {
        return short;
    }
    let (deeper, outer) = (" ".repeat(indent + 2), " ".repeat(indent));
    let join = |members: Vec<String>| members.join(&format!(",\n{deeper}"));
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("\"{name}\": {}", lines(value, indent + 2)))
                .collect();
            format!("{{\n{deeper}{}\n{outer}}}", join(members))
        }
        Value::Array(members) => {
            let members = members.iter().map(|value| lines(value, indent + 2)).collect();
            format!("[\n{deeper}{}\n{outer}]", join(members))
        }
        _ => short,
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("\"{name}\": {}", one_line(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(members) => {
            format!("[{}]", members.iter().map(one_line).collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}
