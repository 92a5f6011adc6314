//! Tests the rules of the protocol, only through the public functions.

mod client;
mod eras;
mod frame;
mod methods;
mod modern;
mod properties;
mod refusals;
mod replies;

use serde_json::Value;
use zoop_mcp::{Headers, Incoming, Refusal, Request, ServerInfo, read};

/// The headers of a client that sends none.
const NO_HEADERS: Headers<'static> = Headers { protocol_version: None, method: None, name: None };

/// The `_meta` member of `params`, in which every modern request describes its client.
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"probe","version":"1"}}"#;

/// The headers that fit a modern request.
fn modern_headers<'a>(method: &'a str, name: Option<&'a str>) -> Headers<'a> {
    Headers { protocol_version: Some("2026-07-28"), method: Some(method), name }
}

/// A request with the id 7. `params` contains the members without braces.
fn request_body(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{{params}}}}}"#)
}

/// A modern request with the id 7.
fn modern_body(method: &str, params: &str) -> String {
    let separator = if params.is_empty() { "" } else { "," };
    request_body(method, &format!("{META}{separator}{params}"))
}

fn expect_request<'a>(body: &'a str, headers: &Headers<'_>) -> Request<'a> {
    match read(body.as_bytes(), headers) {
        Ok(Incoming::Request(request)) => request,
        other => panic!("{body} was not accepted: {other:?}"),
    }
}

fn expect_refusal(body: impl AsRef<[u8]>, headers: &Headers<'_>) -> Refusal {
    match read(body.as_ref(), headers) {
        Err(refusal) => refusal,
        Ok(incoming) => {
            panic!("{} was not refused: {incoming:?}", String::from_utf8_lossy(body.as_ref()))
        }
    }
}

/// Status and code, which most rules prescribe.
fn verdict(refusal: &Refusal) -> (u16, i64) {
    (refusal.status, refusal.code)
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("every body is JSON")
}

fn server() -> ServerInfo {
    ServerInfo { name: "zoop".into(), title: "Zoop".into(), version: "1.2.3".into() }
}
