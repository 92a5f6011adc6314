//! Tests of the tag tools, through the pipeline.

use serde_json::{Value, json};
use zoop_both::both;

use super::of_customers::CustomersTags;
use super::tools::DETACHED_AT_ONCE;
use crate::arguments;
use crate::call::run;
use crate::testing::{TestEnv, error_json, text};

#[both]
fn tag_names_are_unique_and_sorted_ignoring_case() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let other = env.empty_business("Other");
    for name in ["vip", "HOA", "Élan", "apple"] {
        env.create(&acme.owner, "tags.create", json!({ "name": name }));
    }
    env.create(&other.owner, "tags.create", json!({ "name": "HOA" }));
    let listed = env.call(&acme.owner, "tags.list", json!({})).unwrap();
    let names: Vec<_> =
        listed["rows"].as_array().unwrap().iter().map(|row| text(row, "name")).collect();
    assert_eq!(names, ["apple", "HOA", "vip", "Élan"]);
    let refused =
        error_json(&env.call(&acme.owner, "tags.create", json!({ "name": "hoa" })).unwrap_err());
    assert_eq!(refused["kind"], "conflict");
    let vip = listed["rows"][2]["id"].clone();
    let rename =
        |name: &str| env.call(&acme.owner, "tags.update", json!({ "id": vip, "name": name }));
    assert_eq!(error_json(&rename("hOa").unwrap_err())["kind"], "conflict");
    assert_eq!(rename("VIP").unwrap()["name"], "VIP", "a tag can change the case of its own name");
}

#[both]
fn tag_names_that_look_the_same_are_duplicates() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let create = |name: &str| env.call(&acme.owner, "tags.create", json!({ "name": name }));
    for (name, shown) in [("Very VIP\u{200b}", "Very VIP"), ("👩\u{200d}🚀", "👩\u{200d}🚀")]
    {
        assert_eq!(create(name).unwrap()["name"], shown, "invisible characters inside are kept");
    }
    for name in [
        "very vip",
        "Very V\u{200d}IP",
        "Very\u{a0}VIP",
        "Very \u{3164}VIP\u{fe0f}",
        "\u{202a}Very\u{ad} VIP\u{202c}",
    ] {
        assert_eq!(error_json(&create(name).unwrap_err())["kind"], "conflict", "{name:?}");
    }
    create("VeryVIP").expect("a name that looks different");
}

#[both]
fn a_color_has_a_default_and_must_be_valid() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let created = env.call(&acme.owner, "tags.create", json!({ "name": "a" })).unwrap();
    assert_eq!(created["color"], "#6B7280");
    assert_eq!(created["created_by"], json!(crate::testing::Business::user(&acme.owner)));
    for color in ["#3B82F", "3B82F6", "#3B82FG", "#3B82F6 0"] {
        let arguments = json!({ "id": created["id"], "color": color });
        let refused = error_json(&env.call(&acme.owner, "tags.update", arguments).unwrap_err());
        assert_eq!(refused["fields"][0]["field"], "color", "{color}");
    }
}

#[both]
fn deleting_a_tag_removes_its_assignments_and_records_them_in_the_history() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let tag = env.create(&acme.owner, "tags.create", json!({ "name": "Seasonal" }));
    let assignment = json!({ "id": tag, "customer_id": acme.id("customer") });
    env.call_as_operator(Some(acme.account), "tags.attach", assignment.clone());
    let tags = || {
        let id = json!({ "id": acme.id("customer") });
        env.call(&acme.owner, "customers.get", id).unwrap()["tags"].clone()
    };
    assert_eq!(tags(), json!([{ "id": tag, "name": "Seasonal", "color": "#6B7280" }]));
    let deleted = env.call(&acme.owner, "tags.delete", json!({ "id": tag })).unwrap();
    assert_eq!(deleted, json!({ "deleted": true, "id": tag }));
    assert_eq!(tags(), json!([]));
    let by_tag = env.call(&acme.owner, "customers.search", json!({ "tag": tag }));
    assert_eq!(by_tag.unwrap()["rows"], json!([]));
    let again = env.call(&acme.owner, "tags.delete", json!({ "id": tag }));
    assert_eq!(error_json(&again.unwrap_err())["kind"], "not_found");
    let own = json!({ "record_id": acme.id("customer"), "limit": 1 });
    let history = env.call_as_operator(Some(acme.account), "changes.list", own);
    let changes = history["rows"][0]["changes"].as_array().unwrap();
    let change = changes.iter().find(|change| change["record_type"] == "customer").unwrap();
    assert_eq!(change["field"], "tag");
    assert_eq!(change["old"], json!(tag));
    assert_eq!(change["new"], Value::Null);
}

#[both]
fn any_caller_who_may_write_attaches_and_detaches_tags() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let (tag, customer) = (acme.id("tag"), acme.id("customer"));
    let call = |caller, tool: &str, id: &str, customer: &str| {
        env.call(caller, tool, json!({ "id": id, "customer_id": customer }))
    };
    let is_found = || {
        let found = env.call(&acme.owner, "customers.search", json!({ "tag": tag })).unwrap();
        found["rows"].as_array().unwrap().iter().any(|row| row["id"] == customer)
    };
    for caller in [&acme.owner, &acme.office, &acme.tenant] {
        for _ in 0..2 {
            let attached = call(caller, "tags.attach", tag, customer).unwrap();
            let expected = json!({ "attached": true, "id": tag, "customer_id": customer });
            assert_eq!(attached, expected, "a second time too");
            assert!(is_found());
        }
        for _ in 0..2 {
            let detached = call(caller, "tags.detach", tag, customer).unwrap();
            let expected = json!({ "detached": true, "id": tag, "customer_id": customer });
            assert_eq!(detached, expected, "a second time too");
            assert!(!is_found());
        }
    }
    let refused = |answer: crate::call::error::Result<Value>| {
        let error = error_json(&answer.unwrap_err());
        (error["kind"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    };
    let (kind, _) = refused(call(&acme.tech, "tags.attach", tag, customer));
    assert_eq!(kind, "insufficient_scope");
    let other = env.business("Other");
    let archived = acme.id("archived_customer");
    assert!(call(&acme.owner, "tags.detach", tag, archived).is_ok());
    let (kind, message) = refused(call(&acme.owner, "tags.attach", tag, archived));
    assert_eq!(kind, "not_found");
    assert!(message.contains("customers.restore"), "{message}");
    for tool in ["tags.attach", "tags.detach"] {
        for (id, customer) in [(other.id("tag"), customer), (tag, other.id("customer"))] {
            assert_eq!(refused(call(&acme.owner, tool, id, customer)).0, "not_found", "{tool}");
        }
    }
}

/// Each part is a transaction of its own, so that a common tag does not hold up other writes.
#[both]
fn a_common_tag_is_deleted_in_parts() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let tag = env.create(&acme.owner, "tags.create", json!({ "name": "Common" }));
    let customers = DETACHED_AT_ONCE * 2 + 1;
    for number in 0..customers {
        let company =
            json!({ "customer_type": "company", "company_name": format!("Company {number}") });
        let customer = env.create(&acme.owner, "customers.create", company);
        let assignment = json!({ "id": tag, "customer_id": customer });
        env.call_as_operator(Some(acme.account), "tags.attach", assignment);
    }
    let deletion = json!({ "id": tag, "idempotency_key": "k" });
    let deleted = env.call(&acme.owner, "tags.delete", deletion.clone()).unwrap();
    assert_eq!(deleted, json!({ "deleted": true, "id": tag }));
    assert_eq!(env.call(&acme.owner, "tags.delete", deletion).unwrap(), deleted, "a retry");

    let entries = env.call_as_operator(Some(acme.account), "changes.list", json!({ "limit": 4 }));
    let changes: Vec<_> = entries["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["tool"] == "tags.delete")
        .map(|entry| entry["changes"].as_array().unwrap())
        .collect();
    let of_customers = |changes: &Vec<Value>| {
        changes.iter().filter(|change| change["record_type"] == "customer").count()
    };
    let newest_first: Vec<_> = changes.iter().copied().map(of_customers).collect();
    assert_eq!(newest_first, [1, DETACHED_AT_ONCE, DETACHED_AT_ONCE]);
    let is_of_tag = |change: &Value| change["record_type"] == "tag";
    assert!(changes[0].iter().any(is_of_tag), "the tag goes with the last part");
    let of_tag: Vec<_> = changes[1].iter().filter(|change| is_of_tag(change)).collect();
    assert_eq!(of_tag.len(), 1, "{of_tag:?}");
    assert_eq!(
        (&of_tag[0]["field"], &of_tag[0]["new"]),
        (&json!("detached"), &json!(DETACHED_AT_ONCE))
    );
}

#[both]
fn the_tags_of_several_customers_are_those_of_their_records() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let other = env.empty_business("Other");
    let company = |name: &str, tags: &[&str]| {
        let arguments = json!({
            "customer_type": "company", "company_name": name, "tags": tags,
        });
        env.create(&acme.owner, "customers.create", arguments)
    };
    for name in ["vip", "HOA", "\u{c9}lan"] {
        env.create(&acme.owner, "tags.create", json!({ "name": name, "color": "#3B82F6" }));
    }
    let ids = [
        company("Bay", &["vip", "\u{c9}lan", "HOA"]),
        company("Ito", &["HOA"]),
        company("Oak", &[]),
    ];
    let unasked = company("Elm", &["vip"]);
    let asked = |owner| {
        let (environment, caller) = (env.environment.clone(), owner);
        let arguments = arguments!(CustomersTags { customers: ids.to_vec() });
        env.read(move |tx| run::query(tx, &environment, &caller, arguments)).expect("the tags")
    };
    let tagged = asked(acme.owner.clone());
    assert_eq!(tagged.len(), 2, "{tagged:?}, without {unasked}");
    for it in tagged {
        let record = env.call(&acme.owner, "customers.get", json!({ "id": it.id })).unwrap();
        assert_eq!(json!(it.tags), record["tags"]);
    }
    assert!(asked(other.owner).is_empty(), "another business sees none");
}
