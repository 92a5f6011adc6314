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

/// Tokens (o200k) that a model reads of all tools' names, titles, descriptions and input schemas.
const TOKEN_BUDGET: usize = 6_000;
/// What clients accept at most for a tool's name.
const NAME_CHARACTERS: usize = 64;

#[test]
fn names_are_unique_and_of_one_form() {
    let mut seen = BTreeSet::new();
    for tool in catalog::tools() {
        let (entity, verb) = tool.name.split_once('.').expect(tool.name);
        let snake = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(snake(entity) && snake(verb), "{}", tool.name);
        assert!(tool.name.len() <= NAME_CHARACTERS, "{}", tool.name);
        assert!(seen.insert(tool.name) && seen.insert(tool.title), "{} is there twice", tool.name);
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
        check_object(tool, &schema, "");
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

/// What clients hand to models has to be understood by their servers: several refuse a list of types, an
/// object without `properties`, `null` among words, or a long length, and with one tool all of them.
#[test]
fn every_schema_is_one_that_models_servers_take() {
    for tool in catalog::tools() {
        let input = Value::Object(tool.input_schema());
        check_plain(tool, &input);
        check_plain(tool, &tool.output_schema());
        for field in tool.fields() {
            let told = &input["properties"][field.name];
            let about = told["description"].as_str().unwrap_or_default();
            let most = field.schema["maxLength"].as_u64();
            let long = most.filter(|most| *most > 1_000);
            assert_eq!(told["maxLength"].as_u64(), most.filter(|_| long.is_none()));
            if let Some(most) = long {
                let most = format!("At most {},000 characters.", most / 1_000);
                assert!(about.ends_with(&most), "{} {}: {about}", tool.name, field.name);
            }
        }
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

/// Fields that are cleared together.
const PAIRS: &[[&str; 2]] = &[["latitude", "longitude"], ["subject_type", "subject_id"]];

#[both]
fn null_clears_every_field_that_says_so_and_no_other() {
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

/// What the hints say is what a call does: one that only adds is not destructive, and one that makes a
/// record each time is not idempotent.
#[test]
fn the_hints_of_a_tool_follow_from_what_it_does() {
    for (_, tool) in catalog::mcp_tools() {
        let (_, verb) = tool.name.split_once('.').expect("a verb");
        let (reads, destroys, repeats) = match verb {
            "get" | "list" | "search" => (true, false, true),
            "create" => (false, false, false),
            "update" | "archive" | "delete" => (false, true, true),
            other => panic!("say here what {other} does"),
        };
        let hints = (tool.is_read_only(), tool.is_destructive(), tool.is_idempotent());
        assert_eq!(hints, (reads, destroys, repeats), "{}", tool.name);
        let tells = tool.about.contains("zoop restore");
        assert_eq!(tells, verb == "archive", "{} says how it is undone", tool.name);
    }
}

fn check_object(tool: &ToolDef, schema: &Value, path: &str) {
    assert_eq!(schema["type"], "object", "{}{path}", tool.name);
    assert_eq!(schema["additionalProperties"], false, "{}{path}", tool.name);
    assert!(schema["properties"].is_object(), "{}{path}", tool.name);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let about = field["description"].as_str().unwrap_or_default();
        assert!(!about.is_empty(), "{}{path} is not described", tool.name);
        assert!(about.ends_with('.'), "{}{path}: {about}", tool.name);
        // The items of a list, where they are objects, are held to the same rules.
        let whole = if field["type"] == "array" { &field["items"] } else { field };
        if whole["type"] == "object" {
            check_object(tool, whole, &path);
        }
    }
}

#[test]
fn what_a_model_reads_of_all_tools_fits_the_budget() {
    let text: Vec<_> = catalog::mcp_tools()
        .map(|(_, tool)| {
            json!({
                "name": tool.name,
                "title": tool.title,
                "description": tool.about,
                "inputSchema": tool.input_schema(),
            })
        })
        .collect();
    let encoder = tiktoken_rs::o200k_base().expect("the vocabulary");
    let tokens = encoder.encode_ordinary(&json!(text).to_string()).len();
    assert!(tokens <= TOKEN_BUDGET, "{tokens} tokens; the budget is {TOKEN_BUDGET}");
}

#[test]
fn a_tools_scope_says_who_is_offered_it() {
    for tool in catalog::tools() {
        let exposure = match tool.scope {
            Scope::Operate => Exposure::Operator,
            Scope::Administer => Exposure::Admin,
            granted => {
                assert!(granted.is_grantable(), "{}: say here where it is offered", tool.name);
                Exposure::Public
            }
        };
        assert_eq!(tool.exposure, exposure, "{}", tool.name);
    }
    let used: BTreeSet<_> = catalog::mcp_tools().map(|(_, tool)| tool.scope).collect();
    assert_eq!(used, Scope::GRANTABLE.iter().copied().collect(), "every scope is used");
}

#[both]
fn every_example_succeeds_and_answers_what_its_schema_says() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools() {
        let access = if tool.scope.is_grantable() { &acme.owner } else { &operator };
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
        for (_, tool) in catalog::mcp_tools().filter(|(_, tool)| tool.scope == *scope) {
            check_answer(tool, env.try_out(&writer, tool.name, &acme.fill(tool.example)));
        }
    }
}

/// Fails unless a tool has answered, and what its schema says.
fn check_answer(tool: &ToolDef, answer: Result<String>) {
    let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}", tool.name));
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    jsonschema::validate(&tool.output_schema(), &answer)
        .unwrap_or_else(|error| panic!("{}: {error} in {answer}", tool.name));
}
