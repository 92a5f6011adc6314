//! The customer of a job, and where it is.

use serde_json::{Value, json};
use zoop_both::both;

use super::{Board, of};

const PLACE: [&str; 3] = ["customer_id", "customer_name", "location_id"];

impl Board {
    fn company(&self, name: &str) -> String {
        let company = json!({ "customer_type": "company", "company_name": name });
        self.env.create(&self.acme.owner, "customers.create", company)
    }
}

#[both]
fn a_job_is_at_the_customers_primary_service_location_unless_told() {
    let board = Board::new();
    let yard = json!({ "customer_id": board.customer, "address_line1": "1 Yard", "city": "Oakland",
        "state": "CA", "postal_code": "94607" });
    let yard = board.env.create(&board.acme.owner, "locations.create", yard);
    let job = board.job(json!({ "customer_id": board.customer }));
    let here = [json!(board.customer), json!("Hana Nguyen"), json!(board.location)];
    assert_eq!(of(&job, PLACE), here);
    let there = board.job(json!({ "customer_id": board.customer, "location_id": yard }));
    assert_eq!(there["location_id"], json!(yard));
    let other = board.company("Copper Creek");
    let moved = board.update(&there, json!({ "customer_id": other }));
    assert_eq!(of(&moved, PLACE), [json!(other), json!("Copper Creek"), Value::Null]);
    let wrong = json!({ "location_id": yard });
    assert_eq!(board.refused_update(&there, wrong).0, "not_found", "it is another customer's");
    let back = json!({ "customer_id": board.customer, "location_id": yard });
    assert_eq!(board.update(&there, back)["location_id"], json!(yard));
    let archive = json!({ "id": yard, "customer_id": board.customer });
    board.call("locations.archive", archive);
    let kept = json!({ "title": "Other", "location_id": yard });
    assert_eq!(board.update(&there, kept)["location_id"], json!(yard), "it has it already");
    assert_eq!(board.refused_update(&job, json!({ "location_id": yard })).0, "not_found");
    let nowhere = board.update(&there, json!({ "customer_id": null }));
    assert_eq!(of(&nowhere, PLACE), [Value::Null, Value::Null, Value::Null]);
    let alone = board.refused_update(&there, json!({ "location_id": board.location }));
    assert_eq!(alone, ("invalid_input".to_owned(), "location_id".to_owned()));
    let alone = json!({ "title": "x", "location_id": board.location });
    assert_eq!(board.refused("jobs.create", alone).1, "location_id");
}

#[both]
fn the_records_of_another_business_are_not_there() {
    let board = Board::new();
    let beta = board.env.business("Beta");
    let job = board.job(json!({}));
    let random = "0190b6c5-0000-7000-8000-000000000001";
    let owner = Board::user(&beta.owner);
    for (field, foreign) in [
        ("customer_id", json!(beta.id("customer"))),
        ("assignee_ids", json!([owner])),
        (
            "line_items",
            json!([{ "description": "x", "unit_price": 1, "tax_rate_id": beta.id("tax_rate") }]),
        ),
    ] {
        let unknown = match field {
            "customer_id" => json!(random),
            "assignee_ids" => json!([random]),
            _ => json!([{ "description": "x", "unit_price": 1, "tax_rate_id": random }]),
        };
        for (tool, mut arguments) in
            [("jobs.create", json!({ "title": "x" })), ("jobs.update", json!({ "id": job["id"] }))]
        {
            arguments[field] = foreign.clone();
            let refused = board.refused_to(&board.acme.office, tool, arguments.clone());
            assert_eq!(refused["kind"], "not_found", "{tool} {field}");
            arguments[field] = unknown.clone();
            assert_eq!(board.refused_to(&board.acme.office, tool, arguments), refused);
        }
    }
    for tool in ["jobs.get", "jobs.update", "jobs.cancel"] {
        let with = |id: &str| match tool {
            "jobs.update" => json!({ "id": id, "title": "x" }),
            _ => json!({ "id": id }),
        };
        let foreign = board.refused_to(&board.acme.office, tool, with(beta.id("job")));
        assert_eq!(foreign["kind"], "not_found");
        assert_eq!(board.refused_to(&board.acme.office, tool, with(random)), foreign, "{tool}");
    }
    let listed = board.call("jobs.list", json!({ "customerId": beta.id("customer") }));
    assert_eq!(listed["rows"], json!([]));
}

#[both]
fn work_of_an_archived_customer_can_be_finished_and_no_new_one_begins() {
    let board = Board::new();
    let job =
        board.job(json!({ "customer_id": board.customer, "scheduled_start": "2026-03-05T09:00" }));
    let other = board.job(json!({}));
    board.call("customers.archive", json!({ "id": board.customer }));
    let new = json!({ "title": "x", "customer_id": board.customer });
    assert_eq!(board.refused("jobs.create", new).0, "not_found");
    assert_eq!(
        board.refused_update(&other, json!({ "customer_id": board.customer })).0,
        "not_found"
    );
    let same = json!({ "title": "Last visit", "customer_id": board.customer, "status": "done" });
    assert_eq!(
        of(&board.update(&job, same), ["title", "status"]),
        [json!("Last visit"), json!("done")]
    );
    board.call("jobs.cancel", json!({ "id": job["id"] }));
    let note = json!({ "body": "x", "subject_type": "job", "subject_id": job["id"] });
    board.call("notes.create", note);
}
