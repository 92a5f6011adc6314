//! `customers.search`: matches, filters, order and pages.

use serde_json::{Value, json};
use zoop_both::both;

use super::{company, person, problems, search};
use crate::testing::{Business, TestEnv, text};

#[both]
fn search_finds_parts_of_names_and_phones_with_whole_matches_first() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    person(&env, &acme, "Đặng", json!({ "last_name": "Hoa", "phone": "(510) 555-0101" }));
    person(&env, &acme, "Anna", json!({ "last_name": "O’Neill" }));
    person(&env, &acme, "Annabel", json!({ "last_name": "Müller" }));
    let id = company(&env, &acme, "Anna's Bakery");
    env
        .call(&acme.owner, "contacts.create", json!({
            "customer_id": id, "first_name": "山田", "last_name": "太郎", "phone": "+44 20 7946 0958",
        }))
        .unwrap();
    person(&env, &acme, "Flora", json!({ "phone": "1-800-FLOWERS" }));
    let cases: &[(&str, &[&str])] = &[
        ("dang", &["Đặng Hoa"]),
        ("oneill", &["Anna O’Neill"]),
        ("o'neill anna", &["Anna O’Neill"]),
        ("anna", &["Anna O’Neill", "Anna's Bakery", "Annabel Müller"]),
        ("nna", &["Anna's Bakery", "Annabel Müller", "Anna O’Neill"]),
        ("muller", &["Annabel Müller"]),
        ("田", &["Anna's Bakery"]),
        ("510 555", &["Đặng Hoa"]),
        ("+1 (510) 555-0101", &["Đặng Hoa"]),
        ("555 dang", &["Đặng Hoa"]),
        ("020 7946", &["Anna's Bakery"]),
        ("bakery 7946", &["Anna's Bakery"]),
        ("1-800-FLOWERS", &["Flora"]),
        ("(800) flowers", &["Flora"]),
        ("+1 800 FLOWERS", &["Flora"]),
        ("800 356 9377", &["Flora"]),
        ("1-800-FLOWERZ", &[]),
        ("nobody", &[]),
        ("\" OR 1", &[]),
    ];
    for (q, expected) in cases {
        assert_eq!(search(&env, &acme, json!({ "q": q })), *expected, "{q}");
    }
    for q in ["", "  ", "!!", "🙂"] {
        assert_eq!(problems(&env, &acme, "customers.search", json!({ "q": q })), ["q"], "{q:?}");
    }
}

#[both]
fn search_filters_by_facets_alone_and_together() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.business("Other");
    person(&env, &acme, "Ines", json!({ "email": "Ines@Example.com" }));
    company(&env, &acme, "Ines and Co");
    let tag = acme.id("tag").to_owned();
    let hana = acme.id("customer").to_owned();
    let assignment = json!({ "id": tag, "customer_id": hana });
    env.call_as_operator(Some(acme.account), "tags.attach", assignment.clone());
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &["Ines and Co", "Ines", "Hana Nguyen"]),
        (json!({ "type": "company" }), &["Ines and Co"]),
        (json!({ "q": "ines", "type": "individual" }), &["Ines"]),
        (json!({ "tag": tag }), &["Hana Nguyen"]),
        (json!({ "tag": tag, "q": "ines" }), &[]),
        (json!({ "tag": other.id("tag") }), &[]),
        (json!({ "email": "INES@example.COM" }), &["Ines"]),
        (json!({ "customer_number": "C-0004" }), &["Ines and Co"]),
        (json!({ "customer_number": "c-4" }), &["Ines and Co"]),
        (json!({ "customer_number": "C-9" }), &[]),
        (json!({ "customer_number": "three" }), &[]),
        (json!({ "status": "inactive" }), &[]),
        (json!({ "q": null, "tag": null }), &["Ines and Co", "Ines", "Hana Nguyen"]),
    ];
    for (arguments, expected) in cases {
        assert_eq!(search(&env, &acme, arguments.clone()), expected, "{arguments}");
    }
    env.call_as_operator(Some(acme.account), "tags.detach", assignment);
    assert!(search(&env, &acme, json!({ "tag": tag })).is_empty());
}

#[both]
fn pages_neither_repeat_nor_skip_customers_and_keep_their_filters() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    for number in 0..60 {
        // In every third name "Ann" is a whole word, in the others it is part of a longer word.
        let first = if number % 3 == 0 { "Ann" } else { "Annika" };
        person(&env, &acme, first, json!({ "last_name": format!("N{number:02}") }));
    }
    let all = search(&env, &acme, json!({ "q": "ann", "limit": 100 }));
    assert_eq!(all.len(), 60);
    assert!(all[..20].iter().all(|name| name.starts_with("Ann ")), "whole words come first");
    for limit in [1, 7, 20, 59, 60] {
        let mut seen = Vec::new();
        let mut arguments = json!({ "q": "ann", "limit": limit });
        loop {
            let page = env.call(&acme.owner, "customers.search", arguments).unwrap();
            let rows = page["rows"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| text(row, "display_name").to_owned()));
            // A row created between two pages must neither appear nor displace another row.
            person(&env, &acme, "Bea", json!({}));
            if page["hasMore"] == false {
                assert_eq!(page["nextCursor"], Value::Null);
                break;
            }
            arguments = json!({ "cursor": page["nextCursor"], "limit": limit });
        }
        assert_eq!(seen, all, "pages of {limit}");
    }
}

#[both]
fn a_cursor_is_valid_only_for_its_own_list_and_tenant() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let other = env.empty_business("Other");
    for first in ["Ann", "Anna", "Annika"] {
        person(&env, &acme, first, json!({}));
    }
    let page =
        env.call(&acme.owner, "customers.search", json!({ "q": "ann", "limit": 1 })).unwrap();
    let cursor = text(&page, "nextCursor");
    let damaged =
        cursor.replacen(&cursor[10..11], if &cursor[10..11] == "x" { "y" } else { "x" }, 1);
    let refusals = [
        (&acme, json!({ "cursor": damaged }), "cursor"),
        (&acme, json!({ "cursor": "null" }), "cursor"),
        (&acme, json!({ "cursor": 7 }), "cursor"),
        (&acme, json!({ "cursor": "x".repeat(10_000) }), "cursor"),
        (&other, json!({ "cursor": cursor }), "cursor"),
        (&acme, json!({ "cursor": cursor, "q": "anna" }), "q"),
        (&acme, json!({ "limit": 0 }), "limit"),
        (&acme, json!({ "limit": 101 }), "limit"),
        (&acme, json!({ "limit": 9_007_199_254_740_993_i64 }), "limit"),
        (&acme, json!({ "limit": "20" }), "limit"),
    ];
    for (business, arguments, field) in refusals {
        let found = problems(&env, business, "customers.search", arguments.clone());
        assert_eq!(found, [field], "{arguments}");
    }
    let same = json!({ "cursor": cursor, "q": "ann" });
    assert_eq!(search(&env, &acme, same), ["Annika", "Anna"]);
}

#[both]
fn a_search_without_a_word_is_reported_with_all_other_problems() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.business("Other");
    let arguments = json!({ "q": "!!!", "limit": 0, "tag": other.id("tag") });
    assert_eq!(problems(&env, &acme, "customers.search", arguments), ["q", "limit"]);
}

#[both]
fn a_filter_sent_with_a_cursor_is_compared_by_meaning() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for first in ["Ann", "Anna"] {
        person(&env, &acme, first, json!({ "email": format!("{first}@example.com") }));
    }
    let next = |tool: &str, first: Value, again: Value| {
        let mut first = first;
        first["limit"] = json!(1);
        let page = env.call(&acme.owner, tool, first).expect(tool);
        let mut again = again;
        again["cursor"] = page["nextCursor"].clone();
        env.call(&acme.owner, tool, again).unwrap_or_else(|error| panic!("{error:?}"));
    };
    let spaces = " ".repeat(9_000);
    next("customers.search", json!({ "q": format!("ann{spaces}") }), json!({ "q": " ann" }));
    for number in 0..3 {
        let body = json!({ "body": format!("note {number}") });
        env.call(&acme.owner, "notes.create", body).unwrap();
    }
    next("notes.list", json!({}), json!({ "pinned": false }));
    next(
        "notes.list",
        json!({ "created_after": "2026-01-01T00:00:00Z" }),
        json!({ "created_after": "2026-01-01T01:00:00.000+01:00" }),
    );
    let owner = Business::user(&acme.owner).to_string();
    next(
        "notes.list",
        json!({ "created_by": owner.to_uppercase() }),
        json!({ "created_by": owner }),
    );
    // A required filter.
    let customer = acme.id("customer");
    let yard = json!({
        "customer_id": customer, "address_line1": "1 Elm", "city": "Oakland", "state": "CA",
        "postal_code": "94607",
    });
    env.call(&acme.owner, "locations.create", yard).unwrap();
    next(
        "locations.list",
        json!({ "customer_id": customer }),
        json!({ "customer_id": customer.to_uppercase() }),
    );
}

#[both]
fn an_empty_filter_is_rejected() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for tool in ["customers.search", "notes.list", "contacts.list"] {
        let tool = crate::catalog::find(tool).unwrap();
        for field in tool.fields() {
            if field.schema["type"] == "string" {
                let arguments = json!({ field.name: " " });
                let found = problems(&env, &acme, tool.name, arguments);
                assert!(found.contains(&field.name.to_owned()), "{} {found:?}", tool.name);
            }
        }
    }
}
