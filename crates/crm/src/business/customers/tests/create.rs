//! Creating a customer with flags and tags.

use serde_json::{Value, json};
use zoop_both::both;

use super::{problems, search};
use crate::call::scope::Scope;
use crate::testing::{TestEnv, error_json, text};

#[both]
fn a_new_customer_can_have_flags_and_tags() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let hoa = acme.id("tag").to_owned();
    let slow = env.create(&acme.owner, "tags.create", json!({ "name": "Slow pay" }));
    let created = env
        .call(
            &acme.owner,
            "customers.create",
            json!({
                "customer_type": "individual", "first_name": "Vera", "is_vip": true,
                "do_not_contact": true, "do_not_contact_reason": "Asked us.",
                "tags": ["slow PAY", hoa, " Slow pay"], "idempotency_key": "k",
            }),
        )
        .expect("a customer");
    assert_eq!(created["is_vip"], true);
    assert_eq!(created["do_not_contact"], true);
    assert_eq!(created["do_not_contact_reason"], "Asked us.");
    let names: Vec<_> =
        created["tags"].as_array().unwrap().iter().map(|it| text(it, "name")).collect();
    assert_eq!(names, ["HOA", "Slow pay"], "each tag once, by name");
    let full = env.call(&acme.owner, "customers.get", json!({ "id": created["id"] })).unwrap();
    assert_eq!(full["tags"], created["tags"]);
    for tag in [&hoa, &slow] {
        assert_eq!(search(&env, &acme, json!({ "tag": tag })), ["Vera"], "{tag}");
    }
    let own = json!({ "record_id": created["id"], "limit": 1 });
    let history = env.call_as_operator(Some(acme.account), "changes.list", own);
    let changes = history["rows"][0]["changes"].as_array().unwrap();
    let attached = changes.iter().filter(|change| change["field"] == "tag").count();
    assert_eq!(attached, 2, "{changes:?}");

    let plain = json!({
        "customer_type": "company", "company_name": "Plain", "tags": [], "is_vip": null,
        "do_not_contact_reason": "",
    });
    let plain = env.call(&acme.owner, "customers.create", plain).expect("a customer");
    assert_eq!((&plain["tags"], &plain["is_vip"]), (&json!([]), &json!(false)));
    assert_eq!(plain["do_not_contact_reason"], Value::Null);
}

#[both]
fn a_tag_that_does_not_exist_is_named_and_nothing_is_written() {
    let env = TestEnv::new();
    let (acme, other) = (env.business("Acme"), env.business("Other"));
    let theirs = env.create(&other.owner, "tags.create", json!({ "name": "Theirs" }));
    let unknown = "01890000-0000-7000-8000-000000000000";
    let create =
        |tags: Value| json!({ "customer_type": "individual", "first_name": "Vera", "tags": tags });
    let named = problems(
        &env,
        &acme,
        "customers.create",
        create(json!(["HOA", "Theirs", theirs, unknown])),
    );
    assert_eq!(named, ["tags[1]", "tags[2]", "tags[3]"]);
    let problem = |tag: &str| {
        let refused = env.call(&acme.owner, "customers.create", create(json!([tag])));
        error_json(&refused.expect_err("no such tag"))
    };
    assert_eq!(problem(&theirs), problem(unknown), "another business's tag is unknown");
    assert!(search(&env, &acme, json!({ "q": "vera" })).is_empty());
    let many: Vec<_> = (0..201).map(|number| format!("tag {number}")).collect();
    assert_eq!(problems(&env, &acme, "customers.create", create(json!(many))), ["tags"]);
    assert_eq!(
        problems(&env, &acme, "customers.create", create(json!(["", 7]))),
        ["tags[0]", "tags[1]"]
    );
}

#[both]
fn the_receipt_of_a_customer_with_tags_shows_none() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    let tagged = json!({ "customer_type": "individual", "first_name": "Vera", "tags": ["hoa"] });
    let receipt = env.call(&writer, "customers.create", tagged).expect("a receipt");
    assert_eq!(receipt.get("tags"), None);
    assert_eq!(search(&env, &acme, json!({ "tag": acme.id("tag") })), ["Vera"]);
}
