//! Tests of the customer tools, through the pipeline.

mod create;
mod duplicates;
mod external_id;
mod history;
mod owners;
mod reindex;
mod same_person;
mod sayings;
mod search;
mod write;
mod write_only;

use serde_json::{Value, json};

use crate::testing::{Business, TestEnv, error_json, text};

fn company(env: &TestEnv, business: &Business, name: &str) -> String {
    env.create(
        &business.owner,
        "customers.create",
        json!({
            "customer_type": "company", "company_name": name,
        }),
    )
}

fn person(env: &TestEnv, business: &Business, first: &str, more: Value) -> String {
    let mut arguments = json!({ "customer_type": "individual", "first_name": first });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    env.create(&business.owner, "customers.create", arguments)
}

/// The fields named in the error of a rejected call.
fn problems(env: &TestEnv, business: &Business, tool: &str, arguments: Value) -> Vec<String> {
    let error = error_json(&env.call(&business.owner, tool, arguments).expect_err("a refusal"));
    assert_eq!(error["kind"], "invalid_input", "{error}");
    let fields = error["fields"].as_array().expect("fields").iter();
    fields.map(|field| text(field, "field").to_owned()).collect()
}

fn search(env: &TestEnv, business: &Business, arguments: Value) -> Vec<String> {
    let page = env.call(&business.owner, "customers.search", arguments).expect("a page");
    let rows = page["rows"].as_array().unwrap().iter();
    rows.map(|row| text(row, "display_name").to_owned()).collect()
}
