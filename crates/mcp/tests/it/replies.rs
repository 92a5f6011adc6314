//! Results of every method in both eras.

use serde_json::{Value, json};
use zoop_mcp::{Era, ListKind, PromptMessage, Responder, Role, ToolResult};

use crate::{NO_HEADERS, expect_request, json, request_body, server};

/// The results that `write` writes in the legacy and in the modern era. Checks that each is a response to the request,
/// and that exactly the modern result has the members of its era, which it removes.
fn results(write: impl Fn(&Responder<'_>) -> Vec<u8>) -> [Value; 2] {
    let body = request_body("ping", "");
    let request = expect_request(&body, &NO_HEADERS);
    let server = server();
    [Era::Legacy, Era::Modern].map(|era| {
        let responder = Responder { era, ..request.responder(&server) };
        let mut response = json(&write(&responder));
        assert_eq!(response["jsonrpc"], "2.0");
        assert_eq!(response["id"], 7);
        assert_eq!(response.as_object().map(serde_json::Map::len), Some(3));
        let mut result = response["result"].take();
        let members = result.as_object_mut().expect("a result is an object");
        let result_type = members.remove("resultType");
        let meta = members.remove("_meta");
        if era == Era::Modern {
            assert_eq!(result_type, Some(json!("complete")));
            let info = json!({ "name": "zoop", "title": "Zoop", "version": "1.2.3" });
            assert_eq!(meta, Some(json!({ "io.modelcontextprotocol/serverInfo": info })));
        } else {
            assert_eq!((result_type, meta), (None, None));
        }
        result
    })
}

/// The same object with the cache members.
fn with_cache_members(mut result: Value, ttl_ms: u32) -> Value {
    result["ttlMs"] = json!(ttl_ms);
    result["cacheScope"] = json!("private");
    result
}

#[test]
fn tool_results_have_the_shape_of_each_era() {
    let record = r#"{"name":"O\"Hara\\n","n":[1,2.50],"é":"\u2028"}"#;
    let [legacy, modern] =
        results(|to| to.tool_result(ToolResult { json: record, is_error: false }));
    let structured: Value = serde_json::from_str(record).unwrap();
    let content = json!([{ "type": "text", "text": record }]);
    assert_eq!(legacy, json!({ "content": content, "structuredContent": structured }));
    assert_eq!(modern, legacy);

    let [legacy, modern] =
        results(|to| to.tool_result(ToolResult { json: record, is_error: true }));
    assert_eq!(legacy, json!({ "content": content, "isError": true }));
    assert_eq!(modern, legacy);
}

#[test]
fn structured_content_is_verbatim() {
    let body = request_body("ping", "");
    let server = server();
    let responder = expect_request(&body, &NO_HEADERS).responder(&server);
    let record = r#"{"b":1.500,"a":12345678901234567890123}"#;
    let reply = responder.tool_result(ToolResult { json: record, is_error: false });
    let reply = String::from_utf8(reply).unwrap();
    assert!(reply.contains(&format!(r#""structuredContent":{record}"#)), "{reply}");
}

#[test]
fn initialize_is_answered_in_the_legacy_era() {
    for (requested, version) in [("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25")] {
        let [legacy, _] = results(|to| to.initialize(Some(requested), "Be \"kind\"."));
        let expected = json!({
            "protocolVersion": version,
            "capabilities": { "tools": {}, "prompts": {}, "resources": {} },
            "serverInfo": { "name": "zoop", "title": "Zoop", "version": "1.2.3" },
            "instructions": "Be \"kind\".",
        });
        assert_eq!(legacy, expected);
    }
}

#[test]
fn ping_is_answered_with_an_empty_result() {
    let body = request_body("ping", "");
    let server = server();
    let reply = expect_request(&body, &NO_HEADERS).responder(&server).ping();
    assert_eq!(json(&reply), json!({ "jsonrpc": "2.0", "id": 7, "result": {} }));
}

#[test]
fn discover_lists_the_modern_versions() {
    let [_, modern] = results(|to| to.discover("Be kind."));
    let expected = json!({
        "supportedVersions": ["2026-07-28"],
        "capabilities": { "tools": {}, "prompts": {}, "resources": {} },
        "instructions": "Be kind.",
    });
    assert_eq!(modern, with_cache_members(expected, 300_000));
}

#[test]
fn lists_have_the_shape_of_each_era() {
    let kinds = [
        (ListKind::Tools, "tools"),
        (ListKind::Prompts, "prompts"),
        (ListKind::Resources, "resources"),
        (ListKind::ResourceTemplates, "resourceTemplates"),
    ];
    for (kind, member) in kinds {
        for items in [json!([]), json!([{ "name": "a" }, { "name": "b" }])] {
            let [legacy, modern] = results(|to| to.list(kind, &items.to_string()));
            assert_eq!(legacy, json!({ member: items }));
            assert_eq!(modern, with_cache_members(legacy, 60_000));
        }
    }
}

#[test]
fn prompts_have_the_shape_of_each_era() {
    let messages = [
        PromptMessage { role: Role::User, text: "Who is \"due\"?" },
        PromptMessage { role: Role::Assistant, text: "" },
    ];
    let [legacy, modern] = results(|to| to.prompt("Finds the due.", &messages));
    let expected = json!({
        "description": "Finds the due.",
        "messages": [
            { "role": "user", "content": { "type": "text", "text": "Who is \"due\"?" } },
            { "role": "assistant", "content": { "type": "text", "text": "" } },
        ],
    });
    assert_eq!(legacy, expected);
    assert_eq!(modern, legacy);
    let [legacy, _] = results(|to| to.prompt("", &[]));
    assert_eq!(legacy, json!({ "description": "", "messages": [] }));
}

#[test]
fn resources_have_the_shape_of_each_era() {
    let [legacy, modern] = results(|to| to.resource("zoop://a", "application/json", "{\"a\":1}"));
    let contents =
        json!([{ "uri": "zoop://a", "mimeType": "application/json", "text": "{\"a\":1}" }]);
    assert_eq!(legacy, json!({ "contents": contents }));
    assert_eq!(modern, with_cache_members(legacy, 0));
}

/// JSON allows U+2028 and U+2029 unescaped, but clients that read line by line would split a message there.
#[test]
fn line_separators_are_always_escaped() {
    let record = "{\"name\":\"a\u{2028}b\u{2029}\u{2019}\"}";
    let escaped = r#"{"name":"a\u2028b\u2029’"}"#;
    let body = request_body("ping", "").replace(":7", ":\"i\u{2028}d\"");
    let request = expect_request(&body, &NO_HEADERS);
    let server = server();
    for era in [Era::Legacy, Era::Modern] {
        let to = Responder { era, ..request.responder(&server) };
        let messages = [PromptMessage { role: Role::User, text: record }];
        let refusal = request.reply_to().unknown_tool("a\u{2029}");
        let replies = [
            to.tool_result(ToolResult { json: record, is_error: false }),
            to.tool_result(ToolResult { json: record, is_error: true }),
            to.list(ListKind::Tools, &format!("[{record}]")),
            to.prompt(record, &messages),
            to.resource("zoop://\u{2028}", "application/json", record),
            to.resource("zoop://a", "text/plain", record),
            to.discover(record),
            refusal.body(),
        ];
        for reply in &replies {
            let text = std::str::from_utf8(reply).expect("UTF-8");
            assert!(!text.contains(['\u{2028}', '\u{2029}']), "{text:?}");
            assert_eq!(json(reply)["id"], "i\u{2028}d");
        }
        let called = json(&replies[0]);
        assert_eq!(called["result"]["content"][0]["text"], escaped, "the text contains JSON");
        assert_eq!(called["result"]["structuredContent"]["name"], "a\u{2028}b\u{2029}’");
        assert_eq!(json(&replies[4])["result"]["contents"][0]["text"], escaped);
        assert_eq!(json(&replies[5])["result"]["contents"][0]["text"], record);
    }
}
