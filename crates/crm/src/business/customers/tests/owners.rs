//! Contacts and locations that a call names by their id, with or without their customer.

use serde_json::{Value, json};
use zoop_both::both;

use super::person;
use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

/// An id that no record has.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// The two kinds of children: the group of tools, and the id of a sample record.
fn children(business: &Business) -> [(&'static str, &str); 2] {
    [("contacts", business.id("contact")), ("locations", business.id("location"))]
}

/// What a call is refused with, as the caller sees it.
fn refusal(env: &TestEnv, caller: &Caller, tool: &str, arguments: Value) -> String {
    env.call(caller, tool, arguments).expect_err(tool).public_json("test")
}

#[both]
fn a_contact_and_a_location_are_found_by_their_id_alone() {
    let env = TestEnv::new();
    let (acme, other) = (env.business("Acme"), env.business("Other"));
    for (group, id) in children(&acme) {
        let get = format!("{group}.get");
        let by_id = env.call(&acme.tech, &get, json!({ "id": id })).expect("the record");
        assert_eq!(by_id["customer_id"], acme.id("customer"), "{group}");
        let named = json!({ "id": id, "customer_id": acme.id("customer") });
        assert_eq!(env.call(&acme.tech, &get, named).expect("the record"), by_id);
        let unnamed = json!({ "id": id, "customer_id": null });
        assert_eq!(env.call(&acme.tech, &get, unnamed).expect("the record"), by_id);

        let foreign = refusal(&env, &other.owner, &get, json!({ "id": id }));
        assert_eq!(foreign, refusal(&env, &other.owner, &get, json!({ "id": NOBODY })), "{group}");
    }
    for (tool, id) in [("contacts.get", "archived_contact"), ("locations.get", "archived_location")]
    {
        let archived = env.call(&acme.owner, tool, json!({ "id": acme.id(id) })).expect("a record");
        assert!(archived["archived_at"].is_string(), "{tool}");
    }
}

#[both]
fn a_record_of_another_customer_is_told_with_its_customer() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let eve = person(&env, &acme, "Eve", json!({}));
    for (group, id) in children(&acme) {
        for verb in ["get", "update", "archive"] {
            let mut arguments = json!({ "id": id, "customer_id": eve });
            if verb == "update" {
                arguments[if group == "contacts" { "title" } else { "label" }] = json!("x");
            }
            let tool = format!("{group}.{verb}");
            let error = error_json(&env.call(&acme.owner, &tool, arguments).expect_err(&tool));
            assert_eq!(error["kind"], "not_found", "{tool}");
            let message = text(&error, "message");
            assert!(message.contains("belongs to another customer"), "{tool}: {message}");
            assert!(message.contains(acme.id("customer")), "{tool}: {message}");
        }
    }
}

/// A write-only caller and another business get the same bytes as for an id that no record has.
#[both]
fn only_readers_learn_that_a_record_belongs_to_another_customer() {
    let env = TestEnv::new();
    let (acme, other) = (env.business("Acme"), env.business("Other"));
    let eve = person(&env, &acme, "Eve", json!({}));
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    for (group, id) in children(&acme) {
        for verb in ["update", "archive"] {
            let tool = format!("{group}.{verb}");
            let answer = |caller: &Caller, customer: &str, id: &str| {
                let mut arguments = json!({ "id": id, "customer_id": customer });
                if verb == "update" {
                    arguments["is_primary"] = json!(true);
                }
                refusal(&env, caller, &tool, arguments)
            };
            assert_eq!(answer(&writer, &eve, id), answer(&writer, &eve, NOBODY), "{tool}");
            let own = other.id("customer");
            assert_eq!(answer(&other.owner, own, id), answer(&other.owner, own, NOBODY), "{tool}");
        }
    }
}
