//! The rules for messages: the status, code and headers of each answer, in both eras.

use serde_json::{Value, json};
use zoop_both::both;

use crate::http;
use crate::server::{MODERN, Server, message, modern_message};

#[both]
fn a_plain_curl_call_needs_neither_a_handshake_nor_an_accept_header() {
    let server = Server::start();
    for headers in [
        &[("Content-Type", "application/json")][..],
        &[("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "*/*")],
        &[("Accept", "text/event-stream")],
    ] {
        let body = message("tools/call", json!({ "name": "customers.search", "arguments": {} }));
        let reply = server.post("/api/mcp", headers, &body);
        assert_eq!(reply.header("content-type"), Some("application/json"), "{reply:?}");
        let (is_error, answer) = reply.tool();
        assert!(!is_error);
        assert_eq!(answer, json!({ "rows": [], "nextCursor": null, "hasMore": false }));
        let reply = reply.json();
        assert_eq!(reply["id"], 7);
        assert_eq!(reply["result"]["structuredContent"], answer);
    }
}

#[both]
fn every_method_of_the_legacy_era_is_answered() {
    let server = Server::start();
    let initialize = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t" },
    });
    let result = server.owner("initialize", initialize).json()["result"].clone();
    assert_eq!(result["protocolVersion"], "2025-06-18");
    assert_eq!(result["serverInfo"]["name"], "zoop");
    assert!(result["instructions"].as_str().unwrap().contains("customers.search"));
    let newer = server.owner("initialize", json!({ "protocolVersion": "2031-01-01" })).json();
    assert_eq!(newer["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(server.owner("ping", json!({})).json()["result"], json!({}));
    for (method, member) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let reply = server.owner(method, json!({}));
        assert_eq!(reply.status, 200, "{method}");
        assert!(reply.json()["result"][member].is_array(), "{method}: {reply:?}");
    }
}

#[both]
fn every_method_of_the_modern_era_is_answered_completely() {
    let server = Server::start();
    for (method, params, is_cacheable) in [
        ("server/discover", json!({}), true),
        ("tools/list", json!({}), true),
        ("prompts/list", json!({}), true),
        ("resources/list", json!({}), true),
        ("resources/templates/list", json!({}), true),
        ("tools/call", json!({ "name": "customers.search" }), false),
        ("prompts/get", json!({ "name": "find_possible_duplicates" }), false),
    ] {
        let reply = server.modern(method, params, &[]);
        assert_eq!(reply.status, 200, "{method}: {reply:?}");
        let result = &reply.json()["result"];
        assert_eq!(result["resultType"], "complete", "{method}");
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "zoop");
        assert_eq!(result["ttlMs"].is_u64(), is_cacheable, "{method}");
        assert_eq!(result["cacheScope"] == "private", is_cacheable, "{method}");
    }
}

#[both]
fn other_http_methods_are_refused_and_the_allowed_one_is_named() {
    let server = Server::start();
    for method in ["GET", "DELETE", "PUT", "OPTIONS"] {
        let reply = http::request(server.public, method, "/api/mcp", &[], b"");
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method}");
        assert_eq!(reply.json()["id"], Value::Null, "{method}");
    }
}

#[test]
fn a_trailing_slash_makes_no_difference() {
    let server = Server::start();
    let call = |target| {
        let params = json!({ "name": "customers.search", "arguments": {} });
        server.ask(&server.business.owner_key, target, "tools/call", params)
    };
    assert!(!call("/api/mcp/").tool().0 && !call("/api/mcp/?names=underscore").tool().0);
    assert_eq!(http::get(server.public, "/api/mcp/").status, 405);
    let metadata = "/.well-known/oauth-protected-resource/api/mcp";
    let with_slash = http::get(server.public, &format!("{metadata}/"));
    assert_eq!(with_slash.json(), http::get(server.public, metadata).json());
}

#[both]
fn only_pages_of_allowed_origins_may_call() {
    let allow = |settings: &mut zoop_server::Settings| {
        settings.allowed_origins = vec!["https://app.example.com".parse().expect("an origin")];
    };
    let server = Server::start_with(allow, None);
    let own = format!("http://{}", server.public);
    let body = message("ping", json!({}));
    for (origin, status) in [
        (own.as_str(), 200),
        ("https://app.example.com", 200),
        ("https://app.example.com.evil.test", 403),
        ("http://app.example.com", 403),
        ("null", 403),
    ] {
        let reply = server.post("/api/mcp", &[("Origin", origin)], &body);
        assert_eq!(reply.status, status, "{origin}");
        let allowed = (status == 200).then_some(origin);
        assert_eq!(reply.header("access-control-allow-origin"), allowed, "{origin}");
        if status == 200 {
            assert_eq!(reply.header("vary"), Some("origin"));
            let exposed = reply.header("access-control-expose-headers").unwrap();
            for name in ["www-authenticate", "retry-after", "ratelimit", "ratelimit-policy"] {
                assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}");
            }
        }
    }
    let twice = [("Origin", own.as_str()), ("Origin", "https://evil.test")];
    assert_eq!(server.post("/api/mcp", &twice, &body).status, 403);
    // A page can also read why it was rejected.
    let refused = server.post_bare(&[("Origin", &own)], &body);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), Some(own.as_str()));
}

#[both]
fn a_preflight_is_answered_only_for_allowed_origins() {
    let server = Server::start();
    let own = format!("http://{}", server.public);
    let ask = |origin: &str| {
        let headers = [("Origin", origin), ("Access-Control-Request-Method", "POST")];
        http::request(server.public, "OPTIONS", "/api/mcp", &headers, b"")
    };
    let reply = ask(&own);
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(reply.header("access-control-allow-origin"), Some(own.as_str()));
    assert_eq!(reply.header("access-control-allow-methods"), Some("POST"));
    let allowed = reply.header("access-control-allow-headers").unwrap();
    for name in [
        "authorization",
        "content-type",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "idempotency-key",
    ] {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
    }
    assert_eq!(ask("https://evil.test").status, 403);
}

#[both]
fn malformed_messages_are_refused_with_a_code_and_their_id_if_it_is_readable() {
    let server = Server::start();
    for (body, code, id) in [
        ("{", -32700, Value::Null),
        ("", -32700, Value::Null),
        ("7", -32600, Value::Null),
        ("[]", -32600, Value::Null),
        (r#"[{"jsonrpc":"2.0","id":7,"method":"ping"}]"#, -32600, Value::Null),
        (r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#, -32600, json!(7)),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":7,"method":1}"#, -32600, json!(7)),
        (r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"ping"}"#, -32600, json!(7)),
    ] {
        let reply = server.post("/api/mcp", &[], body.as_bytes());
        assert_eq!((reply.status, reply.code()), (400, Some(code)), "{body}: {reply:?}");
        assert_eq!(reply.json()["id"], id, "{body}");
    }
}

#[both]
fn a_header_that_is_sent_twice_is_refused() {
    let server = Server::start();
    let body = message("ping", json!({}));
    let token = format!("Bearer {}", server.business.owner_key);
    // With two tokens, the message is not read.
    let two = server.post_bare(&[("Authorization", &token), ("Authorization", &token)], &body);
    assert_eq!((two.status, two.code()), (400, Some(-32600)), "{two:?}");
    assert_eq!(two.json()["id"], Value::Null);
    for (name, value) in [
        ("MCP-Protocol-Version", "2025-11-25"),
        ("Mcp-Method", "ping"),
        ("Mcp-Name", "x"),
        ("Idempotency-Key", "k"),
    ] {
        let reply = server.post("/api/mcp", &[(name, value), (name, value)], &body);
        assert_eq!((reply.status, reply.code()), (400, Some(-32600)), "{name}: {reply:?}");
        assert_eq!(reply.json()["id"], 7, "{name}");
    }
}

#[both]
fn a_header_that_is_not_utf_8_is_refused() {
    let server = Server::start();
    let body = message("ping", json!({}));
    let mut connection = http::Connection::open(server.public);
    let head = format!(
        "POST /api/mcp HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n",
        server.business.owner_key,
        body.len()
    );
    connection.send(head.as_bytes());
    connection.send(b"Idempotency-Key: \xff\r\n\r\n");
    connection.send(&body);
    let reply = connection.receive();
    assert_eq!((reply.status, reply.code()), (400, Some(-32600)), "{reply:?}");
}

#[both]
fn refusals_of_a_method_or_its_parameters_differ_in_status_between_the_eras() {
    let server = Server::start();
    for (method, params, code, modern) in [
        ("tools/run", json!({}), -32601, 404),
        ("tools/call", json!({ "name": "customers.serach" }), -32602, 400),
        // A tool that only the command line may call.
        ("tools/call", json!({ "name": "tenants.create" }), -32602, 400),
        ("tools/call", json!({}), -32602, 400),
        ("tools/call", json!({ "name": "customers.search", "arguments": [] }), -32602, 400),
        ("tools/list", json!({ "cursor": "x" }), -32602, 400),
        ("prompts/get", json!({ "name": "nothing" }), -32602, 400),
        ("resources/read", json!({ "uri": "zoop://nothing/1" }), -32602, 400),
    ] {
        let reply = server.owner(method, params.clone());
        assert_eq!((reply.status, reply.code()), (200, Some(code)), "{method} {params}: {reply:?}");
        assert_eq!(reply.json()["id"], 7);
        let reply = server.modern(method, params.clone(), &[]);
        assert_eq!(
            (reply.status, reply.code()),
            (modern, Some(code)),
            "{method} {params}: {reply:?}"
        );
        assert_eq!(reply.json()["id"], 7);
    }
    for method in ["initialize", "ping"] {
        assert_eq!(server.modern(method, json!({}), &[]).status, 404, "{method}");
    }
}

#[both]
fn the_header_rules_of_the_modern_era_hold() {
    let server = Server::start();
    let params = || json!({ "name": "customers.search" });
    let call = |other: &[_]| server.modern("tools/call", params(), other);
    for (other, code) in [
        (("MCP-Protocol-Version", None), -32020),
        (("MCP-Protocol-Version", Some("2025-11-25")), -32020),
        (("Mcp-Method", None), -32020),
        (("Mcp-Method", Some("tools/list")), -32020),
        (("Mcp-Name", None), -32020),
        (("Mcp-Name", Some("customers.get")), -32020),
    ] {
        let reply = call(&[other]);
        assert_eq!((reply.status, reply.code()), (400, Some(code)), "{other:?}: {reply:?}");
    }
    // customers.search in base64
    let encoded = ("Mcp-Name", Some("=?base64?Y3VzdG9tZXJzLnNlYXJjaA==?="));
    assert_eq!(call(&[encoded]).status, 200);
}

#[both]
fn unsupported_versions_are_refused_in_each_era() {
    let server = Server::start();
    let legacy = server.post(
        "/api/mcp",
        &[("MCP-Protocol-Version", "2024-11-05")],
        &message("ping", json!({})),
    );
    assert_eq!((legacy.status, legacy.code()), (400, Some(-32600)), "{legacy:?}");

    let later = String::from_utf8(modern_message("tools/list", json!({}))).unwrap();
    let later = later.replace(MODERN, "2027-01-01");
    let headers = [("MCP-Protocol-Version", "2027-01-01"), ("Mcp-Method", "tools/list")];
    let reply = server.post("/api/mcp", &headers, later.as_bytes());
    assert_eq!((reply.status, reply.code()), (400, Some(-32022)), "{reply:?}");
    let data = &reply.json()["error"]["data"];
    assert_eq!(*data, json!({ "supported": [MODERN], "requested": "2027-01-01" }));

    let headers = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")];
    let reply = server.post("/api/mcp", &headers, &message("tools/list", json!({})));
    assert_eq!((reply.status, reply.code()), (400, Some(-32602)), "no _meta: {reply:?}");
}

#[both]
fn a_notification_is_accepted_and_nothing_is_run() {
    let server = Server::start();
    let call = json!({
        "jsonrpc": "2.0", "method": "tools/call",
        "params": { "name": "customers.create", "arguments": {
            "customer_type": "company", "company_name": "Nobody" } },
    });
    for body in
        [call.to_string(), r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.into()]
    {
        let reply = server.post("/api/mcp", &[], body.as_bytes());
        assert_eq!((reply.status, reply.body.as_str()), (202, ""), "{body}");
    }
    let (_, page) = server.call("customers.search", json!({})).tool();
    assert_eq!(page["rows"], json!([]));
}

#[both]
fn the_longest_note_fits_and_a_longer_body_is_refused() {
    let server = Server::start();
    let note = |characters: usize| {
        let body = "\\ud83d\\ude00".repeat(characters);
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"notes.create","arguments":{{"body":"{body}"}}}}}}"#
        )
    };
    let (is_error, written) = server.post("/api/mcp", &[], note(100_000).as_bytes()).tool();
    assert!(!is_error, "{written}");
    let longest = note(100_000).len();
    let padded = |length: usize| note(100_000) + &" ".repeat(length - longest);
    let limit = 2 * 1024 * 1024;
    assert_eq!(server.post("/api/mcp", &[], padded(limit).as_bytes()).status, 200);
    let reply = server.post("/api/mcp", &[], padded(limit + 1).as_bytes());
    assert_eq!((reply.status, reply.code()), (413, Some(-32600)), "{reply:?}");
    assert_eq!(reply.header("connection"), Some("close"));
    // A body that is announced as far longer is rejected before it is sent.
    let mut connection = http::Connection::open(server.public);
    let token = format!("Bearer {}", server.business.owner_key);
    let far = [("Authorization", token.as_str()), ("Content-Length", "99999999")];
    connection.send_head("POST", "/api/mcp", &far);
    assert_eq!(connection.receive().status, 413);
}

#[both]
fn a_tool_refusal_is_a_result_in_both_eras() {
    let server = Server::start();
    let call = || json!({ "name": "customers.get", "arguments": { "id": "x", "why": 1 } });
    for reply in [server.owner("tools/call", call()), server.modern("tools/call", call(), &[])] {
        let (is_error, answer) = reply.tool();
        assert!(is_error);
        assert_eq!(answer["kind"], "invalid_input", "{answer}");
        assert_eq!(reply.json()["result"].get("structuredContent"), None);
    }
}

#[both]
fn the_idempotency_key_header_reaches_the_tool() {
    let server = Server::start();
    let arguments = json!({ "customer_type": "company", "company_name": "Once" });
    let body = message("tools/call", json!({ "name": "customers.create", "arguments": arguments }));
    let send = || server.post("/api/mcp", &[("Idempotency-Key", "k-é")], &body).tool();
    let (first, second) = (send(), send());
    assert!(!first.0, "{first:?}");
    assert_eq!(first, second);
    let (_, page) = server.call("customers.search", json!({})).tool();
    assert_eq!(page["rows"].as_array().map(Vec::len), Some(1));
}

#[both]
fn the_idempotency_key_in_meta_reaches_the_tool_in_both_eras() {
    let server = Server::start();
    let arguments = json!({ "customer_type": "company", "company_name": "Once" });
    let call = |key: Value| json!({ "name": "customers.create", "arguments": arguments, "_meta": { "idempotency_key": key } });
    let first = server.post("/api/mcp", &[], &message("tools/call", call(json!("k")))).tool();
    assert!(!first.0, "{first:?}");
    assert_eq!(
        server.post("/api/mcp", &[], &message("tools/call", call(json!("k")))).tool(),
        first
    );
    assert_eq!(server.modern("tools/call", call(json!("k")), &[]).tool(), first);
    let header = [("Idempotency-Key", "other")];
    let twice = server.post("/api/mcp", &header, &message("tools/call", call(json!("k")))).tool();
    assert_eq!(twice.1["fields"][0]["field"], "idempotency_key", "{twice:?}");
    let wrong = server.post("/api/mcp", &[], &message("tools/call", call(json!(7))));
    assert_eq!(wrong.code(), Some(-32602), "{wrong:?}");
}

#[both]
fn the_history_records_the_calling_client() {
    let server = Server::start();
    let create = |name: &str| {
        json!({ "name": "customers.create",
                "arguments": { "customer_type": "company", "company_name": name } })
    };
    let agent = [("User-Agent", "curl/8.5.0 (linux) other/1")];
    assert!(!server.post("/api/mcp", &agent, &message("tools/call", create("A"))).tool().0);
    let mut params = create("B");
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "Agent Smith", "version": "1" },
    });
    let headers = [
        ("MCP-Protocol-Version", MODERN),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "customers.create"),
        ("User-Agent", "curl/8.5.0"),
    ];
    assert!(!server.post("/api/mcp", &headers, &message("tools/call", params)).tool().0);
    let history =
        server.env.call_as_operator(Some(server.business.account), "changes.list", json!({}));
    let clients: Vec<_> = history["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["tool"] == "customers.create")
        .map(|entry| entry["client"].clone())
        .collect();
    assert_eq!(clients, ["Agent Smith", "curl/8.5.0"]);
}

#[both]
fn every_answer_is_uncacheable_and_has_the_request_id() {
    let server = Server::start();
    let replies = [
        server.owner("ping", json!({})),
        server.post_bare(&[], b"{"),
        http::get(server.public, "/api/mcp"),
    ];
    let mut ids: Vec<_> = replies.iter().map(|it| it.header("x-request-id").unwrap()).collect();
    for id in &ids {
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    for reply in &replies {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
}
