//! Rules that every tool of the catalog follows.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::{ToolDef, ToolKind};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{Effect, Exposure};
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv};

/// Maximum number of tokens (o200k) for each tool, on average, in what a model reads of it: its name, description and
/// input schema.
const TOKENS_PER_TOOL: usize = 130;
/// Maximum length of a tool's name that clients accept, in characters.
const MAX_NAME_LENGTH: usize = 64;

#[test]
fn tool_names_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for tool in catalog::tools() {
        let (entity, verb) = tool.name.split_once('.').expect(tool.name);
        let snake = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(snake(entity) && snake(verb), "{}", tool.name);
        assert!(tool.name.len() <= MAX_NAME_LENGTH, "{}", tool.name);
        assert!(seen.insert(tool.name) && seen.insert(tool.title), "{} is not unique", tool.name);
        let underscored = tool.underscored();
        assert!(catalog::find(&underscored).is_none(), "{underscored} would name two tools");
        assert!(tool.about.ends_with('.') && !tool.about.contains("  "), "{}", tool.name);
    }
    for group in catalog::GROUPS {
        let prefix = format!("{}.", group.name);
        assert!(group.tools.iter().all(|tool| tool.name.starts_with(&prefix)), "{}", group.name);
    }
}

#[test]
fn every_schema_is_closed_and_every_field_described() {
    for tool in catalog::tools() {
        let schema = Value::Object(tool.input_schema());
        check_closed(tool, &schema, "");
        for field in tool.fields() {
            check_described(tool, field.name, &field.about, &field.schema);
        }
        for combinator in ["anyOf", "oneOf", "allOf", "$ref"] {
            assert!(!schema.to_string().contains(combinator), "{}: {combinator}", tool.name);
        }
        let output = tool.output_schema();
        assert_eq!(output["type"], "object", "{}", tool.name);
        assert!(!output.to_string().contains("$ref"), "{}", tool.name);
        for format in ["int", "uint", "double", "float"] {
            let named = output.to_string().contains(&format!("\"format\":\"{format}"));
            assert!(!named, "{}: {format} is no format of JSON Schema", tool.name);
        }
    }
}

/// Clients pass the schemas to model servers. Several servers reject a list of types, an object without
/// `properties`, `null` in an enum, or a large length. One such schema makes them reject all tools.
#[test]
fn every_schema_is_accepted_by_model_servers() {
    for tool in catalog::tools() {
        let input = Value::Object(tool.input_schema());
        check_plain(tool, &input);
        check_plain(tool, &tool.output_schema());
    }
}

fn check_plain(tool: &ToolDef, schema: &Value) {
    match schema {
        Value::Object(members) => {
            if let Some(kind) = members.get("type") {
                assert!(kind.is_string() || kind.is_object(), "{}: {schema}", tool.name);
            }
            if members.get("type").is_some_and(|kind| kind == "object") {
                assert!(members.contains_key("properties"), "{}: {schema}", tool.name);
            }
            if let Some(Value::Array(words)) = members.get("enum") {
                assert!(!words.contains(&Value::Null), "{}: {schema}", tool.name);
            }
            for bound in ["minLength", "maxLength", "minItems", "maxItems"] {
                let bound = members.get(bound).and_then(Value::as_u64);
                assert!(bound.is_none_or(|bound| bound <= 1_000), "{}: {schema}", tool.name);
            }
            members.values().for_each(|member| check_plain(tool, member));
        }
        Value::Array(items) => items.iter().for_each(|item| check_plain(tool, item)),
        _ => {}
    }
}

/// Fields that can only be cleared together.
const PAIRS: &[[&str; 2]] = &[["latitude", "longitude"], ["subject_type", "subject_id"]];

#[both]
fn null_clears_exactly_the_fields_whose_descriptions_say_so() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let ToolKind::Command { effect: Effect::Update, .. } = tool.kind else { continue };
        let example: Value = serde_json::from_str(&acme.fill(tool.example)).expect("JSON");
        for field in tool.fields().iter().filter(|field| field.name != "idempotency_key") {
            let mut arguments = example.clone();
            let pair = PAIRS.iter().find(|pair| pair.contains(&field.name));
            for name in pair.map_or_else(|| vec![field.name], |pair| pair.to_vec()) {
                arguments[name] = Value::Null;
            }
            let answer = env.try_out(&acme.owner, tool.name, &arguments.to_string());
            let clears = field.about.ends_with("null clears it.");
            assert_eq!(answer.is_ok(), clears, "{} {}: {answer:?}", tool.name, field.name);
        }
    }
}

/// A tool that only adds records is not destructive, and a tool that creates a record in each call is not
/// idempotent.
#[test]
fn the_hints_of_a_tool_match_what_it_does() {
    for (_, tool) in catalog::mcp_tools() {
        let (_, verb) = tool.name.split_once('.').expect("a verb");
        let (reads, destroys, repeats) = match verb {
            "get" | "list" | "search" | "find_duplicates" => (true, false, true),
            "create" => (false, false, false),
            "attach" | "restore" | "mark_different" => (false, false, true),
            "update" | "archive" | "cancel" | "detach" | "delete" | "remove_file" | "revert"
            | "merge" => (false, true, true),
            other => panic!("add the hints of {other} to this test"),
        };
        let hints = (tool.is_read_only(), tool.is_destructive(), tool.is_idempotent());
        assert_eq!(hints, (reads, destroys, repeats), "{}", tool.name);
        let undo = tool.name.replace("archive", "restore");
        let is_offered = catalog::find(&undo).is_some_and(|tool| tool.is_public());
        let undo = if is_offered { ".restore" } else { "changes.revert" };
        assert_eq!(
            tool.about.contains(&format!("{undo} brings it back.")),
            verb == "archive",
            "{}: only archiving names the tool that undoes it",
            tool.name
        );
    }
}

fn check_closed(tool: &ToolDef, schema: &Value, path: &str) {
    assert_eq!(schema["type"], "object", "{}{path}", tool.name);
    assert_eq!(schema["additionalProperties"], false, "{}{path}", tool.name);
    assert!(schema["properties"].is_object(), "{}{path}", tool.name);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        // The same rules apply to the items of a list, if they are objects. One without properties is described by
        // another tool.
        let object = if field["type"] == "array" { &field["items"] } else { field };
        if object["type"] == "object" && object["properties"] != json!({}) {
            check_closed(tool, object, &format!("{path}.{name}"));
        }
    }
}

fn check_described(tool: &ToolDef, path: &str, about: &str, schema: &Value) {
    assert!(!about.is_empty(), "{} {path} is not described", tool.name);
    assert!(about.ends_with('.'), "{} {path}: {about}", tool.name);
    let object = if schema["type"] == "array" { &schema["items"] } else { schema };
    for (name, field) in object["properties"].as_object().into_iter().flatten() {
        let about = field["description"].as_str().unwrap_or_default();
        check_described(tool, &format!("{path}.{name}"), about, field);
    }
}

/// What the list leaves out, docs/tools.md has.
#[test]
fn a_listed_schema_leaves_out_what_its_names_say() {
    let schema = |name: &str| catalog::find(name).expect(name).input_schema();
    let create = &schema("customers.create")["properties"];
    assert_eq!(create["email"], json!({ "type": "string" }));
    assert_eq!(create["phone"]["description"], "In any format, with area code.");
    assert!(create.get("idempotency_key").is_none(), "{create}");
    let location = &create["location"]["properties"];
    assert_eq!(location["city"], json!({ "type": "string" }));
    assert!(location["latitude"].get("minimum").is_none(), "{location}");
    let search = &schema("customers.search")["properties"];
    assert_eq!(search["limit"]["maximum"], 100, "a model would ask for more");
    let archive = &schema("contacts.archive")["properties"];
    assert_eq!(archive["customer_id"], json!({ "type": "string" }));
}

/// The number of tokens (o200k) in what a model reads of all tools.
pub(super) fn tokens_of_the_list() -> usize {
    let text: Vec<_> = catalog::mcp_tools()
        .map(|(_, tool)| {
            json!({
                "name": tool.name,
                "description": tool.about,
                "inputSchema": tool.input_schema(),
            })
        })
        .collect();
    let encoder = tiktoken_rs::o200k_base().expect("the vocabulary");
    encoder.encode_ordinary(&json!(text).to_string()).len()
}

#[test]
fn the_tool_list_fits_the_token_budget() {
    let (tokens, tools) = (tokens_of_the_list(), catalog::mcp_tools().count());
    let budget = TOKENS_PER_TOOL * tools;
    assert!(tokens <= budget, "{tokens} tokens; the budget of {tools} tools is {budget}");
}

#[test]
fn a_tools_scope_determines_its_exposure() {
    for tool in catalog::tools() {
        let exposure = match tool.scope {
            Scope::Operate => Exposure::Operator,
            Scope::Administer => Exposure::Admin,
            Scope::AnyRead | Scope::Nothing => {
                assert!(tool.is_read_only(), "{}: a write needs a scope of its own", tool.name);
                Exposure::Public
            }
            granted => {
                assert!(
                    granted.is_grantable(),
                    "{}: add the exposure for its scope to this test",
                    tool.name
                );
                Exposure::Public
            }
        };
        assert_eq!(tool.exposure, exposure, "{}", tool.name);
    }
    let mut used: BTreeSet<_> = catalog::mcp_tools().map(|(_, tool)| tool.scope).collect();
    used.retain(|scope| scope.is_grantable());
    assert_eq!(used, Scope::GRANTABLE.iter().copied().collect(), "every scope is used");
}

#[both]
fn every_example_succeeds_and_its_answer_fits_the_schema() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools() {
        let access = if tool.is_public() { &acme.owner } else { &operator };
        check_answer(tool, env.try_out(access, tool.name, &acme.fill(tool.example)));
    }
}

#[both]
fn a_write_only_callers_receipt_also_fits_the_schema() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = Business::user(&acme.owner).to_string();
    for scope in Scope::GRANTABLE {
        let writer = env.access(&env.key(acme.account, Some(&owner), &[*scope]));
        let tools = catalog::mcp_tools().map(|(_, tool)| tool).filter(|tool| tool.scope == *scope);
        // changes.revert also needs the scopes of the records.
        for tool in tools.filter(|tool| tool.is_read_only() || *scope != scope.read_counterpart()) {
            check_answer(tool, env.try_out(&writer, tool.name, &acme.fill(tool.example)));
        }
    }
}

/// Fails unless the call succeeded and its answer fits the tool's schema.
fn check_answer(tool: &ToolDef, answer: Result<String>) {
    let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}", tool.name));
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    jsonschema::validate(&tool.output_schema(), &answer)
        .unwrap_or_else(|error| panic!("{}: {error} in {answer}", tool.name));
}
