//! The client side sends the form that the server side reads.

use serde_json::json;
use serde_json::value::RawValue;
use zoop_mcp::client::{Reply, call_tool_body, read_tool_reply};
use zoop_mcp::{MethodCall, ToolResult};

use crate::{NO_HEADERS, expect_request, server};

fn arguments(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("the tests write JSON")
}

#[test]
fn the_server_understands_a_call_and_the_client_its_reply() {
    let body = call_tool_body(1, "notes.\"x\"", &arguments(r#"{"a": 1.50}"#));
    let body = String::from_utf8(body).unwrap();
    let request = expect_request(&body, &NO_HEADERS);
    assert_eq!(request.id.get(), "1");
    let MethodCall::CallTool { name, arguments: Some(sent) } = &request.call else {
        panic!("{:?}", request.call);
    };
    assert_eq!((&**name, sent.get()), ("notes.\"x\"", r#"{"a": 1.50}"#));

    let server = server();
    for is_error in [false, true] {
        let answer = ToolResult { json: r#"{"a":"\n"}"#, is_error };
        let reply = read_tool_reply(&request.responder(&server).tool_result(answer)).unwrap();
        assert_eq!(reply, Reply::Tool { text: r#"{"a":"\n"}"#.to_owned(), is_error });
    }
}

#[test]
fn the_client_reads_a_refusal_with_its_data() {
    let body = call_tool_body(1, "a", &arguments("{}"));
    let body = String::from_utf8(body).unwrap();
    let refusal = expect_request(&body, &NO_HEADERS).reply_to().unauthorized("expired");
    let expected = Reply::ProtocolError {
        code: -32001,
        message: "Unauthorized".to_owned(),
        data: Some(json!({ "reason": "expired" })),
    };
    assert_eq!(read_tool_reply(&refusal.body()).unwrap(), expected);
}

#[test]
fn other_bodies_are_not_read_as_replies() {
    let bodies = [
        "",
        "<html>Bad gateway</html>",
        "{}",
        "[]",
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":"x"}}"#,
    ];
    for body in bodies {
        let error = read_tool_reply(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the reply is not an answer to a tool call", "{body}");
    }
}
