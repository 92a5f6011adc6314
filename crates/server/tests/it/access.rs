//! Which credentials are accepted, and how the others are refused.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::call::scope::Scope;

use crate::http::{self, Reply};
use crate::oauth::EVERY_SCOPE;
use crate::server::{Server, message, modern_message, unknown_token, wait_until};

const EVERY_METHOD: [&str; 8] = [
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
];

fn challenge(server: &Server, end: &str) -> String {
    format!(
        "Bearer resource_metadata=\"http://{}/.well-known/oauth-protected-resource/api/mcp\", \
         scope=\"{EVERY_SCOPE}\"{end}",
        server.public
    )
}

/// Checks a 401 answer. A token of the right form is looked up after the message was read. Any other token is rejected
/// before that, so the answer does not contain the message's id.
fn assert_unauthorized(server: &Server, reply: &Reply, reason: &str, id: &Value) {
    assert_eq!((reply.status, reply.code()), (401, Some(-32001)), "{reply:?}");
    let body = reply.json();
    assert_eq!(body["id"], *id, "{reply:?}");
    assert_eq!(body["error"]["data"], json!({ "reason": reason }));
    let end = if reason == "missing_token" { "" } else { ", error=\"invalid_token\"" };
    assert_eq!(reply.header("www-authenticate"), Some(challenge(server, end).as_str()));
    assert_eq!(reply.header("ratelimit"), None, "no caller is known");
}

#[both]
fn every_method_needs_a_valid_token() {
    let server = Server::start();
    let params = json!({ "name": "customers.search", "uri": "zoop://customers/1" });
    for method in EVERY_METHOD {
        let body = message(method, params.clone());
        let no_id = Value::Null;
        assert_unauthorized(&server, &server.post_bare(&[], &body), "missing_token", &no_id);
        let reply = server.post_bare(&[("Authorization", "Bearer zoop_uk_x")], &body);
        assert_unauthorized(&server, &reply, "invalid_token", &no_id);
        let reply = server.ask(&unknown_token(1), "/api/mcp", method, params.clone());
        assert_unauthorized(&server, &reply, "invalid_token", &json!(7));
    }
    // Which tools exist is not revealed either.
    let call = json!({ "name": "nothing" });
    let reply = server.ask(&unknown_token(2), "/api/mcp", "tools/call", call);
    assert_unauthorized(&server, &reply, "invalid_token", &json!(7));
}

#[both]
fn only_a_bearer_token_in_the_header_counts() {
    let server = Server::start();
    let key = &server.business.owner_key;
    let body = message("ping", json!({}));
    for (value, reason) in [
        ("Basic dXNlcjpwYXNz".to_owned(), "missing_token"),
        (key.clone(), "missing_token"),
        ("Bearer".to_owned(), "missing_token"),
        (format!("Bearer {key}x"), "invalid_token"),
        (format!("Bearer {key} {key}"), "invalid_token"),
    ] {
        let reply = server.post_bare(&[("Authorization", &value)], &body);
        assert_unauthorized(&server, &reply, reason, &Value::Null);
    }
    let target = format!("/api/mcp?access_token={key}");
    assert_unauthorized(
        &server,
        &http::request(server.public, "POST", &target, &[], &body),
        "missing_token",
        &Value::Null,
    );
    let lower = format!("bearer {key}");
    assert_eq!(server.post_bare(&[("Authorization", &lower)], &body).status, 200);
}

#[both]
fn the_modern_era_has_codes_of_its_own() {
    let server = Server::start();
    let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")];
    let body = modern_message("tools/list", json!({}));
    let reply = server.post_bare(&headers, &body);
    assert_eq!((reply.status, reply.code()), (401, Some(-31001)), "{reply:?}");
    assert_eq!(reply.json().get("id"), None, "the message was not read");
    let unknown = format!("Bearer {}", unknown_token(1));
    let reply = server.post_bare(&[headers[0], headers[1], ("Authorization", &unknown)], &body);
    assert_eq!((reply.status, reply.code()), (401, Some(-31001)), "{reply:?}");
    assert_eq!(reply.json()["id"], 7);
}

#[both]
fn a_missing_token_is_reported_before_any_other_error() {
    let server = Server::start();
    let reply = server.post_bare(&[], b"{");
    assert_eq!((reply.status, reply.code()), (401, Some(-32001)));
    let notification = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(server.post_bare(&[], notification).status, 401);
}

#[both]
fn revocation_expiry_and_removal_take_effect_on_the_next_request() {
    let server = Server::start();
    let account = Some(server.business.account);
    let operate =
        |tool: &str, arguments: Value| server.env.call_as_operator(account, tool, arguments);
    let create = |arguments: Value| {
        let made = operate("keys.create", arguments);
        let text = |name: &str| made[name].as_str().expect("a string").to_owned();
        (text("key_id"), text("key"))
    };
    let ping = |key: &str| server.ask(key, "/api/mcp", "ping", json!({}));

    let (id, key) = create(json!({ "scopes": "read:customers" }));
    assert_eq!(ping(&key).status, 200);
    operate("keys.revoke", json!({ "id": id }));
    assert_unauthorized(&server, &ping(&key), "key_revoked", &json!(7));

    let (_, key) = create(json!({ "scopes": "read:customers", "expires_in": 60 }));
    assert_eq!(ping(&key).status, 200);
    server.env.clock.advance(60_000);
    assert_unauthorized(&server, &ping(&key), "expired", &json!(7));

    let member = operate(
        "users.create",
        json!({ "name": "New", "email": "new@acme.example", "role": "tech" }),
    );
    let member = member["user_id"].as_str().expect("an id").to_owned();
    let (_, key) = create(json!({ "user": member, "scopes": "read:customers write:customers" }));
    let create = json!({ "name": "customers.create",
                         "arguments": { "customer_type": "company", "company_name": "A" } });
    let (is_error, answer) = server.ask(&key, "/api/mcp", "tools/call", create.clone()).tool();
    assert!(is_error);
    assert_eq!(answer["kind"], "insufficient_scope");
    operate("users.set_role", json!({ "id": member, "role": "office" }));
    assert!(!server.ask(&key, "/api/mcp", "tools/call", create).tool().0);
    operate("users.remove", json!({ "id": member }));
    assert_unauthorized(&server, &ping(&key), "key_revoked", &json!(7));
}

#[both]
fn a_missing_scope_is_a_tool_error() {
    let server = Server::start();
    let key = server.key(&[Scope::ReadNotes], true);
    let call = json!({ "name": "customers.search", "arguments": {} });
    let reply = server.ask(&key, "/api/mcp", "tools/call", call);
    let (is_error, answer) = reply.tool();
    assert!(is_error);
    assert_eq!(answer["kind"], "insufficient_scope");
    assert_eq!(answer["required"], json!(["read:customers"]));
    assert_eq!(reply.header("www-authenticate"), None);
    assert!(reply.header("ratelimit").is_some(), "the caller is known");
}

#[both]
fn a_keys_last_use_is_written_once_a_minute() {
    let server = Server::start();
    let last_use = || {
        let keys =
            server.env.call_as_operator(Some(server.business.account), "keys.list", json!({}));
        keys["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|key| key["last_used_at"].clone())
            .filter(|time| !time.is_null())
            .collect::<Vec<_>>()
    };
    assert_eq!(last_use(), [] as [Value; 0]);
    server.owner("ping", json!({}));
    // The use is recorded asynchronously, perhaps after the answer.
    wait_until("the first use is written", || last_use() == ["2026-06-13T18:00:00.000Z"]);
    server.env.clock.advance(59_999);
    server.owner("ping", json!({}));
    assert_eq!(last_use(), ["2026-06-13T18:00:00.000Z"]);
    server.env.clock.advance(1);
    server.owner("ping", json!({}));
    wait_until("the next use is written", || last_use() == ["2026-06-13T18:01:00.000Z"]);
}

#[both]
fn notifications_need_a_valid_token_and_are_counted() {
    let server = Server::start();
    let notification = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    for body in [&notification[..], b"{"] {
        let bad = server.post_bare(&[("Authorization", "Bearer zoop_uk_nonsense")], body);
        assert_eq!(bad.status, 401, "{}", bad.body);
    }
    let accepted = server.post("/api/mcp", &[], notification);
    assert_eq!(accepted.status, 202);
    let broken = server.post("/api/mcp", &[], b"{");
    assert_eq!(broken.status, 400);
    let left = |reply: &Reply| reply.header("ratelimit").map(str::to_owned);
    assert!(left(&accepted).is_some() && left(&accepted) != left(&broken), "both were counted");
}

#[both]
fn the_history_records_the_address_of_a_change() {
    let proxied = Server::start_with(
        |settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")],
        None,
    );
    let direct = Server::start();
    for (server, seen) in [(&direct, "127.0.0.1"), (&proxied, "203.0.113.7")] {
        let call = json!({ "name": "customers.create",
                           "arguments": { "customer_type": "company", "company_name": "A" } });
        let body = message("tools/call", call);
        let forwarded = [("X-Forwarded-For", "198.51.100.1, 203.0.113.7")];
        assert!(!server.post("/api/mcp", &forwarded, &body).tool().0);
        let account = Some(server.business.account);
        let history = server.env.call_as_operator(account, "changes.list", json!({ "limit": 1 }));
        assert_eq!(history["rows"][0]["address"], seen);
    }
}
