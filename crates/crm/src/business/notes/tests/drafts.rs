//! Drafts: only their authors see them, and they expire.

use serde_json::json;
use zoop_both::both;

use super::{HOUR, bodies, draft, history, invalid_fields, kind, note, refusal};
use crate::testing::{Caller, TestEnv};

#[both]
fn only_its_author_can_see_a_draft() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let job = business.id("job");
    let id = env.create(
        &business.office,
        "notes.create",
        json!({ "body": "Secret", "draft": true, "subject_type": "job", "subject_id": job }),
    );
    let own = env.call(&business.office, "notes.get", json!({ "id": id })).unwrap();
    assert_eq!((&own["draft"], &own["body"]), (&json!(true), &json!("Secret")));

    let nobody = "00000000-0000-7000-8000-000000000000";
    let operator = Caller::operator(Some(business.account));
    let unknown = refusal(env.call(&business.owner, "notes.get", json!({ "id": nobody })));
    for other in [&business.owner, &business.tech, &business.tenant, &operator] {
        let got = refusal(env.call(other, "notes.get", json!({ "id": id })));
        assert_eq!(got, unknown);
    }
    for other in [&business.owner, &business.tech] {
        for (tool, arguments) in [
            ("notes.update", json!({ "id": id, "pinned": true })),
            ("notes.update", json!({ "id": id, "draft": false })),
            ("notes.archive", json!({ "id": id })),
        ] {
            assert_eq!(refusal(env.call(other, tool, arguments)), unknown, "{tool}");
        }
    }
    for filters in [json!({ "q": "secret" }), json!({ "subject_id": job }), json!({})] {
        let shown = bodies(&env, &business.office, filters.clone());
        assert!(!shown.contains(&"Secret".to_owned()), "{filters}: {shown:?}");
    }
}

#[both]
fn a_draft_expires_after_a_day_even_if_it_is_not_swept() {
    for late in [0, 1] {
        let env = TestEnv::new();
        let business = env.business("Ada");
        let author = &business.office;
        let id = draft(&env, author, "Half a thought");
        let update = |change: serde_json::Value| {
            let mut arguments = json!({ "id": id });
            arguments.as_object_mut().unwrap().append(&mut change.as_object().unwrap().clone());
            env.call(author, "notes.update", arguments)
        };
        env.clock.advance(24 * HOUR - 1);
        assert!(env.call(author, "notes.get", json!({ "id": id })).is_ok());
        assert!(update(json!({ "body": "More of a thought" })).is_ok());
        env.clock.advance(1 + late);
        assert_eq!(kind(env.call(author, "notes.get", json!({ "id": id }))), "not_found");
        assert_eq!(kind(update(json!({ "body": "Too late" }))), "not_found");
        assert_eq!(kind(update(json!({ "draft": false }))), "not_found");
        assert_eq!(kind(env.call(author, "notes.archive", json!({ "id": id }))), "not_found");
    }
}

#[both]
fn the_sweep_removes_expired_drafts_in_every_tenant_and_nothing_else() {
    let env = TestEnv::new();
    let (ada, ben) = (env.empty_business("Ada"), env.empty_business("Ben"));
    let old = [draft(&env, &ada.office, "Old"), draft(&env, &ben.office, "Old too")];
    let archived = draft(&env, &ben.office, "Put away");
    env.call(&ben.office, "notes.archive", json!({ "id": archived })).unwrap();
    let committed = draft(&env, &ada.office, "Kept");
    let commit = json!({ "id": committed, "draft": false });
    env.call(&ada.office, "notes.update", commit).unwrap();
    env.clock.advance(1);
    let young = draft(&env, &ada.office, "Young");
    env.clock.advance(24 * HOUR - 1);

    assert_eq!(env.sweep(), old.len() + 1);
    assert_eq!(env.sweep(), 0);
    for id in [young, committed] {
        assert!(env.call(&ada.office, "notes.get", json!({ "id": id })).is_ok());
    }
    // The index still matches the table.
    assert_eq!(bodies(&env, &ada.office, json!({ "q": "kept" })), ["Kept"]);
    let later = note(&env, &ada.office, "Later");
    assert_eq!(bodies(&env, &ada.office, json!({ "q": "later" })), ["Later"]);
    assert!(env.call(&ada.owner, "notes.get", json!({ "id": later })).is_ok());
}

#[both]
fn committing_keeps_the_creation_time_and_the_position_in_lists() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let author = &business.tech;
    let created = json!({ "body": "First", "draft": true });
    let created = env.call(author, "notes.create", created).unwrap();
    env.clock.advance(HOUR);
    note(&env, author, "Second");
    let id = created["id"].as_str().unwrap();
    let committed = json!({ "id": id, "draft": false, "body": "First, committed" });
    let committed = env.call(author, "notes.update", committed).unwrap();
    assert_eq!(committed["created_at"], created["created_at"]);
    assert_ne!(committed["updated_at"], created["updated_at"]);
    assert_eq!(committed["draft"], false);
    let shown = bodies(&env, &business.owner, json!({ "created_after": created["created_at"] }));
    assert_eq!(shown[..2], ["Second", "First, committed"]);
    assert_eq!(bodies(&env, &business.owner, json!({ "q": "commit" })), ["First, committed"]);
    env.clock.advance(24 * HOUR);
    assert!(env.call(&business.owner, "notes.get", json!({ "id": id })).is_ok());
}

#[both]
fn a_draft_may_be_empty_and_a_committed_note_may_not() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let author = &business.office;
    let created = env.call(author, "notes.create", json!({ "draft": true })).unwrap();
    assert_eq!(created["body"], "");
    let id = created["id"].as_str().unwrap();
    let update = |arguments| env.call(author, "notes.update", arguments);
    assert_eq!(invalid_fields(update(json!({ "id": id, "draft": false }))), ["body"]);
    let changed = update(json!({ "id": id, "draft": true, "pinned": true })).unwrap();
    assert_eq!((&changed["draft"], &changed["pinned"]), (&json!(true), &json!(true)));
    let committed = update(json!({ "id": id, "draft": false, "body": "Done." })).unwrap();
    assert_eq!((&committed["draft"], &committed["body"]), (&json!(false), &json!("Done.")));
    assert_eq!(invalid_fields(update(json!({ "id": id, "draft": true }))), ["draft"]);
    assert!(update(json!({ "id": id, "draft": false })).is_ok());
}

#[both]
fn a_draft_leaves_no_history_until_it_is_committed() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let author = &business.office;
    let id = draft(&env, author, "Raw words");
    let update = |arguments| env.call(author, "notes.update", arguments).unwrap();
    update(json!({ "id": id, "body": "Other raw words" }));
    assert_eq!(history(&env, &business, &id), []);
    update(json!({ "id": id, "draft": false, "body": "Fit to be seen" }));
    let entries = history(&env, &business, &id);
    assert_eq!(entries.len(), 1);
    let (tool, changes) = &entries[0];
    assert_eq!(tool, "notes.update");
    assert!(changes.iter().all(|change| change["old"].is_null()), "{changes:?}");
    assert!(changes.iter().any(|change| change["field"] == "id"), "{changes:?}");
    assert!(changes.iter().all(|change| change["field"] != "body"), "{changes:?}");

    let archived = draft(&env, author, "Never seen");
    env.call(author, "notes.archive", json!({ "id": archived })).unwrap();
    assert_eq!(history(&env, &business, &archived), []);
    assert_eq!(kind(env.call(author, "notes.get", json!({ "id": archived }))), "not_found");
    let operator = Caller::operator(Some(business.account));
    assert_eq!(kind(env.call(&operator, "notes.restore", json!({ "id": archived }))), "not_found");
}
