//! Requests as bytes. Each is built before the time of its call begins.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde_json::{Value, json};

/// The address and the credential for calls.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: &'static str,
    pub(crate) token: String,
}

/// The answer that a load expects.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// A result without an error.
    Success,
    /// This HTTP status.
    Status(u16),
}

/// The requests of a load.
pub(crate) enum Requests {
    /// These requests in a loop.
    Repeated(Vec<Vec<u8>>, Expected),
    /// A new request each time, made from its index.
    New(Box<dyn Fn(usize) -> Vec<u8>>),
}

impl Requests {
    /// The request at this index.
    pub(crate) fn get(&self, index: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Repeated(requests, _) => Cow::Borrowed(&requests[index % requests.len()]),
            Self::New(make) => Cow::Owned(make(index)),
        }
    }

    pub(crate) const fn expected(&self) -> Expected {
        match self {
            Self::Repeated(_, expected) => *expected,
            Self::New(_) => Expected::Success,
        }
    }
}

impl Target {
    /// The request for a tool call.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Vec<u8> {
        self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// An MCP request with the headers that clients send.
    pub(crate) fn request(&self, method: &str, params: &Value) -> Vec<u8> {
        let frame = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let frame = frame.to_string();
        let Self { address, path, token } = self;
        format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
             mcp-protocol-version: 2025-06-18\r\ncontent-length: {}\r\n\r\n{frame}",
            frame.len()
        )
        .into_bytes()
    }
}
