//! Jobs when their customer is merged or erased, and those of before there were jobs.

use serde_json::json;
use zoop_both::both;

use super::{Board, of};
use crate::schema::MIGRATIONS;

#[both]
fn a_merge_takes_the_jobs_along_and_undo_brings_them_back() {
    let board = Board::new();
    let job =
        board.job(json!({ "customer_id": board.customer, "scheduled_start": "2026-03-05T09:00" }));
    // The kept customer has the same address, so that the merged one's location stays behind.
    let kept = json!({ "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
        "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA", "postal_code": "94607" } });
    let kept = board.env.create(&board.acme.owner, "customers.create", kept);
    let location = board.call("customers.get", json!({ "id": kept }))["locations"][0]["id"].clone();
    let merge = json!({ "keep_id": kept, "merge_id": board.customer });
    let merged = board.env.call(&board.acme.owner, "customers.merge", merge).expect("merged");
    assert_eq!(merged["moved"]["subjects"], 1, "{merged}");
    assert_eq!(of(&board.get(&job), ["customer_id", "location_id"]), [json!(kept), location]);
    let listed = board.call("jobs.list", json!({ "customerId": board.customer }));
    assert_eq!(listed["rows"][0]["id"], job["id"], "the merged customer leads to the kept one");
    let newest = json!({ "record_id": kept, "limit": 1 });
    let entry = board.call("changes.list", newest)["rows"][0]["id"].clone();
    let undo = json!({ "id": entry });
    board.env.call(&board.acme.owner, "changes.revert", undo).expect("separated");
    let back = of(&board.get(&job), ["customer_id", "location_id"]);
    assert_eq!(back, [json!(board.customer), json!(board.location)]);
}

#[both]
fn an_erased_customers_jobs_say_nothing_of_the_customer() {
    let board = Board::new();
    let job = board.job(json!({ "title": "Hana's boiler", "description": "Ask Hana", "customer_id": board.customer,
        "scheduled_start": "2026-03-05T09:00", "line_items": [{ "description": "For Hana", "unit_price": "10" }] }));
    let erase = json!({ "id": board.customer });
    board.env.call(&board.operator, "customers.erase", erase).expect("erased");
    let missing = board.refused_to(&board.acme.office, "jobs.get", json!({ "id": job["id"] }));
    assert_eq!(missing["kind"], "not_found");
    assert_eq!(board.call("jobs.list", json!({}))["rows"], json!([]), "nobody goes there");
    let note = json!({ "body": "x", "subject_type": "job", "subject_id": job["id"] });
    assert_eq!(board.refused("notes.create", note).0, "not_found");
}

#[both]
fn notes_about_a_job_are_found_with_its_customer() {
    let board = Board::new();
    let job = board.job(json!({ "customer_id": board.customer }));
    let note = json!({ "body": "Signed.", "subject_type": "job", "subject_id": job["id"] });
    let note = board.env.create(&board.acme.owner, "notes.create", note);
    let listed = board.call("notes.list", json!({ "customer_id": board.customer }));
    assert_eq!(listed["rows"][0]["id"], json!(note));
    let wrong = json!({ "body": "Signed.", "subject_type": "quote", "subject_id": job["id"] });
    assert_eq!(board.refused("notes.create", wrong).0, "not_found");
}

/// The rows of a query with one text each.
fn rows(file: &rusqlite::Connection, query: &str) -> Vec<String> {
    let mut statement = file.prepare(query).expect(query);
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect(query);
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn a_job_of_before_keeps_its_id_and_gets_a_number() {
    let file = rusqlite::Connection::open_in_memory().expect("a database");
    let run = |script: &str| file.execute_batch(script).expect(script);
    let position = MIGRATIONS.iter().position(|migration| migration.name == "0027_jobs");
    let (before, rest) = MIGRATIONS.split_at(position.expect("the migration"));
    run("PRAGMA foreign_keys = ON");
    before.iter().for_each(|migration| run(migration.sqlite));
    run(
        "INSERT INTO tenants (no, id, name, country) VALUES (7, x'01', 'Acme', 'US'), (8, x'02', 'Beta', 'US'); \
         INSERT INTO customers (tenant_no, id, customer_number, customer_type, first_name, status, is_vip, \
           do_not_contact, updated_at) VALUES (7, x'02', 1, 'individual', 'Ann', 'active', 0, 0, 3), \
           (8, x'02', 1, 'individual', 'Ben', 'active', 0, 0, 3); \
         INSERT INTO subjects (tenant_no, id, subject_type, customer_id, title, status, updated_at) VALUES \
           (7, x'05', 'job', x'02', 'Second', 'Canceled', 9), (7, x'04', 'job', x'02', 'First-Aid', 'open', 8), \
           (7, x'06', 'invoice', x'02', 'Bill', 'open', 8), (8, x'07', 'job', x'02', 'Other', 'done', 8)",
    );
    rest.iter().for_each(|migration| run(migration.sqlite));
    let jobs = rows(
        &file,
        "SELECT tenant_no || ' ' || hex(id) || ' ' || job_number || ' ' || title || ' ' || title_folded || ' ' || status \
         || ' ' || total || ' ' || currency || ' ' || updated_at || ' ' || coalesce(cancelled_at, 0) \
         FROM jobs ORDER BY tenant_no, id",
    );
    let expected = [
        "7 04 1 First-Aid first aid unscheduled 0 USD 8 0",
        "7 05 2 Second second cancelled 0 USD 9 9",
        "8 07 1 Other other unscheduled 0 USD 8 0",
    ];
    assert_eq!(jobs, expected);
    assert_eq!(rows(&file, "SELECT subject_type FROM subjects"), ["invoice"]);
    let numbers = rows(
        &file,
        "SELECT tenant_no || letter || last FROM document_numbers WHERE letter = 'J' ORDER BY tenant_no",
    );
    assert_eq!(numbers, ["7J2", "8J1"]);
}
