//! Tests of the tools for catalog items, through the pipeline.

mod kinds;
mod listing;
mod owners;
mod undo;

use serde_json::{Value, json};

use crate::call::error::Error;
use crate::testing::{Caller, TestEnv, error_json, text};

/// Adds an item and returns its id.
fn add(env: &TestEnv, caller: &Caller, item: Value) -> String {
    env.create(caller, "catalog_items.create", item)
}

/// An item as the caller is shown it.
fn get(env: &TestEnv, caller: &Caller, id: &str) -> Value {
    env.call(caller, "catalog_items.get", json!({ "id": id })).unwrap()
}

/// Changes fields of an item.
fn update(env: &TestEnv, caller: &Caller, id: &str, mut changes: Value) -> Result<Value, Error> {
    changes["id"] = json!(id);
    env.call(caller, "catalog_items.update", changes)
}

fn archive(env: &TestEnv, caller: &Caller, id: &str) {
    env.call(caller, "catalog_items.archive", json!({ "id": id })).unwrap();
}

/// The kind of an error.
fn kind(refused: Result<Value, Error>) -> String {
    text(&error_json(&refused.unwrap_err()), "kind").to_owned()
}

/// The fields of an error, each with its problem.
fn problems(refused: Result<Value, Error>) -> Vec<(String, String)> {
    let error = error_json(&refused.unwrap_err());
    assert_eq!(error["kind"], "invalid_input", "{error}");
    let fields = error["fields"].as_array().unwrap_or_else(|| panic!("fields in {error}"));
    let pair = |it: &Value| (text(it, "field").to_owned(), text(it, "problem").to_owned());
    fields.iter().map(pair).collect()
}

/// The names of the fields of an error.
fn fields(refused: Result<Value, Error>) -> Vec<String> {
    problems(refused).into_iter().map(|(field, _)| field).collect()
}
