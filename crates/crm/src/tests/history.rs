//! The history: each write adds one entry, reads add none, and undoing entries gives each earlier state.

use serde_json::{Map, Value, json};
use zoop_both::both;

use crate::call::definition::ToolKind;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, text};

fn entries(env: &TestEnv, business: &Business, record: Option<&str>) -> Vec<Value> {
    let mut all = Vec::new();
    let mut arguments = json!({ "record_id": record, "limit": 100 });
    loop {
        let page = env.call_as_operator(Some(business.account), "changes.list", arguments);
        all.extend(page["rows"].as_array().unwrap().iter().cloned());
        if page["hasMore"] == false {
            return all;
        }
        arguments = json!({ "cursor": page["nextCursor"], "limit": 100 });
    }
}

#[both]
fn every_command_adds_one_entry_and_queries_add_none() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    let before = entries(&env, &acme, None).len();
    for tool in catalog::tools() {
        let access = if tool.is_public() { &acme.owner } else { &operator };
        let [answer, after] = env.rehearse([
            (access, tool.name, &acme.fill(tool.example)),
            (&operator, "changes.list", r#"{"limit":100}"#),
        ]);
        let answer = answer.expect(tool.name);
        let after: Value = serde_json::from_str(&after.expect("the history")).unwrap();
        assert_eq!(after["hasMore"], false, "the whole history is on one page");
        let after = after["rows"].as_array().unwrap();
        // A new tenant's entry is in its own history.
        let elsewhere = tool.name == "tenants.create";
        let writes = matches!(tool.kind, ToolKind::Command { .. }) && !elsewhere;
        assert_eq!(after.len() - before, usize::from(writes), "{}", tool.name);
        if writes {
            let entry = &after[0];
            assert_eq!(entry["tool"], tool.name);
            assert_eq!(entry["actor_kind"], access.actor.kind(), "{}", tool.name);
            assert_eq!(entry["user_id"], json!(access.actor.user()), "{}", tool.name);
            assert!(!entry["changes"].as_array().unwrap().is_empty(), "{}: {answer}", tool.name);
        }
    }
}

#[both]
fn a_rejected_write_adds_no_entry() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let before = entries(&env, &acme, None).len();
    let customer = acme.id("customer");
    for (tool, arguments) in [
        ("tags.create", json!({ "name": "hoa" })),
        ("customers.update", json!({ "id": customer, "company_name": "X" })),
        (
            "locations.create",
            json!({ "customer_id": customer, "address_line1": "1", "city": "C", "state": "S",
                    "postal_code": "P", "is_primary": true }),
        ),
    ] {
        env.call(&acme.owner, tool, arguments).expect_err(tool);
    }
    assert_eq!(entries(&env, &acme, None).len(), before);
}

/// Restores the state of a record before an entry.
fn undo(state: &mut Map<String, Value>, entry: &Value, record: &str) {
    for change in entry["changes"].as_array().unwrap() {
        if change["record_id"] == record {
            let field = text(change, "field");
            assert_eq!(state.get(field), Some(&change["new"]), "{field} of {entry}");
            state.insert(field.to_owned(), change["old"].clone());
        }
    }
}

#[both]
fn undoing_entries_gives_each_earlier_state() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let customer = acme.id("customer").to_owned();
    let steps = [
        ("contacts", "contact", "update", json!({ "title": "Boss", "phone": null })),
        ("contacts", "other_contact", "update", json!({ "is_primary": true, "role": "billing" })),
        ("contacts", "contact", "update", json!({ "is_primary": true, "email": "x@y.example" })),
        ("locations", "location", "update", json!({ "is_primary": false, "city": "Alameda" })),
        ("locations", "location", "update", json!({ "location_type": "billing" })),
        ("contacts", "contact", "archive", json!({})),
        ("locations", "location", "archive", json!({})),
    ];
    let records =
        [("contacts", "contact"), ("contacts", "other_contact"), ("locations", "location")];
    let state = |group: &str, name: &str| {
        let arguments = json!({ "id": acme.id(name), "customer_id": customer });
        let shown = env.call(&acme.owner, &format!("{group}.get"), arguments).unwrap();
        shown.as_object().unwrap().clone()
    };
    let states = || records.map(|(group, name)| state(group, name));
    let mut earlier = vec![states()];
    for (group, name, verb, fields) in steps {
        env.clock.advance(1_000);
        let mut arguments = json!({ "id": acme.id(name), "customer_id": customer });
        arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        env.call(&acme.owner, &format!("{group}.{verb}"), arguments).expect(verb);
        earlier.push(states());
    }
    let mut now = earlier.pop().unwrap();
    for (entry, expected) in entries(&env, &acme, None).iter().zip(earlier.into_iter().rev()) {
        for (state, (_, name)) in now.iter_mut().zip(records) {
            undo(state, entry, acme.id(name));
        }
        assert_eq!(now, expected, "before {entry}");
    }
}

#[both]
fn a_records_history_has_only_its_own_entries() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let contact = acme.id("contact");
    let entries = entries(&env, &acme, Some(contact));
    let tools: Vec<_> = entries.iter().map(|entry| text(entry, "tool")).collect();
    assert_eq!(tools, ["customers.create"]);
    let other = env.business("Other");
    assert!(self::entries(&env, &other, Some(contact)).is_empty());
}

#[both]
fn a_write_that_changes_nothing_also_adds_an_entry() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let before = entries(&env, &acme, None).len();
    let assignment = json!({ "id": acme.id("tag"), "customer_id": acme.id("customer") });
    env.call(&acme.owner, "tags.attach", assignment.clone()).unwrap();
    let before = before + 1;
    env.call(&acme.owner, "tags.attach", assignment).unwrap();
    assert_eq!(entries(&env, &acme, None).len(), before + 1, "the tag was already attached");
}
