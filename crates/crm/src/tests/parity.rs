//! Two tenants with the same words in every record: however a search runs, each tenant finds all of its own rows
//! and no others.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::run;
use crate::catalog;
use crate::testing::{Business, TestEnv, text};

/// Number of rows in each list that are older than the rows that PostgreSQL scans first.
const EARLIER: usize = 60;
/// Number of newer rows in each list: a few more than PostgreSQL scans first.
const NEWEST: usize = 520;
/// Number of rows per write job. `EARLIER + NEWEST` is a multiple of it.
const BATCH: usize = 20;
/// Index of an old row with a rare word, which PostgreSQL misses when it samples the frequency of words.
const RARE: usize = 1;

/// The words of a row.
fn words(row: usize) -> &'static str {
    match row {
        RARE => "Anna Quixote",
        _ if row < EARLIER => "Anna Smith",
        _ => "Zoe Smith",
    }
}

/// The ids of a tenant's customers and notes, oldest first.
#[derive(Default)]
struct Rows {
    customers: Vec<String>,
    notes: Vec<String>,
}

/// Adds rows to a tenant, with the same words and phones for every tenant.
fn fill(env: &TestEnv, business: &Business, rows: &mut Rows, numbers: std::ops::Range<usize>) {
    let (access, environment) = (business.owner.clone(), env.environment.clone());
    let created = env.write(move |tx| {
        let mut created = Vec::new();
        for row in numbers.clone() {
            let (first, last) = words(row).split_once(' ').expect("two words");
            let customer = json!({
                "customer_type": "individual", "first_name": first, "last_name": last,
                "phone": format!("510 555 {row:04}"),
            });
            for (tool, arguments) in
                [("customers.create", customer), ("notes.create", json!({ "body": words(row) }))]
            {
                let tool = catalog::find(tool).expect("a tool");
                let text = arguments.to_string();
                created.push(run::write(tx, &environment, &access, tool, &text, None)?);
            }
        }
        Ok(created)
    });
    for pair in created.expect("rows").chunks(2) {
        let [customer, note] =
            [&pair[0], &pair[1]].map(|json| serde_json::from_str::<Value>(json).expect("JSON"));
        rows.customers.push(text(&customer, "id").to_owned());
        rows.notes.push(text(&note, "id").to_owned());
    }
}

/// The ids of all pages of a list.
fn found(env: &TestEnv, business: &Business, tool: &str, q: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut arguments = json!({ "q": q, "limit": 25 });
    loop {
        let page = env.call(&business.owner, tool, arguments).expect("a page");
        let rows = page["rows"].as_array().expect("rows");
        ids.extend(rows.iter().map(|row| text(row, "id").to_owned()));
        assert!(ids.len() <= EARLIER + NEWEST, "{tool} {q}: more rows than the tenant has");
        let Some(cursor) = page["nextCursor"].as_str() else { return ids };
        arguments = json!({ "cursor": cursor, "limit": 25 });
    }
}

#[both]
fn tenants_with_the_same_words_find_only_their_own_rows() {
    let mut env = TestEnv::new();
    env.environment.note_writes_per_minute = 0;
    let mut tenants = ["Acme", "Other"].map(|name| (env.empty_business(name), Rows::default()));
    // The tenants take turns, so that their rows are interleaved.
    for start in (0..EARLIER + NEWEST).step_by(BATCH) {
        for (business, rows) in &mut tenants {
            fill(&env, business, rows, start..start + BATCH);
        }
    }
    for (business, rows) in &tenants {
        for (tool, own) in [("customers.search", &rows.customers), ("notes.list", &rows.notes)] {
            // A word in the newest rows, a word in the earlier rows, and a word so rare that the index is used.
            for word in ["zoe", "anna", "quixote"] {
                let with_word = own.iter().enumerate().filter(|(row, _)| {
                    words(*row).to_lowercase().split(' ').any(|each| each == word)
                });
                let mut expected: Vec<_> = with_word.map(|(_, id)| id.clone()).collect();
                expected.reverse();
                let found = found(&env, business, tool, word);
                assert!(found == expected, "{tool} {word}: {} of {}", found.len(), expected.len());
            }
        }
        // A phone in one of the newest rows, and a phone that the index finds.
        for row in [EARLIER + NEWEST - 1, RARE] {
            let duplicate = json!({
                "customer_type": "individual", "first_name": "Bob", "phone": format!("510 555 {row:04}"),
            });
            let created =
                env.call(&business.owner, "customers.create", duplicate).expect("a customer");
            let found = created["possible_duplicates"].as_array().expect("a list");
            let found: Vec<_> = found.iter().map(|it| text(it, "id")).collect();
            assert_eq!(found, [&rows.customers[row]], "the customer with the phone of row {row}");
        }
    }
}
