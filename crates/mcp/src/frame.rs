//! The JSON-RPC frame: splits the bytes of one message into its raw parts, and finds its first fault.
//!
//! This module contains the rules of JSON-RPC 2.0, and nothing about MCP's methods. A scan never fails: it finds
//! the id and the era even in an invalid frame, because a refusal needs both.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::era::Era;
use crate::headers::Headers;
use crate::object::{Members, Unreadable, members, string};
use crate::refusal::{Refusal, ReplyTo, excerpt};

/// The keys that the modern era puts into `params._meta`.
///
/// Source: MCP 2026-07-28, basic, "_meta".
pub(crate) const META_PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const META_CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const META_IDEMPOTENCY_KEY: &str = "idempotency_key";

/// One message as it was sent.
pub(crate) struct Frame<'a> {
    /// The id, if it is valid in JSON-RPC and MCP.
    pub(crate) id: Option<&'a RawValue>,
    /// The method; `None` in a response.
    pub(crate) method: Option<Cow<'a, str>>,
    /// The method's parameters.
    pub(crate) params: Params<'a>,
    /// The members of `params._meta`.
    pub(crate) meta: Meta<'a>,
    /// The first rule that the frame breaks.
    pub(crate) fault: Option<Fault>,
}

/// The members of `params` that the supported methods use.
#[derive(Default)]
pub(crate) struct Params<'a> {
    pub(crate) name: Option<&'a RawValue>,
    pub(crate) arguments: Option<&'a RawValue>,
    pub(crate) cursor: Option<&'a RawValue>,
    pub(crate) uri: Option<&'a RawValue>,
    pub(crate) protocol_version: Option<&'a RawValue>,
    pub(crate) client_info: Option<&'a RawValue>,
    /// Set if `params` or `_meta` is not an object. This is not a fault of the frame, because a notification is
    /// never answered, whatever its parameters are.
    pub(crate) fault: Option<&'static str>,
}

/// The members of `params._meta` that this server reads.
#[derive(Default)]
pub(crate) struct Meta<'a> {
    pub(crate) protocol_version: Option<&'a RawValue>,
    pub(crate) client_capabilities: Option<&'a RawValue>,
    pub(crate) client_info: Option<&'a RawValue>,
    /// The key of a call that may be repeated. It is this server's own member, in both eras.
    pub(crate) idempotency_key: Option<&'a RawValue>,
}

/// A broken rule of the frame.
pub(crate) enum Fault {
    /// Code -32700.
    NotJson(String),
    /// Code -32600.
    Invalid(String),
}

impl<'a> Frame<'a> {
    /// Splits a message into its parts. It may have white space around it, but no byte order mark (RFC 8259, 8.1).
    pub(crate) fn scan(body: &'a [u8]) -> Self {
        let Ok(text) = std::str::from_utf8(body) else {
            return Self::unreadable(Fault::NotJson("the body is not UTF-8".to_owned()));
        };
        match members(text, ["jsonrpc", "id", "method", "params", "result", "error"]) {
            Ok(top) => Self::from_members(top),
            Err(Unreadable::NotJson(error)) => {
                Self::unreadable(Fault::NotJson(format!("the body is not JSON: {error}")))
            }
            Err(Unreadable::NotAnObject) => Self::unreadable(Fault::Invalid(
                "the body must be one JSON-RPC object; batches are not supported".to_owned(),
            )),
        }
    }

    /// The era, as far as it can be determined.
    pub(crate) fn era(&self, headers: &Headers<'_>) -> Era {
        let meta_names_version = self.meta.protocol_version.is_some();
        Era::of(self.method.as_deref(), meta_names_version, headers.protocol_version)
    }

    fn unreadable(fault: Fault) -> Self {
        Self {
            id: None,
            method: None,
            params: Params::default(),
            meta: Meta::default(),
            fault: Some(fault),
        }
    }

    fn from_members(top: Members<'a, 6>) -> Self {
        let [jsonrpc, id, method, params, result, error] = top.values;
        let (params, meta, repeated_in_params) = read_params(params);
        let valid_id = id.filter(|id| is_id(id));
        let method_name = method.and_then(string);
        let is_response = method.is_none() && (result.is_some() || error.is_some());

        let fault = if let Some(key) = top.repeated.or(repeated_in_params) {
            Some(format!("the message has the key {:?} twice", excerpt(&key)))
        } else if jsonrpc.and_then(string).as_deref() != Some("2.0") {
            Some("jsonrpc must be \"2.0\"".to_owned())
        } else if is_response {
            None
        } else if id.is_some() && valid_id.is_none() {
            Some("id must be a string or an integer".to_owned())
        } else if method_name.is_none() {
            Some("method must be a string".to_owned())
        } else {
            None
        };
        Self { id: valid_id, method: method_name, params, meta, fault: fault.map(Fault::Invalid) }
    }
}

impl Fault {
    /// The refusal for this fault: status 400 in both eras.
    pub(crate) fn refusal(&self, reply_to: ReplyTo<'_>) -> Refusal {
        match self {
            Self::NotJson(message) => reply_to.parse_error(message),
            Self::Invalid(message) => reply_to.invalid_request(message),
        }
    }
}

/// Reads `params` and `params._meta`; also returns the first duplicate key in them.
fn read_params(raw: Option<&RawValue>) -> (Params<'_>, Meta<'_>, Option<String>) {
    let names = ["_meta", "name", "arguments", "cursor", "uri", "protocolVersion", "clientInfo"];
    let Some(found) = optional_object(raw, names) else {
        let params = Params {
            fault: Some("params must be an object with readable keys"),
            ..Params::default()
        };
        return (params, Meta::default(), None);
    };
    let [meta, name, arguments, cursor, uri, protocol_version, client_info] = found.values;
    let mut params =
        Params { name, arguments, cursor, uri, protocol_version, client_info, fault: None };

    let names =
        [META_PROTOCOL_VERSION, META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_IDEMPOTENCY_KEY];
    let Some(found_meta) = optional_object(meta, names) else {
        params.fault = Some("params._meta must be an object with readable keys");
        return (params, Meta::default(), found.repeated);
    };
    let [protocol_version, client_capabilities, client_info, idempotency_key] = found_meta.values;
    let meta = Meta { protocol_version, client_capabilities, client_info, idempotency_key };
    (params, meta, found.repeated.or(found_meta.repeated))
}

/// The members of an optional object; `None` if the value is not an object. `null` counts as omitted, both for the
/// object and for a member, because several clients send `null` for "no parameters".
fn optional_object<'a, const N: usize>(
    raw: Option<&'a RawValue>,
    names: [&'static str; N],
) -> Option<Members<'a, N>> {
    let is_null = |raw: &RawValue| raw.get() == "null";
    let Some(raw) = raw.filter(|raw| !is_null(raw)) else { return Some(Members::none()) };
    let mut members = members(raw.get(), names).ok()?;
    members.values = members.values.map(|value| value.filter(|raw| !is_null(raw)));
    Some(members)
}

/// Whether a value can be an id: a string, or a number without a fraction. JSON-RPC 2.0 also allows `null`, but MCP
/// does not.
fn is_id(raw: &RawValue) -> bool {
    match raw.get().as_bytes().first() {
        Some(b'"') => string(raw).is_some(),
        Some(b'-' | b'0'..=b'9') => is_integral(raw.get()),
        _ => false,
    }
}

/// Whether a JSON number is integral: `7`, `7.0` and `7e2` are, `7.5` and `7e-1` are not. The number is not
/// parsed, because an id may be a number of any size, and is echoed as it was sent.
fn is_integral(number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_zero = mantissa.bytes().all(|byte| matches!(byte, b'-' | b'.' | b'0'));
    if is_zero {
        return true;
    }
    let fraction = fraction.trim_end_matches('0');
    // The power of ten of the last digit that is not 0, without the exponent.
    let last_power = match fraction.len() {
        0 => signed(whole.len()) - signed(whole.trim_end_matches('0').len()),
        places => -signed(places),
    };
    match exponent.parse::<i64>() {
        Ok(exponent) => exponent.saturating_add(last_power) >= 0,
        // If the exponent exceeds 64 bits, only its sign matters: no body has enough digits to outweigh it.
        Err(_) => !exponent.starts_with('-'),
    }
}

/// A length as a signed number; no body is too long for it.
fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
