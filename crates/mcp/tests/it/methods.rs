//! The methods of both eras and their parameters.

use zoop_mcp::{Era, MethodCall};

use crate::{
    NO_HEADERS, expect_refusal, expect_request, modern_body, modern_headers, request_body, verdict,
};

/// The call as a string, for comparisons.
fn debug_text(call: &MethodCall<'_>) -> String {
    format!("{call:?}")
}

#[test]
fn methods_of_both_eras_are_understood() {
    // The method, its parameters, the name in the header, and the call that is read.
    let cases = [
        ("tools/list", "", None, "ListTools { cursor: None }"),
        ("tools/list", r#""cursor":"x""#, None, r#"ListTools { cursor: Some("x") }"#),
        ("tools/list", r#""cursor":null"#, None, "ListTools { cursor: None }"),
        (
            "tools/call",
            r#""name":"a.b""#,
            Some("a.b"),
            r#"CallTool { name: "a.b", arguments: None }"#,
        ),
        (
            "tools/call",
            r#""arguments": { "x" : [1] } ,"name":"a""#,
            Some("a"),
            r#"CallTool { name: "a", arguments: Some(RawValue({ "x" : [1] })) }"#,
        ),
        ("prompts/list", "", None, "ListPrompts"),
        ("prompts/get", r#""name":"p""#, Some("p"), r#"GetPrompt { name: "p", arguments: None }"#),
        (
            "prompts/get",
            r#""name":"p","arguments":{"a":"b"}"#,
            Some("p"),
            r#"GetPrompt { name: "p", arguments: Some(RawValue({"a":"b"})) }"#,
        ),
        ("resources/list", "", None, "ListResources"),
        ("resources/templates/list", "", None, "ListResourceTemplates"),
        (
            "resources/read",
            r#""uri":"zoop://a""#,
            Some("zoop://a"),
            r#"ReadResource { uri: "zoop://a" }"#,
        ),
    ];
    for (method, params, name, understood) in cases {
        let body = request_body(method, params);
        let legacy = expect_request(&body, &NO_HEADERS);
        assert_eq!((legacy.era, debug_text(&legacy.call).as_str()), (Era::Legacy, understood));

        let body = modern_body(method, params);
        let modern = expect_request(&body, &modern_headers(method, name));
        assert_eq!((modern.era, debug_text(&modern.call).as_str()), (Era::Modern, understood));
    }
}

#[test]
fn methods_of_one_era_are_understood() {
    let body = request_body("ping", "");
    assert_eq!(debug_text(&expect_request(&body, &NO_HEADERS).call), "Ping");
    let body = request_body("initialize", "");
    assert_eq!(
        debug_text(&expect_request(&body, &NO_HEADERS).call),
        "Initialize { requested: None }"
    );
    let body = modern_body("server/discover", "");
    let headers = modern_headers("server/discover", None);
    assert_eq!(debug_text(&expect_request(&body, &headers).call), "Discover");
}

#[test]
fn a_plain_call_without_params_or_headers_is_understood() {
    for params in ["", r#","params":{}"#, r#","params":null"#, r#","params":{"_meta":null}"#] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list"{params}}}"#);
        assert_eq!(
            debug_text(&expect_request(&body, &NO_HEADERS).call),
            "ListTools { cursor: None }"
        );
    }
}

#[test]
fn unknown_methods_are_refused() {
    let common = [
        "logging/setLevel",
        "completion/complete",
        "resources/subscribe",
        "subscriptions/listen",
        "notifications/initialized",
        "Tools/call",
        "tools/call ",
        "",
    ];
    for method in common {
        let refusal = expect_refusal(request_body(method, ""), &NO_HEADERS);
        assert_eq!(verdict(&refusal), (200, -32601), "legacy {method:?}");
    }
    for method in common.into_iter().chain(["initialize", "ping"]) {
        let refusal = expect_refusal(modern_body(method, ""), &modern_headers(method, None));
        assert_eq!(verdict(&refusal), (404, -32601), "modern {method:?}");
    }
}

#[test]
fn an_unknown_method_is_reported_before_its_parameters() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"no/such","params":[]}"#;
    assert_eq!(verdict(&expect_refusal(body, &NO_HEADERS)), (200, -32601));
}

#[test]
fn invalid_parameters_are_refused() {
    // The method, its parameters, and the name in the header if the body has a name.
    let cases = [
        ("tools/call", "", None),
        ("tools/call", r#""name":null"#, None),
        ("tools/call", r#""name":5"#, None),
        ("tools/call", r#""name":"\udc00""#, None),
        ("tools/call", r#""arguments":{}"#, None),
        ("tools/call", r#""name":"a","arguments":[]"#, Some("a")),
        ("tools/call", r#""name":"a","arguments":"{}""#, Some("a")),
        ("tools/call", r#""name":"a","arguments":5"#, Some("a")),
        ("tools/call", r#""name":"a","arguments":true"#, Some("a")),
        ("tools/list", r#""cursor":5"#, None),
        ("prompts/get", "", None),
        ("prompts/get", r#""name":"p","arguments":[]"#, Some("p")),
        ("resources/read", "", None),
        ("resources/read", r#""uri":{}"#, None),
    ];
    for (method, params, name) in cases {
        let legacy = expect_refusal(request_body(method, params), &NO_HEADERS);
        assert_eq!(verdict(&legacy), (200, -32602), "legacy {method} {params}");
        let modern = expect_refusal(modern_body(method, params), &modern_headers(method, name));
        assert_eq!(verdict(&modern), (400, -32602), "modern {method} {params}");
    }
}

#[test]
fn params_that_are_not_an_object_are_refused() {
    for params in
        ["[]", "5", "\"x\"", "true", r#"{"_meta":5}"#, r#"{"_meta":[]}"#, r#"{"\ud800":1}"#]
    {
        for method in ["ping", "tools/call"] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
            let refusal = expect_refusal(&body, &NO_HEADERS);
            assert_eq!(verdict(&refusal), (200, -32602), "{body}");
            assert!(refusal.message.contains("must be an object"), "{}", refusal.message);
        }
    }
}

#[test]
fn a_version_that_is_not_a_string_is_refused() {
    let body = request_body("initialize", r#""protocolVersion":5"#);
    assert_eq!(verdict(&expect_refusal(body, &NO_HEADERS)), (200, -32602));
}

#[test]
fn a_null_parameter_counts_as_omitted() {
    for (method, params, bare, name) in [
        ("tools/call", r#""name":"a","arguments":null"#, r#""name":"a""#, Some("a")),
        ("prompts/get", r#""name":"p","arguments":null,"cursor":null"#, r#""name":"p""#, Some("p")),
        ("tools/list", r#""cursor":null"#, "", None),
    ] {
        let headers = modern_headers(method, name);
        for (with_null, without, headers) in [
            (request_body(method, params), request_body(method, bare), &NO_HEADERS),
            (modern_body(method, params), modern_body(method, bare), &headers),
        ] {
            let call = |body: &str| format!("{:?}", expect_request(body, headers).call);
            assert_eq!(call(&with_null), call(&without), "{with_null}");
        }
    }
    let initialize = r#""protocolVersion":null,"clientInfo":null"#;
    let body = request_body("initialize", initialize);
    let request = expect_request(&body, &NO_HEADERS);
    assert!(matches!(request.call, MethodCall::Initialize { requested: None }), "{request:?}");
    assert_eq!(request.client_name, None);
}
