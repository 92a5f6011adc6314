//! Tests of the note tools, through the pipeline.

mod drafts;
mod limit;
mod list;
mod names;
mod of_customer;
mod stems;
mod wordy;
mod write;

use serde_json::{Value, json};

use crate::call::error::{Error, Result};
use crate::call::run;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, error_json};

const HOUR: i64 = 60 * 60 * 1_000;

/// A test environment without a limit on note writes.
fn unlimited() -> TestEnv {
    let mut env = TestEnv::new();
    env.environment.note_writes_per_minute = 0;
    env
}

/// The error of a rejected call, as JSON.
fn refusal(outcome: Result<Value>) -> Value {
    error_json(&outcome.expect_err("a refusal"))
}

/// The kind of a rejected call's error.
fn kind(outcome: Result<Value>) -> String {
    refusal(outcome)["kind"].as_str().expect("a kind").to_owned()
}

/// The fields named in the error of a rejected call.
fn invalid_fields(outcome: Result<Value>) -> Vec<String> {
    let error = refusal(outcome);
    assert_eq!(error["kind"], "invalid_input", "{error}");
    let fields = error["fields"].as_array().expect("fields").iter();
    fields.map(|field| field["field"].as_str().expect("a name").to_owned()).collect()
}

/// Creates a committed standalone note.
fn note(env: &TestEnv, access: &Caller, body: &str) -> String {
    env.create(access, "notes.create", json!({ "body": body }))
}

fn draft(env: &TestEnv, access: &Caller, body: &str) -> String {
    env.create(access, "notes.create", json!({ "body": body, "draft": true }))
}

/// Creates notes one by one in a single transaction.
fn create_notes(env: &TestEnv, access: &Caller, notes: Vec<Value>) {
    let (access, environment) = (access.clone(), env.environment.clone());
    let tool = catalog::find("notes.create").expect("the tool");
    env.write(move |tx| {
        for note in &notes {
            run::write(tx, &environment, &access, tool, &note.to_string(), None)?;
        }
        Ok::<_, Error>(())
    })
    .expect("the notes should be created");
}

/// The bodies of the notes in a list.
fn bodies(env: &TestEnv, access: &Caller, filters: Value) -> Vec<String> {
    let page = env.call(access, "notes.list", filters).expect("a page");
    assert_eq!(page["hasMore"], false, "{page}");
    page["rows"].as_array().expect("rows").iter().map(|row| text_of(row, "body")).collect()
}

fn text_of(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}")).to_owned()
}

/// A record's history, newest first: the tool and the changes of each entry.
fn history(env: &TestEnv, business: &Business, id: &str) -> Vec<(String, Vec<Value>)> {
    let page =
        env.call_as_operator(Some(business.account), "changes.list", json!({ "record_id": id }));
    let entries = page["rows"].as_array().expect("rows").iter();
    entries
        .map(|entry| (text_of(entry, "tool"), entry["changes"].as_array().expect("list").clone()))
        .collect()
}
