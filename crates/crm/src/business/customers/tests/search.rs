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
        ("(510) 555-0109", &[]),
        ("zzzzz", &[]),
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

/// Adds a service address to a customer.
fn locate(env: &TestEnv, business: &Business, customer: &str, street: &str, city: &str) -> String {
    let location = json!({
        "customer_id": customer, "address_line1": street, "city": city, "state": "CA",
        "postal_code": "94607-1234", "label": "Rental",
    });
    env.create(&business.owner, "locations.create", location)
}

#[both]
fn search_filters_by_flags_and_places() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let ann = person(&env, &acme, "Ann", json!({ "phone": "(510) 555-0101" }));
    let bea = person(&env, &acme, "Bea", json!({}));
    let cleo = company(&env, &acme, "Cleo’s");
    let contact = json!({
        "customer_id": cleo, "first_name": "Dan", "last_name": "Fox", "phone": "510 555 0102",
    });
    env.call(&acme.owner, "contacts.create", contact).unwrap();
    locate(&env, &acme, &ann, "1 Elm Street", "Oakland");
    let former = locate(&env, &acme, &bea, "2 Elm Street", "San José");
    let update = json!({ "id": ann, "is_vip": true });
    env.call(&acme.owner, "customers.update", update).unwrap();
    let update = json!({ "id": bea, "do_not_contact": true });
    env.call(&acme.owner, "customers.update", update).unwrap();
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({ "is_vip": true }), &["Ann"]),
        (json!({ "is_vip": false }), &["Cleo’s", "Bea"]),
        (json!({ "do_not_contact": false }), &["Cleo’s", "Ann"]),
        (json!({ "do_not_contact": true }), &["Bea"]),
        (json!({ "has_phone": true }), &["Cleo’s", "Ann"]),
        (json!({ "has_phone": false }), &["Bea"]),
        (json!({ "city": "oakland" }), &["Ann"]),
        (json!({ "city": "San Jose" }), &["Bea"]),
        (json!({ "city": "San" }), &[]),
        (json!({ "postal_code": "94607" }), &["Bea", "Ann"]),
        (json!({ "postal_code": "94607-1234", "is_vip": true }), &["Ann"]),
        (json!({ "postal_code": "9460" }), &[]),
        (json!({ "is_vip": true, "city": "Oakland", "q": "elm" }), &["Ann"]),
        (json!({ "customer_type": "company" }), &["Cleo’s"]),
        (json!({ "customer_type": "company", "type": "company" }), &["Cleo’s"]),
        (json!({ "customer_type": null, "type": "company" }), &["Cleo’s"]),
    ];
    for (arguments, expected) in cases {
        assert_eq!(search(&env, &acme, arguments.clone()), expected, "{arguments}");
    }
    let both = json!({ "customer_type": "company", "type": "individual" });
    assert_eq!(problems(&env, &acme, "customers.search", both), ["customer_type"]);
    let wrong = json!({ "customer_type": "firm" });
    assert_eq!(problems(&env, &acme, "customers.search", wrong), ["type"]);
    // A filter that is false is one on the next page too.
    let first = json!({ "is_vip": false, "limit": 1 });
    let page = env.call(&acme.owner, "customers.search", first).unwrap();
    let next = json!({ "cursor": page["nextCursor"], "is_vip": false });
    assert_eq!(search(&env, &acme, next), ["Bea"]);
    let other = json!({ "cursor": page["nextCursor"], "is_vip": true });
    assert_eq!(problems(&env, &acme, "customers.search", other), ["is_vip"]);
    // Every change of an address reaches the index.
    let move_to =
        json!({ "id": former, "customer_id": bea, "city": "Fresno", "address_line1": "9 Oak" });
    env.call(&acme.owner, "locations.update", move_to).unwrap();
    assert_eq!(search(&env, &acme, json!({ "city": "San José" })), [""; 0]);
    assert_eq!(search(&env, &acme, json!({ "q": "9 oak fresno" })), ["Bea"]);
    let archive = json!({ "id": former, "customer_id": bea });
    env.call(&acme.owner, "locations.archive", archive).unwrap();
    assert_eq!(search(&env, &acme, json!({ "city": "Fresno" })), [""; 0]);
    env.call_as_operator(Some(acme.account), "locations.restore", json!({ "id": former }));
    assert_eq!(search(&env, &acme, json!({ "city": "Fresno" })), ["Bea"]);
}

#[both]
fn a_row_shows_whom_not_to_contact_and_why_it_matched() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = company(&env, &acme, "Pallet & Prow");
    for (first, more) in [
        ("Minh", json!({ "last_name": "Nguyen", "email": "minh@example.com" })),
        ("Luis", json!({ "last_name": "Ortega", "phone": "510 555 0103" })),
    ] {
        let mut contact = json!({ "customer_id": id, "first_name": first });
        contact.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        env.call(&acme.owner, "contacts.create", contact).unwrap();
    }
    let number = person(&env, &acme, "Number", json!({ "phone": "510 555 0104" }));
    locate(&env, &acme, &id, "57 Bremer Drive", "Oakland");
    let update = json!({ "id": id, "do_not_contact": true, "is_vip": true });
    env.call(&acme.owner, "customers.update", update).unwrap();
    let rows = |arguments: Value| {
        env.call(&acme.owner, "customers.search", arguments).expect("a page")["rows"].clone()
    };
    let all = rows(json!({ "type": "company" }));
    let keys: Vec<_> = all[0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "id",
        "display_name",
        "customer_type",
        "status",
        "primary_phone",
        "primary_email",
        "customer_number",
        "is_vip",
        "do_not_contact",
        "location",
    ];
    assert_eq!(keys, expected, "in this order, and nothing about matches without q");
    assert_eq!(all[0]["location"], "57 Bremer Drive, Oakland, CA 94607-1234");
    assert_eq!((&all[0]["is_vip"], &all[0]["do_not_contact"]), (&json!(true), &json!(true)));
    for (q, expected) in [
        ("pallet", json!([{ "field": "name" }])),
        ("minh", json!([{ "field": "contact", "contact": "Minh Nguyen" }])),
        ("minh@example.com", json!([{ "field": "email", "contact": "Minh Nguyen" }])),
        ("(510) 555-0103", json!([{ "field": "phone", "contact": "Luis Ortega" }])),
        ("prow oakland", json!([{ "field": "name" }, { "field": "address" }])),
        ("rental", json!([{ "field": "address" }])),
        ("C-0001", json!([{ "field": "number" }])),
        (
            "Ortega 57",
            json!([{ "field": "contact", "contact": "Luis Ortega" }, { "field": "address" }]),
        ),
    ] {
        let found = rows(json!({ "q": q }));
        assert_eq!(found[0]["id"], json!(id), "{q}");
        assert_eq!(found[0]["matched"], expected, "{q}");
    }
    let own = rows(json!({ "q": "5105550104" }));
    assert_eq!(
        (&own[0]["id"], &own[0]["matched"]),
        (&json!(number), &json!([{ "field": "phone" }]))
    );
}

#[both]
fn whole_names_come_before_parts_and_parts_before_addresses_on_every_page() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    for number in 0..12 {
        let first = ["Oakland", "Oaklander", "Ann"][number % 3];
        let id = person(&env, &acme, first, json!({ "last_name": format!("N{number:02}") }));
        locate(&env, &acme, &id, "1 Elm Street", "Oakland");
    }
    let all = search(&env, &acme, json!({ "q": "oakland", "limit": 100 }));
    let firsts: Vec<_> = all.iter().map(|name| name.split_once(' ').unwrap().0).collect();
    assert_eq!(firsts, [["Oakland"; 4], ["Oaklander"; 4], ["Ann"; 4]].concat());
    for limit in [1, 3, 4, 5, 11, 12] {
        let mut seen = Vec::new();
        let mut arguments = json!({ "q": "oakland", "limit": limit });
        loop {
            let page = env.call(&acme.owner, "customers.search", arguments).unwrap();
            let rows = page["rows"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| text(row, "display_name").to_owned()));
            if page["hasMore"] == false {
                break;
            }
            arguments = json!({ "cursor": page["nextCursor"], "limit": limit });
        }
        assert_eq!(seen, all, "pages of {limit}");
    }
}

#[both]
fn what_is_only_similar_is_marked_and_never_follows_what_matches() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    for number in 0..12 {
        person(&env, &acme, &format!("Number {number}"), json!({ "last_name": "Nguyen" }));
    }
    let page = |arguments: Value| env.call(&acme.owner, "customers.search", arguments).unwrap();
    let similar = page(json!({ "q": "Nguyne" }));
    let rows = similar["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    for row in rows {
        assert_eq!((&row["match"], row.get("matched")), (&json!("similar"), None), "{row}");
    }
    assert_eq!((&similar["hasMore"], &similar["nextCursor"]), (&json!(false), &Value::Null));
    for limit in [1, 3] {
        let few = page(json!({ "q": "Nguyne", "limit": limit }));
        assert_eq!(few["rows"].as_array().unwrap().len(), limit);
        assert_eq!(few["hasMore"], false);
    }
    assert_eq!(search(&env, &acme, json!({ "q": "nguyen 7 leak" })), ["Number 7 Nguyen"]);
    assert_eq!(search(&env, &acme, json!({ "q": "nguyne", "is_vip": true })), [""; 0]);
    // Whatever matches is not mixed with what is similar.
    let exact = person(&env, &acme, "Nguyne", json!({}));
    let found = page(json!({ "q": "nguyne" }));
    assert_eq!(found["rows"].as_array().unwrap().len(), 1);
    assert_eq!((&found["rows"][0]["id"], found["rows"][0].get("match")), (&json!(exact), None));
    let next = json!({ "q": "nguyne", "limit": 1 });
    assert_eq!(page(next)["hasMore"], false);
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
