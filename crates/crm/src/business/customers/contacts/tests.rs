//! Tests of the contact tools, through the pipeline.

use serde_json::{Value, json};
use zoop_both::both;

use crate::testing::{Business, Caller, TestEnv, error_json, text};

fn rows(env: &TestEnv, business: &Business, archived: bool) -> Vec<Value> {
    let arguments = json!({ "customer_id": business.id("customer"), "archived": archived });
    let listed = env.call(&business.owner, "contacts.list", arguments).unwrap();
    listed["rows"].as_array().unwrap().clone()
}

fn names(env: &TestEnv, business: &Business) -> Vec<String> {
    let rows = rows(env, business, false);
    let primaries = rows.iter().filter(|row| row["is_primary"] == true).count();
    assert_eq!(primaries, 1, "exactly one contact is primary: {rows:?}");
    rows.iter().map(|row| text(row, "first_name").to_owned()).collect()
}

fn call(env: &TestEnv, business: &Business, tool: &str, fields: Value) -> Value {
    let mut arguments = json!({ "customer_id": business.id("customer") });
    arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    match env.call(&business.owner, tool, arguments) {
        Ok(answer) => answer,
        Err(error) => error_json(&error),
    }
}

#[both]
fn contacts_are_listed_primary_first_then_in_creation_order() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let created = call(
        &env,
        &acme,
        "contacts.create",
        json!({
            "first_name": "Cleo", "last_name": "X", "is_primary": true,
        }),
    );
    assert_eq!(created["is_primary"], true);
    assert_eq!(created["phone_can_sms"], true);
    assert_eq!(created["role"], "general");
    assert_eq!(names(&env, &acme), ["Cleo", "Hana", "Ben"], "Hana was demoted");
    let promoted = json!({ "id": acme.id("other_contact"), "is_primary": true });
    call(&env, &acme, "contacts.update", promoted);
    assert_eq!(names(&env, &acme), ["Ben", "Hana", "Cleo"]);
}

#[both]
fn there_is_always_a_primary_contact() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let hana = acme.id("contact");
    let refused = call(&env, &acme, "contacts.update", json!({ "id": hana, "is_primary": false }));
    assert_eq!(refused["kind"], "conflict");
    assert!(text(&refused, "message").contains("another contact primary"), "{refused}");

    let archived = call(&env, &acme, "contacts.archive", json!({ "id": hana }));
    assert_eq!(archived, json!({ "archived": true, "id": hana }));
    assert_eq!(names(&env, &acme), ["Ben"], "the oldest other contact became primary");
    let again = call(&env, &acme, "contacts.archive", json!({ "id": hana }));
    assert_eq!(again["kind"], "not_found");
    assert!(text(&again, "message").starts_with("This contact is already archived"), "{again}");
    let last = json!({ "id": acme.id("other_contact") });
    assert_eq!(call(&env, &acme, "contacts.archive", last)["kind"], "conflict");

    let shown = call(&env, &acme, "contacts.get", json!({ "id": hana }));
    assert_eq!(shown["archived_at"], "2026-06-13T18:00:00.000Z");
    assert_eq!(rows(&env, &acme, true)[0]["id"], hana);
    let update = json!({ "id": hana, "title": "x" });
    assert_eq!(call(&env, &acme, "contacts.update", update)["kind"], "not_found");

    env.call_as_operator(Some(acme.account), "contacts.restore", json!({ "id": hana }));
    assert_eq!(names(&env, &acme), ["Ben", "Hana"], "a restored contact does not become primary");
}

#[both]
fn a_contact_cannot_be_reached_through_another_customer() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let elsewhere = env.create(
        &acme.owner,
        "customers.create",
        json!({
            "customer_type": "individual", "first_name": "Eve",
        }),
    );
    for tool in ["contacts.get", "contacts.archive"] {
        let arguments = json!({ "id": acme.id("contact"), "customer_id": elsewhere });
        let error = error_json(&env.call(&acme.owner, tool, arguments).unwrap_err());
        assert_eq!(error["kind"], "not_found", "{tool}");
    }
}

#[both]
fn search_finds_a_new_phone_at_once_and_no_longer_the_old_one() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let found = |q: &str| {
        let page = env.call(&acme.owner, "customers.search", json!({ "q": q })).unwrap();
        page["rows"].as_array().unwrap().len()
    };
    let ben = acme.id("other_contact");
    call(&env, &acme, "contacts.update", json!({ "id": ben, "phone": "415 555 0177 x9" }));
    let shown = call(&env, &acme, "contacts.get", json!({ "id": ben }));
    assert_eq!(shown["phone"], "+14155550177", "the E.164 form has no extension");
    assert_eq!(shown["phone_raw"], "415 555 0177 x9");
    assert_eq!(found("415-555-0177"), 1);
    call(&env, &acme, "contacts.update", json!({ "id": ben, "phone": null }));
    assert_eq!(found("415-555-0177"), 0);
    call(&env, &acme, "contacts.update", json!({ "id": ben, "last_name": "Okafor" }));
    assert_eq!(found("okafor"), 1);
    call(&env, &acme, "contacts.archive", json!({ "id": ben }));
    assert_eq!(found("okafor"), 0);
}

#[both]
fn a_customer_has_at_most_two_hundred_active_contacts() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for number in 2..200 {
        let created = call(
            &env,
            &acme,
            "contacts.create",
            json!({
                "first_name": format!("N{number}"), "last_name": "X",
            }),
        );
        assert!(created["id"].is_string(), "{created}");
    }
    let one_more = json!({ "first_name": "One", "last_name": "More" });
    assert_eq!(call(&env, &acme, "contacts.create", one_more.clone())["kind"], "conflict");
    let ben = json!({ "id": acme.id("other_contact") });
    assert_eq!(call(&env, &acme, "contacts.archive", ben.clone())["archived"], true);
    assert!(call(&env, &acme, "contacts.create", one_more)["id"].is_string());
    let operator = Caller::operator(Some(acme.account));
    let restored = env.call(&operator, "contacts.restore", ben);
    assert_eq!(error_json(&restored.unwrap_err())["kind"], "conflict");
}
