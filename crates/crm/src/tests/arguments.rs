//! The arguments of every tool: an error names all invalid fields at once, whatever is wrong with them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::{ToolDef, ToolKind};
use crate::call::error::{Error, Result};
use crate::call::run;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

fn caller<'a>(tool: &ToolDef, business: &'a Business, operator: &'a Caller) -> &'a Caller {
    if tool.is_public() { &business.owner } else { operator }
}

fn example(business: &Business, tool: &ToolDef) -> Value {
    serde_json::from_str(&business.fill(tool.example)).expect(tool.name)
}

/// The fields and their problems in the error of a rejected call.
fn problems<T: std::fmt::Debug>(refused: Result<T>) -> Vec<(String, String)> {
    let reported = error_json(&refused.expect_err("a refusal"));
    assert_eq!(reported["kind"], "invalid_input", "{reported}");
    let fields =
        reported["fields"].as_array().unwrap_or_else(|| panic!("fields in {reported}")).iter();
    fields.map(|it| (text(it, "field").to_owned(), text(it, "problem").to_owned())).collect()
}

/// The field that a path begins with: `tags` of `tags[2]`.
fn root(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

#[both]
fn an_unknown_field_is_rejected_whatever_its_value() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools() {
        for value in
            [json!(null), json!(""), json!(" \u{200b}"), json!("x"), json!(false), json!([])]
        {
            let mut arguments = example(&acme, tool);
            arguments["query"] = value.clone();
            let call = env.call(caller(tool, &acme, &operator), tool.name, arguments);
            let reported = problems(call);
            assert_eq!(reported.len(), 1, "{} {value}: {reported:?}", tool.name);
            assert_eq!(reported[0].0, "query", "{} {value}", tool.name);
            assert!(
                reported[0].1.contains("is not a field of this tool"),
                "{}: {reported:?}",
                tool.name
            );
        }
    }
}

#[both]
fn all_invalid_fields_are_reported_at_once_including_those_of_the_pipeline() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools() {
        let mut expected: BTreeSet<_> = tool.fields().iter().map(|field| field.name).collect();
        let mut arguments: Value =
            expected.iter().map(|name| ((*name).to_owned(), json!([1]))).collect();
        arguments["no_such_field"] = Value::Null;
        expected.insert("no_such_field");
        let reported = problems(env.call(caller(tool, &acme, &operator), tool.name, arguments));
        let named: BTreeSet<_> = reported.iter().map(|(field, _)| root(field)).collect();
        assert_eq!(named, expected, "{}", tool.name);
    }
}

#[both]
fn an_idempotency_header_that_differs_from_the_key_is_reported_with_the_fields() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let ToolKind::Command { .. } = tool.kind else { continue };
        let (owner, environment) = (acme.owner.clone(), env.environment.clone());
        let arguments = json!({ "idempotency_key": "a", "id": 7, "no_such_field": 1 }).to_string();
        let refused =
            env.write(move |tx| run::write(tx, &environment, &owner, tool, &arguments, Some("b")));
        let reported = problems(refused);
        let about = |name: &str| reported.iter().find(|(field, _)| field == name).map(|it| &it.1);
        assert!(about("no_such_field").is_some(), "{}: {reported:?}", tool.name);
        let key = about("idempotency_key").unwrap_or_else(|| panic!("{}: {reported:?}", tool.name));
        assert!(key.contains("differs from the Idempotency-Key header"), "{key}");
    }
}

/// Fields whose numbers may be sent as strings too, as many callers do with decimals.
const NUMBERS_AS_TEXT: &[&str] = &["rate_percentage", "discount_percent"];

/// Fields whose amounts are strings, as they are shown, and may be sent as numbers too.
pub(super) const AMOUNTS: &[&str] = &["price", "cost", "flat_price"];

/// Values of types that a field does not accept, each with the words that the error must contain.
fn wrong_values(name: &str, schema: &Value) -> Vec<(Value, &'static str)> {
    let values = [
        ("string", json!("10"), "not a string"),
        ("number", json!(7), "not a number"),
        ("boolean", json!(true), "not a boolean"),
        ("array", json!([1]), "not an array"),
        ("object", json!({ "a": 1 }), "not an object"),
    ];
    let own = schema["type"].as_str().expect("one type").replace("integer", "number");
    let is_taken = |kind: &str| {
        kind == own
            || kind == "string" && NUMBERS_AS_TEXT.contains(&name)
            || kind == "number" && AMOUNTS.contains(&name)
    };
    values
        .into_iter()
        .filter(|(kind, ..)| !is_taken(kind))
        .map(|(_, it, word)| (it, word))
        .collect()
}

#[both]
fn a_value_of_the_wrong_type_is_reported_with_its_type() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools() {
        let caller = caller(tool, &acme, &operator);
        for field in tool.fields() {
            for (value, word) in wrong_values(field.name, &field.schema) {
                let mut arguments = example(&acme, tool);
                arguments[field.name] = value;
                let reported = problems(env.call(caller, tool.name, arguments));
                let problem = reported.iter().find(|(name, _)| name == field.name).map(|it| &*it.1);
                let problem = problem.unwrap_or_default();
                assert!(problem.contains(word), "{} {}: {problem:?}", tool.name, field.name);
            }
        }
    }
}

#[both]
fn a_number_beyond_the_range_of_a_float_is_reported_for_its_field() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        for field in tool.fields() {
            for number in ["1e999", "-1E+400", "[1,{\"a\":1e999}]"] {
                let arguments =
                    format!(r#" {{ "{}" : {number} , "no_such_field":"é"}}"#, field.name);
                let refused = env.call_text(&acme.owner, tool.name, &arguments);
                let reported = problems(refused);
                let named = |name: &str| reported.iter().any(|(field, _)| root(field) == name);
                assert!(named(field.name) && named("no_such_field"), "{} {reported:?}", tool.name);
            }
        }
    }
    for broken in
        [r#"{"limit":1e999,"limit":1}"#, r#"{"limit":1e999,"q":"\ud800"}"#, r#"{"limit":1e}"#]
    {
        let refused = env.call_text(&acme.owner, "customers.search", broken);
        assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{broken}: {refused:?}");
    }
}

#[both]
fn an_invisible_string_counts_as_empty() {
    const INVISIBLE: &str = " \u{200b}\u{2800}\u{3164}\u{ad}\u{200d}\u{fe0f}\u{2028}";
    // The same calls in two fresh environments give the same ids.
    let [empty, invisible] = ["", INVISIBLE].map(|blank| {
        let env = TestEnv::new();
        let acme = env.business("Acme");
        let mut answers = Vec::new();
        for (_, tool) in catalog::mcp_tools() {
            for field in tool.fields().iter().filter(|field| field.schema["type"] == "string") {
                let mut arguments = example(&acme, tool);
                arguments[field.name] = json!(blank);
                let answer = env.call(&acme.owner, tool.name, arguments);
                answers.push((tool.name, field.name, answer.map_err(|error| error_json(&error))));
            }
        }
        answers
    });
    assert!(empty.len() > 60, "only {} string fields were tried", empty.len());
    for (empty, invisible) in empty.iter().zip(&invisible) {
        assert_eq!(format!("{empty:?}"), format!("{invisible:?}"));
    }
}

#[both]
fn invisible_characters_are_removed_at_the_ends_and_kept_inside() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let around = |text: &str| format!("\u{feff}\u{200b} {text}\u{2060}\u{200e}\u{2800}");
    let created = env
        .call(
            &acme.owner,
            "customers.create",
            json!({
                "customer_type": "individual", "first_name": around("Ana"),
                "last_name": around("می\u{200c}خواهم ❤\u{fe0f}"), "email": around("ana@example.com"),
                "phone": around("(510) 555-0177"), "source": around("goo\u{200b}gle"),
            }),
        )
        .unwrap();
    assert_eq!(created["first_name"], "Ana");
    assert_eq!(created["last_name"], "می\u{200c}خواهم ❤\u{fe0f}");
    assert_eq!(created["primary_email"], "ana@example.com");
    assert_eq!(created["primary_phone_raw"], "(510) 555-0177");
    assert_eq!(created["source"], "goo\u{200b}gle", "invisible characters inside are kept");
    let found = |filter: Value| {
        let page = env.call(&acme.owner, "customers.search", filter).unwrap();
        page["rows"].as_array().unwrap().len()
    };
    assert_eq!(found(json!({ "email": around("Ana@example.com") })), 1);
    let inside = json!({
        "customer_type": "individual", "first_name": "\u{200b}", "email": "a\u{200b}na@example.com",
        "last_name": "a\u{0}",
    });
    let reported = problems(env.call(&acme.owner, "customers.create", inside));
    let named: Vec<_> = reported.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(named, ["last_name", "email", "first_name"], "{reported:?}");
    assert!(reported[1].1.contains("invisible characters"), "{reported:?}");
    assert!(reported[2].1.contains("is required"), "{reported:?}");
    assert_eq!(
        problems(env.call(&acme.owner, "customers.search", json!({ "email": "a\u{ad}@b.c" })))[0].0,
        "email"
    );
}
