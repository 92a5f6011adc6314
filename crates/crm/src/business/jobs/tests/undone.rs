//! Changes of jobs in the history, and undoing them.

use serde_json::{Value, json};
use zoop_both::both;

use super::{Board, of};

impl Board {
    fn newest(&self, record: &Value) -> Value {
        let newest = json!({ "record_id": record["id"], "limit": 1 });
        self.call("changes.list", newest)["rows"][0].clone()
    }

    fn undo(&self, record: &Value) {
        self.call("changes.revert", json!({ "id": self.newest(record)["id"] }));
    }
}

#[both]
fn changes_of_a_job_are_undone() {
    let board = Board::new();
    let lines = json!([{ "description": "Labor", "unit_price": "100" }]);
    let tessa = Board::user(&board.acme.tech);
    let job = board.job(
        json!({ "line_items": lines, "customer_id": board.customer, "assignee_ids": [tessa] }),
    );
    let fields = [
        "title",
        "status",
        "scheduled_start",
        "assignee_ids",
        "total",
        "line_items",
        "location_id",
    ];
    let before = of(&job, fields);
    let changes = json!({ "title": "Other", "scheduled_start": "2026-03-05T09:00", "assignee_ids": null,
        "flat_price": "5", "line_items": [], "customer_id": null });
    board.update(&job, changes);
    board.undo(&job);
    assert_eq!(of(&board.get(&job), fields), before);
    let mine = board.env.call(&board.acme.tech, "jobs.list", json!({})).expect("a list");
    assert_eq!(mine["rows"][0]["id"], job["id"], "she is on it again");
    board.update(&job, json!({ "scheduled_start": "2026-03-05T09:00" }));
    board.update(&job, json!({ "status": "done" }));
    board.undo(&job);
    assert_eq!(of(&board.get(&job), ["status", "done_at"]), [json!("scheduled"), Value::Null]);
}

#[both]
fn cancelling_and_creating_a_job_are_undone() {
    let board = Board::new();
    let job = board.job(json!({ "scheduled_start": "2026-03-05T09:00" }));
    let created = board.newest(&job);
    board.call("jobs.cancel", json!({ "id": job["id"], "reason": "Rain" }));
    let again =
        board.env.call(&board.acme.office, "changes.revert", json!({ "id": created["id"] }));
    assert_eq!(again.expect_err("it is cancelled").kind(), "conflict");
    board.undo(&job);
    assert_eq!(
        of(&board.get(&job), ["status", "cancel_reason"]),
        [json!("scheduled"), Value::Null]
    );
    board.call("changes.revert", json!({ "id": created["id"] }));
    assert_eq!(board.get(&job)["status"], "cancelled");
}

#[both]
fn an_undo_that_would_leave_a_job_without_a_start_is_refused() {
    let board = Board::new();
    let job = board.job(json!({}));
    board.update(&job, json!({ "scheduled_start": "2026-03-05T09:00" }));
    let scheduled = board.newest(&job);
    board.update(&job, json!({ "status": "done" }));
    let undo = json!({ "id": scheduled["id"] });
    let refused = board.env.call(&board.acme.office, "changes.revert", undo);
    assert_eq!(refused.expect_err("it is done").kind(), "conflict");
    assert_eq!(board.get(&job)["status"], "done");
}

#[both]
fn the_history_of_a_job_names_its_values() {
    let board = Board::new();
    let job = board.job(json!({ "flat_price": "500" }));
    board.update(&job, json!({ "flat_price": "450.50" }));
    let changes = board.newest(&job)["changes"].clone();
    let changes = changes.as_array().expect("changes").clone();
    let of_field = |field: &str| {
        let found = changes.iter().find(|change| change["field"] == field);
        found.map(|change| {
            (change["record_type"].clone(), change["old"].clone(), change["new"].clone())
        })
    };
    assert_eq!(of_field("flat_price"), Some((json!("job"), json!("500.00"), json!("450.50"))));
    assert_eq!(of_field("total"), Some((json!("job"), json!("500.00"), json!("450.50"))));
}

#[both]
fn work_of_an_archived_customer_is_undone_too() {
    let board = Board::new();
    let job = board.job(json!({ "customer_id": board.customer }));
    board.update(&job, json!({ "title": "Other" }));
    board.call("customers.archive", json!({ "id": board.customer }));
    board.undo(&job);
    assert_eq!(board.get(&job)["title"], "Replace water heater");
}
