//! What only owners are shown: cost and markup.

use serde_json::{Value, json};
use zoop_both::both;

use super::{add, archive, fields, get, update};
use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv, text};

/// Whether an answer has the two fields.
fn has_cost(answer: &Value) -> (bool, bool) {
    let answer = answer.as_object().unwrap();
    (answer.contains_key("cost"), answer.contains_key("markup_percent"))
}

fn drain(cost: Value) -> Value {
    json!({ "kind": "service", "name": "Drain", "price": 120, "cost": cost })
}

#[both]
fn only_owners_are_shown_the_cost_and_the_markup() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = add(&env, &acme.owner, drain(json!(80)));
    let shown = get(&env, &acme.owner, &id);
    assert_eq!((&shown["cost"], &shown["markup_percent"]), (&json!("80.00"), &json!(50)));
    let operator = Caller::operator(Some(acme.account));
    for other in [&acme.office, &acme.tech, &acme.tenant, &operator] {
        assert_eq!(has_cost(&get(&env, other, &id)), (false, false));
        let page = env.call(other, "catalog_items.list", json!({})).unwrap();
        assert_eq!(has_cost(&page["rows"][0]), (false, false));
    }
    let page = env.call(&acme.owner, "catalog_items.list", json!({})).unwrap();
    assert_eq!(page["rows"][0]["markup_percent"], 50);
    let changed = update(&env, &acme.office, &id, json!({ "price": 100 })).unwrap();
    assert_eq!(has_cost(&changed), (false, false));
    assert_eq!(get(&env, &acme.owner, &id)["markup_percent"], 25, "the cost stays");
    for (cost, shown) in [(json!(0), json!("0.00")), (Value::Null, Value::Null)] {
        let changed = update(&env, &acme.owner, &id, json!({ "cost": cost })).unwrap();
        assert_eq!((&changed["cost"], &changed["markup_percent"]), (&shown, &Value::Null));
    }
}

#[both]
fn only_owners_set_the_cost() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = add(&env, &acme.owner, drain(json!(80)));
    for other in [&acme.office, &acme.tenant] {
        let refused = env.call(other, "catalog_items.create", drain(json!(1)));
        assert_eq!(fields(refused), ["cost"]);
        for cost in [json!(1), Value::Null] {
            let changes = json!({ "cost": cost, "name": "Changed" });
            assert_eq!(fields(update(&env, other, &id, changes)), ["cost"]);
        }
        add(&env, other, drain(Value::Null));
    }
    let page = env.call(&acme.owner, "catalog_items.list", json!({})).unwrap();
    assert_eq!(page["rows"].as_array().unwrap().len(), 3, "nothing of the refused calls was done");
    assert_eq!(get(&env, &acme.owner, &id)["name"], "Drain");
    let computed = json!({ "markup_percent": 50 });
    assert_eq!(fields(update(&env, &acme.owner, &id, computed)), ["markup_percent"]);
}

#[both]
fn an_answer_that_is_given_again_is_filtered_by_the_role_of_now() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let account = Some(acme.account);
    let second = json!({ "id": acme.id("office_user"), "role": "owner" });
    env.call_as_operator(account, "users.set_role", second);
    let long = "x".repeat(9_000);
    let mut calls = Vec::new();
    for (key, description) in [("short", "x"), ("long", long.as_str())] {
        let mut item = drain(json!(80));
        (item["description"], item["idempotency_key"]) = (json!(description), json!(key));
        let first = env.call(&acme.owner, "catalog_items.create", item.clone()).unwrap();
        assert_eq!(has_cost(&first), (true, true));
        calls.push(("catalog_items.create", item, first.clone()));
        let changes = json!({
            "id": first["id"], "cost": 90, "idempotency_key": format!("{key} update"),
        });
        let updated = env.call(&acme.owner, "catalog_items.update", changes.clone()).unwrap();
        assert_eq!(updated["markup_percent"], 33.33);
        calls.push(("catalog_items.update", changes, updated));
    }
    let owner = Business::user(&acme.owner);
    let role = |role: &str| {
        env.call_as_operator(account, "users.set_role", json!({ "id": owner, "role": role }));
    };
    role("office");
    for (tool, sent, first) in &calls {
        let again = env.call(&acme.owner, tool, sent.clone()).unwrap();
        assert_eq!(again["id"], first["id"], "{tool}: no second item");
        assert_eq!(has_cost(&again), (false, false), "{tool}: {again}");
    }
    role("owner");
    for (tool, sent, first) in &calls {
        let again = env.call(&acme.owner, tool, sent.clone()).unwrap();
        assert_eq!(again["id"], first["id"]);
        assert_eq!(has_cost(&again), (true, true), "{tool}: {again}");
    }
    let page = env.call(&acme.owner, "catalog_items.list", json!({})).unwrap();
    assert_eq!(page["rows"].as_array().unwrap().len(), 2);
}

#[both]
fn a_receipt_has_what_was_sent_without_cost_and_parts() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = Business::user(&acme.owner).to_string();
    let writer = env.access(&env.key(acme.account, Some(&owner), &[Scope::WriteCatalogItems]));
    let receipt = env.call(&writer, "catalog_items.create", drain(json!(80))).unwrap();
    let keys: Vec<_> = receipt.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "created_at", "kind", "name", "price"]);
    assert_eq!(receipt["price"], "120.00");
    let part = text(&receipt, "id");
    let parts = json!([{ "catalog_item_id": part, "quantity": 2 }]);
    let bundle = json!({ "kind": "bundle", "name": "All", "price": 200, "components": parts });
    let receipt = env.call(&writer, "catalog_items.create", bundle).unwrap();
    assert_eq!(receipt.get("components"), None);
    let changes = json!({ "components": parts, "taxable": false });
    let receipt = update(&env, &writer, text(&receipt, "id"), changes).unwrap();
    let keys: Vec<_> = receipt.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "updated_at", "taxable"]);
    let receipt = update(&env, &writer, part, json!({ "cost": 70 })).unwrap();
    assert_eq!(receipt.get("cost"), None);
    assert_eq!(get(&env, &acme.owner, part)["cost"], "70.00");
    // A conflict does not say which item has the SKU.
    let mut with_sku = drain(json!(1));
    with_sku["sku"] = json!("D-1");
    let known = add(&env, &writer, with_sku.clone());
    let refused = env.call(&writer, "catalog_items.create", with_sku).unwrap_err();
    assert!(!format!("{refused:?}").contains(&known), "{refused:?}");
}

#[both]
fn a_bundle_costs_what_its_parts_cost_now() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = &acme.owner;
    let pipe = json!({ "kind": "product", "name": "Pipe", "price": 1, "cost": "0.3333" });
    let pipe = add(&env, owner, pipe);
    let hour = json!({ "kind": "labor", "name": "Hour", "price": 90, "cost": 40 });
    let hour = add(&env, owner, hour);
    let bundle = json!({
        "kind": "bundle", "name": "Repipe", "price": 100, "components": [
            { "catalog_item_id": pipe, "quantity": 2.5 },
            { "catalog_item_id": hour, "quantity": 1 },
        ],
    });
    let bundle = add(&env, owner, bundle);
    let shown = get(&env, owner, &bundle);
    // 2.5 x 0.3333 is 0.83325, and (100 - 40.8333) / 40.8333 is 144.8981... %.
    assert_eq!((&shown["cost"], &shown["markup_percent"]), (&json!("40.8333"), &json!(144.9)));
    archive(&env, owner, &hour);
    assert_eq!(get(&env, owner, &bundle)["cost"], "40.8333", "an archived part stays");
    let page = env.call(owner, "catalog_items.list", json!({ "kind": "bundle" })).unwrap();
    assert_eq!(page["rows"][0]["cost"], "40.8333");
    update(&env, owner, &pipe, json!({ "cost": null })).unwrap();
    let shown = get(&env, owner, &bundle);
    assert_eq!((&shown["cost"], &shown["markup_percent"]), (&Value::Null, &Value::Null));
    assert_eq!(has_cost(&get(&env, &acme.office, &bundle)), (false, false));
}

#[both]
fn the_history_shows_costs_to_those_who_manage_the_account_only() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = add(&env, &acme.owner, drain(json!(80)));
    update(&env, &acme.owner, &id, json!({ "cost": 90, "name": "Drain cleaning" })).unwrap();
    let changed = |caller: &Caller| {
        let page = env.call(caller, "changes.list", json!({ "record_id": id })).unwrap();
        let rows = page["rows"].as_array().unwrap().clone();
        let changes = rows.iter().flat_map(|row| row["changes"].as_array().unwrap().clone());
        let changes = changes.map(|change| text(&change, "field").to_owned());
        changes.collect::<Vec<_>>()
    };
    let (_, signed_in) = env.sign_in(Business::user(&acme.owner));
    let source = crate::call::access::Source::default();
    let page = env.in_tenant(signed_in.in_tenant(acme.account.id, source));
    for sees_all in [&page, &Caller::operator(Some(acme.account))] {
        let costs = changed(sees_all).iter().filter(|field| *field == "cost").count();
        assert_eq!(costs, 2, "the addition and the change");
    }
    for other in [&acme.owner, &acme.office, &acme.tenant] {
        let fields = changed(other);
        assert!(fields.contains(&"name".to_owned()), "{fields:?}");
        assert!(!fields.iter().any(|field| field == "cost"), "{fields:?}");
    }
}
