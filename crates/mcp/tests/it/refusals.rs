//! Refusals that a server makes: status, code, data and id in both eras.

use serde_json::{Value, json};
use zoop_mcp::{Era, Refusal, ReplyTo, peek};

use crate::{NO_HEADERS, expect_request, json, modern_headers, request_body, verdict};

/// Creates one kind of refusal.
type Refuse = fn(ReplyTo<'_>) -> Refusal;

/// A refusal, its status and code in the legacy era and in the modern era, and its data.
type Row = (Refuse, (u16, i64), (u16, i64), Value);

#[test]
fn refusals_of_a_request_have_their_status_code_and_data() {
    let rows: [Row; 14] = [
        (
            |to| to.unauthorized("key_revoked"),
            (401, -32001),
            (401, -31001),
            json!({ "reason": "key_revoked" }),
        ),
        (
            |to| to.insufficient_scope(&["read:notes", "write:notes"]),
            (403, -32002),
            (403, -31002),
            json!({ "required": ["read:notes", "write:notes"] }),
        ),
        (|to| to.rate_limited(7), (429, -32003), (429, -31003), json!({ "retry_after_s": 7 })),
        (
            |to| to.missing_capability(json!({ "sampling": {} })),
            (400, -32021),
            (400, -32021),
            json!({ "requiredCapabilities": { "sampling": {} } }),
        ),
        (|to| to.overloaded(1), (503, -32004), (503, -31004), json!({ "retry_after_s": 1 })),
        (|to| to.unavailable(5), (503, -32004), (503, -31004), json!({ "retry_after_s": 5 })),
        (
            |to| to.uncertain(5),
            (503, -32004),
            (503, -31004),
            json!({ "retry_after_s": 5, "outcome": "unknown" }),
        ),
        (|to| to.internal("r-1"), (500, -32603), (500, -32603), json!({ "request_id": "r-1" })),
        (|to| to.unknown_tool("x"), (200, -32602), (400, -32602), Value::Null),
        (|to| to.unknown_prompt("x"), (200, -32602), (400, -32602), Value::Null),
        (|to| to.bad_cursor(), (200, -32602), (400, -32602), Value::Null),
        (|to| to.invalid_params("x"), (200, -32602), (400, -32602), Value::Null),
        (|to| to.unknown_resource("a:b"), (200, -32602), (400, -32602), json!({ "uri": "a:b" })),
        (|to| to.invalid_request("x"), (400, -32600), (400, -32600), Value::Null),
    ];
    let body = request_body("ping", "");
    for (refuse, legacy, modern, data) in rows {
        for (era, expected) in [(Era::Legacy, legacy), (Era::Modern, modern)] {
            let reply_to = ReplyTo { era, ..peek(body.as_bytes(), &NO_HEADERS) };
            let refusal = refuse(reply_to);
            assert_eq!(verdict(&refusal), expected, "{refusal:?}");
            let answer = json(&refusal.body());
            assert_eq!(answer["jsonrpc"], "2.0");
            assert_eq!(answer["id"], 7);
            assert_eq!(answer["error"]["code"], expected.1);
            assert_eq!(answer["error"]["message"], refusal.message);
            assert_eq!(answer["error"].get("data").unwrap_or(&Value::Null), &data);
        }
    }
}

#[test]
fn refusals_of_the_http_message_have_no_id() {
    let rows: [(Refuse, u16); 3] = [
        (|to| to.method_not_allowed(), 405),
        (|to| to.too_large(2 << 20), 413),
        (|to| to.origin_refused(), 403),
    ];
    let body = request_body("ping", "");
    for (refuse, status) in rows {
        let legacy = peek(body.as_bytes(), &NO_HEADERS);
        let refusal = refuse(legacy);
        assert_eq!(verdict(&refusal), (status, -32600));
        assert_eq!(json(&refusal.body()).get("id"), Some(&Value::Null));
        let refusal = refuse(ReplyTo { era: Era::Modern, ..legacy });
        assert_eq!(json(&refusal.body()).get("id"), None);
    }
}

#[test]
fn a_duplicate_header_is_refused() {
    let refusal = ReplyTo::unread(None).duplicate_header("Authorization");
    assert_eq!(verdict(&refusal), (400, -32600));
    assert!(refusal.message.contains("Authorization"), "{}", refusal.message);
}

#[test]
fn a_token_is_required_whatever_the_body() {
    let rows: [(&[u8], Value); 3] = [
        (b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\"}", json!("a")),
        (b"{\"id\":3,\"method\":5}", json!(3)),
        (b"\xFF{", Value::Null),
    ];
    for (body, id) in rows {
        let refusal = peek(body, &NO_HEADERS).unauthorized("missing_token");
        assert_eq!(refusal.status, 401);
        assert_eq!(json(&refusal.body())["id"], id);
    }
    let modern = peek(b"{", &modern_headers("ping", None)).unauthorized("missing_token");
    assert_eq!(modern.code, -31001);
}

#[test]
fn long_text_from_the_client_is_cut() {
    let name = "é".repeat(100_000);
    let body = request_body(&name, "");
    let refusal = crate::expect_refusal(&body, &NO_HEADERS);
    assert!(refusal.body().len() < 1000, "{}", refusal.body().len());
    let body = request_body("ping", "");
    let request = expect_request(&body, &NO_HEADERS);
    assert!(request.reply_to().unknown_tool(&name).body().len() < 1000);
    assert!(request.reply_to().unknown_resource(&name).body().len() < 1000);
}
