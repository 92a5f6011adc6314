//! Tests of the tenant tools, through the pipeline.

use serde_json::json;
use zoop_both::both;

use crate::search::TenantMark;
use crate::testing::{Caller, TestEnv, error_json};

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
