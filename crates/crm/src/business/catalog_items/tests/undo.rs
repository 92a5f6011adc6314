//! Undoing changes of items.

use serde_json::{Value, json};
use zoop_both::both;

use super::{add, archive, get, kind, update};
use crate::testing::{Caller, TestEnv, error_json};

/// The newest entry of the history about an item.
fn latest(env: &TestEnv, caller: &Caller, id: &str) -> Value {
    let listed = env.call(caller, "changes.list", json!({ "record_id": id })).unwrap();
    json!({ "id": listed["rows"][0]["id"] })
}

#[both]
fn changes_of_an_item_are_undone() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = &acme.owner;
    let undo = |entry: Value| env.call(owner, "changes.revert", entry);
    let hour = json!({ "kind": "labor", "name": "Hour", "price": "90.5", "cost": "40.25" });
    let hour = add(&env, owner, hour);
    env.clock.advance(1_000);
    let before = get(&env, owner, &hour);
    let changes = json!({
        "name": "Hour of work", "price": "95.1234", "cost": null, "taxable": false, "sku": "H",
        "description": "By the hour.", "unit_label": "hour",
    });
    update(&env, owner, &hour, changes).unwrap();
    undo(latest(&env, owner, &hour)).unwrap();
    let mut after = get(&env, owner, &hour);
    after["updated_at"] = before["updated_at"].clone();
    assert_eq!(after, before);

    let bundle = json!({
        "kind": "bundle", "name": "Day", "price": 700,
        "components": [{ "catalog_item_id": hour, "quantity": 7.5 }],
    });
    let bundle = add(&env, owner, bundle);
    let parts = json!({ "components": [{ "catalog_item_id": hour, "quantity": 8 }] });
    update(&env, owner, &bundle, parts).unwrap();
    undo(latest(&env, owner, &bundle)).unwrap();
    assert_eq!(get(&env, owner, &bundle)["components"][0]["quantity"], 7.5);

    let discount = json!({ "kind": "discount", "name": "Spring", "price": 20 });
    let discount = add(&env, owner, discount);
    update(&env, owner, &discount, json!({ "discount_percent": 12.5 })).unwrap();
    undo(latest(&env, owner, &discount)).unwrap();
    let shown = get(&env, owner, &discount);
    assert_eq!((&shown["price"], &shown["discount_percent"]), (&json!("20.00"), &Value::Null));
    undo(latest(&env, owner, &discount)).unwrap();
    assert_eq!(get(&env, owner, &discount)["discount_percent"], 12.5);
    // What was added is archived.
    let fee = add(&env, owner, json!({ "kind": "fee", "name": "Trip", "price": 40 }));
    undo(latest(&env, owner, &fee)).unwrap();
    assert!(get(&env, owner, &fee)["archived_at"].is_string());
}

#[both]
fn an_item_whose_sku_another_one_has_does_not_come_back() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = &acme.owner;
    let item = |sku: &str| json!({ "kind": "fee", "name": "Trip", "price": 40, "sku": sku });
    let old = add(&env, owner, item("TRIP"));
    archive(&env, owner, &old);
    let archived = latest(&env, owner, &old);
    let new = add(&env, owner, item("trip"));
    assert_eq!(kind(env.call(owner, "changes.revert", archived.clone())), "conflict");
    update(&env, owner, &new, json!({ "sku": "TRIP-2" })).unwrap();
    let renamed = latest(&env, owner, &new);
    env.call(owner, "changes.revert", archived).unwrap();
    assert_eq!(get(&env, owner, &old)["archived_at"], Value::Null);
    assert_eq!(kind(env.call(owner, "changes.revert", renamed)), "conflict");
}

#[both]
fn only_owners_undo_a_change_of_the_cost() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let item = json!({ "kind": "fee", "name": "Trip", "price": 40, "cost": 10 });
    let id = add(&env, &acme.owner, item);
    update(&env, &acme.owner, &id, json!({ "cost": 12 })).unwrap();
    let entry = latest(&env, &acme.owner, &id);
    let refused = error_json(&env.call(&acme.office, "changes.revert", entry.clone()).unwrap_err());
    assert!(refused.to_string().contains("Only an owner can undo it."), "{refused}");
    assert!(!refused.to_string().contains("12.00"), "{refused}");
    env.call(&acme.owner, "changes.revert", entry).unwrap();
    assert_eq!(get(&env, &acme.owner, &id)["cost"], "10.00");
    update(&env, &acme.owner, &id, json!({ "price": 50 })).unwrap();
    let entry = latest(&env, &acme.office, &id);
    env.call(&acme.office, "changes.revert", entry).unwrap();
    assert_eq!(get(&env, &acme.owner, &id)["price"], "40.00");
}
