//! Jobs that are made of quotes.

use serde_json::{Value, json};
use zoop_both::both;

use super::{Board, of};
use crate::call::scope::Scope;
use crate::testing::Business;

impl Board {
    /// A quote with the lines of the contract's last example, which comes to 497.34 before taxes.
    fn quote(&self) -> Value {
        let quote = json!({ "title": "Repipe", "customer_id": self.customer });
        let quote = self.env.create(&self.acme.owner, "quotes.create", quote);
        let rate = json!({ "name": "County", "rate_percentage": 8.25 });
        let rate = self.env.create(&self.acme.owner, "tax_rates.create", rate);
        let lines = json!([
            { "section": "Kitchen", "description": "Pipe", "quantity": 3, "unit_price": "149.50", "tax_rate_id": rate },
            { "description": "Work", "quantity": 12.5, "unit_price": "4.3333", "tax_rate_id": rate },
            { "description": "Permit", "unit_price": 35, "taxable": false },
            { "description": "Friends", "discount_percent": 7.5 },
        ]);
        let set = json!({ "id": quote, "line_items": lines });
        let quote = self.env.call(&self.operator, "quotes.set_lines", set).expect("lines");
        assert_eq!(of(&quote, ["subtotal", "total"]), [json!("497.34"), json!("535.70")]);
        quote
    }

    fn step(&self, quote: &Value, status: &str) -> Value {
        let step = json!({ "id": quote["id"], "status": status });
        self.env.call(&self.acme.owner, "quotes.update", step).expect("a step")
    }

    fn accepted(&self) -> Value {
        let quote = self.quote();
        self.step(&quote, "sent");
        self.step(&quote, "accepted")
    }
}

#[both]
fn a_job_takes_over_what_its_quote_says() {
    let board = Board::new();
    let quote = board.accepted();
    let job = board.call("jobs.create", json!({ "quote_id": quote["id"] }));
    let keys = ["title", "customer_id", "location_id", "total", "quote_id", "status"];
    let expected = [
        json!("Repipe"),
        json!(board.customer),
        json!(board.location),
        json!("497.34"),
        quote["id"].clone(),
        json!("unscheduled"),
    ];
    assert_eq!(of(&job, keys), expected);
    let line = |of: &Value, place: usize| {
        let mut line = of["line_items"][place].clone();
        line.as_object_mut().expect("a line").remove("section");
        line
    };
    for place in 0..4 {
        assert_eq!(line(&job, place), line(&quote, place));
    }
    assert!(job["line_items"][0].get("section").is_none(), "headings are the quote's");
    let shown = board.call("quotes.get", json!({ "id": quote["id"] }));
    assert_eq!(shown["job_id"], job["id"]);
    let other = board.refused_update(&job, json!({ "customer_id": null }));
    assert_eq!(other.0, "conflict");
}

#[both]
fn what_is_sent_wins_over_the_quote() {
    let board = Board::new();
    let quote = board.accepted();
    let job = board.call(
        "jobs.create",
        json!({ "quote_id": quote["id"], "title": "Only the kitchen", "customer_id": board.customer,
                "line_items": [{ "description": "Pipe", "unit_price": 10 }] }),
    );
    assert_eq!(of(&job, ["title", "total"]), [json!("Only the kitchen"), json!("10.00")]);
    let other = board.env.create(
        &board.acme.owner,
        "customers.create",
        json!({ "customer_type": "company", "company_name": "Other" }),
    );
    let quote = board.accepted();
    let wrong = json!({ "quote_id": quote["id"], "customer_id": other });
    assert_eq!(board.refused("jobs.create", wrong), ("invalid_input".into(), "customer_id".into()));
}

#[both]
fn a_quote_gives_one_job_that_is_not_cancelled() {
    let board = Board::new();
    let quote = board.accepted();
    let make = json!({ "quote_id": quote["id"] });
    let first = board.call("jobs.create", make.clone());
    let (kind, message) = board.refused("jobs.create", make.clone());
    assert_eq!(kind, "conflict");
    assert!(message.contains(first["job_number"].as_str().expect("a number")), "{message}");
    board.call("jobs.cancel", json!({ "id": first["id"] }));
    let second = board.call("jobs.create", make);
    let restore =
        |job: &Value| board.env.call(&board.operator, "jobs.restore", json!({ "id": job["id"] }));
    assert_eq!(restore(&first).expect_err("taken").kind(), "conflict");
    board.call("jobs.cancel", json!({ "id": second["id"] }));
    restore(&first).expect("it is free again");
}

#[both]
fn a_job_is_made_of_an_accepted_quote_by_a_caller_who_reads_quotes() {
    let board = Board::new();
    let quote = board.quote();
    let make = json!({ "quote_id": quote["id"] });
    assert_eq!(board.refused("jobs.create", make.clone()).0, "conflict", "a draft");
    board.step(&quote, "sent");
    assert_eq!(board.refused("jobs.create", make.clone()).0, "conflict", "only sent");
    board.step(&quote, "accepted");
    let archive = json!({ "id": quote["id"] });
    let office = Business::user(&board.acme.office).to_string();
    let key = board.env.key(board.acme.account, Some(&office), &[Scope::WriteJobs]);
    let blind = board.env.access(&key);
    let refused = board.refused_to(&blind, "jobs.create", make.clone());
    assert_eq!(refused["kind"], "insufficient_scope");
    assert_eq!(refused["required"], json!(["read:quotes"]));
    board.env.call(&board.acme.owner, "quotes.archive", archive).expect("archived");
    assert_eq!(board.refused("jobs.create", make).0, "conflict", "archived");
    let beta = board.env.business("Beta");
    for id in [beta.id("quote"), beta.id("customer")] {
        assert_eq!(board.refused("jobs.create", json!({ "quote_id": id })).0, "not_found");
    }
    let (kind, fields) = board.refused("jobs.create", json!({ "description": "x" }));
    assert_eq!((kind.as_str(), fields.as_str()), ("invalid_input", "title"));
}

#[both]
fn a_tech_sees_the_job_of_a_quote_only_if_it_is_theirs() {
    let board = Board::new();
    let quote = board.accepted();
    let job = board.call("jobs.create", json!({ "quote_id": quote["id"] }));
    let seen = || {
        let shown = board.env.call(&board.acme.tech, "quotes.get", json!({ "id": quote["id"] }));
        shown.expect("the quote")["job_id"].clone()
    };
    assert_eq!(seen(), Value::Null);
    board.update(&job, json!({ "assignee_ids": [Board::user(&board.acme.tech)] }));
    assert_eq!(seen(), job["id"]);
}

#[both]
fn accepting_is_not_undone_under_a_job() {
    let board = Board::new();
    let quote = board.accepted();
    let newest = json!({ "record_id": quote["id"], "limit": 1 });
    let entry = board.env.call(&board.acme.owner, "changes.list", newest).expect("a list");
    let entry = json!({ "id": entry["rows"][0]["id"] });
    let job = board.call("jobs.create", json!({ "quote_id": quote["id"] }));
    let undo = || board.env.call(&board.acme.owner, "changes.revert", entry.clone());
    assert_eq!(undo().expect_err("a job").kind(), "conflict");
    board.call("jobs.cancel", json!({ "id": job["id"] }));
    undo().expect("undone");
    assert_eq!(board.call("quotes.get", json!({ "id": quote["id"] }))["status"], "sent");
}
