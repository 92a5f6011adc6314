//! Quotes when their customer is merged or erased, and those of before there were quotes.

use serde_json::json;
use zoop_both::both;

use super::Desk;
use crate::schema::MIGRATIONS;

#[both]
fn a_merge_takes_the_quotes_along_and_undo_brings_them_back() {
    let desk = Desk::new();
    let kept = json!({ "customer_type": "individual", "first_name": "Hana" });
    let kept = desk.env.create(&desk.acme.owner, "customers.create", kept);
    let merge = json!({ "keep_id": kept, "merge_id": desk.customer });
    let merged = desk.call("customers.merge", merge);
    assert_eq!(merged["moved"]["subjects"], 1, "{merged}");
    let customer = || desk.call("quotes.get", json!({ "id": desk.quote }))["customer_id"].clone();
    assert_eq!(customer(), json!(kept));
    let newest = json!({ "record_id": kept, "limit": 1 });
    let entry = desk.call("changes.list", newest)["rows"][0]["id"].clone();
    desk.call("changes.revert", json!({ "id": entry }));
    assert_eq!(customer(), json!(desk.customer));
}

#[both]
fn notes_about_a_quote_are_found_with_its_customer() {
    let desk = Desk::new();
    let note = json!({ "body": "Signed.", "subject_type": "quote", "subject_id": desk.quote });
    let note = desk.env.create(&desk.acme.owner, "notes.create", note);
    let listed = desk.call("notes.list", json!({ "customer_id": desk.customer }));
    assert_eq!(listed["rows"][0]["id"], json!(note));
    let wrong = json!({ "body": "Signed.", "subject_type": "job", "subject_id": desk.quote });
    assert_eq!(desk.refused("notes.create", wrong)["kind"], "not_found");
}

#[test]
fn a_quote_of_before_keeps_its_id_and_gets_a_number() {
    let file = rusqlite::Connection::open_in_memory().expect("a database");
    let run = |script: &str| file.execute_batch(script).expect(script);
    let position = MIGRATIONS.iter().position(|migration| migration.name == "0026_quotes");
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
           (7, x'05', 'quote', x'02', 'Second', 'sent', 9), (7, x'04', 'quote', x'02', 'First', 'open', 8), \
           (7, x'06', 'invoice', x'02', 'Bill', 'open', 8), (8, x'07', 'quote', x'02', 'Other', 'open', 8)",
    );
    for migration in rest {
        run(migration.sqlite);
    }
    let rows = |query: &str| {
        let mut statement = file.prepare(query).expect(query);
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect(query);
        rows.map(|row| row.expect("a row")).collect::<Vec<_>>()
    };
    let quotes = rows(
        "SELECT tenant_no || ' ' || hex(id) || ' ' || quote_number || ' ' || title || ' ' || status \
                       || ' ' || total || ' ' || currency || ' ' || updated_at FROM quotes ORDER BY tenant_no, id",
    );
    let expected =
        ["7 04 1 First draft 0 USD 8", "7 05 2 Second draft 0 USD 9", "8 07 1 Other draft 0 USD 8"];
    assert_eq!(quotes, expected);
    assert_eq!(rows("SELECT subject_type FROM subjects"), ["invoice"]);
    let numbers =
        rows("SELECT tenant_no || letter || last FROM document_numbers ORDER BY tenant_no");
    assert_eq!(numbers, ["7Q2", "8Q1"]);
}
