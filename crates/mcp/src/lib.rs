//! The Model Context Protocol on one HTTP endpoint: turns bytes into typed requests, and writes the bytes of
//! every answer.
//!
//! This crate contains the JSON-RPC frame, the two eras of the protocol, the header rules and the shapes of
//! results and refusals. Sockets, HTTP types, credentials and product terms must not live here: everything is a
//! pure function on bytes and strings, so that it can be fuzzed fast.
//!
//! A server calls [`read`] and then answers with a [`Responder`] or a [`Refusal`]. To refuse a message without
//! reading it, a server gets the [`ReplyTo`] from [`peek`]. A client uses [`client`].
//!
//! Sources: JSON-RPC 2.0; MCP revisions 2025-06-18, 2025-11-25 and 2026-07-28.

pub mod client;
mod era;
mod frame;
mod headers;
mod object;
mod refusal;
mod reply;
mod request;
mod separators;

pub use era::{Era, LEGACY_VERSIONS, MODERN_VERSIONS, negotiate};
pub use headers::Headers;
pub use refusal::{Refusal, ReplyTo};
pub use reply::{
    DISCOVER_TTL_MS, LIST_TTL_MS, ListKind, PromptMessage, Responder, Role, ServerInfo, ToolResult,
};
pub use request::{Incoming, MethodCall, Request, peek, read};
