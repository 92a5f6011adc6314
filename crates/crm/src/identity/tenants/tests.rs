//! Tests of the tenant tools, through the pipeline.

use serde_json::json;
use zoop_both::both;

use crate::search::TenantMark;
use crate::testing::{Caller, TestEnv, public_error};

/// Sets the counter of tenant numbers, so that the next tenant gets the following number.
fn count_from(env: &TestEnv, number: i64) {
    if let Some(server) = env.server() {
        let script = format!("SELECT setval(pg_get_serial_sequence('tenants', 'no'), {number})");
        server.run(&script).expect("the sequence should be set");
    } else {
        let file = rusqlite::Connection::open(env.path()).expect("the file");
        let set = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'tenants'";
        assert_eq!(file.execute(set, [number]).expect("the counter should be set"), 1);
    }
}

#[both]
fn a_business_beyond_the_last_that_can_be_searched_is_not_created() {
    let env = TestEnv::new();
    env.empty_business("First");
    count_from(&env, TenantMark::TENANTS - 2);
    let last = env.empty_business("Last");
    assert_eq!(i64::from(last.account.number.0), TenantMark::TENANTS - 1);
    let found = env.call(&last.owner, "customers.search", json!({ "q": "a" })).unwrap();
    assert_eq!(found["rows"], json!([]));

    let arguments =
        json!({ "name": "Beyond", "owner_name": "B", "owner_email": "beyond@example.com" });
    let refused = env.call(&Caller::operator(None), "tenants.create", arguments).unwrap_err();
    let told = public_error(&refused);
    assert_eq!(told["kind"], "conflict", "{told}");
    assert!(told["message"].as_str().unwrap().contains("another database"), "{told}");
    let kept = env.operate(None, "tenants.list", json!({}));
    assert_eq!(kept["rows"].as_array().unwrap().len(), 2, "no trace of the rejected tenant");
}
