//! Rules for the arguments of every tool: an error names every invalid field at once, whatever is wrong
//! with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::{ToolDef, ToolKind};
use crate::call::error::{Error, Result};
use crate::call::run;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, public_error, text};

fn caller<'a>(tool: &ToolDef, business: &'a Business, operator: &'a Caller) -> &'a Caller {
    if tool.scope.is_grantable() { &business.owner } else { operator }
}

fn example(business: &Business, tool: &ToolDef) -> Value {
    serde_json::from_str(&business.fill(tool.example)).expect(tool.name)
}

/// The fields and problems in the error of a rejected call.
fn problems<T: std::fmt::Debug>(refused: Result<T>) -> Vec<(String, String)> {
    let told = public_error(&refused.expect_err("a refusal"));
    assert_eq!(told["kind"], "invalid_input", "{told}");
    let fields = told["fields"].as_array().unwrap_or_else(|| panic!("fields in {told}")).iter();
    fields.map(|it| (text(it, "field").to_owned(), text(it, "problem").to_owned())).collect()
}

#[both]
fn an_unknown_key_is_refused_whatever_its_value() {
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
            let told = problems(call);
            assert_eq!(told.len(), 1, "{} {value}: {told:?}", tool.name);
            assert_eq!(told[0].0, "query", "{} {value}", tool.name);
            assert!(told[0].1.contains("is not a field of this tool"), "{}: {told:?}", tool.name);
        }
    }
}

#[both]
fn every_wrong_field_is_told_at_once_the_pipelines_own_too() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools() {
        let mut expected: BTreeSet<_> = tool.fields().iter().map(|field| field.name).collect();
        let mut arguments: Value =
            expected.iter().map(|name| ((*name).to_owned(), json!([1]))).collect();
        arguments["no_such_field"] = Value::Null;
        expected.insert("no_such_field");
        let told = problems(env.call(caller(tool, &acme, &operator), tool.name, arguments));
        let named: BTreeSet<_> = told.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, expected, "{}", tool.name);
    }
}

#[both]
fn a_header_that_differs_from_the_key_is_told_with_the_fields() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let ToolKind::Command { .. } = tool.kind else { continue };
        let (owner, environment) = (acme.owner.clone(), env.environment.clone());
        let arguments = json!({ "idempotency_key": "a", "id": 7, "no_such_field": 1 }).to_string();
        let refused =
            env.write(move |tx| run::write(tx, &environment, &owner, tool, &arguments, Some("b")));
        let told = problems(refused);
        let about = |name: &str| told.iter().find(|(field, _)| field == name).map(|it| &it.1);
        assert!(about("no_such_field").is_some(), "{}: {told:?}", tool.name);
        let key = about("idempotency_key").unwrap_or_else(|| panic!("{}: {told:?}", tool.name));
        assert!(key.contains("differs from the Idempotency-Key header"), "{key}");
    }
}

/// Values of types that a field does not accept, each with the words that the error must contain.
fn foreign(schema: &Value) -> Vec<(Value, &'static str)> {
    let values = [
        ("string", json!("10"), "not a string"),
        ("number", json!(7), "not a number"),
        ("boolean", json!(true), "not a boolean"),
        ("array", json!([1]), "not an array"),
        ("object", json!({ "a": 1 }), "not an object"),
    ];
    let own = schema["type"].as_str().expect("one type").replace("integer", "number");
    values.into_iter().filter(|(kind, ..)| *kind != own).map(|(_, it, word)| (it, word)).collect()
}

#[both]
fn a_value_of_another_type_is_told_by_its_type() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    for tool in catalog::tools() {
        let caller = caller(tool, &acme, &operator);
        for field in tool.fields() {
            for (value, word) in foreign(&field.schema) {
                let mut arguments = example(&acme, tool);
                arguments[field.name] = value;
                let told = problems(env.call(caller, tool.name, arguments));
                let problem = told.iter().find(|(name, _)| name == field.name).map(|it| &*it.1);
                let problem = problem.unwrap_or_default();
                assert!(problem.contains(word), "{} {}: {problem:?}", tool.name, field.name);
            }
        }
    }
}

#[both]
fn a_number_that_no_float_holds_is_a_fault_of_its_field() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        for field in tool.fields() {
            for number in ["1e999", "-1E+400", "[1,{\"a\":1e999}]"] {
                let arguments =
                    format!(r#" {{ "{}" : {number} , "no_such_field":"é"}}"#, field.name);
                let refused = env.call_text(&acme.owner, tool.name, &arguments);
                let told = problems(refused);
                let named = |name: &str| told.iter().any(|(field, _)| field == name);
                assert!(named(field.name) && named("no_such_field"), "{} {told:?}", tool.name);
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
fn a_text_that_shows_nothing_is_an_empty_text() {
    const NOTHING: &str = " \u{200b}\u{2800}\u{3164}\u{ad}\u{200d}\u{fe0f}\u{2028}";
    // The same calls in two fresh environments give the same ids.
    let [empty, invisible] = ["", NOTHING].map(|nothing| {
        let env = TestEnv::new();
        let acme = env.business("Acme");
        let mut answers = Vec::new();
        for (_, tool) in catalog::mcp_tools() {
            for field in tool.fields().iter().filter(|field| field.schema["type"] == "string") {
                let mut arguments = example(&acme, tool);
                arguments[field.name] = json!(nothing);
                let answer = env.call(&acme.owner, tool.name, arguments);
                answers.push((tool.name, field.name, answer.map_err(|error| public_error(&error))));
            }
        }
        answers
    });
    assert!(empty.len() > 60, "only {} text fields were tried", empty.len());
    for (empty, invisible) in empty.iter().zip(&invisible) {
        assert_eq!(format!("{empty:?}"), format!("{invisible:?}"));
    }
}

#[both]
fn invisible_characters_at_the_ends_are_not_kept_and_those_inside_are() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let around = |text: &str| format!("\u{feff}\u{200b} {text}\u{2060}\u{200e}\u{2800}");
    let made = env
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
    assert_eq!(made["first_name"], "Ana");
    assert_eq!(made["last_name"], "می\u{200c}خواهم ❤\u{fe0f}");
    assert_eq!(made["primary_email"], "ana@example.com");
    assert_eq!(made["primary_phone_raw"], "(510) 555-0177");
    assert_eq!(made["source"], "goo\u{200b}gle", "invisible characters inside are kept");
    let found = |filter: Value| {
        let page = env.call(&acme.owner, "customers.search", filter).unwrap();
        page["rows"].as_array().unwrap().len()
    };
    assert_eq!(found(json!({ "email": around("Ana@example.com") })), 1);
    let inside = json!({
        "customer_type": "individual", "first_name": "\u{200b}", "email": "a\u{200b}na@example.com",
        "last_name": "a\u{0}",
    });
    let told = problems(env.call(&acme.owner, "customers.create", inside));
    let named: Vec<_> = told.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(named, ["last_name", "email", "first_name"], "{told:?}");
    assert!(told[1].1.contains("invisible characters"), "{told:?}");
    assert!(told[2].1.contains("is required"), "{told:?}");
    assert_eq!(
        problems(env.call(&acme.owner, "customers.search", json!({ "email": "a\u{ad}@b.c" })))[0].0,
        "email"
    );
}
