//! Entries stay as they are, although the values of new records are stored only once they are replaced.

use serde_json::{Value, json};
use zoop_both::both;

use super::{entries, run_every_command, session};
use crate::testing::{Business, Caller, TestEnv, text};

/// Runs calls one by one, and checks after each that all earlier entries are as before.
fn assert_entries_stay(env: &TestEnv, reader: &Caller, caller: &Caller, calls: Vec<(&str, Value)>) {
    let mut before = entries(env, reader, &json!({}));
    for (tool, arguments) in calls {
        env.clock.advance(1_000);
        env.call(caller, tool, arguments).expect(tool);
        let after = entries(env, reader, &json!({}));
        assert_eq!(after[1..], before, "after {tool}");
        before = after;
    }
}

#[both]
fn every_entry_stays_as_it_is_whatever_is_changed_later() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let customer = json!({
        "customer_type": "individual", "first_name": "Ann", "last_name": "Lee", "phone": "+1 510 555 0199",
        "tags": [acme.id("tag")],
        "location": { "address_line1": "1 Elm St", "city": "Oakland", "state": "CA", "postal_code": "94607" },
    });
    let added = env.call(&acme.owner, "customers.create", customer).expect("a customer");
    let id = text(&added, "id");
    let of_customer = json!({ "customer_id": id });
    let child = |tool: &str| {
        let page = env.call(&acme.owner, tool, of_customer.clone()).expect(tool);
        page["rows"][0]["id"].as_str().expect("an id").to_owned()
    };
    let (contact, location) = (child("contacts.list"), child("locations.list"));
    let note = env.create(&acme.owner, "notes.create", json!({ "body": "Gate", "draft": true }));
    let tag = env.create(&acme.owner, "tags.create", json!({ "name": "Fleeting" }));
    let update = |fields: Value| {
        let mut arguments = json!({ "id": id });
        arguments
            .as_object_mut()
            .expect("fields")
            .extend(fields.as_object().expect("fields").clone());
        ("customers.update", arguments)
    };
    let calls = vec![
        ("tags.attach", json!({ "id": tag, "customer_id": id })),
        ("tags.detach", json!({ "id": acme.id("tag"), "customer_id": id })),
        update(json!({ "last_name": null, "source": "fair" })),
        update(json!({ "last_name": "Li", "source": null, "is_vip": true })),
        ("contacts.update", json!({ "id": contact, "customer_id": id, "title": "Boss" })),
        (
            "locations.update",
            json!({ "id": location, "customer_id": id, "city": "Alameda", "latitude": 37.76, "longitude": -122.24 }),
        ),
        (
            "locations.update",
            json!({ "id": location, "customer_id": id, "latitude": null, "longitude": null }),
        ),
        ("notes.update", json!({ "id": note, "draft": false })),
        ("notes.update", json!({ "id": note, "body": "Gate 2", "pinned": true })),
        ("notes.archive", json!({ "id": note })),
        ("tags.update", json!({ "id": tag, "name": "Gone" })),
        ("tags.delete", json!({ "id": tag })),
        ("customers.archive", json!({ "id": id })),
    ];
    assert_entries_stay(&env, &owner, &acme.owner, calls);
    let all = entries(&env, &owner, &json!({ "record_id": id }));
    let changes = all.last().expect("the addition")["changes"].as_array().expect("changes");
    let value = |field: &str| {
        let change = changes.iter().find(|it| it["record_id"] == id && it["field"] == field);
        change.map(|it| (it["old"].clone(), it["new"].clone()))
    };
    assert_eq!(value("last_name"), Some((Value::Null, json!("Lee"))));
    assert_eq!(value("phone"), Some((Value::Null, json!("+15105550199"))));
    assert_eq!(value("tag"), Some((Value::Null, json!(acme.id("tag")))));
    assert_eq!(value("source"), None, "it was not set");
}

/// A tag leaves a customer's times as they are, so its first change may come after many entries.
#[both]
fn an_addition_stays_as_it_is_however_many_tags_come_before_the_first_change() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let customer = json!({ "customer_type": "company", "company_name": "Acme", "source": "fair" });
    let id = env.create(&acme.owner, "customers.create", customer);
    let of_customer = json!({ "record_id": id });
    let addition = || entries(&env, &owner, &of_customer).pop().expect("the addition");
    let before = addition();
    let toggle = |number: usize| {
        let tool = if number.is_multiple_of(2) { "tags.attach" } else { "tags.detach" };
        (tool.to_owned(), json!({ "id": acme.id("tag"), "customer_id": id }))
    };
    env.write_all(&acme.owner, (0..3).map(toggle).collect());
    assert_eq!(addition(), before, "after a few tags");
    env.write_all(&acme.owner, (1..8).map(toggle).collect());
    assert_eq!(addition(), before, "after many tags");
    env.clock.advance(1_000);
    env.call(&acme.owner, "customers.update", json!({ "id": id, "source": null }))
        .expect("a change");
    assert_eq!(addition(), before, "after a change");
    env.call(&acme.owner, "customers.update", json!({ "id": id, "source": "web" }))
        .expect("a change");
    assert_eq!(addition(), before, "after a second change");
}

/// The times of records have milliseconds.
#[both]
fn an_addition_stays_as_it_is_if_the_record_changes_within_the_millisecond() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let customer = json!({ "customer_type": "company", "company_name": "Acme", "source": "fair" });
    let id = env.create(&acme.owner, "customers.create", customer);
    let addition =
        || entries(&env, &owner, &json!({ "record_id": id })).pop().expect("the addition");
    let before = addition();
    for source in [json!("web"), Value::Null, json!("radio")] {
        env.call(&acme.owner, "customers.update", json!({ "id": id, "source": source }))
            .expect("a change");
        assert_eq!(addition(), before);
    }
}

#[both]
fn an_entry_of_any_command_stays_as_it_is() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let first = entries(&env, &owner, &json!({}));
    let seen = run_every_command(&env, &acme, &owner);
    let all = entries(&env, &owner, &json!({}));
    let expected: Vec<_> = seen.into_iter().rev().chain(first).collect();
    assert_eq!(all, expected);
    for change in all.iter().flat_map(|entry| entry["changes"].as_array().expect("changes")) {
        assert!(change["old"] != change["new"] || change["field"] == "body", "{change}");
    }
}

/// A field or kind without a number is stored as text: it would work, and take more space.
#[test]
fn every_name_in_an_entry_has_a_number() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    run_every_command(&env, &acme, &owner);
    for entry in entries(&env, &owner, &json!({})) {
        for change in entry["changes"].as_array().expect("changes") {
            for name in ["record_type", "field"] {
                let name = text(change, name);
                assert!(crate::call::history::packed::NAMES.contains(&name), "{name} in {entry}");
            }
        }
    }
}
