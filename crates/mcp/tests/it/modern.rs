//! The header and `_meta` rules of the modern era.

use serde_json::json;
use zoop_mcp::Headers;

use crate::{
    META, NO_HEADERS, expect_refusal, expect_request, json, modern_body, modern_headers,
    request_body, verdict,
};

const MISMATCH: (u16, i64) = (400, -32020);
const INVALID_PARAMS: (u16, i64) = (400, -32602);

#[test]
fn missing_or_different_headers_are_refused() {
    let body = modern_body("tools/call", r#""name":"a""#);
    let good = modern_headers("tools/call", Some("a"));
    expect_request(&body, &good);
    let bad = [
        NO_HEADERS,
        Headers { protocol_version: None, ..good },
        Headers { protocol_version: Some("2025-11-25"), ..good },
        Headers { protocol_version: Some("2027-01-01"), ..good },
        Headers { protocol_version: Some(""), ..good },
        Headers { method: None, ..good },
        Headers { method: Some("tools/list"), ..good },
        Headers { method: Some("Tools/Call"), ..good },
        Headers { name: None, ..good },
        Headers { name: Some("b"), ..good },
        Headers { name: Some("A"), ..good },
        Headers { name: Some(""), ..good },
    ];
    for headers in bad {
        let refusal = expect_refusal(&body, &headers);
        assert_eq!(verdict(&refusal), MISMATCH, "{headers:?}");
        assert_eq!(json(&refusal.body())["id"], 7);
    }
}

#[test]
fn the_name_is_mirrored_by_three_methods() {
    for (method, params) in [
        ("tools/call", r#""name":"a""#),
        ("prompts/get", r#""name":"a""#),
        ("resources/read", r#""uri":"a""#),
    ] {
        let body = modern_body(method, params);
        expect_request(&body, &modern_headers(method, Some("a")));
        assert_eq!(
            verdict(&expect_refusal(&body, &modern_headers(method, None))),
            MISMATCH,
            "{method}"
        );
        let other = modern_headers(method, Some("b"));
        assert_eq!(verdict(&expect_refusal(&body, &other)), MISMATCH, "{method}");
    }
    // Other methods ignore the name header.
    expect_request(&modern_body("tools/list", ""), &modern_headers("tools/list", Some("a")));
}

#[test]
fn the_name_header_may_be_base64() {
    // The header, the body's name, whether they agree.
    let cases = [
        ("=?base64?Y3VzdG9tZXJzLmdldA==?=", "customers.get", true),
        ("=?base64?w6k=?=", "é", true),
        ("=?base64??=", "", true),
        ("=?base64?PT9iYXNlNjQ/eD89?=", "=?base64?x?=", true),
        ("=?base64?Y3VzdG9tZXJzLmdldA?=", "customers.get", false),
        ("=?base64?Y3VzdG9tZXJzLmdldB==?=", "customers.get", false),
        ("=?base64?%%%?=", "%%%", false),
        ("=?base64?/w==?=", "\u{FF}", false),
        ("=?BASE64?Y3VzdG9tZXJzLmdldA==?=", "customers.get", false),
        ("Y3VzdG9tZXJzLmdldA==", "customers.get", false),
        ("=?base64?=", "=?base64?=", true),
        ("=?base64?x?=", "=?base64?x?=", false),
    ];
    for (header, name, agree) in cases {
        let body = modern_body("tools/call", &format!(r#""name":"{name}""#));
        let headers = modern_headers("tools/call", Some(header));
        if agree {
            expect_request(&body, &headers);
        } else {
            assert_eq!(verdict(&expect_refusal(&body, &headers)), MISMATCH, "{header} {name}");
        }
    }
}

#[test]
fn meta_without_its_required_members_is_refused() {
    let version = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
    let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
    let metas = [
        String::new(),
        r#""_meta":{}"#.to_owned(),
        r#""_meta":5"#.to_owned(),
        format!(r#""_meta":{{{capabilities}}}"#),
        format!(r#""_meta":{{{version}}}"#),
        format!(r#""_meta":{{{version},"io.modelcontextprotocol/clientCapabilities":[]}}"#),
        format!(r#""_meta":{{{version},"io.modelcontextprotocol/clientCapabilities":null}}"#),
        format!(r#""_meta":{{{capabilities},"io.modelcontextprotocol/protocolVersion":5}}"#),
    ];
    for meta in metas {
        let refusal =
            expect_refusal(request_body("tools/list", &meta), &modern_headers("tools/list", None));
        assert_eq!(verdict(&refusal), INVALID_PARAMS, "{meta}");
    }
}

#[test]
fn client_info_may_be_left_out() {
    let meta = META.split(r#","io.modelcontextprotocol/clientInfo""#).next().unwrap();
    let body = request_body("tools/list", &format!("{meta}}}"));
    assert_eq!(expect_request(&body, &modern_headers("tools/list", None)).client_name, None);
}

#[test]
fn unsupported_versions_are_refused() {
    for version in ["2027-01-01", "2025-11-25", "1900-01-01", "nonsense", ""] {
        let body = request_body("tools/list", &META.replace("2026-07-28", version));
        let headers =
            Headers { protocol_version: Some(version), ..modern_headers("tools/list", None) };
        let refusal = expect_refusal(&body, &headers);
        assert_eq!(verdict(&refusal), (400, -32022), "{version}");
        let data = json!({ "supported": ["2026-07-28"], "requested": version });
        assert_eq!(json(&refusal.body())["error"]["data"], data);
    }
}

#[test]
fn the_version_is_checked_before_the_method() {
    let body = request_body("future/method", &META.replace("2026-07-28", "2030-01-01"));
    let headers =
        Headers { protocol_version: Some("2030-01-01"), ..modern_headers("future/method", None) };
    assert_eq!(verdict(&expect_refusal(&body, &headers)), (400, -32022));
}

#[test]
fn discover_must_follow_the_header_rules_too() {
    let body = request_body("server/discover", "");
    assert_eq!(verdict(&expect_refusal(&body, &NO_HEADERS)), MISMATCH);
    let headers = modern_headers("server/discover", None);
    assert_eq!(verdict(&expect_refusal(&body, &headers)), INVALID_PARAMS);
}
