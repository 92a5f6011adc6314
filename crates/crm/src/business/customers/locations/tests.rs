//! Tests of the location tools, through the pipeline.

use serde_json::{Value, json};
use zoop_both::both;

use crate::testing::{Business, TestEnv, error_json, text};

fn call(env: &TestEnv, business: &Business, tool: &str, fields: Value) -> Value {
    let mut arguments = json!({ "customer_id": business.id("customer") });
    arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    match env.call(&business.owner, tool, arguments) {
        Ok(answer) => answer,
        Err(error) => error_json(&error),
    }
}

fn add(env: &TestEnv, business: &Business, label: &str, fields: Value) -> Value {
    let mut arguments = json!({
        "label": label, "address_line1": "1 Elm", "city": "Oakland", "state": "CA",
        "postal_code": "94607",
    });
    arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    call(env, business, "locations.create", arguments)
}

fn id(location: &Value) -> &str {
    text(location, "id")
}

fn is_primary(env: &TestEnv, business: &Business, location: &Value) -> bool {
    let shown = call(env, business, "locations.get", json!({ "id": location["id"] }));
    shown["is_primary"].as_bool().expect("a location")
}

#[both]
fn the_first_location_of_a_type_is_primary_and_a_second_primary_is_a_conflict() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let yard = add(&env, &acme, "Yard", json!({}));
    assert_eq!(
        yard["is_primary"], false,
        "the sample customer already has a primary service location"
    );
    assert_eq!(yard["location_type"], "service");
    let billing = add(&env, &acme, "Office", json!({ "location_type": "billing" }));
    assert_eq!(billing["is_primary"], true);
    let refused = add(&env, &acme, "Other", json!({ "is_primary": true }));
    assert_eq!(refused["kind"], "conflict");
    assert!(text(&refused, "message").contains("is_primary to false"), "{refused}");
    let listed = call(&env, &acme, "locations.list", json!({}));
    let order: Vec<_> =
        listed["rows"].as_array().unwrap().iter().map(|row| row["is_primary"] == true).collect();
    assert_eq!(order, [true, true, false], "primary locations first");
}

#[both]
fn promoting_another_location_takes_two_steps() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let yard = add(&env, &acme, "Yard", json!({}));
    let first = acme.id("location");
    let promote = json!({ "id": id(&yard), "is_primary": true });
    assert_eq!(call(&env, &acme, "locations.update", promote.clone())["kind"], "conflict");
    call(&env, &acme, "locations.update", json!({ "id": first, "is_primary": false }));
    assert_eq!(call(&env, &acme, "locations.update", promote)["is_primary"], true);
    let again = call(&env, &acme, "locations.update", json!({ "id": first, "is_primary": true }));
    assert_eq!(again["kind"], "conflict");
}

#[both]
fn a_location_that_changes_type_is_replaced_as_primary_and_is_primary_again_only_if_alone() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let first = json!({ "id": acme.id("location") });
    let yard = add(&env, &acme, "Yard", json!({}));
    let office = add(&env, &acme, "Office", json!({ "location_type": "billing" }));
    let moved = call(
        &env,
        &acme,
        "locations.update",
        json!({
            "id": first["id"], "location_type": "billing",
        }),
    );
    assert_eq!(moved["is_primary"], false, "billing already had a primary location");
    assert!(is_primary(&env, &acme, &yard), "the oldest other service location became primary");
    let refused = call(
        &env,
        &acme,
        "locations.update",
        json!({
            "id": id(&yard), "location_type": "billing", "is_primary": true,
        }),
    );
    assert_eq!(refused["kind"], "conflict");
    assert!(is_primary(&env, &acme, &yard), "a rejected call changes nothing");
    let alone = call(
        &env,
        &acme,
        "locations.update",
        json!({
            "id": id(&office), "location_type": "mailing",
        }),
    );
    assert_eq!(alone["is_primary"], true, "the only location of its type");
    assert!(is_primary(&env, &acme, &first), "the only remaining billing location is primary");
}

#[both]
fn archiving_a_primary_promotes_another_and_restoring_does_not_demote_it() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let first = acme.id("location").to_owned();
    let yard = add(&env, &acme, "Yard", json!({}));
    let archived = call(&env, &acme, "locations.archive", json!({ "id": first }));
    assert_eq!(archived, json!({ "archived": true, "id": first }));
    assert!(is_primary(&env, &acme, &yard));
    let again = call(&env, &acme, "locations.archive", json!({ "id": first }));
    assert_eq!(again["kind"], "not_found");
    let listed = call(&env, &acme, "locations.list", json!({ "archived": true }));
    assert_eq!(id(&listed["rows"][0]), first);
    env.call_as_operator(Some(acme.account), "locations.restore", json!({ "id": first }));
    assert!(!is_primary(&env, &acme, &json!({ "id": first })));
    call(&env, &acme, "locations.archive", json!({ "id": id(&yard) }));
    call(&env, &acme, "locations.archive", json!({ "id": first }));
    env.call_as_operator(Some(acme.account), "locations.restore", json!({ "id": first }));
    assert!(is_primary(&env, &acme, &json!({ "id": first })), "the only location of its type");
}

#[both]
fn coordinates_are_sent_in_pairs_and_countries_must_exist() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let created =
        add(&env, &acme, "A", json!({ "latitude": 37.8, "longitude": -122, "country": "ca" }));
    assert_eq!(created["latitude"], 37.8);
    assert_eq!(created["longitude"], -122.0);
    assert_eq!(created["country"], "CA");
    let cases = [
        (json!({ "latitude": 1 }), "longitude"),
        (json!({ "latitude": 1, "longitude": 181 }), "longitude"),
        (json!({ "latitude": "1", "longitude": 1 }), "latitude"),
        (json!({ "country": "XX" }), "country"),
        (json!({ "postal_code": "9".repeat(17) }), "postal_code"),
    ];
    for (fields, field) in cases {
        let refused = add(&env, &acme, "B", fields);
        assert_eq!(refused["fields"][0]["field"], field, "{refused}");
    }
    let bare = add(&env, &acme, "C", json!({}));
    for fields in [
        json!({ "latitude": null }),
        json!({ "longitude": null }),
        json!({ "latitude": 1 }),
        json!({ "longitude": 1 }),
        json!({ "latitude": 1, "longitude": null }),
        json!({ "latitude": null, "longitude": 1 }),
    ] {
        // The error neither depends on the stored values nor reveals them.
        let refusals = [&created, &bare].map(|location| {
            let mut fields = fields.clone();
            fields["id"] = json!(id(location));
            call(&env, &acme, "locations.update", fields)
        });
        assert_eq!(refusals[0], refusals[1], "{fields}");
        let problems = refusals[0]["fields"].as_array().expect("fields").iter();
        let names: Vec<_> = problems.map(|problem| text(problem, "field")).collect();
        assert_eq!(names, ["latitude", "longitude"], "{fields}");
    }
    let pair = json!({ "id": id(&created), "latitude": null, "longitude": null });
    assert_eq!(call(&env, &acme, "locations.update", pair)["latitude"], Value::Null);
    let moved = json!({ "id": id(&created), "latitude": 1, "longitude": 2 });
    assert_eq!(call(&env, &acme, "locations.update", moved)["longitude"], 2.0);
}
