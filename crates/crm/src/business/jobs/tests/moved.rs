//! Jobs when their customer is merged or erased, and those of before there were jobs.

use serde_json::json;
use zoop_both::both;
use zoop_db::params;

use super::{Board, of};
use crate::identity::tenants;
use crate::schema::MIGRATIONS;
use crate::testing::{Caller, TestEnv};
use crate::values::clock::{Moment, parse_rfc3339};
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

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
    for migration in before {
        run(migration.sqlite);
    }
    run(
        "INSERT INTO tenants (no, id, name, country) VALUES (7, x'01', 'Acme', 'US'), (8, x'02', 'Beta', 'US'); \
         INSERT INTO customers (tenant_no, id, customer_number, customer_type, first_name, status, is_vip, \
           do_not_contact, updated_at) VALUES (7, x'02', 1, 'individual', 'Ann', 'active', 0, 0, 3), \
           (8, x'02', 1, 'individual', 'Ben', 'active', 0, 0, 3); \
         INSERT INTO subjects (tenant_no, id, subject_type, customer_id, title, status, updated_at) VALUES \
           (7, x'05', 'job', x'02', 'Second', 'Canceled', 9), (7, x'04', 'job', x'02', 'First-Aid', 'open', 8), \
           (7, x'06', 'invoice', x'02', 'Bill', 'open', 8), (8, x'07', 'job', x'02', 'Other', 'done', 8)",
    );
    for migration in rest {
        run(migration.sqlite);
    }
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

/// What the version before wrote.
mod before {
    zoop_db::statements! {
        CUSTOMER = "INSERT INTO customers (tenant_no, id, customer_number, customer_type, first_name, status, is_vip, \
                    do_not_contact, updated_at) VALUES ($1, $2, 1, 'individual', 'Ann', 'active', false, false, $3)";
        SUBJECT = "INSERT INTO subjects (tenant_no, id, subject_type, customer_id, title, status, updated_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        NOTE = "INSERT INTO notes (tenant_no, id, pinned, draft, created_by, subject_type, subject_id, updated_at, body) \
                VALUES ($1, $2, false, false, $3, 'job', $4, $5, 'Gate sticks.')";
    }
    zoop_db::global_statements! {
        USER = "INSERT INTO users (id, name, email, email_key) VALUES ($1, 'Olive', 'o@a.example', 'o@a.example')";
    }
}

fn id<K>(number: u128) -> Id<K> {
    Id::new(zoop_db::Uuid::from_u128(0x0190_b6c5_0000_7000_8000_0000_0000_0000 + number))
}

#[both]
fn a_database_of_before_is_upgraded_and_no_note_loses_its_job() {
    let env = TestEnv::upgraded("0027_jobs", |tx| {
        let at = Moment(parse_rfc3339("2026-05-01T10:00:00Z").expect("a time"));
        let number = tenants::store::insert(tx, id(1), "Acme", Country::US, None, None)?;
        tx.global_execute(before::USER, params![id::<kinds::User>(2)])?;
        tx.bind(number);
        tx.take_turn()?;
        let customer = id::<kinds::Customer>(3);
        tx.execute(before::CUSTOMER, params![customer, at])?;
        for (subject, kind, status) in
            [(5, "job", "open"), (4, "job", "CANCELLED by phone"), (6, "invoice", "open")]
        {
            let subject = id::<kinds::Subject>(subject);
            tx.execute(before::SUBJECT, params![subject, kind, customer, "Repipe", status, at])?;
        }
        let (note, user) = (id::<kinds::Note>(7), id::<kinds::User>(2));
        tx.execute(before::NOTE, params![note, user, id::<kinds::Subject>(5), at])?;
        Ok(())
    });
    let account = env.read(|tx| tenants::account(tx, id(1))).expect("the account");
    let operator = Caller::operator(Some(account));
    let call = |tool: &str, arguments| env.call(&operator, tool, arguments).expect(tool);
    let fields = ["title", "status", "job_number", "customer_name", "updated_at"];
    let [open, cancelled] = [5, 4].map(|number| {
        let job = call("jobs.get", json!({ "id": id::<kinds::Job>(number) }));
        of(&job, fields).map(|value| value.as_str().expect("a text").to_owned())
    });
    assert_eq!(open, ["Repipe", "unscheduled", "J-0002", "Ann", "2026-05-01T10:00:00.000Z"]);
    assert_eq!(cancelled[..3], ["Repipe", "cancelled", "J-0001"]);
    let listed = call("jobs.list", json!({ "q": "repipe" }));
    assert_eq!(listed["rows"].as_array().expect("rows").len(), 1);
    let notes = call("notes.list", json!({ "subject_id": id::<kinds::Job>(5) }));
    assert_eq!(notes["rows"][0]["body"], "Gate sticks.");
    let customer = call("notes.list", json!({ "customer_id": id::<kinds::Customer>(3) }));
    assert_eq!(customer["rows"][0]["subject_id"], json!(id::<kinds::Job>(5)));
    let history = call("changes.list", json!({ "record_id": id::<kinds::Job>(5) }));
    assert_eq!(history["rows"], json!([]));
}
