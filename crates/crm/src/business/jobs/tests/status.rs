//! How far a job has come, its number, and what it comes to.

use serde_json::{Value, json};
use zoop_both::both;

use super::{Board, of};

#[both]
fn a_job_needs_only_a_title() {
    let board = Board::new();
    let job = board.job(json!({}));
    let fields = ["status", "job_number", "customer_id", "customer_name", "total", "currency"];
    let expected = [
        json!("unscheduled"),
        json!("J-0001"),
        Value::Null,
        Value::Null,
        json!("0.00"),
        json!("USD"),
    ];
    assert_eq!(of(&job, fields), expected);
    let unknown = ["quote_id", "invoice_id", "series_id", "occurrence_date", "series_edited"];
    let nothing = [Value::Null, Value::Null, Value::Null, Value::Null, json!(false)];
    assert_eq!(of(&job, unknown), nothing);
    assert_eq!(job["created_by"], Board::user(&board.acme.office));
    assert_eq!(board.job(json!({}))["job_number"], "J-0002");
    assert_eq!(board.refused("jobs.create", json!({ "title": " " })).1, "title");
}

#[both]
fn done_needs_a_start() {
    let board = Board::new();
    let job = board.job(json!({}));
    let done = json!({ "status": "done" });
    assert_eq!(board.refused_update(&job, done.clone()).0, "conflict");
    let both = json!({ "status": "done", "scheduled_start": "2026-03-05T09:00" });
    let job = board.update(&job, both);
    assert_eq!(job["status"], "done");
    assert!(job["done_at"].is_string(), "{job}");
    assert_eq!(board.update(&job, done)["done_at"], job["done_at"], "it is done already");
    assert_eq!(board.update(&job, json!({ "title": "Other" }))["status"], "done");
    for taken_back in [
        json!({ "status": "unscheduled" }),
        json!({ "scheduled_start": null }),
        json!({ "status": "unscheduled", "scheduled_start": null }),
    ] {
        assert_eq!(board.refused_update(&job, taken_back).0, "conflict");
    }
    let reopened = board.update(&job, json!({ "status": "scheduled" }));
    assert_eq!(of(&reopened, ["status", "done_at"]), [json!("scheduled"), Value::Null]);
}

#[both]
fn a_status_must_fit_the_start() {
    let board = Board::new();
    let job = board.job(json!({ "scheduled_start": "2026-03-05T09:00" }));
    let message = |fields: Value| {
        let mut fields = fields;
        fields["id"] = job["id"].clone();
        let error = board.refused_to(&board.acme.office, "jobs.update", fields);
        assert_eq!(error["kind"], "invalid_input", "{error}");
        error["message"].as_str().expect("a message").to_owned()
    };
    assert!(message(json!({ "status": "cancelled" })).contains("jobs.cancel"));
    assert!(message(json!({ "status": "unscheduled" })).contains("scheduled_start"));
    let scheduled = json!({ "status": "scheduled", "scheduled_start": null });
    assert!(message(scheduled).contains("scheduled_start"));
    assert_eq!(board.get(&job)["status"], "scheduled");
}

#[both]
fn a_cancelled_job_keeps_everything_and_only_the_operator_restores_it() {
    let board = Board::new();
    let job =
        board.job(json!({ "scheduled_start": "2026-03-05T09:00", "customer_id": board.customer }));
    board.update(&job, json!({ "status": "done" }));
    let cancel = json!({ "id": job["id"], "reason": "Moved away" });
    let answer = board.call("jobs.cancel", cancel.clone());
    assert_eq!(answer, json!({ "cancelled": true, "id": job["id"] }));
    let cancelled = board.get(&job);
    let fields = ["status", "cancel_reason", "customer_name", "scheduled_start_local"];
    let expected =
        [json!("cancelled"), json!("Moved away"), json!("Hana Nguyen"), json!("2026-03-05T09:00")];
    assert_eq!(of(&cancelled, fields), expected);
    assert!(cancelled["cancelled_at"].is_string() && cancelled["done_at"].is_string());
    assert_eq!(board.refused("jobs.cancel", cancel).0, "conflict");
    assert_eq!(board.refused_update(&job, json!({ "title": "Other" })).0, "conflict");
    let restore = || board.env.call(&board.operator, "jobs.restore", json!({ "id": job["id"] }));
    assert_eq!(restore().expect("restored"), json!({ "restored": true, "id": job["id"] }));
    let fields = ["status", "cancel_reason", "done_at", "cancelled_at"];
    let expected = [json!("scheduled"), Value::Null, Value::Null, Value::Null];
    assert_eq!(of(&board.get(&job), fields), expected);
    assert_eq!(restore().expect_err("it is not cancelled").kind(), "conflict");
}

#[both]
fn a_flat_price_stands_for_the_sum_of_the_lines() {
    let board = Board::new();
    let lines = json!([{ "description": "Labor", "quantity": 2.5, "unit_price": "100" },
                       { "description": "Parts", "unit_price": 50 }]);
    let job = board.job(json!({ "line_items": lines, "flat_price": "500" }));
    assert_eq!(of(&job, ["total", "flat_price"]), [json!("500.00"), json!("500.00")]);
    assert_eq!(
        of(&job["line_items"][0], ["amount", "unit_price"]),
        [json!("250.00"), json!("100.00")]
    );
    let by_lines = board.update(&job, json!({ "flat_price": null }));
    assert_eq!(of(&by_lines, ["total", "flat_price"]), [json!("300.00"), Value::Null]);
    let free = board.update(&job, json!({ "flat_price": 0 }));
    assert_eq!(of(&free, ["total", "flat_price"]), [json!("0.00"), json!("0.00")]);
    let nothing = board.update(&job, json!({ "flat_price": null, "line_items": null }));
    assert_eq!(of(&nothing, ["total", "line_items"]), [json!("0.00"), json!([])]);
    for price in ["199.999", "-1", "$5", "10000000"] {
        let refused = board.refused_update(&job, json!({ "flat_price": price }));
        assert_eq!(refused, ("invalid_input".to_owned(), "flat_price".to_owned()), "{price}");
    }
    let line = json!([{ "description": "x", "unit_price": "85.12345" }]);
    assert_eq!(
        board.refused_update(&job, json!({ "line_items": line })).1,
        "line_items[0].unit_price"
    );
    let off = json!([{ "description": "x", "unit_price": "-1" }]);
    assert_eq!(board.refused_update(&job, json!({ "line_items": off })).1, "line_items");
}

#[both]
fn a_job_without_a_price_has_the_accounts_currency() {
    let board = Board::new();
    let old = board.job(json!({}));
    let yen = board.env.call(&board.operator, "tenants.update", json!({ "currency": "JPY" }));
    yen.expect("another currency");
    let job = board.update(&old, json!({ "flat_price": "833" }));
    assert_eq!(of(&job, ["total", "currency"]), [json!("833"), json!("JPY")]);
    let decimals = json!({ "title": "x", "flat_price": "10.5" });
    assert_eq!(board.refused("jobs.create", decimals).1, "flat_price");
}
