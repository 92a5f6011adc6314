//! The client's side: builds the body of one tool call and reads its reply.
//!
//! This module does only what a command line needs: a legacy call, which needs no handshake and no header except
//! the token. Sending the call is up to the user of this module.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::reply::append;

/// The answer to a tool call.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The tool answered, with a result or a refusal.
    Tool {
        /// The first text block of the result; from this server, the answer as JSON.
        text: String,
        /// Whether the tool refused or failed.
        is_error: bool,
    },
    /// The call did not reach the tool.
    ProtocolError {
        /// The JSON-RPC error code.
        code: i64,
        /// The server's message.
        message: String,
        /// Data that a client may act on.
        data: Option<Value>,
    },
}

/// A body that is not an answer to a tool call, for example a proxy's error page.
#[derive(Debug)]
pub struct UnreadableReply {
    cause: Option<serde_json::Error>,
}

impl fmt::Display for UnreadableReply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the reply is not an answer to a tool call")
    }
}

impl std::error::Error for UnreadableReply {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// The body of a `tools/call` request. `arguments` should be an object; if not, the server says so.
#[must_use]
pub fn call_tool_body(id: u64, name: &str, arguments: &RawValue) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + name.len() + arguments.get().len());
    let params = CallParams { name, arguments };
    append(&mut out, &CallRequest { jsonrpc: "2.0", id, method: "tools/call", params });
    out
}

/// Reads the body of a reply with any HTTP status, because errors have the same kind of body.
pub fn read_tool_reply(body: &[u8]) -> Result<Reply, UnreadableReply> {
    let response: Response =
        serde_json::from_slice(body).map_err(|cause| UnreadableReply { cause: Some(cause) })?;
    if let Some(error) = response.error {
        let ErrorObject { code, message, data } = error;
        return Ok(Reply::ProtocolError { code, message, data });
    }
    let result = response.result.ok_or(UnreadableReply { cause: None })?;
    let text = result.content.into_iter().find_map(|block| block.text);
    let text = text.ok_or(UnreadableReply { cause: None })?;
    Ok(Reply::Tool { text, is_error: result.is_error })
}

#[derive(Serialize)]
struct CallRequest<'a> {
    jsonrpc: &'a str,
    id: u64,
    method: &'a str,
    params: CallParams<'a>,
}

#[derive(Serialize)]
struct CallParams<'a> {
    name: &'a str,
    arguments: &'a RawValue,
}

#[derive(Deserialize)]
struct Response {
    result: Option<CallResult>,
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct CallResult {
    content: Vec<ContentBlock>,
    #[serde(default, rename = "isError")]
    is_error: bool,
}

#[derive(Deserialize)]
struct ContentBlock {
    text: Option<String>,
}

#[derive(Deserialize)]
struct ErrorObject {
    code: i64,
    message: String,
    data: Option<Value>,
}
