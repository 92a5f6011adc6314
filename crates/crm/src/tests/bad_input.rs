//! Hostile input to every tool: a clear error, and no writes.

use serde_json::{Value, json};
use zoop_both::both;

use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, public_error};

/// Arguments that every tool must reject, as text: some are not JSON.
fn hopeless() -> Vec<String> {
    let deep = |open: &str, close: &str| {
        format!("{{\"id\":{}{}}}", open.repeat(20_000), close.repeat(20_000))
    };
    vec![
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"id\"".to_owned(),
        "{".to_owned(),
        "{\"id\":}".to_owned(),
        "{} {}".to_owned(),
        "{\"id\":\"\\ud800\"}".to_owned(),
        "{\"\\udfff\":1}".to_owned(),
        "{\"no_such_field\":1}".to_owned(),
        "{\"id\":1,\"id\":2}".to_owned(),
        "{\"a\u{0}b\":1}".to_owned(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        format!("{{\"id\":\"{}\"}}", "9".repeat(1 << 20)),
        "{\"id\":1e999}".to_owned(),
        format!("{{{}}}", (0..5_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",")),
    ]
}

/// Values that no field accepts.
fn strange(text: bool) -> Vec<Value> {
    let mut values = vec![
        json!([]),
        json!({ "a": 1 }),
        json!("\u{0}"),
        json!("a\u{7f}b"),
        json!("\u{85}x\u{1b}[31m"),
        json!("x".repeat(200_000)),
    ];
    if text {
        values.extend([json!(1), json!(true), json!(9_007_199_254_740_993_i64), json!(1e308)]);
    }
    values
}

fn entries(env: &TestEnv, business: &Business) -> usize {
    let listed = env.operate(Some(business.account), "history.list", json!({ "limit": 100 }));
    listed["rows"].as_array().unwrap().len()
}

#[both]
fn malformed_arguments_are_rejected_without_writes() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let before = entries(&env, &acme);
    for (_, tool) in catalog::mcp_tools() {
        for arguments in hopeless() {
            let refused = env.call_text(&acme.owner, tool.name, &arguments);
            let shown: String = arguments.chars().take(40).collect();
            let told = public_error(&refused.expect_err(&format!("{} {shown}", tool.name)));
            assert_eq!(told["kind"], "invalid_input", "{} {shown}", tool.name);
            assert!(told.to_string().len() < 8_000, "{} {shown}: the error is too long", tool.name);
        }
    }
    assert_eq!(entries(&env, &acme), before);
}

#[both]
fn every_field_of_every_tool_refuses_what_it_cannot_take_by_its_name() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let before = entries(&env, &acme);
    for (_, tool) in catalog::mcp_tools() {
        let example: Value = serde_json::from_str(&acme.fill(tool.example)).unwrap();
        for field in tool.fields() {
            let text = field.schema["type"] == "string";
            let object = field.schema["type"] == "object";
            for value in strange(text) {
                if object && value.is_object() {
                    continue;
                }
                let mut arguments = example.clone();
                arguments[field.name] = value.clone();
                let call = env.call(&acme.owner, tool.name, arguments);
                let told = public_error(&call.expect_err(&format!("{} {}", tool.name, field.name)));
                assert_eq!(told["kind"], "invalid_input", "{} {}", tool.name, field.name);
                let fields = told["fields"].as_array().expect("fields");
                let named = fields.iter().any(|known| known["field"] == field.name);
                assert!(named, "{} {}: {told}", tool.name, field.name);
            }
        }
    }
    assert_eq!(entries(&env, &acme), before);
}

#[both]
fn the_operators_tools_refuse_strange_input_too() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools().filter(|tool| !tool.scope.is_grantable()) {
        for arguments in hopeless() {
            let refused = env.call_text(&operator, tool.name, &arguments);
            assert_eq!(public_error(&refused.expect_err(tool.name))["kind"], "invalid_input");
        }
    }
}

#[both]
fn no_tool_lets_its_caller_set_what_is_the_products_to_set() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.business("Other");
    let before = entries(&env, &acme);
    let own = [
        ("tenant_id", json!(other.account.id)),
        ("tenant_no", json!(other.account.number.0)),
        ("created_by", json!(Business::user(&acme.office))),
        ("user_id", json!(Business::user(&acme.office))),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("archived_at", json!("2020-01-01T00:00:00Z")),
        ("actor_kind", json!("operator")),
        ("scopes", json!("operate")),
    ];
    for (_, tool) in catalog::mcp_tools() {
        let example: Value = serde_json::from_str(&acme.fill(tool.example)).unwrap();
        let is_known = |name: &str| tool.fields().iter().any(|field| field.name == name);
        for (name, value) in own.iter().filter(|(name, _)| !is_known(name)) {
            let mut arguments = example.clone();
            arguments[*name] = value.clone();
            let call = env.call(&acme.owner, tool.name, arguments);
            let told = public_error(&call.expect_err(&format!("{} {name}", tool.name)));
            assert_eq!(told["fields"][0]["field"], *name, "{} {told}", tool.name);
        }
    }
    assert_eq!(entries(&env, &acme), before);
    let takers = |name: &str| {
        let takes =
            |tool: &&crate::call::definition::ToolDef| tool.fields().iter().any(|f| f.name == name);
        catalog::mcp_tools().map(|(_, tool)| tool).filter(takes).map(|t| t.name).collect::<Vec<_>>()
    };
    // By hand, because it is the rule itself: only a filter may have such a name.
    assert_eq!(takers("created_by"), ["notes.list"]);
    for (name, _) in own.iter().filter(|(name, _)| *name != "created_by") {
        assert_eq!(takers(name), [""; 0], "{name}");
    }
}
