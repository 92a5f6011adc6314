//! The text of `docs/tools.md`.

use std::fmt::Write as _;

use serde_json::Value;

use super::answers;
use crate::call::definition::{ToolDef, ToolKind};
use crate::call::tool::{ActorRule, Effect};
use crate::catalog;
use crate::tests::catalog_rules::tokens_of_the_list;

/// The whole page.
pub(super) fn tools() -> String {
    let mut page = String::from(
        "# Tools\n\n\
         Generated from the catalog; do not edit by hand (`crates/crm/src/tests/reference.rs`).\n\
         [api.md](api.md) says how to connect and what errors mean.\n\n\
         Required arguments are bold. Every write also takes `idempotency_key`: a call with the same key, tool\n\
         and arguments from the same credential within 24 hours returns the first answer again and writes\n\
         nothing. A caller with only the write scope gets back what it sent, with the record's id and time.\n\n",
    );
    let (tokens, count) = (tokens_of_the_list(), catalog::mcp_tools().count());
    let _ = write!(
        page,
        "A model that is offered all {count} tools reads {tokens} tokens (o200k) of names, descriptions and input\n\
         schemas, {} a tool. To keep it short, the list leaves out `idempotency_key`, the form of ids and the lengths of\n\
         texts, which are told here.\n\n\
         | tool | scope | who | what |\n| --- | --- | --- | --- |\n",
        tokens.div_ceil(count),
    );
    for (_, tool) in catalog::mcp_tools() {
        let anchor = tool.name.replace('.', "");
        let _ = writeln!(
            page,
            "| [`{}`](#{anchor}) | `{}` | {} | {} |",
            tool.name,
            tool.scope.name(),
            who(tool),
            effect(tool),
        );
    }
    let sample = answers::sample();
    for group in catalog::GROUPS {
        let tools: Vec<_> =
            catalog::mcp_tools().filter(|(of, _)| of.name == group.name).map(|(_, t)| t).collect();
        if !tools.is_empty() {
            let _ = write!(page, "\n## {}\n", group.about.trim_end_matches('.'));
            let get = tools.iter().copied().find(|tool| returns_one_record(tool));
            for tool in tools {
                describe(&mut page, tool);
                answers::describe(&mut page, tool, get);
                answers::example(&mut page, tool, &sample);
            }
        }
    }
    page
}

/// Whether the tool is its group's `get`, which returns one record.
pub(super) fn returns_one_record(tool: &ToolDef) -> bool {
    tool.name.split_once('.').is_some_and(|(_, verb)| verb == "get")
}

const fn who(tool: &ToolDef) -> &'static str {
    match tool.actor {
        ActorRule::Anyone => "anyone",
        ActorRule::User | ActorRule::UserOrOperator => "a person",
        ActorRule::Office => "an owner or the office",
        ActorRule::Owner => "an owner",
    }
}

const fn effect(tool: &ToolDef) -> &'static str {
    match tool.kind {
        ToolKind::Query { .. } => "reads",
        ToolKind::Command { effect: Effect::Create, .. } => "creates",
        ToolKind::Command { effect: Effect::Update, .. } => "updates",
        ToolKind::Command { effect: Effect::Add, .. } => "adds",
        ToolKind::Command { effect: Effect::Archive, .. } => "archives",
        ToolKind::Command { effect: Effect::Destroy, .. } => "deletes",
    }
}

fn describe(page: &mut String, tool: &ToolDef) {
    let _ = write!(page, "\n### {}\n\n{}\n", tool.name, tool.about);
    let fields = tool.fields();
    if fields.is_empty() {
        page.push_str("\nTakes no arguments.\n");
        return;
    }
    page.push_str("\n| argument | value | meaning |\n| --- | --- | --- |\n");
    for field in &fields {
        argument(page, field.name, &field.about, &field.schema, field.required);
    }
}

fn argument(page: &mut String, name: &str, about: &str, schema: &Value, required: bool) {
    let bold = if required { "**" } else { "" };
    let about = about.replace('|', "\\|");
    let _ = writeln!(page, "| {bold}`{name}`{bold} | {} | {about} |", value(schema));
    for (member, inner) in schema["properties"].as_object().into_iter().flatten() {
        let about = inner["description"].as_str().unwrap_or_default();
        let required = schema["required"]
            .as_array()
            .is_some_and(|required| required.iter().any(|name| name == member));
        argument(page, &format!("{name}.{member}"), about, inner, required);
    }
}

/// A value's type and limits, in words.
pub(super) fn value(schema: &Value) -> String {
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(value).collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return words.join(" · ");
    }
    let mut text = kind(schema);
    if let (Some(min), Some(max)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        let _ = write!(text, " {min}…{max}");
    }
    if let Some(max) = schema["maxLength"].as_u64() {
        let _ = write!(text, " ≤{max}");
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let _ = write!(text, " `{}`", pattern.replace('|', "\\|"));
    }
    text
}

fn kind(schema: &Value) -> String {
    let kinds: Vec<_> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    if kinds.is_empty() {
        return "any".to_owned();
    }
    // A format says more than the type `string`.
    let format = schema["format"].as_str();
    kinds
        .into_iter()
        .map(|kind| if kind == "string" { format.unwrap_or(kind) } else { kind })
        .collect::<Vec<_>>()
        .join(" or ")
}
