//! What an erasure must find elsewhere, and what it must leave.

use serde_json::{Value, json};
use zoop_both::both;

use super::raw_files;
use crate::maintenance;
use crate::testing::{Business, TestEnv};

/// A customer with these values in a business.
fn add(env: &TestEnv, business: &Business, first_name: &str, more: &Value) -> String {
    let mut fields = json!({
        "customer_type": "individual", "first_name": first_name, "last_name": "Doe",
    });
    fields.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    env.create(&business.owner, "customers.create", fields)
}

fn call(env: &TestEnv, business: &Business, tool: &str, arguments: Value) -> Value {
    env.call(&business.owner, tool, arguments).expect(tool)
}

fn erase(env: &TestEnv, business: &Business, id: &str) -> Value {
    env.call_as_operator(Some(business.account), "customers.erase", json!({ "id": id }))
}

/// The files of the database as text, without what is no text.
fn raw(env: &TestEnv) -> String {
    let contents = raw_files(env).into_iter().filter_map(|file| std::fs::read(file).ok());
    contents.map(|bytes| String::from_utf8_lossy(&bytes).to_lowercase()).collect()
}

#[both]
fn another_business_keeps_a_customer_with_the_same_values() {
    let env = TestEnv::new();
    let values = json!({
        "phone": "510-555-0147", "email": "zweiglump@example.com", "notes_internal": "Zweiglump barks.",
        "tags": ["Zweiglump"], "location": { "address_line1": "3 Zweiglump Way", "city": "Oakland",
                      "state": "CA", "postal_code": "94607" },
    });
    let [acme, borealis] = ["Acme", "Borealis"].map(|name| env.empty_business(name));
    let add = |business: &Business| {
        call(&env, business, "tags.create", json!({ "name": "Zweiglump" }));
        let id = add(&env, business, "Zweiglump", &values);
        let note = json!({ "subject_type": "customer", "subject_id": id, "body": "Zweiglump called.",
                           "idempotency_key": "a" });
        let note = env.create(&business.owner, "notes.create", note);
        env.add_file(&business.owner, &note, "zweiglump.txt", b"There.").expect("a file");
        call(&env, business, "customers.update", json!({ "id": id, "source": "Zweiglump" }));
        id
    };
    let (erased, kept) = (add(&acme), add(&borealis));
    let seen = || {
        let of = |tool: &str, arguments: Value| call(&env, &borealis, tool, arguments);
        json!([
            of("customers.get", json!({ "id": kept })),
            of("customers.search", json!({ "q": "zweiglump" })),
            of("notes.list", json!({ "q": "zweiglump" })),
            of("tags.list", json!({})),
            of("changes.list", json!({})),
        ])
    };
    let before = seen();
    assert!(before.to_string().matches("Zweiglump").count() > 10, "{before}");
    erase(&env, &acme, &erased);
    maintenance::rewrite(env.url(), maintenance::REWRITE_PATIENCE).expect("it is written again");
    assert_eq!(seen(), before);
    let retry = json!({ "subject_type": "customer", "subject_id": kept, "body": "Zweiglump called.",
                        "idempotency_key": "a" });
    let again = env.create(&borealis.owner, "notes.create", retry);
    let notes = call(&env, &borealis, "notes.list", json!({}));
    assert_eq!(notes["rows"].as_array().expect("rows").len(), 1, "{again}: {notes}");
}

#[both]
fn what_other_customers_had_by_merges_that_were_undone_is_erased_too() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let words = ["quibnark", "flustrom", "grobbent"];
    let more = json!({
        "email": "quibnark@example.com", "source": "flustrom", "notes_internal": "Likes grobbent.",
    });
    let keep = add(&env, &acme, "Kay", &json!({ "notes_internal": "Has a dog." }));
    let gone = add(&env, &acme, "Gil", &more);
    let third = add(&env, &acme, "Kay", &json!({ "external_id": "third" }));
    let undo_last = |record: &str| {
        env.clock.advance(1_000);
        let last = json!({ "record_id": record, "limit": 1 });
        let last = call(&env, &acme, "changes.list", last)["rows"][0]["id"].clone();
        call(&env, &acme, "changes.revert", json!({ "id": last }));
    };
    env.clock.advance(1_000);
    call(&env, &acme, "customers.merge", json!({ "keep_id": keep, "merge_id": gone }));
    env.clock.advance(1_000);
    // The values are replaced and come back, and go on to a third customer and come back.
    call(&env, &acme, "customers.update", json!({ "id": keep, "email": "kay@example.com" }));
    undo_last(&keep);
    call(&env, &acme, "customers.merge", json!({ "keep_id": third, "merge_id": keep }));
    undo_last(&third);
    let merged = json!({ "record_id": gone, "limit": 1 });
    let merged = call(&env, &acme, "changes.list", merged)["rows"][0]["id"].clone();
    call(&env, &acme, "changes.revert", json!({ "id": merged }));
    // What the others are told about themselves stays.
    call(&env, &acme, "customers.update", json!({ "id": keep, "source": "referral" }));
    let others =
        || [&keep, &third].map(|id| call(&env, &acme, "customers.get", json!({ "id": id })));
    let history = || {
        [&keep, &third]
            .map(|id| call(&env, &acme, "changes.list", json!({ "record_id": id })))
            .map(|list| list.to_string())
    };
    let (before, told) = (others(), history());
    assert!(words.iter().all(|word| told.iter().all(|told| told.contains(word))), "{told:?}");
    assert!(!words.iter().any(|word| before.iter().any(|it| it.to_string().contains(word))));

    let dry = json!({ "id": gone, "dry_run": true });
    let dry = env.call_as_operator(Some(acme.account), "customers.erase", dry);
    let erased = erase(&env, &acme, &gone);
    assert_eq!(erased["entries"], dry["entries"]);
    assert_eq!(others(), before);
    let told = history();
    assert!(!words.iter().any(|word| told.iter().any(|told| told.contains(word))), "{told:?}");
    assert!(told[0].contains("referral") && told[0].contains("Has a dog."), "{}", told[0]);
    maintenance::rewrite(env.url(), maintenance::REWRITE_PATIENCE).expect("it is written again");
    let raw = raw(&env);
    assert!(raw.contains("has a dog"));
    let left = words.map(|word| raw.find(word).map(|at| raw.get(at.saturating_sub(200)..at + 50)));
    assert_eq!(left, [None; 3]);
}
