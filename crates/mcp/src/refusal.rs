//! Refusals at the protocol level: an HTTP status and a JSON-RPC error.
//!
//! All error codes and their statuses, for both eras, are in this module. If a tool refuses a call, that is not a
//! refusal but a result (see [`Responder::tool_result`]).
//!
//! [`Responder::tool_result`]: crate::Responder::tool_result

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::era::{Era, LEGACY_VERSIONS, MODERN_VERSIONS};

/// JSON-RPC 2.0, 5.1: the body is not JSON.
const PARSE_ERROR: i64 = -32700;
/// JSON-RPC 2.0, 5.1: the JSON is not a request.
const INVALID_REQUEST: i64 = -32600;
/// JSON-RPC 2.0, 5.1.
const METHOD_NOT_FOUND: i64 = -32601;
/// JSON-RPC 2.0, 5.1. MCP also uses it for unknown tools, prompts and resources and for invalid cursors.
const INVALID_PARAMS: i64 = -32602;
/// JSON-RPC 2.0, 5.1.
const INTERNAL_ERROR: i64 = -32603;
/// MCP 2026-07-28, `HeaderMismatch`.
const HEADER_MISMATCH: i64 = -32020;
/// MCP 2026-07-28, `UnsupportedProtocolVersion`.
const UNSUPPORTED_VERSION: i64 = -32022;

/// One of this server's own codes. The modern era closes the range -32099..-32000 to applications, so the modern
/// codes are outside the range that JSON-RPC reserves.
struct OwnCode {
    legacy: i64,
    modern: i64,
}

const UNAUTHORIZED: OwnCode = OwnCode { legacy: -32001, modern: -31001 };
const MISSING_CAPABILITY: i64 = -32021;
const INSUFFICIENT_SCOPE: OwnCode = OwnCode { legacy: -32002, modern: -31002 };
const RATE_LIMITED: OwnCode = OwnCode { legacy: -32003, modern: -31003 };
const OVERLOADED: OwnCode = OwnCode { legacy: -32004, modern: -31004 };

/// What is sent instead of a result.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The JSON-RPC error code.
    pub code: i64,
    /// One sentence for the developer of the client.
    pub message: String,
    /// Data that a client may act on; boxed, to keep `Result<_, Refusal>` small.
    pub data: Option<Box<Value>>,
    /// The id of the refused request, if it could be read.
    pub id: Option<Box<RawValue>>,
    /// The era in which to answer.
    pub era: Era,
}

/// The request that a refusal answers. All refusals are created by its methods.
#[derive(Clone, Copy, Debug)]
pub struct ReplyTo<'a> {
    /// The id of the request, if it could be read.
    pub id: Option<&'a RawValue>,
    /// The era of the request, as far as it can be determined.
    pub era: Era,
}

impl Refusal {
    /// The JSON-RPC error response, with the request's id if it is known. Otherwise the id is `null` in the legacy
    /// era (JSON-RPC 2.0, 5), and omitted in the modern era, whose schema does not allow `null`.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let id = match (&self.id, self.era) {
            (Some(id), _) => Some(&**id),
            (None, Era::Legacy) => Some(RawValue::NULL),
            (None, Era::Modern) => None,
        };
        let error =
            ErrorObject { code: self.code, message: &self.message, data: self.data.as_deref() };
        let mut out = Vec::with_capacity(256);
        crate::reply::append(&mut out, &ErrorResponse { jsonrpc: "2.0", id, error });
        out
    }
}

#[derive(Serialize)]
struct ErrorResponse<'a> {
    jsonrpc: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: i64,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

/// Refusals that end a request before its method runs.
impl ReplyTo<'_> {
    /// A request of which only the headers were read.
    #[must_use]
    pub fn unread(protocol_version: Option<&str>) -> ReplyTo<'static> {
        ReplyTo { id: None, era: Era::from_header(protocol_version) }
    }

    /// The same request without its id, for a refusal of the HTTP message as a whole.
    fn without_id(self) -> Self {
        Self { id: None, ..self }
    }

    /// The token is missing or not accepted; `reason` is sent as `data.reason`. Status 401.
    #[must_use]
    pub fn unauthorized(self, reason: &str) -> Refusal {
        let data = json!({ "reason": reason });
        self.refuse(401, UNAUTHORIZED.of(self.era), "Unauthorized", Some(data))
    }

    /// The token lacks scopes that it could be granted: `data.required` lists all scopes that the call needs.
    /// Status 403 (RFC 6750, 3.1).
    #[must_use]
    pub fn insufficient_scope(self, required: &[&str]) -> Refusal {
        let plural = if required.len() == 1 { "" } else { "s" };
        let message = format!("This call needs the scope{plural} {}", required.join(" and "));
        let data = json!({ "required": required });
        self.refuse(403, INSUFFICIENT_SCOPE.of(self.era), message, Some(data))
    }

    /// Too many requests. Status 429.
    #[must_use]
    pub fn rate_limited(self, retry_after_s: u64) -> Refusal {
        let message = format!("Too many requests; try again in {retry_after_s} s");
        let data = json!({ "retry_after_s": retry_after_s });
        self.refuse(429, RATE_LIMITED.of(self.era), message, Some(data))
    }

    /// The request needs a capability that the client has not declared; `required` is an object of
    /// client capabilities. Status 400.
    ///
    /// Source: MCP 2026-07-28, `MissingRequiredClientCapability`.
    #[must_use]
    pub fn missing_capability(self, required: Value) -> Refusal {
        let data = json!({ "requiredCapabilities": required });
        let message = "The request needs a client capability that was not declared";
        self.refuse(400, MISSING_CAPABILITY, message, Some(data))
    }

    /// The server has no capacity for the request now. Status 503.
    #[must_use]
    pub fn overloaded(self, retry_after_s: u64) -> Refusal {
        let message = format!("The server is overloaded; try again in {retry_after_s} s");
        let data = json!({ "retry_after_s": retry_after_s });
        self.refuse(503, OVERLOADED.of(self.era), message, Some(data))
    }

    /// The server's storage is not available now: it is full, for example, or locked by another program. Status 503.
    #[must_use]
    pub fn unavailable(self, retry_after_s: u64) -> Refusal {
        let message = format!(
            "The server's storage is not available and nothing was changed; try again in \
             {retry_after_s} s"
        );
        let data = json!({ "retry_after_s": retry_after_s });
        self.refuse(503, OVERLOADED.of(self.era), message, Some(data))
    }

    /// The connection to the storage broke while a change was being committed, so it may or may not have been
    /// saved. Status 503.
    #[must_use]
    pub fn uncertain(self, retry_after_s: u64) -> Refusal {
        let message = format!(
            "The server's storage became unavailable while the change was being saved, and it is not known \
             whether it was: check whether the change is there, or, if the call had an idempotency key, repeat \
             it with the same key in {retry_after_s} s, which never makes the change twice"
        );
        let data = json!({ "retry_after_s": retry_after_s, "outcome": "unknown" });
        self.refuse(503, OVERLOADED.of(self.era), message, Some(data))
    }

    /// The server failed. The refusal contains only the id under which the cause was logged. Status 500.
    #[must_use]
    pub fn internal(self, request_id: &str) -> Refusal {
        let data = json!({ "request_id": request_id });
        self.refuse(500, INTERNAL_ERROR, "Internal error", Some(data))
    }

    /// The method is not POST; the caller adds `Allow: POST`. Status 405.
    #[must_use]
    pub fn method_not_allowed(self) -> Refusal {
        self.without_id().refuse(405, INVALID_REQUEST, "This endpoint accepts only POST", None)
    }

    /// The body is longer than `limit` bytes. Status 413.
    #[must_use]
    pub fn too_large(self, limit: usize) -> Refusal {
        let message = format!("The body is longer than {limit} bytes");
        self.without_id().refuse(413, INVALID_REQUEST, message, None)
    }

    /// The `Origin` header names a site whose pages may not call the endpoint. Status 403.
    #[must_use]
    pub fn origin_refused(self) -> Refusal {
        self.without_id().refuse(403, INVALID_REQUEST, "This Origin is not allowed", None)
    }

    /// A header that may be sent only once was sent twice. Status 400.
    #[must_use]
    pub fn duplicate_header(self, header: &str) -> Refusal {
        self.invalid_request(&format!("the header {:?} was sent twice", excerpt(header)))
    }

    /// The message, or the URL that it was sent to, is invalid. Status 400.
    #[must_use]
    pub fn invalid_request(self, message: &str) -> Refusal {
        self.refuse(400, INVALID_REQUEST, format!("Invalid request: {message}"), None)
    }

    pub(crate) fn parse_error(self, message: &str) -> Refusal {
        self.refuse(400, PARSE_ERROR, format!("Parse error: {message}"), None)
    }

    pub(crate) fn header_mismatch(self, message: &str) -> Refusal {
        self.refuse(400, HEADER_MISMATCH, format!("Header mismatch: {message}"), None)
    }

    /// An unsupported version in the modern era. Only modern versions are listed, because the client sends the
    /// same request again with one of them.
    pub(crate) fn unsupported_version(self, requested: &str) -> Refusal {
        let data = json!({ "supported": MODERN_VERSIONS, "requested": excerpt(requested) });
        self.refuse(400, UNSUPPORTED_VERSION, "Unsupported protocol version", Some(data))
    }

    /// An unsupported version in the legacy era.
    pub(crate) fn unknown_version_header(self, requested: &str) -> Refusal {
        let supported: Vec<_> = MODERN_VERSIONS.into_iter().chain(LEGACY_VERSIONS).collect();
        let message = format!(
            "Invalid request: the header MCP-Protocol-Version says {:?}; supported are {}",
            excerpt(requested),
            supported.join(", ")
        );
        let data = json!({ "supported": supported, "requested": excerpt(requested) });
        self.refuse(400, INVALID_REQUEST, message, Some(data))
    }
}

/// Refusals of a method or its parameters. Their status is 200 in the legacy era, where errors are sent like
/// results; in the modern era each has its own.
impl ReplyTo<'_> {
    pub(crate) fn unknown_method(self, method: &str) -> Refusal {
        let message = format!("Method not found: {}", excerpt(method));
        self.refuse(self.legacy_200_or(404), METHOD_NOT_FOUND, message, None)
    }

    /// The parameters do not fit the method.
    #[must_use]
    pub fn invalid_params(self, message: &str) -> Refusal {
        let message = format!("Invalid params: {message}");
        self.refuse(self.legacy_200_or(400), INVALID_PARAMS, message, None)
    }

    /// There is no such tool, or it is hidden from this caller.
    #[must_use]
    pub fn unknown_tool(self, name: &str) -> Refusal {
        let message =
            format!("Unknown tool: {}; tools/list lists the available tools", excerpt(name));
        self.refuse(self.legacy_200_or(400), INVALID_PARAMS, message, None)
    }

    /// There is no such prompt.
    #[must_use]
    pub fn unknown_prompt(self, name: &str) -> Refusal {
        let message = format!("Unknown prompt: {}", excerpt(name));
        self.refuse(self.legacy_200_or(400), INVALID_PARAMS, message, None)
    }

    /// The cursor was not returned by a list.
    #[must_use]
    pub fn bad_cursor(self) -> Refusal {
        self.invalid_params("the cursor was not issued by this server")
    }

    /// There is no such resource, or it is hidden from this caller. The legacy code -32002 is not used: the
    /// modern era forbids it, and older clients treat all errors alike.
    #[must_use]
    pub fn unknown_resource(self, uri: &str) -> Refusal {
        let data = json!({ "uri": excerpt(uri) });
        self.refuse(self.legacy_200_or(400), INVALID_PARAMS, "Resource not found", Some(data))
    }

    fn legacy_200_or(self, modern: u16) -> u16 {
        match self.era {
            Era::Legacy => 200,
            Era::Modern => modern,
        }
    }

    fn refuse(
        self,
        status: u16,
        code: i64,
        message: impl Into<String>,
        data: Option<Value>,
    ) -> Refusal {
        let id = self.id.map(ToOwned::to_owned);
        let data = data.map(Box::new);
        Refusal { status, code, message: message.into(), data, id, era: self.era }
    }
}

impl OwnCode {
    fn of(&self, era: Era) -> i64 {
        match era {
            Era::Legacy => self.legacy,
            Era::Modern => self.modern,
        }
    }
}

/// The start of a string that a client sent: enough to recognize it, too little to flood a log.
pub(crate) fn excerpt(text: &str) -> &str {
    const MAX_CHARACTERS: usize = 200;
    text.char_indices().nth(MAX_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}
