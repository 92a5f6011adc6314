//! Receipts: what a caller who may write but not read learns about customers.

use serde_json::{Value, json};
use zoop_both::both;

use super::company;
use crate::call::scope::Scope;
use crate::testing::TestEnv;

#[both]
fn a_receipt_shows_nothing_that_was_stored_before() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    let id = company(&env, &acme, "Quiet");
    env.call(
        &acme.owner,
        "contacts.create",
        json!({
            "customer_id": id, "first_name": "A", "last_name": "B", "phone": "510-555-0155",
            "email": "secret@example.com",
        }),
    )
    .unwrap();
    let receipt = env
        .call(&writer, "customers.update", json!({ "id": id, "phone": null, "is_vip": true }))
        .unwrap();
    assert_eq!(
        receipt,
        json!({
            "id": id, "updated_at": "2026-06-13T18:00:00.000Z", "primary_phone": null, "is_vip": true,
        })
    );
    let created = env
        .call(
            &writer,
            "contacts.create",
            json!({
                "customer_id": id, "first_name": "C", "last_name": "D",
            }),
        )
        .unwrap();
    let keys: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "created_at", "customer_id", "first_name", "last_name"]);
}

#[both]
fn write_only_callers_learn_neither_a_customers_type_nor_that_it_is_archived() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    let error_text = |access, tool: &str, arguments: Value| {
        env.call(access, tool, arguments).unwrap_err().public_json("test")
    };
    let quiet = company(&env, &acme, "Quiet");
    for id in [acme.id("customer"), &quiet] {
        let fields = json!({ "id": id, "last_name": "x", "company_name": "y" });
        let hidden = error_text(&writer, "customers.update", fields.clone());
        assert!(hidden.contains("must match the customer's type"), "{hidden}");
        let shown = error_text(&acme.owner, "customers.update", fields);
        assert!(shown.contains("because its customer_type is"), "{shown}");
        assert!(!hidden.contains("customer_type"), "{hidden}");
    }
    let error_for = |id: &str| {
        error_text(
            &writer,
            "customers.update",
            json!({ "id": id, "last_name": "x", "company_name": "y" }),
        )
    };
    assert_eq!(error_for(acme.id("customer")), error_for(&quiet), "both types get the same error");

    env.call(&acme.owner, "customers.archive", json!({ "id": quiet })).unwrap();
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (tool, key, more) in [
        ("customers.archive", "id", json!({})),
        ("customers.update", "id", json!({ "is_vip": true })),
        ("contacts.create", "customer_id", json!({ "first_name": "A", "last_name": "B" })),
    ] {
        let answer = |id: &str| {
            let mut arguments = more.clone();
            arguments[key] = json!(id);
            error_text(&writer, tool, arguments)
        };
        assert_eq!(answer(&quiet), answer(nobody), "{tool}");
    }
}
