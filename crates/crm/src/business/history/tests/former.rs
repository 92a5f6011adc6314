//! Entries of the form that earlier versions wrote: they are shown as before, while they are moved and afterwards.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::Tenant;

use super::{entries, session};
use crate::call::access::Account;
use crate::call::history::former::{self, Next, Step};
use crate::call::storage;
use crate::maintenance;
use crate::testing::{Business, Caller, TestEnv, text};

/// An entry's changes as earlier versions stored them.
fn stored(entry: &Value) -> String {
    let changes = entry["changes"].as_array().expect("changes");
    let records = changes.chunk_by(|a, b| a["record_id"] == b["record_id"]).map(|changes| {
        let fields = changes.iter().map(|it| json!([it["field"], it["old"], it["new"]]));
        json!([changes[0]["record_type"], changes[0]["record_id"], fields.collect::<Vec<_>>()])
    });
    Value::Array(records.collect()).to_string()
}

/// Stores entries of the first tenant as earlier versions did.
pub(in crate::business) fn store_in_the_former_form(env: &TestEnv, entries: &[Value]) {
    let quoted = |value: &Value| match value.as_str() {
        Some(text) => format!("'{}'", text.replace('\'', "''")),
        None => "NULL".to_owned(),
    };
    let id = |value: &Value| {
        let id = value.as_str().unwrap_or("00000000-0000-0000-0000-000000000000").replace('-', "");
        if env.server().is_none() { format!("X'{id}'") } else { format!("'{id}'::uuid") }
    };
    let mut script = String::new();
    for entry in entries {
        let user =
            if entry["user_id"].is_null() { "NULL".to_owned() } else { id(&entry["user_id"]) };
        let moved = format!(
            "DELETE FROM history_entries WHERE id = {}; \
             INSERT INTO history (tenant_no, id, actor_kind, user_id, credential_id, client, address, tool, changes) \
             VALUES (1, {}, {}, {user}, {}, {}, {}, {}, {});",
            id(&entry["id"]),
            id(&entry["id"]),
            quoted(&entry["actor_kind"]),
            id(&entry["credential_id"]),
            quoted(&entry["client"]),
            quoted(&entry["address"]),
            quoted(&entry["tool"]),
            quoted(&json!(stored(entry))),
        );
        script.push_str(&moved);
    }
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            file.execute_batch(&script).expect("entries");
        }
        Some(server) => drop(server.run_as_superuser(&script).expect("entries")),
    }
}

/// The next step. `None` if no tenant has entries to move.
fn next(env: &TestEnv) -> Option<Step> {
    match env.read(|tx| former::next(tx, Tenant(0))).expect("the next") {
        Next::Step(step) => Some(step),
        Next::From(tenant) => {
            let next = env.read(move |tx| former::next(tx, tenant)).expect("the next");
            assert!(matches!(next, Next::Nothing), "{next:?}");
            None
        }
        next => panic!("{next:?}"),
    }
}

/// Moves the entries of a step, and returns their number.
fn write(env: &TestEnv, step: Step) -> usize {
    env.write(move |tx| former::write(tx, &step)).expect("the step is written")
}

/// A business with an entry of each kind and more entries than a step moves, and its owner.
fn fixture() -> (TestEnv, Business, Caller) {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    super::run_every_command(&env, &acme, &owner);
    let customer = env.create(
        &acme.owner,
        "customers.create",
        json!({ "customer_type": "company", "company_name": "Busy" }),
    );
    let change = |number: usize| {
        ("customers.update".to_owned(), json!({ "id": customer, "source": number.to_string() }))
    };
    env.write_all(&acme.owner, (0..150).map(change).collect());
    (env, acme, owner)
}

/// Whether the counted bytes are those that are stored.
fn is_counted(env: &TestEnv, account: Account) -> bool {
    env.read(move |tx| {
        tx.bind(account.number);
        Ok(maintenance::measure(tx)?.1 == storage::Stored::default())
    })
    .expect("the stored bytes")
}

#[both]
fn moved_entries_are_shown_as_before_and_while_they_are_moved() {
    let (env, acme, owner) = fixture();
    let before = entries(&env, &owner, &json!({}));
    let customer = json!({ "record_id": acme.id("customer") });
    let of_customer = entries(&env, &owner, &customer);
    let updates = json!({ "tool": "customers.update" });
    let of_updates = entries(&env, &owner, &updates);
    let is_unchanged = || {
        entries(&env, &owner, &json!({})) == before
            && entries(&env, &owner, &customer) == of_customer
            && entries(&env, &owner, &updates) == of_updates
    };
    store_in_the_former_form(&env, &before);
    assert!(is_unchanged(), "stored in the former form");
    let account = acme.account;
    env.write(move |tx| {
        tx.bind(account.number);
        let drift = maintenance::measure(tx)?.1;
        storage::add(tx, account.number, &drift)
    })
    .expect("the counted bytes");

    let first = next(&env).expect("a step");
    let again = next(&env).expect("the same step");
    assert!(write(&env, first) > 0);
    assert!(is_unchanged(), "the oldest are moved");
    assert_eq!(write(&env, again), 0);
    assert!(is_unchanged(), "another process moved them too");
    let mut steps = 1;
    while let Some(step) = next(&env) {
        write(&env, step);
        steps += 1;
    }
    assert!(steps > 1, "one step moved all");
    assert!(is_unchanged(), "all are moved");
    assert!(is_counted(&env, acme.account), "the bytes are counted");
    assert!(next(&env).is_none());
    env.call(&acme.owner, "notes.create", json!({ "body": "After" })).expect("a note");
    assert_eq!(entries(&env, &owner, &json!({}))[1..], before);
}

/// While servers are being upgraded, one of the previous version may change what one of this version has added.
#[both]
fn an_addition_is_shown_as_before_after_an_earlier_version_changed_the_record() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let change = |tool: &str, arguments: Value| {
        env.clock.advance(1_000);
        env.call(&acme.owner, tool, arguments).expect(tool)
    };
    let added = change(
        "customers.create",
        json!({ "customer_type": "individual", "first_name": "Ann", "last_name": "Lee", "email": "a@b.example" }),
    );
    let id = text(&added, "id").to_owned();
    let addition = entries(&env, &owner, &json!({ "record_id": id }));
    change("tags.attach", json!({ "id": acme.id("tag"), "customer_id": id }));
    change("customers.update", json!({ "id": id, "email": null, "source": "fair" }));
    let by_an_earlier_version = entries(&env, &owner, &json!({ "record_id": id }))[..2].to_vec();
    store_in_the_former_form(&env, &by_an_earlier_version);
    change("customers.update", json!({ "id": id, "first_name": "Anna" }));
    let all = entries(&env, &owner, &json!({ "record_id": id }));
    assert_eq!(all[3..], addition);
    assert_eq!(all[1..3], by_an_earlier_version);
}
