//! The JSON-RPC frame: no bytes make the reader panic, every answer is JSON with the request's id, and a call
//! that is serialized again is the same call.

use serde_json::value::RawValue;
use zoop_mcp::client::{call_tool_body, read_tool_reply};
use zoop_mcp::{Headers, Incoming, MethodCall, ServerInfo, ToolResult, peek, read};

/// The input is the body of a request.
///
/// # Panics
/// When the property does not hold.
pub fn frame(input: &[u8]) {
    let _ = read_tool_reply(input);
    for version in [None, Some("2025-11-25"), Some("2026-07-28")] {
        exercise(input, &Headers { protocol_version: version, method: None, name: None });
    }
}

/// Reads a body under some headers and answers it.
pub(crate) fn exercise(body: &[u8], headers: &Headers<'_>) {
    let reply_to = peek(body, headers);
    match read(body, headers) {
        Ok(Incoming::Notification) => {}
        Err(refusal) => {
            assert_eq!(refusal.era, reply_to.era);
            assert!([200, 400, 404].contains(&refusal.status));
            let sent = refusal.id.as_ref().map(|id| id.get().to_owned());
            assert_eq!(id_of(&refusal.body()), sent, "the refusal's id");
        }
        Ok(Incoming::Request(request)) => {
            assert_eq!(reply_to.id.map(RawValue::get), Some(request.id.get()));
            assert_eq!(request.era, reply_to.era);
            let server =
                ServerInfo { name: "zoop".into(), title: "Zoop".into(), version: "1".into() };
            let result = ToolResult { json: "{}", is_error: false };
            let reply = request.responder(&server).tool_result(result);
            assert_eq!(id_of(&reply).as_deref(), Some(request.id.get()), "the answer's id");
            if let MethodCall::CallTool { name, arguments: Some(arguments) } = &request.call {
                written_anew(name, arguments);
            }
        }
    }
}

fn written_anew(name: &str, arguments: &RawValue) {
    let body = call_tool_body(7, name, arguments);
    let Ok(Incoming::Request(request)) = read(&body, &Headers::default()) else {
        panic!("the client's own call is refused");
    };
    let MethodCall::CallTool { name: again, arguments: Some(same) } = request.call else {
        panic!("the client's own call is another one");
    };
    assert_eq!((&*again, same.get()), (name, arguments.get()));
}

/// The id in a response; `null` counts as none.
fn id_of(body: &[u8]) -> Option<String> {
    use std::collections::HashMap;
    let response: HashMap<&str, &RawValue> =
        serde_json::from_slice(body).expect("every body is JSON");
    response.get("id").map(|id| id.get()).filter(|id| *id != "null").map(str::to_owned)
}
