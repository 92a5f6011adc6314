//! The list: its order, pages and filters.

use serde_json::{Value, json};
use zoop_both::both;

use super::{add, archive, fields};
use crate::business::catalog_items::store::Position;
use crate::business::catalog_items::tools::list::{ListCatalogItemsInput, places};
use crate::call::argument::SearchText;
use crate::testing::{Business, Caller, TestEnv, text};

/// The names of all rows of the list, read page by page.
fn names(env: &TestEnv, caller: &Caller, mut filters: Value, limit: u32) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        filters["limit"] = json!(limit);
        let page = env.call(caller, "catalog_items.list", filters).unwrap();
        let rows = page["rows"].as_array().unwrap();
        names.extend(rows.iter().map(|row| text(row, "name").to_owned()));
        if page["hasMore"] == false {
            return names;
        }
        filters = json!({ "cursor": page["nextCursor"] });
    }
}

fn price_book(env: &TestEnv) -> Business {
    let acme = env.empty_business("Acme");
    for (kind, name, sku) in [
        ("service", "drain cleaning", "DRAIN-1"),
        ("product", "Ábaco valve", "VLV 22"),
        ("service", "Drain", "D-2"),
        ("product", "drainage pipe", "P/DRN"),
        ("fee", "Zone fee", "Z"),
        ("labor", "!!!", "BANG-80"),
        ("labor", "abaco valve", "VLV 23"),
    ] {
        let item = json!({ "kind": kind, "name": name, "price": 80, "sku": sku, "cost": 80 });
        add(env, &acme.owner, item);
    }
    acme
}

#[both]
fn items_are_sorted_by_folded_name_with_its_spaces_then_id() {
    let env = TestEnv::new();
    let acme = price_book(&env);
    let sorted = [
        "!!!",
        "Ábaco valve",
        "abaco valve",
        "Drain",
        "drain cleaning",
        "drainage pipe",
        "Zone fee",
    ];
    for limit in [1, 2, 100] {
        assert_eq!(names(&env, &acme.owner, json!({}), limit), sorted);
    }
}

#[both]
fn every_word_occurs_in_name_or_sku_also_inside_a_word() {
    let env = TestEnv::new();
    let acme = price_book(&env);
    for (q, found) in [
        ("RAIN", vec!["Drain", "drain cleaning", "drainage pipe"]),
        ("drain-1", vec!["drain cleaning"]),
        ("drn pip", vec!["drainage pipe"]),
        ("2 valve", vec!["Ábaco valve", "abaco valve"]),
        ("ábaco 22", vec!["Ábaco valve"]),
        ("ing ean", vec!["drain cleaning"]),
        ("cleaningd", vec![]),
        ("usd", vec![]),
    ] {
        for limit in [1, 100] {
            assert_eq!(names(&env, &acme.owner, json!({ "q": q }), limit), found, "{q}");
        }
    }
    // Neither by its price nor by its cost.
    assert_eq!(names(&env, &acme.owner, json!({ "q": "80" }), 25), ["!!!"], "by its SKU");
    let refused = env.call(&acme.owner, "catalog_items.list", json!({ "q": "!?" }));
    assert_eq!(fields(refused), ["q"]);
}

#[both]
fn a_kind_and_archived_items_are_listed_by_themselves() {
    let env = TestEnv::new();
    let acme = price_book(&env);
    let list = |filters: Value| names(&env, &acme.tenant, filters, 2);
    assert_eq!(list(json!({ "kind": "service" })), ["Drain", "drain cleaning"]);
    assert_eq!(list(json!({ "kind": "discount" })), Vec::<String>::new());
    assert_eq!(list(json!({ "kind": "product", "q": "pipe" })), ["drainage pipe"]);
    assert_eq!(list(json!({ "archived": true })), Vec::<String>::new());
    let page = env.call(&acme.owner, "catalog_items.list", json!({ "q": "zone" })).unwrap();
    archive(&env, &acme.owner, text(&page["rows"][0], "id"));
    assert_eq!(list(json!({ "archived": true })), ["Zone fee"]);
    assert_eq!(list(json!({ "archived": true, "kind": "fee" })), ["Zone fee"]);
    assert_eq!(list(json!({ "archived": false })).len(), 6);
    assert_eq!(list(json!({ "kind": "fee" })), Vec::<String>::new());
}

#[both]
fn a_rare_word_is_found_among_many_items() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let item = |n: usize| {
        let name = if n == 1_150 { "Needle".to_owned() } else { format!("Item {n:05}") };
        ("catalog_items.create".to_owned(), json!({ "kind": "fee", "name": name, "price": 1 }))
    };
    env.write_all(&acme.owner, (0..1_200).map(item).collect());
    assert_eq!(names(&env, &acme.owner, json!({ "q": "eedl" }), 25), ["Needle"]);
    let number = acme.account.number;
    let (first, second) = env
        .read(move |tx| {
            tx.bind(number);
            let needle = ListCatalogItemsInput {
                kind: None,
                category_id: None,
                q: Some(SearchText("eedl".to_owned())),
                archived: None,
            };
            let (first, stopped) = places(tx, &needle, Position::default(), 25, 1_000)?;
            let stopped = stopped.expect("it looks at a thousand items only");
            let (second, stopped) = places(tx, &needle, stopped, 25, 1_000)?;
            assert_eq!(stopped, None, "that is the end of the list");
            Ok((first.len(), second.len()))
        })
        .unwrap();
    assert_eq!((first, second), (0, 1), "the next page goes on where the search stopped");
    assert_eq!(names(&env, &acme.owner, json!({ "q": "item" }), 100).len(), 1_199);
    assert_eq!(names(&env, &acme.owner, json!({}), 100).len(), 1_200);
}
