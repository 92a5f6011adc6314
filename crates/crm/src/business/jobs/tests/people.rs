//! Who may do what with which jobs, and who works on them.

use serde_json::{Value, json};
use zoop_both::both;

use super::{Board, of};
use crate::call::scope::Scope;

#[both]
fn a_tech_sees_own_jobs_only_and_says_that_they_are_done() {
    let board = Board::new();
    let (tech, tessa) = (&board.acme.tech, Board::user(&board.acme.tech));
    let own = board.job(json!({ "title": "Own", "scheduled_start": "2026-03-05T09:00",
        "customer_id": board.customer, "assignee_ids": [tessa] }));
    let other = board.job(json!({ "title": "Other", "customer_id": board.customer }));
    let call = |tool: &str, arguments: Value| board.env.call(tech, tool, arguments);
    for filter in
        [json!({}), json!({ "status": "scheduled" }), json!({ "customerId": board.customer })]
    {
        let rows = call("jobs.list", filter).expect("a list")["rows"].clone();
        assert_eq!(rows.as_array().expect("rows").len(), 1, "{rows}");
        assert_eq!(rows[0]["id"], own["id"]);
    }
    let none = call("jobs.list", json!({ "status": "unscheduled" })).expect("a list");
    assert_eq!(none["rows"], json!([]));
    assert_eq!(call("jobs.get", json!({ "id": own["id"] })).expect("own")["title"], "Own");
    let unknown = json!({ "id": "0190b6c5-0000-7000-8000-000000000001" });
    let missing = board.refused_to(tech, "jobs.get", unknown);
    assert_eq!(board.refused_to(tech, "jobs.get", json!({ "id": other["id"] })), missing);
    let done = json!({ "id": other["id"], "status": "done" });
    assert_eq!(board.refused_to(tech, "jobs.update", done), missing);
    let update = |fields: Value| {
        let mut fields = fields;
        fields["id"] = own["id"].clone();
        call("jobs.update", fields)
    };
    assert_eq!(update(json!({ "status": "done" })).expect("done")["status"], "done");
    assert_eq!(update(json!({ "status": "scheduled" })).expect("reopened")["done_at"], Value::Null);
    let both = json!({ "id": own["id"], "title": "x", "flat_price": null, "status": "done" });
    let error = board.refused_to(tech, "jobs.update", both);
    let fields: Vec<_> =
        error["fields"].as_array().expect("fields").iter().map(|it| &it["field"]).collect();
    assert_eq!(
        (&error["kind"], fields),
        (&json!("invalid_input"), vec![&json!("title"), &json!("flat_price")])
    );
    let refused = |tool, arguments| board.refused_to(tech, tool, arguments)["kind"].clone();
    assert_eq!(refused("jobs.create", json!({ "title": "x" })), "invalid_input");
    assert_eq!(refused("jobs.cancel", json!({ "id": own["id"] })), "invalid_input");
    // Who is taken off a job does not see it any more.
    board.update(&own, json!({ "assignee_ids": null }));
    assert_eq!(board.refused_to(tech, "jobs.get", json!({ "id": own["id"] })), missing);
    assert_eq!(call("jobs.list", json!({})).expect("a list")["rows"], json!([]));
}

#[both]
fn a_tech_cannot_finish_an_unscheduled_job() {
    let board = Board::new();
    let job = board.job(json!({ "assignee_ids": [Board::user(&board.acme.tech)] }));
    let done = json!({ "id": job["id"], "status": "done" });
    let error = board.refused_to(&board.acme.tech, "jobs.update", done);
    assert_eq!(error["kind"], "conflict");
    assert!(error["message"].as_str().expect("a message").contains("office"), "{error}");
}

#[both]
fn notes_about_a_job_are_seen_by_those_who_see_the_job() {
    let board = Board::new();
    let (tech, tessa) = (&board.acme.tech, Board::user(&board.acme.tech));
    let own = board.job(json!({ "customer_id": board.customer, "assignee_ids": [tessa] }));
    let other = board.job(json!({ "customer_id": board.customer }));
    let note = |job: &Value, body: &str| json!({ "body": body, "subject_type": "job", "subject_id": job["id"] });
    let hidden = board.env.create(&board.acme.owner, "notes.create", note(&other, "Hidden valve"));
    let seen = board.env.create(&board.acme.owner, "notes.create", note(&own, "Seen valve"));
    let standalone =
        board.env.create(&board.acme.owner, "notes.create", json!({ "body": "Any valve" }));
    let missing = board.refused_to(tech, "notes.create", note(&other, "x"));
    assert_eq!(missing["kind"], "not_found", "{missing}");
    board.env.call(tech, "notes.create", note(&own, "Mine")).expect("a note");
    let ids = |filters: Value| {
        let listed = board.env.call(tech, "notes.list", filters).expect("a list");
        let rows = listed["rows"].as_array().expect("rows").iter();
        rows.map(|row| row["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    for filters in [
        json!({ "q": "valve" }),
        json!({ "subject_type": "job", "q": "valve" }),
        json!({ "subject_id": other["id"] }),
        json!({ "customer_id": board.customer }),
        json!({}),
    ] {
        let found = ids(filters.clone());
        assert!(!found.contains(&hidden), "{filters}: {found:?}");
        let is_other = filters.get("subject_id").is_some();
        assert_eq!(found.contains(&seen), !is_other, "{filters}: {found:?}");
    }
    assert!(ids(json!({})).contains(&standalone));
    let get = |id: &str| board.env.call(tech, "notes.get", json!({ "id": id }));
    get(&seen).expect("a note about an own job");
    assert_eq!(get(&hidden).expect_err("hidden").kind(), "not_found");
    // A note of one's own goes with the job too.
    let mine = board.env.create(tech, "notes.create", note(&own, "Mine too"));
    board.update(&own, json!({ "assignee_ids": [] }));
    let change = json!({ "id": mine, "pinned": true });
    assert_eq!(
        board.env.call(tech, "notes.update", change).expect_err("hidden").kind(),
        "not_found"
    );
    assert_eq!(get(&mine).expect_err("hidden").kind(), "not_found");
    assert!(board.call("notes.list", json!({}))["rows"].as_array().expect("rows").len() >= 5);
}

#[both]
fn a_page_of_a_techs_notes_is_full_however_many_are_hidden() {
    let board = Board::new();
    let other = board.job(json!({}));
    let hidden = json!({ "body": "x", "subject_type": "job", "subject_id": other["id"] });
    let (seen, hidden) = (json!({ "body": "seen" }), vec![("notes.create".to_owned(), hidden); 30]);
    board.env.create(&board.acme.owner, "notes.create", seen.clone());
    board.env.write_all(&board.acme.owner, hidden);
    board.env.create(&board.acme.owner, "notes.create", seen);
    let list = |arguments: Value| {
        board.env.call(&board.acme.tech, "notes.list", arguments).expect("a list")
    };
    let first = list(json!({ "limit": 1 }));
    assert_eq!(first["hasMore"], true);
    let second = list(json!({ "limit": 1, "cursor": first["nextCursor"] }));
    assert_eq!(
        (second["rows"].as_array().expect("rows").len(), &second["hasMore"]),
        (1, &json!(false))
    );
}

#[both]
fn a_tenant_key_changes_no_jobs() {
    let board = Board::new();
    let job = board.job(json!({}));
    for (tool, arguments) in [
        ("jobs.create", json!({ "title": "x" })),
        ("jobs.update", json!({ "id": job["id"], "title": "x" })),
        ("jobs.cancel", json!({ "id": job["id"] })),
    ] {
        let error = board.refused_to(&board.acme.tenant, tool, arguments);
        assert_eq!(error["kind"], "invalid_input", "{tool}: {error}");
    }
    let listed = board.env.call(&board.acme.tenant, "jobs.list", json!({})).expect("a list");
    assert_eq!(listed["rows"][0]["id"], job["id"]);
}

#[both]
fn people_are_members_and_stay_when_they_leave() {
    let board = Board::new();
    let (tessa, oscar) = (Board::user(&board.acme.tech), Board::user(&board.acme.office));
    let job = board.job(json!({ "assignee_ids": [tessa, oscar, tessa] }));
    assert_eq!(job["assignee_ids"], json!([tessa, oscar]));
    board.env.call(&board.operator, "users.remove", json!({ "id": tessa })).expect("she left");
    assert_eq!(board.get(&job)["assignee_ids"], json!([tessa, oscar]));
    let swapped = board.update(&job, json!({ "assignee_ids": [oscar, tessa] }));
    assert_eq!(swapped["assignee_ids"], json!([oscar, tessa]));
    let new = json!({ "title": "x", "assignee_ids": [tessa] });
    assert_eq!(board.refused("jobs.create", new).0, "not_found");
    board.update(&job, json!({ "assignee_ids": [oscar] }));
    assert_eq!(board.refused_update(&job, json!({ "assignee_ids": [tessa] })).0, "not_found");
    let many: Vec<_> = (0..21).map(|n| format!("0190b6c5-0000-7000-8000-{n:012}")).collect();
    let refused = board.refused_update(&job, json!({ "assignee_ids": many }));
    assert_eq!(refused, ("invalid_input".to_owned(), "assignee_ids".to_owned()));
    let doubled: Vec<_> = (0..30).map(|_| oscar.clone()).collect();
    board.update(&job, json!({ "assignee_ids": doubled }));
}

#[both]
fn a_receipt_has_what_was_sent_and_no_prices_of_lines() {
    let board = Board::new();
    let owner = Board::user(&board.acme.owner);
    let key = board.env.key(board.acme.account, owner.as_str(), &[Scope::WriteJobs]);
    let writer = board.env.access(&key);
    let job = json!({ "title": "Heater", "customer_id": board.customer, "scheduled_start": "2026-03-05T09:00",
        "line_items": [{ "description": "x", "unit_price": 5 }], "assignee_ids": [owner, owner] });
    let receipt = board.env.call(&writer, "jobs.create", job).expect("a receipt");
    let keys: Vec<_> = receipt.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    let expected = [
        "assignee_ids",
        "created_at",
        "customer_id",
        "id",
        "scheduled_start",
        "scheduled_start_local",
        "time_zone",
        "title",
    ];
    assert_eq!(sorted, expected);
    let stored = of(&receipt, ["assignee_ids", "scheduled_start_local"]);
    assert_eq!(stored, [json!([owner]), json!("2026-03-05T09:00")]);
    let moved =
        json!({ "id": receipt["id"], "scheduled_start": "2026-03-05T10:00", "line_items": null });
    let receipt = board.env.call(&writer, "jobs.update", moved).expect("a receipt");
    assert!(receipt.get("line_items").is_none() && receipt.get("overlaps").is_none(), "{receipt}");
    assert_eq!(receipt["scheduled_start"], "2026-03-05T15:00:00.000Z");
}
