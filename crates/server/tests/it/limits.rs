//! Limits on requests in a rolling minute.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::call::scope::Scope;
use zoop_server::Limits;

use crate::http::{self, Reply};
use crate::oauth::Browser;
use crate::server::Server;

fn start_limited(credential: u32, tenant: u32) -> Server {
    Server::start_with(|settings| settings.limits = Limits { credential, tenant }, None)
}

fn ping(server: &Server, key: &str) -> Reply {
    server.ask(key, "/api/mcp", "ping", json!({}))
}

/// Calls a tool, which finds nothing.
fn call(server: &Server, key: &str) -> Reply {
    server.ask(
        key,
        "/api/mcp",
        "tools/call",
        json!({ "name": "customers.search", "arguments": {} }),
    )
}

#[both]
fn every_answer_to_an_authenticated_caller_shows_its_limits() {
    let server = start_limited(3, 5);
    let policy = r#""credential";q=3;w=60, "tenant";q=5;w=60"#;
    let assert_limits = |reply: &Reply, policy: &str, left: &str| {
        assert_eq!(reply.header("ratelimit-policy"), Some(policy), "{reply:?}");
        assert_eq!(reply.header("ratelimit"), Some(left), "{reply:?}");
    };
    let first = server.call("customers.search", json!({}));
    assert_limits(&first, policy, r#""credential";r=2;t=60, "tenant";r=4;t=60"#);
    server.env.clock.advance(10_500);
    let unknown_tool = server.owner("tools/call", json!({ "name": "nothing" }));
    assert_limits(&unknown_tool, policy, r#""credential";r=1;t=50, "tenant";r=3;t=50"#);
    let refused_by_tool = server.call("customers.get", json!({ "id": "x" }));
    assert_limits(&refused_by_tool, policy, r#""credential";r=0;t=50, "tenant";r=2;t=50"#);
    let limited = server.call("customers.search", json!({}));
    assert_eq!(limited.status, 429);
    assert_limits(&limited, policy, r#""credential";r=0;t=50, "tenant";r=2;t=50"#);
    // When a client connects, the answer shows the limits on calls too, and the limit on connecting.
    let connecting = format!(r#"{policy}, "connecting";q=60;w=60"#);
    let left = r#""credential";r=0;t=50, "tenant";r=2;t=50, "connecting";r=59;t=60"#;
    assert_limits(&server.owner("ping", json!({})), &connecting, left);
}

#[both]
fn over_the_limit_a_credential_waits_until_its_oldest_request_expires() {
    let server = start_limited(2, 0);
    let key = &server.business.owner_key;
    assert_eq!(call(&server, key).status, 200);
    server.env.clock.advance(20_000);
    assert_eq!(call(&server, key).status, 200);
    let refused = call(&server, key);
    assert_eq!((refused.status, refused.code()), (429, Some(-32003)), "{refused:?}");
    assert_eq!(refused.json()["id"], 7);
    assert_eq!(refused.header("retry-after"), Some("40"));
    let modern = server.modern("tools/call", json!({ "name": "customers.search" }), &[]);
    assert_eq!((modern.status, modern.code()), (429, Some(-31003)), "{modern:?}");
    // Another credential of the tenant is not affected, and rejected requests did not count.
    assert_eq!(call(&server, &server.business.tenant_key).status, 200);
    server.env.clock.advance(40_000);
    assert_eq!(call(&server, key).status, 200);
    assert_eq!(call(&server, key).header("retry-after"), Some("20"));
}

#[both]
fn a_client_over_its_limit_can_connect_up_to_twice_the_limit() {
    let server = start_limited(100, 0);
    let key = &server.business.owner_key;
    let mut calls = (0..101).map(|_| call(&server, key).status);
    assert!(calls.by_ref().take(100).all(|status| status == 200));
    assert_eq!(calls.next(), Some(429));
    let initialize = json!({ "protocolVersion": "2025-11-25", "capabilities": {} });
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(server.owner("initialize", initialize).status, 200);
    assert_eq!(server.post("/api/mcp", &[], initialized.as_bytes()).status, 202);
    for method in
        ["ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list"]
    {
        assert_eq!(server.owner(method, json!({})).status, 200, "{method}");
    }
    for method in ["server/discover", "tools/list"] {
        assert_eq!(server.modern(method, json!({}), &[]).status, 200, "{method}");
    }
    // Anything that works with records is a call.
    let prompt = server.owner("prompts/get", json!({ "name": "find_possible_duplicates" }));
    let resource = server.owner("resources/read", json!({ "uri": "zoop://customers/x" }));
    let unreadable = server.post("/api/mcp", &[], b"{");
    assert_eq!((prompt.status, resource.status, unreadable.status), (429, 429, 429));
    for n in 9..200 {
        assert_eq!(ping(&server, key).status, 200, "{n}");
    }
    let refused = ping(&server, key);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")), "{refused:?}");
}

#[both]
fn an_import_leaves_sixty_calls_a_minute_to_every_other_credential() {
    let server = start_limited(120, 100);
    let import = server.env.call_as_operator(
        Some(server.business.account),
        "keys.create",
        json!({ "scopes": "read:customers", "limit": 6_000 }),
    );
    let import = import["key"].as_str().expect("a key");
    let admitted =
        |key: &str, times: usize| (0..times).filter(|_| call(&server, key).status == 200).count();
    assert_eq!(admitted(import, 110), 100);
    server.env.clock.advance(1_000);
    let office = &server.business.owner_key;
    let first = call(&server, office);
    let left = r#""credential";r=119;t=60, "tenant";r=59;t=59"#;
    assert_eq!((first.status, first.header("ratelimit")), (200, Some(left)), "{first:?}");
    assert_eq!(admitted(office, 65), 59);
    assert_eq!(admitted(&server.business.tenant_key, 65), 60);
    let refused = call(&server, office);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")), "{refused:?}");
    server.env.clock.advance(59_000);
    assert_eq!(call(&server, office).status, 429);
    server.env.clock.advance(1_000);
    assert_eq!(call(&server, office).status, 200, "after the stated time the call is admitted");
}

#[both]
fn a_refused_request_runs_nothing() {
    let server = start_limited(1, 0);
    let create = |name: &str| {
        server.call("customers.create", json!({ "customer_type": "company", "company_name": name }))
    };
    assert_eq!(create("A").status, 200);
    assert_eq!(create("B").status, 429);
    server.env.clock.advance(60_000);
    let (_, page) = server.call("customers.search", json!({})).tool();
    let names: Vec<_> =
        page["rows"].as_array().unwrap().iter().map(|it| &it["display_name"]).collect();
    assert_eq!(names, ["A"]);
}

#[both]
fn the_account_shows_the_limits_on_calls_and_what_is_left() {
    let server = start_limited(3, 70);
    let shown = |key: &str| {
        let params = json!({ "name": "account.get", "arguments": {} });
        let reply = server.ask(key, "/api/mcp", "tools/call", params);
        let left = reply.header("ratelimit").map(str::to_owned);
        let limits = reply.tool().1["limits"].clone();
        let calls = ["calls_per_minute", "account_calls_per_minute"].map(|it| limits[it].clone());
        (calls, left.expect("the header"))
    };
    let limit = |limit: u32, left: u32| json!({ "limit": limit, "left": left });
    let office = server.key(&[Scope::WriteNotes], true);
    assert_eq!(call(&server, &server.business.owner_key).status, 200);
    let owner = &server.business.owner_key;
    let (calls, header) = shown(owner);
    assert_eq!(calls, [limit(3, 1), limit(70, 68)], "this call is included");
    assert_eq!(header, r#""credential";r=1;t=60, "tenant";r=68;t=60"#);
    assert_eq!(shown(&office).0, [limit(3, 2), limit(70, 67)]);
    assert_eq!(shown(owner).0, [limit(3, 0), limit(70, 66)]);

    let unlimited = start_limited(0, 0);
    let answer = unlimited.call("account.get", json!({})).tool().1;
    assert_eq!(answer["limits"]["calls_per_minute"], Value::Null);
    assert_eq!(answer["limits"]["account_calls_per_minute"], Value::Null);
}

#[both]
fn the_tenants_limit_counts_all_its_credentials_and_no_other_tenants() {
    let server = start_limited(0, 70);
    let other = server.env.empty_business("Other");
    let second = server.key(&[Scope::ReadCustomers], false);
    for _ in 0..10 {
        let reply = call(&server, &second);
        assert_eq!(reply.header("ratelimit-policy"), Some(r#""tenant";q=70;w=60"#));
    }
    for _ in 0..60 {
        assert_eq!(call(&server, &server.business.owner_key).status, 200);
    }
    assert_eq!(call(&server, &server.business.owner_key).status, 429);
    assert_eq!(call(&server, &other.owner_key).status, 200);
}

#[both]
fn a_key_may_carry_its_own_limit_and_zero_means_none() {
    let server = start_limited(0, 0);
    for _ in 0..3 {
        let reply = server.owner("ping", json!({}));
        assert_eq!((reply.status, reply.header("ratelimit")), (200, None));
        assert_eq!(call(&server, &server.business.owner_key).header("ratelimit"), None);
    }
    let own = server.env.call_as_operator(
        Some(server.business.account),
        "keys.create",
        json!({ "scopes": "read:customers", "limit": 1 }),
    );
    let own = own["key"].as_str().unwrap();
    assert_eq!(call(&server, own).header("ratelimit"), Some(r#""credential";r=0;t=60"#));
    assert_eq!(call(&server, own).status, 429);
    assert_eq!(ping(&server, own).status, 200);
}

#[test]
fn page_requests_are_not_counted() {
    let server = start_limited(2, 2);
    let browser = Browser::signed_in(&server, &server.business.owner);
    for _ in 0..5 {
        let headers = [("Cookie", browser.cookie.as_str())];
        let reply = http::request(server.public, "GET", "/team", &headers, b"");
        assert_eq!((reply.status, reply.header("ratelimit")), (200, None));
    }
    let left = r#""credential";r=1;t=60, "tenant";r=1;t=60"#;
    assert_eq!(call(&server, &server.business.owner_key).header("ratelimit"), Some(left));
}
