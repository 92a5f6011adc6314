//! Creating, changing and archiving customers.

use serde_json::{Value, json};
use zoop_both::both;

use super::{company, person, problems, search};
use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

#[both]
fn the_documented_example_returns_the_documented_answer() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let created = env
        .call(
            &acme.owner,
            "customers.create",
            json!({
                "customer_type": "individual", "first_name": "Marco", "last_name": "Reyes",
                "phone": "(510) 555-0199", "email": "marco@example.com",
                "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                              "postal_code": "94607" },
            }),
        )
        .unwrap();
    assert_eq!(created["customer_number"], "C-0001");
    assert_eq!(created["display_name"], "Marco Reyes");
    assert_eq!(created["status"], "active");
    assert_eq!(created["primary_phone"], "+15105550199");
    assert_eq!(created["primary_phone_raw"], "(510) 555-0199");
    assert_eq!(created["primary_email"], "marco@example.com");
    assert_eq!(created["created_at"], "2026-06-13T18:00:00.000Z");
    assert_eq!(created["possible_duplicates"], json!([]));

    let full = env.call(&acme.owner, "customers.get", json!({ "id": created["id"] })).unwrap();
    assert_eq!(full["contacts"][0]["first_name"], "Marco");
    assert_eq!(full["contacts"][0]["last_name"], "Reyes");
    assert_eq!(full["contacts"][0]["is_primary"], true);
    assert_eq!(full["locations"][0]["city"], "Oakland");
    assert_eq!(full["locations"][0]["country"], "US");
    assert_eq!(full["locations"][0]["is_primary"], true);

    let page = env
        .call(&acme.owner, "customers.search", json!({ "q": "Reyes", "status": "active" }))
        .unwrap();
    let row = page["rows"][0].as_object().unwrap();
    let keys: Vec<_> = row.keys().map(String::as_str).collect();
    let documented =
        ["id", "display_name", "customer_type", "status", "primary_phone", "primary_email"];
    assert_eq!(keys[..6], documented);
    assert_eq!(page["nextCursor"], Value::Null);
    assert_eq!(page["hasMore"], false);
}

#[both]
fn all_problems_are_reported_at_once() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &["customer_type"]),
        (
            json!({ "customer_type": "individual", "phone": "12", "email": "nobody" }),
            &["phone", "email", "first_name"],
        ),
        (json!({ "customer_type": "company" }), &["company_name"]),
        (
            json!({ "customer_type": "individual", "first_name": "A", "company_name": "B",
                    "primary_contact": { "first_name": "C", "last_name": "D" } }),
            &["company_name", "primary_contact"],
        ),
        (
            json!({ "customer_type": "company", "company_name": "B", "first_name": "A",
                    "last_name": "C" }),
            &["first_name", "last_name"],
        ),
        (
            json!({ "customer_type": "company", "company_name": "B",
                    "primary_contact": { "first_name": "", "phone": "1" } }),
            &["primary_contact.first_name", "primary_contact.last_name", "primary_contact.phone"],
        ),
        (
            json!({ "customer_type": "individual", "first_name": "A",
                    "location": { "city": "X", "latitude": 91, "longitude": 5 } }),
            &[
                "location.address_line1",
                "location.state",
                "location.postal_code",
                "location.latitude",
            ],
        ),
        (
            json!({ "customer_type": "individual", "first_name": "A",
                    "location": { "address_line1": "1", "city": "X", "state": "CA",
                                  "postal_code": "9", "longitude": 5 } }),
            &["location.latitude"],
        ),
        (
            json!({ "customer_type": "individual", "first_name": "a".repeat(129),
                    "notes_internal": "n".repeat(10_001), "source": "s".repeat(65) }),
            &["first_name", "notes_internal", "source"],
        ),
        (json!({ "customer_type": "individual", "first_name": "A\u{0}B" }), &["first_name"]),
        (
            json!({ "customer_type": "individual", "frist_name": "A" }),
            &["first_name", "frist_name"],
        ),
        (json!({ "customer_type": 3, "first_name": ["A"] }), &["customer_type", "first_name"]),
    ];
    for (arguments, expected) in cases {
        let mut found = problems(&env, &acme, "customers.create", arguments.clone());
        let mut expected: Vec<_> = expected.iter().map(|name| (*name).to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{arguments}");
    }
    assert_eq!(search(&env, &acme, json!({})), Vec::<String>::new(), "nothing was written");
}

#[both]
fn an_unknown_field_is_reported_with_the_nearest_known_name() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let error = error_json(
        &env.call(
            &acme.owner,
            "customers.create",
            json!({
                "customer_type": "individual", "first_name": "A", "emial": "a@b.example",
            }),
        )
        .unwrap_err(),
    );
    assert_eq!(error["fields"][0]["field"], "emial");
    assert!(text(&error["fields"][0], "problem").contains("the nearest one is email"), "{error}");
}

#[both]
fn keys_that_clients_add_are_dropped() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for key in crate::call::argument::CLIENT_ADDED_KEYS {
        let arguments = json!({ "id": acme.id("customer"), *key: "x" });
        env.call(&acme.owner, "customers.get", arguments).expect(key);
    }
    let dropped = env.environment.dropped_client_keys.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(dropped, 6, "dropped keys are counted");
}

#[both]
fn a_duplicate_key_is_rejected_at_every_depth() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    for arguments in [
        r#"{"customer_type":"individual","first_name":"A","first_name":"B"}"#,
        r#"{"customer_type":"individual","first_name":"A","location":{"city":"A","city":"B"}}"#,
    ] {
        let error =
            error_json(&env.call_text(&acme.owner, "customers.create", arguments).unwrap_err());
        assert_eq!(error["kind"], "invalid_input");
        assert!(text(&error, "message").contains("twice"), "{error}");
    }
}

#[both]
fn a_companys_placeholder_contact_follows_its_name() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = company(&env, &acme, "Northside HOA");
    let contacts = |env: &TestEnv| {
        env.call(&acme.owner, "contacts.list", json!({ "customer_id": id })).unwrap()["rows"]
            .clone()
    };
    let placeholder = contacts(&env)[0].clone();
    assert_eq!(placeholder["first_name"], "Northside HOA");
    assert_eq!(placeholder["last_name"], Value::Null);
    assert_eq!(placeholder["is_primary"], true);

    env.call(&acme.owner, "customers.update", json!({ "id": id, "company_name": "Southside HOA" }))
        .unwrap();
    assert_eq!(contacts(&env)[0]["first_name"], "Southside HOA");

    let filled = env
        .call(&acme.owner, "contacts.create", json!({
            "customer_id": id, "first_name": "Ana", "last_name": "Núñez", "phone": "510-555-0101",
        }))
        .unwrap();
    assert_eq!(filled["id"], placeholder["id"], "the placeholder was filled");
    assert_eq!(filled["is_primary"], true);
    assert_eq!(contacts(&env).as_array().unwrap().len(), 1);
    env.call(&acme.owner, "customers.update", json!({ "id": id, "company_name": "Eastside" }))
        .unwrap();
    assert_eq!(
        contacts(&env)[0]["first_name"],
        "Ana",
        "a filled placeholder no longer follows the company's name"
    );
    let shown = env.call(&acme.owner, "customers.get", json!({ "id": id })).unwrap();
    assert_eq!(shown["primary_phone"], "+15105550101", "the phone of the primary contact");
}

#[both]
fn updates_change_only_what_was_sent_and_reject_immutable_fields() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = person(&env, &acme, "Ana", json!({ "notes_internal": "x", "source": "google" }));
    env.clock.advance(5_000);
    let updated = env
        .call(
            &acme.owner,
            "customers.update",
            json!({
                "id": id, "do_not_contact": true, "do_not_contact_reason": "asked\r\nus",
                "source": "", "status": "inactive",
            }),
        )
        .unwrap();
    assert_eq!(updated["do_not_contact_reason"], "asked\nus");
    assert_eq!(updated["source"], Value::Null, "an empty string clears the field");
    assert_eq!(updated["notes_internal"], "x", "a field that was not sent keeps its value");
    assert_eq!(updated["status"], "inactive");
    assert_eq!(updated["updated_at"], "2026-06-13T18:00:05.000Z");

    let refusals: Vec<(Value, &str)> = vec![
        (json!({ "id": id }), "arguments"),
        (json!({ "id": id, "customer_type": "company" }), "customer_type"),
        (json!({ "id": id, "first_name": null }), "first_name"),
        (json!({ "id": id, "is_vip": null }), "is_vip"),
        (json!({ "id": id, "status": null }), "status"),
        (json!({ "id": id, "status": "archived" }), "status"),
        (json!({ "id": id, "company_name": "X" }), "company_name"),
        (json!({ "id": id, "do_not_contact_reason": "r".repeat(501) }), "do_not_contact_reason"),
        (json!({ "id": "42", "is_vip": true }), "id"),
    ];
    for (arguments, field) in refusals {
        assert_eq!(problems(&env, &acme, "customers.update", arguments), [field]);
    }
    let error = error_json(
        &env.call(&acme.owner, "customers.update", json!({ "id": id, "customer_type": "company" }))
            .unwrap_err(),
    );
    assert!(text(&error, "message").contains("cannot be changed"), "{error}");
}

#[both]
fn archiving_hides_a_customer_until_it_is_restored() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = acme.id("customer").to_owned();
    let archived = env.call(&acme.owner, "customers.archive", json!({ "id": id })).unwrap();
    assert_eq!(archived, json!({ "archived": true, "id": id }));
    assert!(search(&env, &acme, json!({ "q": "nguyen" })).is_empty());
    assert_eq!(
        search(&env, &acme, json!({ "status": "archived" })),
        ["Closed Down", "Hana Nguyen"]
    );
    let shown = env.call(&acme.owner, "customers.get", json!({ "id": id })).unwrap();
    assert_eq!(shown["status"], "archived");
    for (tool, arguments) in [
        ("customers.archive", json!({ "id": id })),
        ("customers.update", json!({ "id": id, "is_vip": true })),
        ("contacts.create", json!({ "customer_id": id, "first_name": "A", "last_name": "B" })),
        ("locations.archive", json!({ "customer_id": id, "id": acme.id("location") })),
    ] {
        let error = error_json(&env.call(&acme.owner, tool, arguments).unwrap_err());
        assert_eq!(error["kind"], "not_found", "{tool}");
        let message = text(&error, "message");
        assert!(message.starts_with("This customer is "), "{tool}: {message}");
        assert!(message.contains("archived"), "{tool}: {message}");
        assert!(message.contains("customers.restore"), "{tool}: {message}");
        let is_again = tool == "customers.archive";
        assert!(is_again || message.contains("restore it first"), "{tool}: {message}");
    }
    let restore = |caller| env.call(caller, "customers.restore", json!({ "id": id }));
    let refused = error_json(&restore(&acme.tenant).unwrap_err());
    assert!(text(&refused, "message").contains("needs a person to act"), "{refused}");
    assert_eq!(restore(&acme.office).unwrap(), json!({ "restored": true, "id": id }));
    assert_eq!(search(&env, &acme, json!({ "q": "nguyen" })), ["Hana Nguyen"]);
    assert_eq!(error_json(&restore(&acme.office).unwrap_err())["kind"], "not_found");
}

#[both]
fn a_duplicate_by_phone_and_email_is_found_however_many_share_one_of_them() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let both = json!({ "phone": "+1 510 555 0123", "email": "hana@example.com" });
    let first = person(&env, &acme, "Hana", both.clone());
    for name in ["A", "B", "C", "D", "E", "F"] {
        person(&env, &acme, name, json!({ "email": "hana@example.com" }));
    }
    let mut arguments = both;
    arguments["customer_type"] = json!("individual");
    arguments["first_name"] = json!("Hana");
    let created = env.call(&acme.owner, "customers.create", arguments).unwrap();
    let duplicates = created["possible_duplicates"].as_array().unwrap();
    assert_eq!(duplicates.len(), 5);
    assert_eq!(
        duplicates[0],
        json!({ "id": first, "display_name": "Hana", "match": "phone and email" })
    );
}

#[both]
fn a_duplicate_is_found_behind_many_newer_customers() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let first = person(&env, &acme, "Hana", json!({ "phone": "+1 510 555 0123" }));
    for _ in 0..60 {
        person(&env, &acme, "Somebody", json!({}));
    }
    let arguments = json!({ "customer_type": "individual", "first_name": "Hana",
        "phone": "(510) 555-0123" });
    let created = env.call(&acme.owner, "customers.create", arguments).unwrap();
    assert_eq!(
        created["possible_duplicates"],
        json!([{ "id": first, "display_name": "Hana", "match": "phone" }])
    );
}

#[both]
fn a_customer_that_may_exist_is_refused_if_the_caller_asks_for_it() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let known = acme.id("customer");
    let add = |access: &Caller, phone: &str| {
        let fields = json!({ "customer_type": "company", "company_name": "Bay Bakery", "phone": phone,
                             "if_duplicate": "refuse" });
        env.call(access, "customers.create", fields)
    };
    let error = error_json(&add(&acme.owner, "510.555.0123").unwrap_err());
    assert_eq!(error["kind"], "conflict");
    let expected = format!(
        "The customer may exist already: Hana Nguyen (id {known}, match: phone). Update that one, or call again \
         without if_duplicate."
    );
    assert_eq!(error["message"], expected);
    let found = env.call(&acme.owner, "customers.search", json!({ "q": "bay bakery" })).unwrap();
    assert_eq!(found["rows"], json!([]), "nothing was written");
    assert_eq!(add(&acme.owner, "510.555.0177").unwrap()["possible_duplicates"], json!([]));
    let owner = Business::user(&acme.owner).to_string();
    let writer = env.access(&env.key(acme.account, Some(&owner), &[Scope::WriteCustomers]));
    let error = error_json(&add(&writer, "510.555.0123").unwrap_err());
    assert_eq!(error["fields"][0]["field"], "if_duplicate", "a writer does not learn who is there");
    assert_eq!(error, error_json(&add(&writer, "510.555.0166").unwrap_err()));
}

#[both]
fn possible_duplicates_are_listed_only_for_readers_and_never_rejected() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let fields = json!({ "phone": "+1 510 555 0123", "email": "HANA@example.com" });
    let first = person(&env, &acme, "Hana", fields);
    let arguments = json!({ "customer_type": "company", "company_name": "Hana's",
        "phone": "510.555.0123", "email": "hana@EXAMPLE.com" });
    let created = env.call(&acme.owner, "customers.create", arguments.clone()).unwrap();
    assert_eq!(
        created["possible_duplicates"],
        json!([
            { "id": first, "display_name": "Hana", "match": "phone and email" }
        ])
    );
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    let receipt = env.call(&writer, "customers.create", arguments).unwrap();
    let keys: Vec<_> = receipt.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "id",
            "customer_type",
            "customer_number",
            "display_name",
            "status",
            "primary_phone",
            "primary_email",
            "created_at"
        ]
    );
}
