//! Which era a request belongs to, and how versions are agreed on.

use zoop_mcp::{Era, Headers, MethodCall, negotiate, peek};

use crate::{META, NO_HEADERS, expect_refusal, expect_request, request_body, verdict};

#[test]
fn the_era_of_a_request_is_recognized() {
    let with_meta = |method| request_body(method, META);
    let without = |method| request_body(method, "");
    let cases = [
        (without("tools/list"), None, Era::Legacy),
        (without("tools/list"), Some("2025-06-18"), Era::Legacy),
        (without("tools/list"), Some("2025-11-25"), Era::Legacy),
        (without("tools/list"), Some("2026-07-27"), Era::Legacy),
        (without("tools/list"), Some("2026-07-28"), Era::Modern),
        (without("tools/list"), Some("2027-01-01"), Era::Modern),
        (without("tools/list"), Some("latest"), Era::Legacy),
        (without("tools/list"), Some("9"), Era::Legacy),
        (without("tools/list"), Some("2026/07/28"), Era::Legacy),
        (with_meta("tools/list"), None, Era::Modern),
        (with_meta("tools/list"), Some("2025-11-25"), Era::Modern),
        (without("initialize"), None, Era::Legacy),
        (without("initialize"), Some("2026-07-28"), Era::Legacy),
        (with_meta("initialize"), None, Era::Modern),
        (without("server/discover"), None, Era::Modern),
        (without("server/discover"), Some("2025-11-25"), Era::Modern),
        ("{".to_owned(), None, Era::Legacy),
        ("{".to_owned(), Some("2026-07-28"), Era::Modern),
    ];
    for (body, protocol_version, era) in cases {
        let headers = Headers { protocol_version, ..NO_HEADERS };
        assert_eq!(peek(body.as_bytes(), &headers).era, era, "{body} {protocol_version:?}");
    }
}

#[test]
fn a_version_in_meta_makes_a_request_modern_even_if_it_is_not_a_string() {
    let body = request_body("ping", r#""_meta":{"io.modelcontextprotocol/protocolVersion":5}"#);
    assert_eq!(peek(body.as_bytes(), &NO_HEADERS).era, Era::Modern);
}

#[test]
fn initialize_is_answered_with_a_supported_legacy_version() {
    let cases = [
        (None, "2025-11-25"),
        (Some("2025-11-25"), "2025-11-25"),
        (Some("2025-06-18"), "2025-06-18"),
        (Some("2025-03-26"), "2025-11-25"),
        (Some("2024-11-05"), "2025-11-25"),
        (Some("2026-07-28"), "2025-11-25"),
        (Some(""), "2025-11-25"),
    ];
    for (requested, answered) in cases {
        assert_eq!(negotiate(requested), answered, "{requested:?}");
    }
}

#[test]
fn a_legacy_request_may_not_name_an_unsupported_version() {
    let cases = [
        (None, true),
        (Some("2025-06-18"), true),
        (Some("2025-11-25"), true),
        (Some("2025-03-26"), false),
        (Some("1999-01-01"), false),
        (Some("latest"), false),
        (Some(""), false),
    ];
    let body = request_body("tools/list", "");
    for (protocol_version, good) in cases {
        let headers = Headers { protocol_version, ..NO_HEADERS };
        if good {
            expect_request(&body, &headers);
        } else {
            let refusal = expect_refusal(&body, &headers);
            assert_eq!(verdict(&refusal), (400, -32600), "{protocol_version:?}");
            for version in ["2026-07-28", "2025-11-25", "2025-06-18"] {
                assert!(refusal.message.contains(version), "{}", refusal.message);
            }
        }
    }
}

#[test]
fn the_version_header_is_ignored_for_initialize() {
    let body = request_body("initialize", r#""protocolVersion":"2025-06-18""#);
    for version in ["2026-07-28", "2025-03-26", "nonsense"] {
        let headers = Headers { protocol_version: Some(version), ..NO_HEADERS };
        let call = expect_request(&body, &headers).call;
        assert!(
            matches!(&call, MethodCall::Initialize { requested: Some(v) } if v == "2025-06-18"),
            "{call:?}"
        );
    }
}

#[test]
fn legacy_requests_need_no_mirroring_headers() {
    let headers = Headers { method: Some("other"), name: Some("other"), ..NO_HEADERS };
    expect_request(&request_body("tools/call", r#""name":"a""#), &headers);
}

#[test]
fn client_names_are_cleaned_and_shortened() {
    let long = "é".repeat(200);
    let cases = [
        (r#"{"name":"Claude"}"#.to_owned(), Some("Claude".to_owned())),
        (r#"{"name":"a\u0000\n\u007f\u0085b"}"#.to_owned(), Some("ab".to_owned())),
        (format!(r#"{{"name":"{long}"}}"#), Some("é".repeat(128))),
        (r#"{"name":""}"#.to_owned(), None),
        (r#"{"name":"\n"}"#.to_owned(), None),
        (r#"{"name":5}"#.to_owned(), None),
        (r#"{"title":"x"}"#.to_owned(), None),
        ("5".to_owned(), None),
        ("null".to_owned(), None),
    ];
    for (info, name) in cases {
        let legacy = request_body("initialize", &format!(r#""clientInfo":{info}"#));
        assert_eq!(expect_request(&legacy, &NO_HEADERS).client_name, name, "legacy {info}");

        let own = r#""io.modelcontextprotocol/clientInfo":{"name":"probe","version":"1"}"#;
        let meta = META.replace(own, &format!(r#""io.modelcontextprotocol/clientInfo":{info}"#));
        let modern = request_body("tools/list", &meta);
        let headers = crate::modern_headers("tools/list", None);
        assert_eq!(expect_request(&modern, &headers).client_name, name, "modern {info}");
    }
}

#[test]
fn a_legacy_call_has_no_client_name() {
    let body = request_body("tools/call", r#""name":"a","clientInfo":{"name":"b"}"#);
    assert_eq!(expect_request(&body, &NO_HEADERS).client_name, None);
}
