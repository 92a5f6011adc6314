//! Tests of the tools for catalog categories, through the pipeline.

use serde_json::{Value, json};
use zoop_both::both;

use super::MAX_CATEGORIES;
use crate::call::scope::ScopeNames;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

/// A business without records.
struct Shop {
    env: TestEnv,
    acme: Business,
}

impl Shop {
    fn new() -> Self {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        Self { env, acme }
    }

    fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.env.call(&self.acme.office, tool, arguments);
        answer.unwrap_or_else(|error| panic!("{tool}: {error:?}"))
    }

    fn refused(&self, tool: &str, arguments: Value) -> Value {
        error_json(&self.env.call(&self.acme.office, tool, arguments).expect_err(tool))["kind"]
            .clone()
    }

    /// Adds a category.
    fn add(&self, name: &str, parent: Option<&str>) -> String {
        let category = json!({ "name": name, "parent_id": parent });
        text(&self.call("catalog_categories.create", category), "id").to_owned()
    }

    /// Each category and the name of the one that it is in, in the order of the list.
    fn tree(&self) -> Vec<(String, String)> {
        let listed = self.call("catalog_categories.list", json!({}));
        let rows = listed["rows"].as_array().expect("rows").clone();
        let name = |id: &Value| {
            let found = rows.iter().find(|row| row["id"] == *id);
            found.map(|row| text(row, "name").to_owned()).unwrap_or_default()
        };
        rows.iter().map(|row| (text(row, "name").to_owned(), name(&row["parent_id"]))).collect()
    }
}

fn pairs(tree: &[(&str, &str)]) -> Vec<(String, String)> {
    tree.iter().map(|(name, parent)| ((*name).to_owned(), (*parent).to_owned())).collect()
}

#[both]
fn categories_are_listed_by_order_and_name() {
    let shop = Shop::new();
    let last = shop.add("alpha", None);
    shop.add("Zeta", None);
    shop.add("beta", None);
    shop.call("catalog_categories.update", json!({ "id": last, "sort_order": 3 }));
    assert_eq!(shop.tree(), pairs(&[("beta", ""), ("Zeta", ""), ("alpha", "")]));
}

#[both]
fn a_name_is_unique_in_its_place_without_case() {
    let shop = Shop::new();
    let heaters = shop.add("Heaters", None);
    let drains = shop.add("Drains", None);
    let create = |name: &str, parent: Option<&str>| json!({ "name": name, "parent_id": parent });
    assert_eq!(shop.refused("catalog_categories.create", create(" HEATERS ", None)), "conflict");
    let inner = shop.add("Heaters", Some(&drains));
    let up = json!({ "id": inner, "parent_id": null });
    assert_eq!(shop.refused("catalog_categories.update", up), "conflict");
    let rename = json!({ "id": drains, "name": "heaters" });
    assert_eq!(shop.refused("catalog_categories.update", rename), "conflict");
    shop.call("catalog_categories.update", json!({ "id": heaters, "name": "HEATERS" }));
    let foreign = shop.env.business("Beta");
    for parent in [foreign.id("catalog_category"), foreign.id("catalog_item")] {
        let refused = shop.refused("catalog_categories.create", create("New", Some(parent)));
        assert_eq!(refused, "not_found");
    }
}

#[both]
fn the_tree_has_five_levels_and_no_circle() {
    let shop = Shop::new();
    let mut levels = vec![shop.add("1", None)];
    for level in 2..=5 {
        levels.push(shop.add(&level.to_string(), levels.last().map(String::as_str)));
    }
    let sixth = json!({ "name": "6", "parent_id": levels[4] });
    assert_eq!(shop.refused("catalog_categories.create", sixth), "conflict");
    for below in [0, 2, 4] {
        let circle = json!({ "id": levels[0], "parent_id": levels[below] });
        assert_eq!(shop.refused("catalog_categories.update", circle), "conflict", "{below}");
    }
    let top = shop.add("Top", None);
    let deeper = json!({ "id": levels[0], "parent_id": top });
    assert_eq!(shop.refused("catalog_categories.update", deeper), "conflict", "six levels");
    shop.call("catalog_categories.update", json!({ "id": levels[1], "parent_id": top }));
}

#[both]
fn what_is_in_a_deleted_category_moves_to_its_parent() {
    let shop = Shop::new();
    let a = shop.add("A", None);
    let b = shop.add("B", Some(&a));
    shop.add("C", Some(&b));
    let item = |name: &str| {
        let item = json!({ "kind": "fee", "name": name, "price": 1, "category_id": b });
        text(&shop.call("catalog_items.create", item), "id").to_owned()
    };
    let (fee, old) = (item("Fee"), item("Old"));
    shop.call("catalog_items.archive", json!({ "id": old }));
    shop.call("catalog_categories.delete", json!({ "id": b }));
    assert_eq!(shop.tree(), pairs(&[("A", ""), ("C", "A")]));
    for item in [&fee, &old] {
        assert_eq!(shop.call("catalog_items.get", json!({ "id": item }))["category_id"], json!(a));
    }
    let newest = shop.call("changes.list", json!({ "limit": 1 }))["rows"][0].clone();
    let changes = newest["changes"].as_array().expect("changes").iter();
    let moved = changes.filter(|it| it["field"] == "parent_id" || it["field"] == "category_id");
    assert_eq!(moved.filter(|it| it["new"] == json!(a)).count(), 3, "{newest}");
    // A name that is taken there stops it, and nothing moves.
    let d = shop.add("D", Some(&a));
    shop.add("c", Some(&d));
    assert_eq!(shop.refused("catalog_categories.delete", json!({ "id": d })), "conflict");
    // A child may have the name of the deleted category.
    let twin = shop.add("Parts", None);
    shop.add("parts", Some(&twin));
    shop.call("catalog_categories.delete", json!({ "id": twin }));
    assert!(shop.tree().contains(&("parts".to_owned(), String::new())));
}

#[both]
fn a_deleted_category_is_gone_and_comes_back_with_all_that_was_in_it() {
    let shop = Shop::new();
    let a = shop.add("A", None);
    let b = shop.add("B", Some(&a));
    shop.add("C", Some(&b));
    let item = json!({ "kind": "fee", "name": "Fee", "price": 1, "category_id": b });
    let item = text(&shop.call("catalog_items.create", item), "id").to_owned();
    let before = shop.tree();
    shop.call("catalog_categories.delete", json!({ "id": b }));
    let get = json!({ "id": b });
    for tool in ["catalog_categories.get", "catalog_categories.delete"] {
        assert_eq!(shop.refused(tool, get.clone()), "not_found");
    }
    let entry = shop.call("changes.list", json!({ "limit": 1 }))["rows"][0]["id"].clone();
    shop.call("changes.revert", json!({ "id": entry }));
    assert_eq!(shop.tree(), before);
    assert_eq!(shop.call("catalog_items.get", json!({ "id": item }))["category_id"], json!(b));
}

#[both]
fn an_account_has_room_for_500_categories() {
    let shop = Shop::new();
    let create = |number: usize| {
        ("catalog_categories.create".to_owned(), json!({ "name": number.to_string() }))
    };
    shop.env.write_all(&shop.acme.owner, (0..MAX_CATEGORIES).map(create).collect());
    assert_eq!(shop.tree().len(), MAX_CATEGORIES);
    assert_eq!(shop.refused("catalog_categories.create", json!({ "name": "More" })), "conflict");
}

#[both]
fn an_umbrella_covers_items_and_categories() {
    let shop = Shop::new();
    let owner = Business::user(&shop.acme.owner).to_string();
    let key = |scopes: &str| -> Caller {
        let made = json!({ "user": owner, "scopes": scopes });
        let made = shop.env.call_as_operator(Some(shop.acme.account), "keys.create", made);
        shop.env.access(text(&made, "key"))
    };
    let writer = key("write:catalog");
    let made = shop.env.call(&writer, "catalog_categories.create", json!({ "name": "A" }));
    assert!(made.expect("made").get("sort_order").is_none(), "a receipt has what was sent");
    let refused = shop.env.call(&writer, "catalog_items.list", json!({})).expect_err("no scope");
    assert_eq!(error_json(&refused)["required"], json!(["read:catalog_items"]));
    let reader = key("read:catalog");
    for tool in ["catalog_items.list", "catalog_categories.list"] {
        shop.env.call(&reader, tool, json!({})).expect(tool);
    }
    let names = ScopeNames::parse(["read:catalog"]).expect("a name").list();
    assert_eq!(names, "read:catalog", "it keeps the name that it was given");
}
