//! Creating, changing, archiving and restoring notes.

use serde_json::{Value, json};
use zoop_both::both;

use super::{bodies, history, invalid_fields, kind, note, refusal, text_of, unlimited};
use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv};

#[both]
fn the_fields_of_a_note_have_a_fixed_order() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let created = json!({
        "body": "  Gate\r\ncode 12 ", "pinned": true,
        "subject_type": "job", "subject_id": business.id("job"),
    });
    let created = env.call(&business.office, "notes.create", created).unwrap();
    let keys: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "id",
            "body",
            "pinned",
            "draft",
            "created_by",
            "created_at",
            "updated_at",
            "subject_type",
            "subject_id",
            "attachments",
            "created_by_name",
            "customer_id",
            "customer_name"
        ]
    );
    assert_eq!(created["body"], "Gate\ncode 12");
    assert_eq!(created["created_by"], json!(Business::user(&business.office)));
    assert_eq!(created["created_at"], "2026-06-13T18:00:00.000Z");
    assert_eq!(created["attachments"], json!([]));
    let got = env.call(&business.tenant, "notes.get", json!({ "id": created["id"] })).unwrap();
    assert_eq!(got, created);
    let page = env.call(&business.tenant, "notes.list", json!({ "pinned": true })).unwrap();
    assert_eq!(page["rows"], json!([created]));
}

#[both]
fn all_problems_with_a_new_note_are_reported_at_once() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let create = |arguments| env.call(&business.owner, "notes.create", arguments);
    assert_eq!(invalid_fields(create(json!({}))), ["body"]);
    assert_eq!(invalid_fields(create(json!({ "body": " \n", "draft": false }))), ["body"]);
    assert_eq!(invalid_fields(create(json!({ "body": null, "draft": null }))), ["body"]);
    let mut wrong = invalid_fields(create(
        json!({ "draft": false, "pinned": "yes", "subject_type": "job", "x": 1 }),
    ));
    wrong.sort();
    assert_eq!(wrong, ["body", "pinned", "subject_id", "x"]);
    let alone = json!({ "body": "x", "subject_id": business.id("job") });
    assert_eq!(invalid_fields(create(alone)), ["subject_type"]);
    let standalone = json!({ "body": "x", "subject_type": "standalone", "subject_id": "y" });
    assert_eq!(invalid_fields(create(standalone)), ["subject_type", "subject_id"]);
    let nulls = json!({ "body": "x", "subject_type": null, "subject_id": null, "pinned": null });
    assert_eq!(create(nulls).unwrap()["subject_id"], Value::Null);
}

#[both]
fn a_body_has_at_most_100000_characters() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let longest = "é".repeat(100_000);
    let id = note(&env, &business.owner, &longest);
    let update =
        |body: Value| env.call(&business.owner, "notes.update", json!({ "id": id, "body": body }));
    let longer = json!(format!("{longest}e"));
    let create = json!({ "body": longer });
    assert_eq!(invalid_fields(env.call(&business.owner, "notes.create", create)), ["body"]);
    assert_eq!(invalid_fields(update(longer)), ["body"]);
    for nothing in [json!(null), json!(""), json!(" \t")] {
        let error = refusal(update(nothing));
        assert_eq!(error["fields"][0]["problem"], "cannot be cleared", "{error}");
    }
    assert_eq!(update(json!("東".repeat(100_000))).unwrap()["body"], "東".repeat(100_000));
    assert_eq!(bodies(&env, &business.owner, json!({ "q": "東東東" })).len(), 1);
}

#[both]
fn a_note_can_be_attached_to_any_record_of_its_tenant_and_moved() {
    let env = TestEnv::new();
    let (business, other) = (env.business("Ada"), env.business("Ben"));
    let id = note(&env, &business.owner, "Here");
    let update = |kind: Value, subject: Value| {
        let change = json!({ "id": id, "subject_type": kind, "subject_id": subject });
        env.call(&business.owner, "notes.update", change)
    };
    env.call(&business.owner, "customers.archive", json!({ "id": business.id("customer") }))
        .unwrap();
    for (kind, record, word) in [
        ("customer", "customer", "customer"),
        ("customer_contact", "contact", "contact"),
        ("customer_location", "location", "location"),
        ("job", "job", "job"),
    ] {
        let moved = update(json!(kind), json!(business.id(record))).unwrap();
        assert_eq!(
            (&moved["subject_type"], &moved["subject_id"]),
            (&json!(kind), &json!(business.id(record)))
        );
        for filters in [
            json!({ "subject_type": kind }),
            json!({ "subject_id": business.id(record) }),
            json!({ "subject_type": kind, "q": "here" }),
        ] {
            assert_eq!(bodies(&env, &business.owner, filters), ["Here"]);
        }
        let foreign = refusal(update(json!(kind), json!(other.id(record))));
        let unknown = refusal(update(json!(kind), json!(business.id("tag"))));
        assert_eq!((&foreign, &foreign["kind"]), (&unknown, &json!("not_found")));
        assert!(foreign["message"].as_str().unwrap().contains(word), "{foreign}");
    }
    // The same id under another type is another record.
    assert_eq!(kind(update(json!("quote"), json!(business.id("job")))), "not_found");
    assert_eq!(bodies(&env, &business.owner, json!({ "subject_type": "customer" })).len(), 0);
    let detached = update(json!(null), json!(null)).unwrap();
    assert_eq!((&detached["subject_type"], &detached["subject_id"]), (&json!(null), &json!(null)));
    let alone = bodies(&env, &business.owner, json!({ "subject_type": "standalone" }));
    assert!(alone.contains(&"Here".to_owned()));
}

#[both]
fn a_subjects_type_and_id_must_be_sent_together() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let (id, job) = (business.id("note"), business.id("job"));
    let update = |change| env.call(&business.owner, "notes.update", change);
    assert_eq!(invalid_fields(update(json!({ "id": id, "subject_type": "job" }))), ["subject_id"]);
    assert_eq!(invalid_fields(update(json!({ "id": id, "subject_id": job }))), ["subject_type"]);
    assert_eq!(invalid_fields(update(json!({ "id": id, "subject_id": null }))), ["subject_type"]);
    let half = json!({ "id": id, "subject_type": "job", "subject_id": null });
    assert_eq!(invalid_fields(update(half)), ["subject_id"]);
    let half = json!({ "id": id, "subject_type": null, "subject_id": job });
    assert_eq!(invalid_fields(update(half)), ["subject_type"]);
    assert_eq!(invalid_fields(update(json!({ "id": id }))), ["arguments"]);
    for field in ["pinned", "draft"] {
        assert_eq!(invalid_fields(update(json!({ "id": id, field: null }))), [field]);
    }
}

#[both]
fn only_its_author_and_owners_can_change_a_note() {
    let env = unlimited();
    let (business, other) = (env.business("Ada"), env.business("Ben"));
    let id = note(&env, &business.tech, "By the crew");
    let changes = [
        ("notes.update", json!({ "id": id, "pinned": true })),
        ("notes.archive", json!({ "id": id })),
    ];
    for (tool, change) in changes.clone() {
        let error = refusal(env.call(&business.office, tool, change.clone()));
        assert_eq!(error["kind"], "invalid_input", "{error}");
        assert!(error["message"].as_str().unwrap().contains("author"), "{error}");
        let error = refusal(env.call(&business.tenant, tool, change.clone()));
        assert!(error["message"].as_str().unwrap().contains("person"), "{error}");
        let error = refusal(env.call(&other.owner, tool, change));
        assert_eq!(error["kind"], "not_found", "{error}");
    }
    let tenant = env.call(&business.tenant, "notes.create", json!({ "body": "x" }));
    assert_eq!(kind(tenant), "invalid_input");
    for (tool, change) in changes {
        assert!(env.call(&business.owner, tool, change).is_ok());
    }
    let own = note(&env, &business.tech, "By the crew again");
    let change = json!({ "id": own, "body": "Changed" });
    let updated = env.call(&business.tech, "notes.update", change).unwrap();
    assert_eq!(updated["created_by"], json!(Business::user(&business.tech)));
    assert!(env.call(&business.tech, "notes.archive", json!({ "id": own })).is_ok());
}

#[both]
fn an_archived_note_is_hidden_until_it_is_restored() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let job = business.id("job");
    let created = json!({ "body": "Buried", "subject_type": "job", "subject_id": job });
    let id = env.create(&business.office, "notes.create", created);
    let filters =
        [json!({ "q": "buried" }), json!({ "subject_id": job }), json!({ "subject_type": "job" })];
    let shown = || filters.clone().map(|filters| bodies(&env, &business.owner, filters).len());
    let operator = Caller::operator(Some(business.account));
    let restore = || env.call(&operator, "notes.restore", json!({ "id": id }));
    assert_eq!(shown(), [1, 1, 1]);
    assert_eq!(kind(restore()), "not_found");
    let archive = || env.call(&business.owner, "notes.archive", json!({ "id": id }));
    assert_eq!(archive().unwrap(), json!({ "archived": true, "id": id }));
    assert_eq!(shown(), [0, 0, 0]);
    assert_eq!(kind(archive()), "not_found");
    for (tool, arguments) in [
        ("notes.get", json!({ "id": id })),
        ("notes.update", json!({ "id": id, "pinned": true })),
        ("notes.update", json!({ "id": id, "draft": true })),
    ] {
        assert_eq!(kind(env.call(&business.office, tool, arguments)), "not_found", "{tool}");
    }
    let message = |access, tool: &str, more: Value| {
        let mut arguments = more;
        arguments["id"] = json!(id);
        text_of(&refusal(env.call(access, tool, arguments)), "message")
    };
    let again = message(&business.owner, "notes.archive", json!({}));
    assert!(again.starts_with("This note is already archived"), "{again}");
    let changed = message(&business.office, "notes.update", json!({ "pinned": true }));
    assert!(
        changed.starts_with("This note is archived; restore it first (notes.restore)"),
        "{changed}"
    );
    let others = message(&business.tech, "notes.update", json!({ "pinned": true }));
    assert!(
        others.starts_with("There is no such note"),
        "the caller is neither the author nor an owner: {others}"
    );
    let restore_as = |caller| env.call(caller, "notes.restore", json!({ "id": id }));
    assert_eq!(kind(restore_as(&business.tech)), "not_found", "neither the author nor an owner");
    assert_eq!(kind(restore_as(&business.tenant)), "invalid_input");
    let restored = json!({ "restored": true, "id": id });
    for restore in [&restore as &dyn Fn() -> _, &|| restore_as(&business.owner)] {
        assert_eq!(restore().unwrap(), restored);
        archive().unwrap();
    }
    assert_eq!(restore_as(&business.office).unwrap(), restored);
    assert_eq!(shown(), [1, 1, 1]);
    assert!(env.call(&business.owner, "notes.get", json!({ "id": id })).is_ok());
}

#[both]
fn the_search_index_follows_every_change() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let id = note(&env, &business.office, "Before");
    let found = |filters| bodies(&env, &business.owner, filters).len();
    env.clock.advance(1);
    let change = json!({ "id": id, "body": "After", "pinned": true });
    env.call(&business.office, "notes.update", change).unwrap();
    assert_eq!(found(json!({ "q": "before" })), 0);
    assert_eq!(found(json!({ "q": "after", "pinned": true })), 1);
    env.call(&business.office, "notes.update", json!({ "id": id, "pinned": false })).unwrap();
    assert_eq!(found(json!({ "q": "after", "pinned": true })), 0);
    assert_eq!(found(json!({ "q": "after", "pinned": false })), 1);
}

#[both]
fn write_only_callers_get_back_only_what_they_sent() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let user = Business::user(&business.office).to_string();
    let writer = env.access(&env.key(business.account, Some(&user), &[Scope::WriteNotes]));
    let keys =
        |answer: &Value| -> Vec<String> { answer.as_object().unwrap().keys().cloned().collect() };
    let created = env.call(&writer, "notes.create", json!({ "body": "Mine" })).unwrap();
    assert_eq!(keys(&created), ["id", "created_at", "body"]);
    let change = json!({ "id": created["id"], "pinned": true });
    let changed = env.call(&writer, "notes.update", change).unwrap();
    assert_eq!(keys(&changed), ["id", "updated_at", "pinned"]);
    assert_eq!(
        kind(env.call(&writer, "notes.get", json!({ "id": created["id"] }))),
        "insufficient_scope"
    );
}

#[both]
fn the_history_keeps_old_bodies_but_not_the_current_one() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let author = &business.office;
    let created = json!({ "body": "One", "subject_type": "job", "subject_id": business.id("job") });
    let id = env.create(author, "notes.create", created);
    env.clock.advance(1_000);
    let change = json!({ "id": id, "body": "Two", "pinned": true });
    env.call(author, "notes.update", change).unwrap();
    env.clock.advance(1_000);
    env.call(author, "notes.archive", json!({ "id": id })).unwrap();
    let operator = Caller::operator(Some(business.account));
    env.clock.advance(1_000);
    env.call(&operator, "notes.restore", json!({ "id": id })).unwrap();

    let entries = history(&env, &business, &id);
    let tools: Vec<_> = entries.iter().map(|(tool, _)| tool.as_str()).collect();
    assert_eq!(tools, ["notes.restore", "notes.archive", "notes.update", "notes.create"]);
    let change = |entry: usize, field: &str| {
        let found = entries[entry].1.iter().find(|change| change["field"] == field);
        found.map(|change| (change["old"].clone(), change["new"].clone()))
    };
    assert_eq!(change(3, "body"), None);
    assert_eq!(change(3, "subject_type"), Some((json!(null), json!("job"))));
    assert_eq!(change(3, "pinned"), Some((json!(null), json!(false))));
    assert_eq!(change(2, "body"), Some((json!("One"), json!(null))));
    assert_eq!(change(2, "pinned"), Some((json!(false), json!(true))));
    assert_eq!(change(1, "body"), None);
    let archived_at = json!("2026-06-13T18:00:02.000Z");
    assert_eq!(change(1, "archived_at"), Some((json!(null), archived_at.clone())));
    assert_eq!(change(0, "archived_at"), Some((archived_at, json!(null))));
    assert!(!format!("{entries:?}").contains("Two"));
}
