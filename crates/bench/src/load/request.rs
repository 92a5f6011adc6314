//! Requests as bytes, written before anything is measured.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde_json::{Value, json};

/// The address and the credential of calls.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: &'static str,
    pub(crate) token: String,
}

/// What an answer must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// A result without an error.
    Success,
    /// This HTTP status.
    Status(u16),
}

/// The requests of a load.
pub(crate) enum Requests {
    /// The same ones in a loop.
    Repeated(Vec<Vec<u8>>, Expected),
    /// A new one each time; the argument is its index.
    New(Box<dyn Fn(usize) -> Vec<u8>>),
}

impl Requests {
    /// The request at this index.
    pub(super) fn get(&self, place: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Repeated(requests, _) => Cow::Borrowed(&requests[place % requests.len()]),
            Self::New(make) => Cow::Owned(make(place)),
        }
    }

    pub(super) const fn expected(&self) -> Expected {
        match self {
            Self::Repeated(_, expected) => *expected,
            Self::New(_) => Expected::Success,
        }
    }
}

impl Target {
    /// The call of a tool.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Vec<u8> {
        self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// A request of the protocol, with the headers that clients send.
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
