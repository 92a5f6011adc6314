//! `customers.find_duplicates`: candidates, evidence and pages. How well it finds is measured in `tests/duplicates.rs`
//! of the crate.

use serde_json::{Value, json};
use zoop_both::both;

use super::{person, problems};
use crate::call::run;
use crate::catalog;
use crate::testing::{Business, TestEnv, error_json, text};

fn find(env: &TestEnv, business: &Business, arguments: Value) -> Vec<Value> {
    let page = env.call(&business.owner, "customers.find_duplicates", arguments).expect("a page");
    page["rows"].as_array().expect("rows").clone()
}

/// The rows as `name: evidence`, with a question mark if they are not likely.
fn told(rows: &[Value]) -> Vec<String> {
    let told = rows.iter().map(|row| {
        let evidence = row["evidence"].as_array().expect("evidence").iter();
        let words: Vec<_> = evidence.map(|it| text(it, "same").to_owned()).collect();
        let mark = if row["likely"] == true { "" } else { "?" };
        format!("{}: {}{mark}", text(row, "display_name"), words.join(", "))
    });
    told.collect()
}

fn home(line1: &str) -> Value {
    json!({ "address_line1": line1, "city": "Oakland", "state": "CA", "postal_code": "94607" })
}

#[both]
fn duplicates_of_a_customer_come_with_their_evidence() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let phone = "(510) 555-0199";
    let one = json!({ "last_name": "Reyes", "phone": phone, "location": home("12 Oak Street") });
    let id = person(&env, &acme, "Robert", one);
    let more = json!({ "last_name": "Reyes", "location": home("12 Oak St., Apt 2") });
    person(&env, &acme, "Bob", more);
    person(&env, &acme, "Xavier", json!({ "last_name": "Miller", "phone": "+1 510.555.0199" }));
    person(&env, &acme, "Anna", json!({ "last_name": "Reyes", "location": home("12 Oak Street") }));
    person(&env, &acme, "Robert", json!({ "last_name": "Rayes" }));
    let archived = person(&env, &acme, "Robert", json!({ "last_name": "Reyes" }));
    env.call(&acme.owner, "customers.archive", json!({ "id": archived })).unwrap();
    let other = env.empty_business("Other");
    person(&env, &other, "Robert", json!({ "last_name": "Reyes", "phone": phone }));
    let rows = find(&env, &acme, json!({ "customer_id": id }));
    assert_eq!(
        told(&rows),
        ["Bob Reyes: nickname, address", "Robert Rayes: similar_name", "Xavier Miller: phone?",]
    );
    assert_eq!(
        rows[0]["evidence"],
        json!([
            { "same": "nickname" },
            { "same": "address", "value": "12 Oak St., Apt 2, Oakland, CA 94607" },
        ])
    );
    assert_eq!(rows[2]["evidence"], json!([{ "same": "phone", "value": "+15105550199" }]));
    assert_eq!(rows[0]["location"], "12 Oak St., Apt 2, Oakland, CA 94607");
    // Paged, they are the same.
    let mut paged = Vec::new();
    let mut arguments = json!({ "customer_id": id, "limit": 2 });
    loop {
        let page = env.call(&acme.owner, "customers.find_duplicates", arguments).unwrap();
        paged.extend(page["rows"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        arguments = json!({ "cursor": cursor, "limit": 2 });
    }
    assert_eq!(paged, rows);
    assert!(find(&env, &acme, json!({ "customer_id": archived })).len() > 1);
    let unknown = json!({ "customer_id": "01900000-0000-7000-8000-000000000000" });
    env.call(&acme.owner, "customers.find_duplicates", unknown).unwrap_err();
}

#[both]
fn duplicates_are_found_before_a_customer_is_there() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    env.create(
        &acme.owner,
        "customers.create",
        json!({
            "customer_type": "company", "company_name": "Bay Bakery LLC",
            "primary_contact": { "first_name": "Marco", "last_name": "Reyes", "phone": "510 555 0123" },
            "location": home("7 Elm Street"),
        }),
    );
    person(&env, &acme, "Ana", json!({ "last_name": "Souza", "email": "Ana@Example.com" }));
    for (fields, expected) in [
        (
            json!({ "company_name": "The Bay Bakery", "postal_code": "94607" }),
            &["Bay Bakery LLC: name, postal_code"][..],
        ),
        (
            json!({ "company_name": "Bay Bakary", "address_line1": "7 Elm St", "city": "Oakland" }),
            &["Bay Bakery LLC: similar_name, address"],
        ),
        (
            json!({ "first_name": "Marco", "last_name": "Reyes", "phone": "+1 510-555-0123" }),
            &["Bay Bakery LLC: phone, contact"],
        ),
        (json!({ "email": "ana@example.com" }), &["Ana Souza: email"]),
        (json!({ "first_name": "Souza", "last_name": "Ana" }), &["Ana Souza: swapped_names"]),
        (json!({ "first_name": "Ana" }), &[]),
        (
            json!({ "address_line1": "7 Elm Street", "postal_code": "94607" }),
            &["Bay Bakery LLC: address"],
        ),
        (json!({ "first_name": "Zoe", "last_name": "Quist", "city": "Oakland" }), &[]),
        (json!({ "city": "-" }), &[]),
    ] {
        assert_eq!(told(&find(&env, &acme, fields.clone())), expected, "{fields}");
    }
    let both = json!({ "customer_id": "01900000-0000-7000-8000-000000000000", "city": "Oakland" });
    assert_eq!(problems(&env, &acme, "customers.find_duplicates", both), ["city"]);
}

#[both]
fn likely_pairs_of_the_account_come_once_in_pages() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    for (first, last) in [("Bob", "Doe"), ("Robert", "Doe"), ("Ana", "Souza"), ("Roberto", "Doe")] {
        person(&env, &acme, first, json!({ "last_name": last }));
    }
    let letters = |number: u32| {
        let digits = format!("{number:02}").into_bytes();
        digits.into_iter().map(|it| char::from(it - b'0' + b'a').to_string().repeat(4)).collect()
    };
    // More customers than one page visits.
    for number in 0..60 {
        let [first, last]: [String; 2] =
            <Vec<String> as TryInto<_>>::try_into(letters(number)).unwrap();
        person(&env, &acme, &format!("{first}x"), json!({ "last_name": format!("{last}y") }));
    }
    person(&env, &acme, "Anna", json!({ "last_name": "Souza" }));
    for limit in [1, 100] {
        let (mut pairs, mut pages) = (Vec::new(), 0);
        let mut arguments = json!({ "limit": limit });
        loop {
            let page = env.call(&acme.owner, "customers.find_duplicates", arguments).unwrap();
            for row in page["rows"].as_array().unwrap() {
                let (newer, older) = (&row["duplicate_of"], text(row, "display_name"));
                pairs.push(format!("{}, {older}", text(newer, "display_name")));
            }
            pages += 1;
            let Some(cursor) = page["nextCursor"].as_str() else { break };
            arguments = json!({ "cursor": cursor, "limit": limit });
        }
        pairs.retain(|pair| !pair.contains('x'));
        assert_eq!(
            pairs,
            ["Anna Souza, Ana Souza", "Roberto Doe, Robert Doe", "Robert Doe, Bob Doe"]
        );
        assert!(pages > 1, "a page visits a bounded number of customers");
    }
}

#[both]
fn a_mark_is_undone_in_the_history() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let [one, other] =
        ["Bob", "Robert"].map(|first| person(&env, &acme, first, json!({ "last_name": "Doe" })));
    let count = || find(&env, &acme, json!({ "customer_id": one })).len();
    let mark = json!({ "customer_id": one, "other_id": other });
    env.call(&acme.owner, "customers.mark_different", mark).unwrap();
    assert_eq!(count(), 0);
    for expected in [1, 0, 1] {
        env.clock.advance(1_000_000);
        let newest = env.call(&acme.owner, "changes.list", json!({ "limit": 1 })).unwrap();
        let id = json!({ "id": newest["rows"][0]["id"] });
        env.call(&acme.owner, "changes.revert", id).expect("it can be undone");
        assert_eq!(count(), expected);
    }
}

#[both]
fn what_was_decided_on_a_page_hides_nothing_on_the_next() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let ids = [0; 4].map(|_| person(&env, &acme, "Bob", json!({ "last_name": "Doe" })));
    let page = |arguments: Value| {
        env.call(&acme.owner, "customers.find_duplicates", arguments).expect("a page")
    };
    for asked in [json!({ "limit": 1 }), json!({ "limit": 1, "customer_id": ids[3] })] {
        let first = page(asked.clone());
        let shown = text(&first["rows"][0], "id").to_owned();
        let all = page(json!({ "limit": 100, "customer_id": ids[3] }))["rows"].clone();
        let next = text(&all[1], "id").to_owned();
        let mark = |different: bool| {
            let mark = json!({ "customer_id": ids[3], "other_id": shown, "different": different });
            env.call(&acme.owner, "customers.mark_different", mark).unwrap();
        };
        mark(true);
        let second = page(json!({ "cursor": first["nextCursor"], "limit": 1 }));
        assert_eq!(second["rows"][0]["id"], json!(next), "{asked}");
        mark(false);
    }
}

/// Adds customers in one transaction.
fn fill(env: &TestEnv, business: &Business, customers: Vec<Value>) {
    let (access, environment) = (business.owner.clone(), env.environment.clone());
    let tool = catalog::find("customers.create").expect("a tool");
    env.write(move |tx| {
        for customer in &customers {
            run::write(tx, &environment, &access, tool, &customer.to_string(), None)?;
        }
        Ok(())
    })
    .expect("customers");
}

#[both]
fn a_common_street_and_name_hide_no_duplicate() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let smith = |first: &str, number: u32| {
        json!({
            "customer_type": "individual", "first_name": first, "last_name": "Smith",
            "location": home(&format!("{number} Oak Street")),
        })
    };
    let given = |number: u32| {
        format!(
            "{}{}",
            ["Kalo", "Beru", "Tivi", "Zoma"][number as usize % 4],
            "xyzw".repeat(number as usize % 7)
        )
    };
    let mut customers = vec![smith("Hannelore", 12)];
    customers.extend((0..400).map(|number| smith(&given(number), 100 + number)));
    fill(&env, &acme, customers);
    let arguments = json!({
        "first_name": "Hanelore", "last_name": "Smith", "address_line1": "12 Oak St",
        "postal_code": "94607",
    });
    assert_eq!(told(&find(&env, &acme, arguments)), ["Hannelore Smith: similar_name, address"]);
}

#[both]
fn customers_marked_as_different_are_no_candidates() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let [bob, robert] =
        ["Bob", "Robert"].map(|first| person(&env, &acme, first, json!({ "last_name": "Doe" })));
    let of = |id: &str| find(&env, &acme, json!({ "customer_id": id })).len();
    let pairs = || find(&env, &acme, json!({})).len();
    assert_eq!((of(&bob), of(&robert), pairs()), (1, 1, 1));
    let mark = |one: &str, other: &str, different: bool| {
        let pair = json!({ "customer_id": one, "other_id": other, "different": different });
        env.call(&acme.owner, "customers.mark_different", pair).unwrap()
    };
    let entries = || {
        let changes = json!({ "record_id": robert, "tool": "customers.mark_different" });
        let page = env.call(&acme.owner, "changes.list", changes).unwrap();
        page["rows"].as_array().unwrap().clone()
    };
    let answer = mark(&bob, &robert, true);
    assert_eq!(answer, json!({ "customer_id": bob, "other_id": robert, "different": true }));
    assert_eq!((of(&bob), of(&robert), pairs()), (0, 0, 0));
    // Before a customer is there, nobody knows who it is.
    assert_eq!(find(&env, &acme, json!({ "first_name": "Bob", "last_name": "Doe" })).len(), 2);
    mark(&robert, &bob, true);
    assert_eq!(entries()[0]["changes"].as_array().unwrap().len(), 2);
    assert_eq!(entries()[0]["can_revert"], true);
    mark(&robert, &bob, false);
    assert_eq!((of(&bob), of(&robert), pairs()), (1, 1, 1));
    let same = json!({ "customer_id": bob, "other_id": bob });
    assert_eq!(problems(&env, &acme, "customers.mark_different", same), ["other_id"]);
}

#[both]
fn a_new_customer_is_answered_with_those_likely_the_same() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let marie = json!({ "last_name": "Curie", "location": home("12 Oak Street") });
    let known = person(&env, &acme, "Marie", marie);
    person(
        &env,
        &acme,
        "Pierre",
        json!({ "last_name": "Curie", "location": home("12 Oak Street") }),
    );
    let mut new = json!({
        "customer_type": "individual", "first_name": "Mari", "last_name": "Curie",
        "location": home("12 Oak St"), "if_duplicate": "refuse",
    });
    let error = error_json(&env.call(&acme.owner, "customers.create", new.clone()).unwrap_err());
    let named = format!("Marie Curie (id {known}, match: similar name and address)");
    assert!(text(&error, "message").contains(&named), "{error}");
    new.as_object_mut().unwrap().remove("if_duplicate");
    new["idempotency_key"] = json!("once");
    let expected = json!([
        { "id": known, "display_name": "Marie Curie", "match": "similar name and address" }
    ]);
    for _ in 0..2 {
        let created = env.call(&acme.owner, "customers.create", new.clone()).unwrap();
        assert_eq!(created["possible_duplicates"], expected);
    }
}
