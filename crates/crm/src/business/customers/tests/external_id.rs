//! The id of a customer in another system.

use serde_json::{Value, json};
use zoop_both::both;

use super::{company, person, problems, search};
use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

fn create(id: &str) -> Value {
    json!({ "customer_type": "individual", "first_name": "Twice", "external_id": id })
}

/// The message of the conflict with which a call is refused.
fn conflict(env: &TestEnv, caller: &Caller, tool: &str, arguments: Value) -> String {
    let error = error_json(&env.call(caller, tool, arguments).expect_err(tool));
    assert_eq!(error["kind"], "conflict", "{error}");
    text(&error, "message").to_owned()
}

fn get(env: &TestEnv, acme: &Business, id: &str) -> Value {
    env.call(&acme.owner, "customers.get", json!({ "id": id })).expect("the customer")
}

#[both]
fn an_external_id_is_stored_shown_changed_and_cleared() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = person(&env, &acme, "Ana", json!({ "external_id": " QB-17 " }));
    assert_eq!(get(&env, &acme, &id)["external_id"], "QB-17");
    let update = |new: Value| {
        let update = json!({ "id": id, "external_id": new });
        env.call(&acme.owner, "customers.update", update).expect("an update")
    };
    assert_eq!(update(json!("QB-18"))["external_id"], "QB-18");
    assert_eq!(update(json!("QB-18"))["external_id"], "QB-18", "a customer may keep its own");
    assert_eq!(update(Value::Null)["external_id"], Value::Null);
    let own = json!({ "record_id": id, "limit": 1 });
    let history = env.call_as_operator(Some(acme.account), "changes.list", own);
    let changes = history["rows"][0]["changes"].as_array().unwrap();
    let change = changes.iter().find(|change| change["field"] == "external_id").expect("a change");
    assert_eq!((&change["old"], &change["new"]), (&json!("QB-18"), &Value::Null));
    assert_eq!(
        problems(&env, &acme, "customers.create", create(&"x".repeat(129))),
        ["external_id"]
    );
    for _ in 0..2 {
        let other = company(&env, &acme, "Without");
        assert_eq!(get(&env, &acme, &other)["external_id"], Value::Null);
    }
}

#[both]
fn a_taken_external_id_is_a_conflict_that_names_its_customer() {
    let env = TestEnv::new();
    let (acme, beta) = (env.empty_business("Acme"), env.empty_business("Beta"));
    let first = env.create(&acme.owner, "customers.create", create("A-1"));
    let second = env.create(&acme.owner, "customers.create", create("a-1"));
    let message = conflict(&env, &acme.owner, "customers.create", create("A-1"));
    assert!(message.contains(&first), "{message}");
    let taken = json!({ "id": second, "external_id": "A-1", "is_vip": true });
    let message = conflict(&env, &acme.owner, "customers.update", taken.clone());
    assert!(message.contains(&first), "{message}");
    assert_eq!(get(&env, &acme, &second)["is_vip"], false, "nothing was changed");

    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    for (tool, arguments) in [("customers.create", create("A-1")), ("customers.update", taken)] {
        let message = conflict(&env, &writer, tool, arguments);
        assert!(!message.contains(&first), "{tool}: {message}");
    }
    env.create(&beta.owner, "customers.create", create("A-1"));

    env.call(&acme.owner, "customers.archive", json!({ "id": first })).unwrap();
    let message = conflict(&env, &acme.owner, "customers.create", create("A-1"));
    assert!(message.contains("archived") && message.contains(&first), "{message}");
    env.call_as_operator(Some(acme.account), "customers.restore", json!({ "id": first }));
    let freed = json!({ "id": first, "external_id": null });
    env.call(&acme.owner, "customers.update", freed).unwrap();
    env.create(&acme.owner, "customers.create", create("A-1"));
}

#[both]
fn a_search_finds_the_customer_with_an_external_id() {
    let env = TestEnv::new();
    let (acme, beta) = (env.empty_business("Acme"), env.empty_business("Beta"));
    person(&env, &acme, "Ana", json!({ "external_id": "A-1" }));
    let ben = person(&env, &acme, "Ben", json!({ "external_id": "B-1" }));
    person(&env, &beta, "Bea", json!({ "external_id": "C-1" }));
    for (filters, expected) in [
        (json!({ "external_id": "A-1" }), &["Ana"][..]),
        (json!({ "external_id": " A-1 ", "q": "ana", "type": "individual" }), &["Ana"]),
        (json!({ "external_id": "A-1", "customer_number": "C-0001" }), &["Ana"]),
        (json!({ "external_id": "A-1", "customer_number": "C-0002" }), &[]),
        (json!({ "external_id": "A-1", "q": "ben" }), &[]),
        (json!({ "external_id": "a-1" }), &[]),
        (json!({ "external_id": "A" }), &[]),
        (json!({ "external_id": "C-1" }), &[]),
        (json!({ "external_id": null }), &["Ben", "Ana"]),
    ] {
        assert_eq!(search(&env, &acme, filters.clone()), expected, "{filters}");
    }
    env.call(&acme.owner, "customers.archive", json!({ "id": ben })).unwrap();
    assert!(search(&env, &acme, json!({ "external_id": "B-1" })).is_empty());
    assert_eq!(search(&env, &acme, json!({ "external_id": "B-1", "status": "archived" })), ["Ben"]);
}
