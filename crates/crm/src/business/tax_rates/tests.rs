//! Tests of the tools for tax rates, through the pipeline.

use serde_json::{Value, json};
use zoop_both::both;

use super::MAX_RATES;
use crate::testing::{Caller, TestEnv, error_json, text};

/// Adds a rate.
fn add(env: &TestEnv, caller: &Caller, name: &str, percent: f64) -> String {
    env.create(caller, "tax_rates.create", json!({ "name": name, "rate_percentage": percent }))
}

/// The name of the default in the list, and the names of all rates that say they are the default.
fn default(env: &TestEnv, caller: &Caller) -> (Value, Vec<String>) {
    let listed = env.call(caller, "tax_rates.list", json!({})).unwrap();
    let rows = listed["rows"].as_array().unwrap();
    let name = |row: &Value| text(row, "name").to_owned();
    let listed_as = rows.iter().find(|row| row["id"] == listed["default_tax_rate_id"]).map(name);
    let defaults = rows.iter().filter(|row| row["is_default"] == true).map(name).collect();
    (json!(listed_as), defaults)
}

fn kind(refused: Result<Value, crate::call::error::Error>) -> Value {
    error_json(&refused.unwrap_err())["kind"].clone()
}

#[both]
fn a_percentage_is_shown_as_a_number_and_as_a_part_of_one() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    for (sent, percentage, decimal) in [
        (json!(8.25), json!(8.25), json!(0.0825)),
        (json!("8.2500"), json!(8.25), json!(0.0825)),
        (json!(99.9999), json!(99.9999), json!(0.999_999)),
        (json!(0), json!(0), json!(0)),
        (json!(7.0), json!(7), json!(0.07)),
    ] {
        let rate = json!({ "name": "County", "rate_percentage": sent });
        let id = env.create(&acme.owner, "tax_rates.create", rate);
        let rate = env.call(&acme.owner, "tax_rates.get", json!({ "id": id })).unwrap();
        let found = (&rate["rate_percentage"], &rate["rate_decimal"], &rate["is_default"]);
        assert_eq!(found, (&percentage, &decimal, &json!(false)), "{sent}");
    }
    for sent in [json!(99.99999), json!(100), json!(8.12345), json!(-1), json!("8,25")] {
        let rate = json!({ "name": "County", "rate_percentage": sent });
        assert_eq!(
            kind(env.call(&acme.owner, "tax_rates.create", rate)),
            "invalid_input",
            "{sent}"
        );
    }
    let id = add(&env, &acme.owner, "City", 4.5);
    let sent = json!({ "id": id, "rate_decimal": 0.09 });
    let refused = error_json(&env.call(&acme.owner, "tax_rates.update", sent).unwrap_err());
    assert_eq!(refused["kind"], "invalid_input");
    assert!(refused.to_string().contains("use rate_percentage"), "{refused}");
    let changed =
        env.call(&acme.owner, "tax_rates.update", json!({ "id": id, "rate_percentage": 9 }));
    let changed = changed.unwrap();
    assert_eq!((&changed["rate_percentage"], &changed["rate_decimal"]), (&json!(9), &json!(0.09)));
}

#[both]
fn one_rate_is_the_default_or_none() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = &acme.owner;
    let county = add(&env, owner, "County", 8.25);
    assert_eq!(
        default(&env, owner),
        (Value::Null, vec![]),
        "the first is not the default by itself"
    );
    let set = |id: &str, is_default: bool| {
        env.call(owner, "tax_rates.update", json!({ "id": id, "is_default": is_default })).unwrap();
    };
    set(&county, true);
    assert_eq!(default(&env, owner), (json!("County"), vec!["County".to_owned()]));
    let city = json!({ "name": "City", "rate_percentage": 4.5, "is_default": true });
    let city = env.create(owner, "tax_rates.create", city);
    assert_eq!(default(&env, owner), (json!("City"), vec!["City".to_owned()]));
    set(&county, true);
    assert_eq!(default(&env, owner), (json!("County"), vec!["County".to_owned()]));
    set(&city, false);
    assert_eq!(default(&env, owner).0, "County");
    set(&county, false);
    assert_eq!(default(&env, owner), (Value::Null, vec![]));
}

#[both]
fn an_archived_rate_is_found_by_its_id_only() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = &acme.owner;
    let county = json!({ "name": "County", "rate_percentage": 8.25, "is_default": true });
    let county = env.create(owner, "tax_rates.create", county);
    let id = json!({ "id": county });
    env.call(owner, "tax_rates.archive", id.clone()).unwrap();
    let listed = env.call(owner, "tax_rates.list", json!({})).unwrap();
    assert_eq!(listed, json!({ "rows": [], "default_tax_rate_id": null }));
    let found = env.call(owner, "tax_rates.get", id.clone()).unwrap();
    assert_eq!(found["is_default"], false);
    assert!(found["archived_at"].is_string(), "{found}");
    assert_eq!(kind(env.call(owner, "tax_rates.archive", id.clone())), "not_found");
    let renamed = json!({ "id": county, "name": "Parish" });
    assert_eq!(kind(env.call(owner, "tax_rates.update", renamed)), "not_found");
    let restored = env.call_as_operator(Some(acme.account), "tax_rates.restore", id.clone());
    assert_eq!(restored["restored"], true);
    assert_eq!(default(&env, owner), (Value::Null, vec![]), "a restored rate is not the default");
}

#[both]
fn a_list_has_room_for_all_rates() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let rate = json!({ "name": "County", "rate_percentage": 8.25 });
    let calls = vec![("tax_rates.create".to_owned(), rate.clone()); MAX_RATES];
    let added = env.write_all(&acme.owner, calls);
    let listed = env.call(&acme.owner, "tax_rates.list", json!({})).unwrap();
    let rows = listed["rows"].as_array().unwrap();
    assert_eq!(rows.len(), MAX_RATES);
    assert_eq!(rows[0]["id"], added[MAX_RATES - 1]["id"], "the newest comes first");
    assert_eq!(kind(env.call(&acme.owner, "tax_rates.create", rate.clone())), "conflict");
    env.call(&acme.owner, "tax_rates.archive", json!({ "id": added[0]["id"] })).unwrap();
    env.create(&acme.owner, "tax_rates.create", rate);
    let entry =
        env.call(&acme.owner, "changes.list", json!({ "record_id": added[0]["id"] })).unwrap();
    let undo = json!({ "id": entry["rows"][0]["id"] });
    assert_eq!(kind(env.call(&acme.owner, "changes.revert", undo)), "conflict", "the list is full");
}

#[both]
fn changes_of_the_default_are_undone_together() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = &acme.owner;
    let county = json!({ "name": "County", "rate_percentage": 8.25, "is_default": true });
    let county = env.create(owner, "tax_rates.create", county);
    let latest = |id: &str| {
        let listed = env.call(owner, "changes.list", json!({ "record_id": id })).unwrap();
        json!({ "id": listed["rows"][0]["id"] })
    };
    let undo = |entry: &Value| env.call(owner, "changes.revert", entry.clone());
    let city = json!({ "name": "City", "rate_percentage": 4.5, "is_default": true });
    let city = env.create(owner, "tax_rates.create", city);
    let added = latest(&city);
    undo(&added).unwrap();
    assert_eq!(default(&env, owner), (json!("County"), vec!["County".to_owned()]));
    undo(&latest(&city)).unwrap();
    assert_eq!(default(&env, owner), (json!("City"), vec!["City".to_owned()]));
    env.call(owner, "tax_rates.archive", json!({ "id": city })).unwrap();
    let archived = latest(&city);
    env.call(owner, "tax_rates.update", json!({ "id": county, "is_default": true })).unwrap();
    let refused = error_json(&undo(&archived).unwrap_err()).to_string();
    assert!(refused.contains("is_default"), "{refused}");
    env.call(owner, "tax_rates.update", json!({ "id": county, "is_default": false })).unwrap();
    undo(&archived).unwrap();
    assert_eq!(default(&env, owner), (json!("City"), vec!["City".to_owned()]));
    let percent = json!({ "id": city, "rate_percentage": 5 });
    env.call(owner, "tax_rates.update", percent).unwrap();
    undo(&latest(&city)).unwrap();
    let rate = env.call(owner, "tax_rates.get", json!({ "id": city })).unwrap();
    assert_eq!((&rate["rate_percentage"], &rate["rate_decimal"]), (&json!(4.5), &json!(0.045)));
}
