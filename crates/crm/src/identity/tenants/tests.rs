//! Tests of the tenant tools, through the pipeline.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::access::Source;
use crate::search::TenantMark;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

/// Sets the last tenant number, so that the next tenant gets the following number.
fn set_last_number(env: &TestEnv, number: i64) {
    if let Some(server) = env.server() {
        let script = format!("SELECT setval(pg_get_serial_sequence('tenants', 'no'), {number})");
        server.run(&script).expect("the sequence should be set");
    } else {
        let file = rusqlite::Connection::open(env.path()).expect("the database file should open");
        let set = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'tenants'";
        assert_eq!(file.execute(set, [number]).expect("the counter should be set"), 1);
    }
}

#[both]
fn a_tenant_beyond_the_range_of_the_search_index_is_not_created() {
    let env = TestEnv::new();
    env.empty_business("First");
    set_last_number(&env, TenantMark::TENANTS - 2);
    let last = env.empty_business("Last");
    assert_eq!(i64::from(last.account.number.0), TenantMark::TENANTS - 1);
    let found = env.call(&last.owner, "customers.search", json!({ "q": "a" })).unwrap();
    assert_eq!(found["rows"], json!([]));

    let arguments =
        json!({ "name": "Beyond", "owner_name": "B", "owner_email": "beyond@example.com" });
    let refused = env.call(&Caller::operator(None), "tenants.create", arguments).unwrap_err();
    let error = error_json(&refused);
    assert_eq!(error["kind"], "conflict", "{error}");
    assert!(error["message"].as_str().unwrap().contains("another database"), "{error}");
    let tenants = env.call_as_operator(None, "tenants.list", json!({}));
    assert_eq!(tenants["rows"].as_array().unwrap().len(), 2, "no row of the rejected tenant");
}

/// A caller in a browser session of a user.
fn in_session(env: &TestEnv, business: &Business, user: &Caller) -> Caller {
    let (_, signed_in) = env.sign_in(Business::user(user));
    env.in_tenant(signed_in.in_tenant(business.account.id, Source::default()))
}

/// The settings of a business as `account.get` shows them.
fn settings(env: &TestEnv, business: &Business) -> [Value; 4] {
    let account = env.call(&business.office, "account.get", json!({})).expect("the account");
    ["name", "country", "time_zone", "currency"].map(|name| account[name].clone())
}

#[both]
fn a_new_business_has_the_settings_that_were_sent_and_defaults_for_the_others() {
    let env = TestEnv::new();
    for (sent, expected) in [
        (json!({}), ["US", "UTC", "USD"]),
        (json!({ "country": "de" }), ["DE", "UTC", "EUR"]),
        (
            json!({ "country": "CA", "time_zone": "america/vancouver", "currency": "usd" }),
            ["CA", "America/Vancouver", "USD"],
        ),
    ] {
        let mut arguments = sent.clone();
        arguments["name"] = json!("New");
        arguments["owner_name"] = json!("Nora New");
        arguments["owner_email"] = json!("nora@example.com");
        env.call_as_operator(None, "tenants.create", arguments);
        let listed = env.call_as_operator(None, "tenants.list", json!({}));
        let last = listed["rows"].as_array().expect("rows").last().expect("a row").clone();
        let shown = ["country", "time_zone", "currency"].map(|name| last[name].clone());
        assert_eq!(shown, expected.map(Value::from), "{sent}");
    }
}

#[both]
fn an_owner_changes_only_what_was_sent_and_the_history_records_it() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let owner = in_session(&env, &acme, &acme.owner);
    let zone = json!({ "time_zone": "america/los angeles" });
    let changed = env.call(&owner, "tenants.update", zone).expect("a change");
    assert_eq!(changed["time_zone"], "America/Los_Angeles");
    assert_eq!(changed["id"], json!(acme.account.id));
    env.call(&owner, "tenants.update", json!({ "country": "CH", "name": "Acme AG" })).unwrap();
    let [name, country, zone, currency] = settings(&env, &acme);
    assert_eq!([&name, &country, &zone], ["Acme AG", "CH", "America/Los_Angeles"]);
    assert_eq!(currency, "CHF", "a currency that was never set is that of the country");
    env.call(&owner, "tenants.update", json!({ "currency": "EUR" })).unwrap();
    env.call(&owner, "tenants.update", json!({ "country": "US" })).unwrap();
    assert_eq!(settings(&env, &acme), ["Acme AG", "US", "America/Los_Angeles", "EUR"]);
    assert_eq!(settings(&env, &other), ["Other", "US", "UTC", "USD"]);

    let history = env.call_as_operator(
        Some(acme.account),
        "changes.list",
        json!({ "record_id": changed["id"] }),
    );
    let entry = &history["rows"][3];
    assert_eq!(entry["tool"], "tenants.update");
    assert_eq!(entry["user_id"], json!(Business::user(&acme.owner)));
    let change = json!({ "record_type": "tenant", "record_id": changed["id"], "field": "time_zone",
                         "old": "UTC", "new": "America/Los_Angeles" });
    assert_eq!(entry["changes"], json!([change]));
}

#[both]
fn only_owners_and_the_operator_change_a_business() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let change = json!({ "currency": "CAD" });
    for user in [&acme.office, &acme.tech] {
        let session = in_session(&env, &acme, user);
        let refused = env.call(&session, "tenants.update", change.clone()).unwrap_err();
        assert_eq!(error_json(&refused)["kind"], "insufficient_scope");
    }
    assert_eq!(settings(&env, &acme)[3], "USD");
    env.call_as_operator(Some(acme.account), "tenants.update", change);
    assert_eq!(settings(&env, &acme)[3], "CAD");
}

#[both]
fn invalid_settings_are_all_reported_and_change_nothing() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let owner = in_session(&env, &acme, &acme.owner);
    let fields = |arguments: Value| {
        let error = error_json(&env.call(&owner, "tenants.update", arguments).unwrap_err());
        let fields = error["fields"].as_array().expect("fields").iter();
        fields.map(|it| text(it, "field").to_owned()).collect::<Vec<_>>()
    };
    let wrong = json!({ "name": " ", "country": "ZZ", "time_zone": "EDT", "currency": "XAU" });
    assert_eq!(fields(wrong), ["name", "country", "time_zone", "currency"]);
    assert_eq!(fields(json!({ "time_zone": null, "currency": null })), ["time_zone", "currency"]);
    assert_eq!(fields(json!({})), ["arguments"]);
    assert_eq!(fields(json!({ "time_zone": "UTC", "currency": "€" })), ["currency"]);
    assert_eq!(settings(&env, &acme), ["Acme", "US", "UTC", "USD"]);
}

#[both]
fn the_currency_stays_once_a_record_has_a_price() {
    let env = TestEnv::new();
    for priced in ["item", "quote"] {
        let acme = env.empty_business(priced);
        let operator = Caller::operator(Some(acme.account));
        let customer = json!({ "customer_type": "individual", "first_name": "Hana" });
        let customer = env.create(&acme.owner, "customers.create", customer);
        let quote = json!({ "title": "Repipe", "customer_id": customer });
        let quote = env.create(&acme.owner, "quotes.create", quote);
        env.call(&operator, "tenants.update", json!({ "currency": "CAD" })).expect("no price yet");
        if priced == "item" {
            let item = json!({ "kind": "fee", "name": "Permit", "price": 40 });
            env.create(&acme.owner, "catalog_items.create", item);
        } else {
            let lines =
                json!({ "id": quote, "line_items": [{ "description": "Pipe", "unit_price": 1 }] });
            let quote = env.call(&operator, "quotes.set_lines", lines).expect("lines");
            assert_eq!(quote["currency"], "CAD");
        }
        let refused = env.call(&operator, "tenants.update", json!({ "currency": "USD" }));
        assert_eq!(refused.expect_err(priced).kind(), "conflict");
        let same = json!({ "currency": "CAD", "name": "Acme" });
        env.call(&operator, "tenants.update", same).expect("it stays the same");
    }
    let acme = env.empty_business("Abroad");
    let operator = Caller::operator(Some(acme.account));
    let item = json!({ "kind": "fee", "name": "Permit", "price": 40 });
    env.create(&acme.owner, "catalog_items.create", item);
    env.call(&operator, "tenants.update", json!({ "country": "DE" })).expect("a country");
    assert_eq!(settings(&env, &acme), ["Abroad", "DE", "UTC", "USD"]);
}
