//! Which fields each kind of item has, and their values.

use serde_json::{Value, json};
use zoop_both::both;

use super::{add, archive, fields, get, kind, problems, update};
use crate::testing::{TestEnv, error_json};

#[both]
fn prices_are_shown_in_main_units_and_read_by_their_digits() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    for (sent, shown) in [
        (json!(120), "120.00"),
        (json!("85.5"), "85.50"),
        (json!(85.5), "85.50"),
        (json!("0.0825"), "0.0825"),
        (json!(" 0085.500000 "), "85.50"),
        (json!("-0.00"), "0.00"),
        (json!("9999999.9999"), "9999999.9999"),
    ] {
        let item = json!({ "kind": "service", "name": "Mowing", "price": sent });
        let id = add(&env, &acme.owner, item);
        let item = get(&env, &acme.office, &id);
        assert_eq!((&item["price"], &item["currency"]), (&json!(shown), &json!("USD")), "{sent}");
    }
    for sent in ["85.12345", "$85", "1,000.00", "1e3", "", "-0.01", "10000000"] {
        let item = json!({ "kind": "service", "name": "", "price": sent, "cost": "x" });
        let refused = env.call(&acme.owner, "catalog_items.create", item);
        let mut named = fields(refused);
        named.sort();
        assert_eq!(named, ["cost", "name", "price"], "all of one call in one answer: {sent}");
    }
}

#[both]
fn prices_are_in_the_currency_of_the_account() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let currency = json!({ "currency": "JPY" });
    env.call_as_operator(Some(acme.account), "tenants.update", currency);
    let item = json!({ "kind": "product", "name": "Filter", "price": "333", "cost": "200.5" });
    let item = get(&env, &acme.owner, &add(&env, &acme.owner, item));
    let shown = (&item["currency"], &item["price"], &item["cost"]);
    assert_eq!(shown, (&json!("JPY"), &json!("333"), &json!("200.5")));
}

#[both]
fn an_item_is_shown_with_all_fields_in_a_fixed_order() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let item = json!({
        "kind": "product", "name": " Air filter ", "price": "12.5", "sku": "AF-1",
        "description": "20x25", "unit_label": "each", "taxable": false, "cost": "8",
    });
    let created = env.call(&acme.owner, "catalog_items.create", item).unwrap();
    let id = &created["id"];
    let expected = json!({
        "id": id, "kind": "product", "name": "Air filter", "sku": "AF-1", "description": "20x25",
        "category_id": null, "unit_label": "each", "price": "12.50", "discount_percent": null,
        "taxable": false, "components": [], "currency": "USD", "cost": "8.00",
        "markup_percent": 56.25, "created_at": created["created_at"],
        "updated_at": created["updated_at"], "archived_at": null,
    });
    // The texts have the same order of keys.
    assert_eq!(created.to_string(), expected.to_string());
    let got = env.call(&acme.owner, "catalog_items.get", json!({ "id": id })).unwrap();
    assert_eq!(got.to_string(), expected.to_string());
    let page = env.call(&acme.owner, "catalog_items.list", json!({})).unwrap();
    let mut row = expected;
    for left_out in ["description", "components"] {
        row.as_object_mut().unwrap().shift_remove(left_out);
    }
    assert_eq!(page["rows"][0].to_string(), row.to_string());
    let changed = update(&env, &acme.owner, id.as_str().unwrap(), json!({ "sku": null })).unwrap();
    assert_eq!(changed["sku"], Value::Null);
    assert_eq!(changed["unit_label"], "each", "what is not sent stays");
}

#[both]
fn each_kind_has_its_own_fields() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let part = json!({ "kind": "labor", "name": "Hour", "price": "90" });
    let part = add(&env, &acme.owner, part);
    let parts = json!([{ "catalog_item_id": part }]);
    let values = [
        ("price", json!("10")),
        ("discount_percent", json!(10)),
        ("unit_label", json!("hour")),
        ("taxable", json!(true)),
        ("cost", json!("5")),
        ("components", parts.clone()),
    ];
    let with = |kind: &str, sent: &[&str]| {
        let mut item = json!({ "kind": kind, "name": "It" });
        for (field, value) in values.iter().filter(|(field, _)| sent.contains(field)) {
            item[*field] = value.clone();
        }
        item
    };
    let create = |item: Value| env.call(&acme.owner, "catalog_items.create", item);
    for plain in ["service", "product", "labor", "fee"] {
        create(with(plain, &["price", "unit_label", "taxable", "cost"])).unwrap();
        assert_eq!(fields(create(with(plain, &[]))), ["price"]);
        let refused = problems(create(with(plain, &["price", "discount_percent", "components"])));
        let named: Vec<_> = refused.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, ["discount_percent", "components"]);
        assert!(refused.iter().all(|(_, problem)| problem.contains(plain)), "{refused:?}");
    }
    create(with("bundle", &["price", "unit_label", "taxable", "components"])).unwrap();
    assert_eq!(fields(create(with("bundle", &[]))), ["price", "components"]);
    let refused = create(with("bundle", &["price", "components", "cost", "discount_percent"]));
    assert_eq!(fields(refused), ["discount_percent", "cost"]);
    create(with("discount", &["price"])).unwrap();
    create(with("discount", &["discount_percent"])).unwrap();
    assert_eq!(fields(create(with("discount", &[]))), ["price"]);
    let refused = create(with("discount", &["price", "discount_percent"]));
    assert_eq!(fields(refused), ["discount_percent"]);
    let refused = problems(create(with(
        "discount",
        &["price", "unit_label", "taxable", "cost", "components"],
    )));
    let named: Vec<_> = refused.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(named, ["unit_label", "taxable", "cost", "components"]);
    assert!(refused.iter().all(|(_, problem)| problem.contains("discount")), "{refused:?}");
    let zero = json!({ "kind": "discount", "name": "Nothing", "price": 0 });
    assert_eq!(fields(create(zero)), ["price"]);
    let zero = json!({ "kind": "discount", "name": "Nothing", "discount_percent": 0 });
    assert_eq!(fields(create(zero)), ["discount_percent"]);
    create(json!({ "kind": "fee", "name": "Free", "price": 0 })).unwrap();
    // null is not sent.
    let nulls = json!({
        "kind": "discount", "name": "Spring", "discount_percent": "7.5", "price": null,
        "taxable": null, "unit_label": null, "cost": null, "components": null,
    });
    let discount = create(nulls).unwrap();
    let shown = (&discount["price"], &discount["taxable"], &discount["discount_percent"]);
    assert_eq!(shown, (&Value::Null, &Value::Null, &json!(7.5)));
    assert_eq!(discount["components"], json!([]));
}

#[both]
fn an_update_follows_the_kind_of_the_item() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = &acme.owner;
    let service = json!({ "kind": "service", "name": "Mowing", "price": "85" });
    let service = add(&env, owner, service);
    let refused = problems(update(&env, owner, &service, json!({ "kind": "fee" })));
    assert_eq!(refused[0].0, "kind");
    assert!(refused[0].1.contains("keeps its kind"), "{refused:?}");
    let parts = json!([{ "catalog_item_id": service }]);
    let refused = update(
        &env,
        owner,
        &service,
        json!({ "discount_percent": 5, "components": parts, "price": null, "taxable": null }),
    );
    let refused = problems(refused);
    let named: Vec<_> = refused.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(named, ["price", "discount_percent", "taxable", "components"]);
    assert!(refused.iter().all(|(_, problem)| problem.contains("service")), "{refused:?}");
    let same =
        update(&env, owner, &service, json!({ "discount_percent": null, "components": null }));
    assert_eq!(same.unwrap()["price"], "85.00", "null for a field of another kind is not sent");

    let discount = json!({ "kind": "discount", "name": "Spring", "price": "20" });
    let discount = add(&env, owner, discount);
    let taken_off = |changes: Value| {
        let changed = update(&env, owner, &discount, changes).unwrap();
        (changed["price"].clone(), changed["discount_percent"].clone())
    };
    assert_eq!(taken_off(json!({ "discount_percent": 10 })), (Value::Null, json!(10)));
    assert_eq!(taken_off(json!({ "price": null, "taxable": null })), (Value::Null, json!(10)));
    assert_eq!(taken_off(json!({ "price": "15.5" })), (json!("15.50"), Value::Null));
    let both = json!({ "price": null, "discount_percent": 12.5 });
    assert_eq!(taken_off(both), (Value::Null, json!(12.5)));
    assert_eq!(
        taken_off(json!({ "price": 3, "discount_percent": null })),
        (json!("3.00"), Value::Null)
    );
    for refused in [
        json!({ "price": null }),
        json!({ "price": 0 }),
        json!({ "price": null, "discount_percent": null }),
    ] {
        assert_eq!(fields(update(&env, owner, &discount, refused)), ["price"]);
    }
    let both = json!({ "price": 1, "discount_percent": 1 });
    assert_eq!(fields(update(&env, owner, &discount, both)), ["discount_percent"]);
    let others = json!({ "unit_label": "each", "taxable": false, "cost": 1 });
    let named = fields(update(&env, owner, &discount, others));
    assert_eq!(named, ["unit_label", "taxable", "cost"]);
    archive(&env, owner, &discount);
    let refused = update(&env, owner, &discount, json!({ "name": "Old" })).unwrap_err();
    let refused = error_json(&refused);
    assert_eq!(refused["kind"], "not_found");
    assert!(refused.to_string().contains("restore it first (changes.revert)"), "{refused}");
    let again = env.call(owner, "catalog_items.archive", json!({ "id": discount }));
    assert_eq!(kind(again), "not_found");
    assert!(get(&env, owner, &discount)["archived_at"].is_string());
}

#[both]
fn a_bundle_has_active_parts_of_other_kinds_each_once() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let other = env.empty_business("Other");
    let owner = &acme.owner;
    let service = |name: &str| json!({ "kind": "service", "name": name, "price": 10 });
    let ids: Vec<_> = (0..51).map(|n| add(&env, owner, service(&format!("Part {n}")))).collect();
    let part = |id: &str, quantity: Value| json!({ "catalog_item_id": id, "quantity": quantity });
    let create = |parts: Value| {
        let bundle = json!({ "kind": "bundle", "name": "All", "price": 99, "components": parts });
        env.call(owner, "catalog_items.create", bundle)
    };
    let bundle = create(json!([{ "catalog_item_id": ids[0] }, part(&ids[1], json!("2.50"))]));
    let bundle = bundle.unwrap();
    let shown = json!([part(&ids[0], json!(1)), part(&ids[1], json!(2.5))]);
    assert_eq!(bundle["components"], shown);
    let id = bundle["id"].as_str().unwrap();
    assert_eq!(get(&env, owner, id)["components"], shown);

    let discount = json!({ "kind": "discount", "name": "Off", "discount_percent": 5 });
    let discount = add(&env, owner, discount);
    for (parts, named) in [
        (json!([]), vec!["components"]),
        (json!([part(&ids[0], json!(0))]), vec!["components[0].quantity"]),
        (json!([part(&ids[0], json!(1.2345))]), vec!["components[0].quantity"]),
        (json!([{ "quantity": 1 }]), vec!["components[0].catalog_item_id"]),
        (
            json!([part(&ids[0], json!(1)), part(&ids[0], json!(2))]),
            vec!["components[1].catalog_item_id"],
        ),
        (
            json!([part(id, json!(1)), part(&ids[0], json!(1)), part(&discount, json!(1))]),
            vec!["components[0].catalog_item_id", "components[2].catalog_item_id"],
        ),
        (ids.iter().map(|id| part(id, json!(1))).collect(), vec!["components"]),
    ] {
        assert_eq!(fields(create(parts.clone())), named, "{parts}");
    }
    // What is sent twice counts once.
    let mut doubled: Vec<_> = ids[..50].iter().map(|id| part(id, json!(1))).collect();
    doubled.push(part(&ids[7], json!("1.0")));
    let made = create(json!(doubled)).unwrap();
    assert_eq!(made["components"].as_array().unwrap().len(), 50);

    archive(&env, owner, &ids[0]);
    let foreign = add(&env, &other.owner, service("Foreign"));
    let unknown = "0198c1f0-0000-7000-8000-000000000020";
    let mut refusals = [ids[0].as_str(), &foreign, unknown]
        .map(|id| format!("{:?}", create(json!([part(id, json!(1))])).unwrap_err()));
    refusals.sort();
    assert_eq!(refusals[0], refusals[2]);
    assert!(refusals[0].contains("NotFound"), "{refusals:?}");
    // A part that the bundle has stays, though it is archived.
    let more = json!({ "components": [part(&ids[0], json!(3)), part(&ids[2], json!(1))] });
    let changed = update(&env, owner, id, more).unwrap();
    assert_eq!(changed["components"], json!([part(&ids[0], json!(3)), part(&ids[2], json!(1))]));
    assert_eq!(fields(update(&env, owner, id, json!({ "components": null }))), ["components"]);
    assert_eq!(fields(update(&env, owner, id, json!({ "components": [] }))), ["components"]);
}

#[both]
fn a_sku_is_unique_among_active_items_without_case() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let item = |sku: &str| json!({ "kind": "service", "name": "Drain", "price": 1, "sku": sku });
    let first = add(&env, &acme.owner, item("DRAIN-1"));
    let refused = env.call(&acme.owner, "catalog_items.create", item("drain-1"));
    assert_eq!(kind(refused), "conflict");
    let second = add(&env, &acme.owner, item("DRAIN-2"));
    let taken = json!({ "sku": "Drain\u{200b}-1" });
    assert_eq!(kind(update(&env, &acme.owner, &second, taken.clone())), "conflict");
    update(&env, &acme.owner, &first, json!({ "sku": "drain-1" })).expect("its own SKU");
    archive(&env, &acme.owner, &first);
    update(&env, &acme.owner, &second, taken).unwrap();
    let operator = crate::testing::Caller::operator(Some(acme.account));
    let restore = |id: &str| env.call(&operator, "catalog_items.restore", json!({ "id": id }));
    assert_eq!(kind(restore(&first)), "conflict");
    update(&env, &acme.owner, &second, json!({ "sku": null })).unwrap();
    assert_eq!(restore(&first).unwrap()["restored"], true);
    assert_eq!(kind(restore(&first)), "not_found");
    let other = env.empty_business("Other");
    add(&env, &other.owner, item("DRAIN-1"));
}

#[both]
fn a_category_is_one_of_the_account() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let unknown = "0198c1f0-0000-7000-8000-000000000020";
    let item = json!({ "kind": "fee", "name": "Trip", "price": 40, "category_id": unknown });
    assert_eq!(kind(env.call(&acme.owner, "catalog_items.create", item)), "not_found");
    let id = add(&env, &acme.owner, json!({ "kind": "fee", "name": "Trip", "price": 40 }));
    let refused = update(&env, &acme.owner, &id, json!({ "category_id": unknown }));
    assert_eq!(kind(refused), "not_found");
    let rows = env.call(&acme.owner, "catalog_items.list", json!({ "category_id": unknown }));
    assert_eq!(rows.unwrap()["rows"], json!([]), "an unknown category has no items");
}
