//! Results: the whole JSON-RPC response of each method, written directly as bytes.
//!
//! The shapes of all results, for both eras, are in this module. The contents of a list or of a tool's result are
//! passed in as serialized JSON; nothing is parsed here.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::era::{Era, MODERN_VERSIONS, negotiate};
use crate::separators;

/// How long a client may cache the answer to `server/discover`, in milliseconds.
pub const DISCOVER_TTL_MS: u32 = 300_000;

/// How long a client may cache a list, in milliseconds, and so miss a change to the caller's rights.
pub const LIST_TTL_MS: u32 = 60_000;

/// A resource must not be cached, because it shows the current state of a record.
const RESOURCE_TTL_MS: u32 = 0;

/// The server's capabilities, in both eras: it has these features, and does not notify clients of changes.
const CAPABILITIES: &[u8] = br#"{"tools":{},"prompts":{},"resources":{}}"#;

/// The server's self-description.
///
/// Source: MCP schema, `Implementation`.
#[derive(Clone, Debug, Serialize)]
pub struct ServerInfo {
    /// The name for programs.
    pub name: Cow<'static, str>,
    /// The name for people.
    pub title: Cow<'static, str>,
    /// The version of the program.
    pub version: Cow<'static, str>,
}

/// A tool's answer.
#[derive(Clone, Copy, Debug)]
pub struct ToolResult<'a> {
    /// One JSON object on a single line. It is copied into the reply without being parsed, so anything else would
    /// make the reply invalid.
    pub json: &'a str,
    /// Whether the tool refused or failed.
    pub is_error: bool,
}

/// The lists that a client can request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    ResourceTemplates,
}

/// One message of a prompt.
#[derive(Clone, Copy, Debug)]
pub struct PromptMessage<'a> {
    /// The author of the message.
    pub role: Role,
    /// The text of the message.
    pub text: &'a str,
}

/// The author of a prompt's message.
///
/// Source: MCP schema, `Role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// Writes the result of one request; every method returns the whole body of a reply with status 200.
#[derive(Clone, Copy, Debug)]
pub struct Responder<'a> {
    /// The id of the request, which is echoed as it was written.
    pub id: &'a RawValue,
    /// The era of the request.
    pub era: Era,
    /// The server's self-description, which every modern result contains.
    pub server: &'a ServerInfo,
}

impl Responder<'_> {
    /// The result of `initialize`, with the version that [`negotiate`] chooses.
    #[must_use]
    pub fn initialize(&self, requested: Option<&str>, instructions: &str) -> Vec<u8> {
        let mut out = self.open(512 + instructions.len());
        out.extend(br#""protocolVersion":"#);
        append(&mut out, &negotiate(requested));
        out.extend(br#","capabilities":"#);
        out.extend(CAPABILITIES);
        out.extend(br#","serverInfo":"#);
        append(&mut out, self.server);
        out.extend(br#","instructions":"#);
        append(&mut out, &instructions);
        self.close(out)
    }

    /// The result of `ping`, an empty object.
    #[must_use]
    pub fn ping(&self) -> Vec<u8> {
        let mut out = self.open(64);
        out.extend(b"}}");
        out
    }

    /// The result of `server/discover`. It lists the versions that a request's `_meta` may name; legacy
    /// versions are negotiated by `initialize`.
    #[must_use]
    pub fn discover(&self, instructions: &str) -> Vec<u8> {
        let mut out = self.open(512 + instructions.len());
        out.extend(br#""supportedVersions":"#);
        append(&mut out, &MODERN_VERSIONS);
        out.extend(br#","capabilities":"#);
        out.extend(CAPABILITIES);
        out.extend(br#","instructions":"#);
        append(&mut out, &instructions);
        self.cache_hint(&mut out, DISCOVER_TTL_MS);
        self.close(out)
    }

    /// The result of a list method: one page with everything. `items_json` is the text of a JSON
    /// array.
    #[must_use]
    pub fn list(&self, kind: ListKind, items_json: &str) -> Vec<u8> {
        let mut out = self.open(512 + items_json.len());
        append(&mut out, &kind.member());
        out.push(b':');
        out.extend(separators::escape(items_json).as_bytes());
        self.cache_hint(&mut out, LIST_TTL_MS);
        self.close(out)
    }

    /// The result of `tools/call`. It contains the JSON as text, for models. If the call succeeded, it also
    /// contains the JSON as `structuredContent`, which a tool with an output schema must return.
    #[must_use]
    pub fn tool_result(&self, result: ToolResult<'_>) -> Vec<u8> {
        let json = separators::escape(result.json);
        // The text form is longer: each quote needs a backslash.
        let mut out = self.open(512 + json.len() * 5 / 2);
        out.extend(br#""content":[{"type":"text","text":"#);
        append_json_as_text(&mut out, &json);
        out.extend(b"}]");
        if result.is_error {
            out.extend(br#","isError":true"#);
        } else {
            out.extend(br#","structuredContent":"#);
            out.extend(json.as_bytes());
        }
        self.close(out)
    }

    /// The result of `prompts/get`.
    #[must_use]
    pub fn prompt(&self, description: &str, messages: &[PromptMessage<'_>]) -> Vec<u8> {
        let mut out = self.open(512 + description.len());
        out.extend(br#""description":"#);
        append(&mut out, &description);
        out.extend(br#","messages":["#);
        for (index, message) in messages.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend(br#"{"role":"#);
            append(&mut out, &message.role.name());
            out.extend(br#","content":{"type":"text","text":"#);
            append(&mut out, &message.text);
            out.extend(b"}}");
        }
        out.push(b']');
        self.close(out)
    }

    /// The result of `resources/read`: text, which is JSON if the MIME type says so.
    #[must_use]
    pub fn resource(&self, uri: &str, mime_type: &str, text: &str) -> Vec<u8> {
        let mut out = self.open(512 + text.len() * 3 / 2);
        out.extend(br#""contents":[{"uri":"#);
        append(&mut out, &uri);
        out.extend(br#","mimeType":"#);
        append(&mut out, &mime_type);
        out.extend(br#","text":"#);
        let json = (mime_type == "application/json").then(|| separators::escape(text));
        append(&mut out, &json.as_deref().unwrap_or(text));
        out.extend(b"}]");
        self.cache_hint(&mut out, RESOURCE_TTL_MS);
        self.close(out)
    }

    /// The result of `resources/read`: content that is not text.
    #[must_use]
    pub fn blob(&self, uri: &str, mime_type: &str, content: &[u8]) -> Vec<u8> {
        let mut out = self.open(512 + content.len() * 3 / 2);
        out.extend(br#""contents":[{"uri":"#);
        append(&mut out, &uri);
        out.extend(br#","mimeType":"#);
        append(&mut out, &mime_type);
        out.extend(br#","blob":""#);
        out.extend(STANDARD.encode(content).as_bytes());
        out.extend(br#""}]"#);
        self.cache_hint(&mut out, RESOURCE_TTL_MS);
        self.close(out)
    }

    /// Starts a response up to its first result member.
    fn open(&self, capacity: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity);
        out.extend(br#"{"jsonrpc":"2.0","id":"#);
        out.extend(separators::escape(self.id.get()).as_bytes());
        out.extend(br#","result":{"#);
        out
    }

    /// Ends a response that has at least one result member.
    ///
    /// Source: MCP 2026-07-28, basic: `resultType` is required, serverInfo in `_meta` recommended.
    fn close(&self, mut out: Vec<u8>) -> Vec<u8> {
        if self.era == Era::Modern {
            out.extend(br#","resultType":"complete","_meta":{"#);
            out.extend(br#""io.modelcontextprotocol/serverInfo":"#);
            append(&mut out, self.server);
            out.push(b'}');
        }
        out.extend(b"}}");
        out
    }

    /// Says how long a modern client may cache a result. The scope is always private, because what callers see
    /// depends on their rights.
    ///
    /// Source: MCP 2026-07-28, server/utilities/caching.
    fn cache_hint(&self, out: &mut Vec<u8>, ttl_ms: u32) {
        if self.era == Era::Modern {
            out.extend(br#","ttlMs":"#);
            append(out, &ttl_ms);
            out.extend(br#","cacheScope":"private""#);
        }
    }
}

impl ListKind {
    /// The result member that contains the list.
    fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resourceTemplates",
        }
    }
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// Appends JSON as a JSON string. In JSON on a single line, only quotes and backslashes need escaping.
fn append_json_as_text(out: &mut Vec<u8>, json: &str) {
    let json = json.as_bytes();
    out.push(b'"');
    let mut written = 0;
    for special in memchr::memchr2_iter(b'"', b'\\', json) {
        out.extend(&json[written..special]);
        out.push(b'\\');
        written = special;
    }
    out.extend(&json[written..]);
    out.push(b'"');
}

/// Appends a value as compact JSON.
pub(crate) fn append(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    serde_json::to_writer(&mut *out, value)
        .expect("a vector takes every byte, and only strings, numbers and string keys are written");
    separators::escape_from(out, start);
}
