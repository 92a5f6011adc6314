//! The catalogue's laws.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_both::both;

use crate::access::Scope;
use crate::catalog;
use crate::testing::World;
use crate::tool::{Action, Doors, ToolDef};

/// Tokens (o200k) that a model reads of all tools' names, titles, descriptions and input schemas.
const TOKEN_BUDGET: usize = 6_000;
/// What clients accept at most for a tool's name.
const NAME_CHARACTERS: usize = 64;

#[test]
fn the_endpoint_offers_exactly_the_documents_tools() {
    let names: Vec<_> = catalog::mcp_tools().map(|(_, tool)| tool.name).collect();
    assert_eq!(
        names,
        [
            "customers.search",
            "customers.get",
            "customers.create",
            "customers.update",
            "customers.archive",
            "contacts.list",
            "contacts.get",
            "contacts.create",
            "contacts.update",
            "contacts.archive",
            "locations.list",
            "locations.get",
            "locations.create",
            "locations.update",
            "locations.archive",
            "tags.list",
            "tags.get",
            "tags.create",
            "tags.update",
            "tags.delete",
            "notes.list",
            "notes.get",
            "notes.create",
            "notes.update",
            "notes.archive",
        ]
    );
}

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

fn check_object(tool: &ToolDef, schema: &Value, path: &str) {
    assert_eq!(schema["type"], "object", "{}{path}", tool.name);
    assert_eq!(schema["additionalProperties"], false, "{}{path}", tool.name);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let about = field["description"].as_str().unwrap_or_default();
        assert!(!about.is_empty(), "{}{path} is not described", tool.name);
        assert!(about.ends_with('.'), "{}{path}: {about}", tool.name);
        if field["type"] == "object" {
            check_object(tool, field, &path);
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
fn a_tools_scope_says_at_which_doors_it_is() {
    for tool in catalog::tools() {
        let doors = match tool.scope {
            Scope::Operate => Doors::CommandLine,
            Scope::Administer => Doors::House,
            _ => Doors::Everywhere,
        };
        assert_eq!(tool.doors, doors, "{}", tool.name);
        assert_eq!(tool.is_destructive(), tool.name == "tags.delete", "{}", tool.name);
    }
    let used: BTreeSet<_> = catalog::mcp_tools().map(|(_, tool)| tool.scope).collect();
    assert_eq!(used, Scope::GRANTABLE.iter().copied().collect(), "every scope is used");
}

#[both]
fn every_example_succeeds_and_answers_what_its_schema_says() {
    for tool in catalog::tools() {
        let world = World::new();
        let acme = world.business("Acme");
        let operator = crate::access::Access::operator(Some(acme.account));
        let access = if tool.scope.is_grantable() { &acme.owner } else { &operator };
        let answer = world
            .call_text(access, tool.name, &acme.fill(tool.example))
            .unwrap_or_else(|error| panic!("{}: {error:?}", tool.name));
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let schema = tool.output_schema();
        jsonschema::validate(&schema, &answer)
            .unwrap_or_else(|error| panic!("{}: {error} in {answer}", tool.name));
    }
}

#[both]
fn a_write_only_callers_receipt_also_fits_the_schema() {
    for (_, tool) in catalog::mcp_tools() {
        let Action::Command { .. } = tool.action else { continue };
        let world = World::new();
        let acme = world.business("Acme");
        let owner = crate::testing::Business::user(&acme.owner).to_string();
        let key = world.key(acme.account, Some(&owner), &[tool.scope]);
        let writer = world.access(&key);
        let answer = world
            .call(&writer, tool.name, serde_json::from_str(&acme.fill(tool.example)).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error:?}", tool.name));
        jsonschema::validate(&tool.output_schema(), &answer)
            .unwrap_or_else(|error| panic!("{}: {error} in {answer}", tool.name));
    }
}
