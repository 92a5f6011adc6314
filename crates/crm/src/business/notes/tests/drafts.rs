//! Drafts: only their authors see them, and they expire.

use serde_json::json;
use zoop_both::both;

use super::{HOUR, bodies, draft, failed, history, kind, note, refused};
use crate::maintenance;
use crate::testing::{Caller, World};

#[both]
fn a_draft_is_its_authors_alone() {
    let world = World::new();
    let business = world.business("Ada");
    let job = business.id("job");
    let id = world.made(
        &business.office,
        "notes.create",
        json!({ "body": "Secret", "draft": true, "subject_type": "job", "subject_id": job }),
    );
    let own = world.call(&business.office, "notes.get", json!({ "id": id })).unwrap();
    assert_eq!((&own["draft"], &own["body"]), (&json!(true), &json!("Secret")));

    let nobody = "00000000-0000-7000-8000-000000000000";
    let operator = Caller::operator(Some(business.account));
    let unknown = refused(world.call(&business.owner, "notes.get", json!({ "id": nobody })));
    for other in [&business.owner, &business.tech, &business.tenant, &operator] {
        let got = refused(world.call(other, "notes.get", json!({ "id": id })));
        assert_eq!(got, unknown);
    }
    for other in [&business.owner, &business.tech] {
        for (tool, arguments) in [
            ("notes.update", json!({ "id": id, "pinned": true })),
            ("notes.update", json!({ "id": id, "draft": false })),
            ("notes.archive", json!({ "id": id })),
        ] {
            assert_eq!(refused(world.call(other, tool, arguments)), unknown, "{tool}");
        }
    }
    for filters in [json!({ "q": "secret" }), json!({ "subject_id": job }), json!({})] {
        let shown = bodies(&world, &business.office, filters.clone());
        assert!(!shown.contains(&"Secret".to_owned()), "{filters}: {shown:?}");
    }
}

#[both]
fn a_draft_is_gone_after_a_day_though_nothing_swept_it() {
    for late in [0, 1] {
        let world = World::new();
        let business = world.business("Ada");
        let author = &business.office;
        let id = draft(&world, author, "Half a thought");
        let update = |change: serde_json::Value| {
            let mut arguments = json!({ "id": id });
            arguments.as_object_mut().unwrap().append(&mut change.as_object().unwrap().clone());
            world.call(author, "notes.update", arguments)
        };
        world.clock.advance(24 * HOUR - 1);
        assert!(world.call(author, "notes.get", json!({ "id": id })).is_ok());
        assert!(update(json!({ "body": "More of a thought" })).is_ok());
        world.clock.advance(1 + late);
        assert_eq!(kind(world.call(author, "notes.get", json!({ "id": id }))), "not_found");
        assert_eq!(kind(update(json!({ "body": "Too late" }))), "not_found");
        assert_eq!(kind(update(json!({ "draft": false }))), "not_found");
        assert_eq!(kind(world.call(author, "notes.archive", json!({ "id": id }))), "not_found");
    }
}

#[both]
fn the_sweep_removes_what_is_gone_in_every_tenant_and_nothing_else() {
    let world = World::new();
    let (ada, ben) = (world.empty_business("Ada"), world.empty_business("Ben"));
    let old = [draft(&world, &ada.office, "Old"), draft(&world, &ben.office, "Old too")];
    let archived = draft(&world, &ben.office, "Put away");
    world.call(&ben.office, "notes.archive", json!({ "id": archived })).unwrap();
    let committed = draft(&world, &ada.office, "Kept");
    let commit = json!({ "id": committed, "draft": false });
    world.call(&ada.office, "notes.update", commit).unwrap();
    world.clock.advance(1);
    let young = draft(&world, &ada.office, "Young");
    world.clock.advance(24 * HOUR - 1);

    let environment = world.environment.clone();
    let swept = world.write(move |tx| maintenance::sweep(tx, &environment)).unwrap();
    assert_eq!(swept, old.len() + 1);
    let environment = world.environment.clone();
    assert_eq!(world.write(move |tx| maintenance::sweep(tx, &environment)).unwrap(), 0);
    for id in [young, committed] {
        assert!(world.call(&ada.office, "notes.get", json!({ "id": id })).is_ok());
    }
    // The index still matches the table.
    assert_eq!(bodies(&world, &ada.office, json!({ "q": "kept" })), ["Kept"]);
    let later = note(&world, &ada.office, "Later");
    assert_eq!(bodies(&world, &ada.office, json!({ "q": "later" })), ["Later"]);
    assert!(world.call(&ada.owner, "notes.get", json!({ "id": later })).is_ok());
}

#[both]
fn committing_keeps_the_creation_time_and_the_place_in_lists() {
    let world = World::new();
    let business = world.business("Ada");
    let author = &business.tech;
    let made = json!({ "body": "First", "draft": true });
    let made = world.call(author, "notes.create", made).unwrap();
    world.clock.advance(HOUR);
    note(&world, author, "Second");
    let id = made["id"].as_str().unwrap();
    let committed = json!({ "id": id, "draft": false, "body": "First, committed" });
    let committed = world.call(author, "notes.update", committed).unwrap();
    assert_eq!(committed["created_at"], made["created_at"]);
    assert_ne!(committed["updated_at"], made["updated_at"]);
    assert_eq!(committed["draft"], false);
    let shown = bodies(&world, &business.owner, json!({ "created_after": made["created_at"] }));
    assert_eq!(shown[..2], ["Second", "First, committed"]);
    assert_eq!(bodies(&world, &business.owner, json!({ "q": "commit" })), ["First, committed"]);
    world.clock.advance(24 * HOUR);
    assert!(world.call(&business.owner, "notes.get", json!({ "id": id })).is_ok());
}

#[both]
fn a_draft_may_be_empty_and_a_committed_note_may_not() {
    let world = World::new();
    let business = world.business("Ada");
    let author = &business.office;
    let made = world.call(author, "notes.create", json!({ "draft": true })).unwrap();
    assert_eq!(made["body"], "");
    let id = made["id"].as_str().unwrap();
    let update = |arguments| world.call(author, "notes.update", arguments);
    assert_eq!(failed(update(json!({ "id": id, "draft": false }))), ["body"]);
    let still = update(json!({ "id": id, "draft": true, "pinned": true })).unwrap();
    assert_eq!((&still["draft"], &still["pinned"]), (&json!(true), &json!(true)));
    let committed = update(json!({ "id": id, "draft": false, "body": "Done." })).unwrap();
    assert_eq!((&committed["draft"], &committed["body"]), (&json!(false), &json!("Done.")));
    assert_eq!(failed(update(json!({ "id": id, "draft": true }))), ["draft"]);
    assert!(update(json!({ "id": id, "draft": false })).is_ok());
}

#[both]
fn a_draft_leaves_no_history_until_it_is_committed() {
    let world = World::new();
    let business = world.business("Ada");
    let author = &business.office;
    let id = draft(&world, author, "Raw words");
    let update = |arguments| world.call(author, "notes.update", arguments).unwrap();
    update(json!({ "id": id, "body": "Other raw words" }));
    assert_eq!(history(&world, &business, &id), []);
    update(json!({ "id": id, "draft": false, "body": "Fit to be seen" }));
    let entries = history(&world, &business, &id);
    assert_eq!(entries.len(), 1);
    let (tool, changes) = &entries[0];
    assert_eq!(tool, "notes.update");
    assert!(changes.iter().all(|change| change["old"].is_null()), "{changes:?}");
    assert!(changes.iter().any(|change| change["field"] == "id"), "{changes:?}");
    assert!(changes.iter().all(|change| change["field"] != "body"), "{changes:?}");

    let put_away = draft(&world, author, "Never seen");
    world.call(author, "notes.archive", json!({ "id": put_away })).unwrap();
    assert_eq!(history(&world, &business, &put_away), []);
    assert_eq!(kind(world.call(author, "notes.get", json!({ "id": put_away }))), "not_found");
    let operator = Caller::operator(Some(business.account));
    assert_eq!(
        kind(world.call(&operator, "notes.restore", json!({ "id": put_away }))),
        "not_found"
    );
}
