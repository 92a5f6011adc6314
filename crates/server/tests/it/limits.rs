//! Requests in a rolling minute.

use serde_json::json;
use zoop_both::both;
use zoop_crm::access::Scope;
use zoop_server::Limits;

use crate::http::Reply;
use crate::server::Server;

fn limited(credential: u32, tenant: u32) -> Server {
    Server::start_with(|settings| settings.limits = Limits { credential, tenant }, None)
}

fn ping(server: &Server, key: &str) -> Reply {
    server.ask(key, "/api/mcp", "ping", json!({}))
}

#[both]
fn every_answer_to_a_known_caller_says_where_they_stand() {
    let server = limited(3, 5);
    let policy = r#""credential";q=3;w=60, "tenant";q=5;w=60"#;
    let stands = |reply: &Reply, left: &str| {
        assert_eq!(reply.header("ratelimit-policy"), Some(policy), "{reply:?}");
        assert_eq!(reply.header("ratelimit"), Some(left), "{reply:?}");
    };
    stands(&server.owner("ping", json!({})), r#""credential";r=2;t=60, "tenant";r=4;t=60"#);
    server.world.clock.advance(10_500);
    let unknown_tool = server.owner("tools/call", json!({ "name": "nothing" }));
    stands(&unknown_tool, r#""credential";r=1;t=50, "tenant";r=3;t=50"#);
    let refused_by_tool = server.call("customers.get", json!({ "id": "x" }));
    stands(&refused_by_tool, r#""credential";r=0;t=50, "tenant";r=2;t=50"#);
    let limited = server.owner("ping", json!({}));
    assert_eq!(limited.status, 429);
    stands(&limited, r#""credential";r=0;t=50, "tenant";r=2;t=50"#);
}

#[both]
fn past_the_limit_a_credential_waits_until_its_oldest_request_leaves() {
    let server = limited(2, 0);
    let key = &server.business.owner_key;
    assert_eq!(ping(&server, key).status, 200);
    server.world.clock.advance(20_000);
    assert_eq!(ping(&server, key).status, 200);
    let refused = ping(&server, key);
    assert_eq!((refused.status, refused.code()), (429, Some(-32003)), "{refused:?}");
    assert_eq!(refused.json()["id"], 7);
    assert_eq!(refused.header("retry-after"), Some("40"));
    let modern = server.modern("tools/list", json!({}), &[]);
    assert_eq!((modern.status, modern.code()), (429, Some(-31003)), "{modern:?}");
    // Another credential of the tenant is not held up, and refused requests did not count.
    assert_eq!(ping(&server, &server.business.tenant_key).status, 200);
    server.world.clock.advance(40_000);
    assert_eq!(ping(&server, key).status, 200);
    assert_eq!(ping(&server, key).header("retry-after"), Some("20"));
}

#[both]
fn a_refused_request_runs_nothing() {
    let server = limited(1, 0);
    let create = |name: &str| {
        server.call("customers.create", json!({ "customer_type": "company", "company_name": name }))
    };
    assert_eq!(create("A").status, 200);
    assert_eq!(create("B").status, 429);
    server.world.clock.advance(60_000);
    let (_, page) = server.call("customers.search", json!({})).tool();
    let names: Vec<_> =
        page["rows"].as_array().unwrap().iter().map(|it| &it["display_name"]).collect();
    assert_eq!(names, ["A"]);
}

#[both]
fn the_tenants_limit_counts_all_its_credentials_and_no_other_tenants() {
    let server = limited(0, 2);
    let other = server.world.empty_business("Other");
    assert_eq!(ping(&server, &server.business.owner_key).status, 200);
    let second = ping(&server, &server.business.tenant_key);
    assert_eq!(second.header("ratelimit-policy"), Some(r#""tenant";q=2;w=60"#));
    let third = server.key(&[Scope::ReadCustomers], false);
    assert_eq!(ping(&server, &third).status, 429);
    assert_eq!(ping(&server, &other.owner_key).status, 200);
}

#[both]
fn a_key_may_carry_its_own_limit_and_zero_means_none() {
    let server = limited(0, 0);
    for _ in 0..3 {
        let reply = server.owner("ping", json!({}));
        assert_eq!((reply.status, reply.header("ratelimit")), (200, None));
    }
    let own = server.world.operate(
        Some(server.business.account),
        "keys.create",
        json!({ "scopes": "read:customers", "limit": 1 }),
    );
    let own = own["key"].as_str().unwrap();
    assert_eq!(ping(&server, own).header("ratelimit"), Some(r#""credential";r=0;t=60"#));
    assert_eq!(ping(&server, own).status, 429);
}
