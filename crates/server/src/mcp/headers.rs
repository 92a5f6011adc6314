//! The request headers that this endpoint uses. Each must be valid and sent at most once.

use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use zoop_mcp::{Headers, Refusal, ReplyTo};

static PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
static MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
static MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The maximum length of a client's name, in characters; the rest is cut off.
const MAX_CLIENT_NAME: usize = 128;

/// The header that contains the token.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, HeaderFault> {
    single(headers, &AUTHORIZATION)
}

/// The headers other than `Authorization`.
pub(super) struct McpHeaders<'a> {
    pub(super) protocol: Headers<'a>,
    pub(super) idempotency_key: Option<&'a str>,
}

/// What is wrong with a header.
pub(super) enum HeaderFault {
    /// It was sent twice.
    Twice(&'static HeaderName),
    /// It is not UTF-8.
    Unreadable(&'static HeaderName),
}

impl<'a> McpHeaders<'a> {
    pub(super) fn read(headers: &'a HeaderMap) -> Result<Self, HeaderFault> {
        Ok(Self {
            protocol: Headers {
                protocol_version: text(headers, &PROTOCOL_VERSION)?,
                method: text(headers, &MCP_METHOD)?,
                name: text(headers, &MCP_NAME)?,
            },
            idempotency_key: text(headers, &IDEMPOTENCY_KEY)?,
        })
    }
}

impl HeaderFault {
    pub(super) fn refusal(&self, reply_to: ReplyTo<'_>) -> Refusal {
        match self {
            Self::Twice(name) => reply_to.duplicate_header(name.as_str()),
            Self::Unreadable(name) => {
                reply_to.invalid_request(&format!("the header {name} is not UTF-8"))
            }
        }
    }
}

/// Builds refusals for a request whose body has not been read.
pub(super) fn unread(headers: &HeaderMap) -> ReplyTo<'static> {
    ReplyTo::unread(text(headers, &PROTOCOL_VERSION).ok().flatten())
}

/// Builds refusals for a request whose body has been read, but one of whose headers is invalid.
pub(super) fn peek<'a>(body: &'a [u8], headers: &HeaderMap) -> ReplyTo<'a> {
    let protocol_version = text(headers, &PROTOCOL_VERSION).ok().flatten();
    zoop_mcp::peek(body, &Headers { protocol_version, method: None, name: None })
}

/// The first product in the `User-Agent` header, such as `curl/8.5.0`. It is the client's name if the client does not
/// send one in the protocol.
pub(super) fn product(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(USER_AGENT)?.to_str().ok()?;
    let product = agent.split_ascii_whitespace().next()?;
    Some(product.chars().take(MAX_CLIENT_NAME).collect())
}

fn text<'a>(
    headers: &'a HeaderMap,
    name: &'static HeaderName,
) -> Result<Option<&'a str>, HeaderFault> {
    let Some(value) = single(headers, name)? else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(HeaderFault::Unreadable(name)),
    }
}

fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static HeaderName,
) -> Result<Option<&'a HeaderValue>, HeaderFault> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(HeaderFault::Twice(name)),
    }
}
