//! Two tenants with the same words in every record: however a search runs, each finds all of its own rows
//! and no others.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::run;
use crate::catalog;
use crate::testing::{Business, TestEnv, text};

/// Rows of each list that are older than those PostgreSQL scans first.
const EARLIER: usize = 60;
/// A few more rows than it scans first.
const NEWEST: usize = 520;
/// Rows per write job. The other numbers add up to whole batches.
const BATCH: usize = 20;
/// An old row that PostgreSQL's probes for a word's frequency miss.
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
    let made = env.write(move |tx| {
        let mut made = Vec::new();
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
                made.push(run::write(tx, &environment, &access, tool, &text, None)?);
            }
        }
        Ok(made)
    });
    for pair in made.expect("rows").chunks(2) {
        let [customer, note] =
            [&pair[0], &pair[1]].map(|made| serde_json::from_str::<Value>(made).expect("JSON"));
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
    let mut both = ["Acme", "Other"].map(|name| (env.empty_business(name), Rows::default()));
    // In turns, so that the rows of both tenants are interleaved.
    for start in (0..EARLIER + NEWEST).step_by(BATCH) {
        for (business, rows) in &mut both {
            fill(&env, business, rows, start..start + BATCH);
        }
    }
    for (business, rows) in &both {
        for (tool, own) in [("customers.search", &rows.customers), ("notes.list", &rows.notes)] {
            // A word of the newest rows, one of the earlier rows, and one so rare that the index is used.
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
        // One phone among the newest rows, and one found by the index.
        for row in [EARLIER + NEWEST - 1, RARE] {
            let doubtful = json!({
                "customer_type": "individual", "first_name": "Bob", "phone": format!("510 555 {row:04}"),
            });
            let made = env.call(&business.owner, "customers.create", doubtful).expect("made");
            let hint = made["possible_duplicates"].as_array().expect("a list");
            let hint: Vec<_> = hint.iter().map(|one| text(one, "id")).collect();
            assert_eq!(hint, [&rows.customers[row]], "the customer with the phone of row {row}");
        }
    }
}
