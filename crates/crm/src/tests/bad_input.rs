//! Malformed input to every tool causes a clear error and no writes.

use serde_json::{Value, json};
use zoop_both::both;

use super::arguments::AMOUNTS;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, error_json};

/// Arguments that every tool must reject. They are text, because some are not JSON.
fn malformed_arguments() -> Vec<String> {
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

/// Values that no field accepts, and with `is_string` also those that no string field accepts.
fn unacceptable_values(is_string: bool) -> Vec<Value> {
    let mut values = vec![
        json!([]),
        json!({ "a": 1 }),
        json!("\u{0}"),
        json!("a\u{7f}b"),
        json!("\u{85}x\u{1b}[31m"),
        json!("x".repeat(200_000)),
    ];
    if is_string {
        values.extend([json!(1), json!(true), json!(9_007_199_254_740_993_i64), json!(1e308)]);
    }
    values
}

fn count_entries(env: &TestEnv, business: &Business) -> usize {
    let listed =
        env.call_as_operator(Some(business.account), "changes.list", json!({ "limit": 100 }));
    listed["rows"].as_array().unwrap().len()
}

#[both]
fn malformed_arguments_are_rejected_by_every_tool_without_writes() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let before = count_entries(&env, &acme);
    for (_, tool) in catalog::mcp_tools() {
        for arguments in malformed_arguments() {
            let refused = env.call_text(&acme.owner, tool.name, &arguments);
            let shown: String = arguments.chars().take(40).collect();
            let error = error_json(&refused.expect_err(&format!("{} {shown}", tool.name)));
            assert_eq!(error["kind"], "invalid_input", "{} {shown}", tool.name);
            assert!(
                error.to_string().len() < 8_000,
                "{} {shown}: the error is too long",
                tool.name
            );
        }
    }
    assert_eq!(count_entries(&env, &acme), before);
}

#[both]
fn every_field_of_every_tool_reports_invalid_values_by_its_name() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let before = count_entries(&env, &acme);
    for (_, tool) in catalog::mcp_tools() {
        let example: Value = serde_json::from_str(&acme.fill(tool.example)).unwrap();
        for field in tool.fields() {
            let is_string = field.schema["type"] == "string";
            let own_type = match field.schema["type"].as_str() {
                Some("object") => Value::is_object,
                Some("array") => Value::is_array,
                _ => |_: &Value| false,
            };
            for value in unacceptable_values(is_string) {
                if own_type(&value) || value == 1 && AMOUNTS.contains(&field.name) {
                    continue;
                }
                let mut arguments = example.clone();
                arguments[field.name] = value.clone();
                let call = env.call(&acme.owner, tool.name, arguments);
                let error = error_json(&call.expect_err(&format!("{} {}", tool.name, field.name)));
                assert_eq!(error["kind"], "invalid_input", "{} {}", tool.name, field.name);
                let fields = error["fields"].as_array().expect("fields");
                let named = fields.iter().any(|known| known["field"] == field.name);
                assert!(named, "{} {}: {error}", tool.name, field.name);
            }
        }
    }
    assert_eq!(count_entries(&env, &acme), before);
}

#[both]
fn the_operators_tools_reject_malformed_arguments_too() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools().filter(|tool| !tool.is_public()) {
        for arguments in malformed_arguments() {
            let refused = env.call_text(&operator, tool.name, &arguments);
            assert_eq!(error_json(&refused.expect_err(tool.name))["kind"], "invalid_input");
        }
    }
}

#[both]
fn no_tool_lets_its_caller_set_internal_fields() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.business("Other");
    let before = count_entries(&env, &acme);
    let internal = [
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
        for (name, value) in internal.iter().filter(|(name, _)| !is_known(name)) {
            let mut arguments = example.clone();
            arguments[*name] = value.clone();
            let call = env.call(&acme.owner, tool.name, arguments);
            let error = error_json(&call.expect_err(&format!("{} {name}", tool.name)));
            assert_eq!(error["fields"][0]["field"], *name, "{} {error}", tool.name);
        }
    }
    assert_eq!(count_entries(&env, &acme), before);
    let tools_with = |name: &str| {
        let has_field =
            |tool: &&crate::call::definition::ToolDef| tool.fields().iter().any(|f| f.name == name);
        catalog::mcp_tools()
            .map(|(_, tool)| tool)
            .filter(has_field)
            .map(|t| t.name)
            .collect::<Vec<_>>()
    };
    // Listed by hand, because this is the rule itself: only a filter may have such a name.
    let filters = [("created_by", "notes.list"), ("user_id", "changes.list")];
    for (name, _) in &internal {
        let expected = filters.iter().filter(|(filter, _)| filter == name).map(|(_, tool)| *tool);
        assert_eq!(tools_with(name), expected.collect::<Vec<_>>(), "{name}");
    }
}
