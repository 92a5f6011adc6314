//! Turns a frame into a typed request: the supported methods and their parameters.
//!
//! This module defines the order of the checks. A tool's arguments are not checked here: they are passed on as the
//! text of an object.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::era::Era;
use crate::frame::{Frame, Params};
use crate::headers::Headers;
use crate::object::{is_object, members, string};
use crate::refusal::{Refusal, ReplyTo};
use crate::reply::{Responder, ServerInfo};

/// The maximum length of a client's name, in characters; the rest is cut off.
const MAX_CLIENT_NAME: usize = 128;

/// A valid message.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// To be answered with status 200 and one JSON-RPC response.
    Request(Request<'a>),
    /// To be answered with status 202 and no body, and otherwise ignored. This is a message without an id, even if
    /// its method exists, or a response, although the server sends no requests.
    ///
    /// Source: MCP 2025-06-18, basic/transports, "Sending Messages to the Server".
    Notification,
}

/// A request that follows every rule of the protocol.
#[derive(Debug)]
pub struct Request<'a> {
    /// The id as it was sent, byte for byte.
    pub id: &'a RawValue,
    /// The era in which to answer.
    pub era: Era,
    /// The client's name for itself, which is not verified. It has no control characters and 1 to 128
    /// characters.
    pub client_name: Option<String>,
    /// The client's capabilities, the text of an object; only in the modern era.
    pub client_capabilities: Option<&'a RawValue>,
    /// `params._meta.idempotency_key`: the key of a call that may be repeated.
    pub idempotency_key: Option<Cow<'a, str>>,
    /// The call.
    pub call: MethodCall<'a>,
}

/// The supported methods, with their parameters.
#[derive(Debug)]
pub enum MethodCall<'a> {
    /// `initialize`, legacy only.
    Initialize {
        /// The version that the client prefers; see [`negotiate`](crate::negotiate).
        requested: Option<String>,
    },
    /// `ping`, legacy only.
    Ping,
    /// `server/discover`, modern only.
    Discover,
    /// `tools/list`.
    ListTools {
        /// Where the page starts; this crate does not interpret it.
        cursor: Option<String>,
    },
    /// `tools/call`.
    CallTool {
        /// The tool's name. There may be no such tool.
        name: Cow<'a, str>,
        /// The text of an object. Its members are not parsed, so it may have duplicate keys.
        arguments: Option<&'a RawValue>,
    },
    /// `prompts/list`.
    ListPrompts,
    /// `prompts/get`.
    GetPrompt {
        /// The prompt's name. There may be no such prompt.
        name: Cow<'a, str>,
        /// The text of an object, whose members are not parsed.
        arguments: Option<&'a RawValue>,
    },
    /// `resources/list`.
    ListResources,
    /// `resources/templates/list`.
    ListResourceTemplates,
    /// `resources/read`.
    ReadResource {
        /// The resource's URI. There may be no such resource.
        uri: Cow<'a, str>,
    },
}

/// Reads a message and checks it against the header rules of its era.
///
/// The checks, in this order: the frame (a message without an id ends here, accepted); the version;
/// in the modern era `Mcp-Method`; whether the method exists; its parameters; `Mcp-Name`.
pub fn read<'a>(body: &'a [u8], headers: &Headers<'_>) -> Result<Incoming<'a>, Refusal> {
    let frame = Frame::scan(body);
    let era = frame.era(headers);
    let reply_to = ReplyTo { id: frame.id, era };
    if let Some(fault) = &frame.fault {
        return Err(fault.refusal(reply_to));
    }
    let (Some(id), Some(method)) = (frame.id, frame.method.as_deref()) else {
        return Ok(Incoming::Notification);
    };
    let call = match era {
        Era::Legacy => {
            // `initialize` negotiates a version, so no header can be wrong before it.
            if method != "initialize" {
                headers.check_legacy_version(reply_to)?;
            }
            read_call(method, &frame.params, reply_to)?
        }
        Era::Modern => {
            headers.check_modern_version(&frame.meta, reply_to)?;
            headers.check_method(method, reply_to)?;
            let call = read_call(method, &frame.params, reply_to)?;
            if let Some(name) = call.mirrored_name() {
                headers.check_name(name, reply_to)?;
            }
            call
        }
    };
    let client_info = match era {
        Era::Legacy if method == "initialize" => frame.params.client_info,
        Era::Legacy => None,
        Era::Modern => frame.meta.client_info,
    };
    let client_name = client_info.and_then(client_name);
    let client_capabilities = frame.meta.client_capabilities;
    let key = frame.meta.idempotency_key;
    let not_text = || reply_to.invalid_params("params._meta.idempotency_key must be a string");
    let idempotency_key = key.map(|raw| string(raw).ok_or_else(not_text)).transpose()?;
    let request = Request { id, era, client_name, client_capabilities, idempotency_key, call };
    Ok(Incoming::Request(request))
}

/// The [`ReplyTo`] for a body that is refused without being checked, for example because the token is missing.
/// Works for any body, however malformed.
#[must_use]
pub fn peek<'a>(body: &'a [u8], headers: &Headers<'_>) -> ReplyTo<'a> {
    let frame = Frame::scan(body);
    ReplyTo { id: frame.id, era: frame.era(headers) }
}

impl<'a> Request<'a> {
    /// The [`ReplyTo`] for a refusal of this request.
    #[must_use]
    pub fn reply_to(&self) -> ReplyTo<'a> {
        ReplyTo { id: Some(self.id), era: self.era }
    }

    /// The [`Responder`] for this request.
    #[must_use]
    pub fn responder(&self, server: &'a ServerInfo) -> Responder<'a> {
        Responder { id: self.id, era: self.era, server }
    }
}

impl MethodCall<'_> {
    /// The value that the modern header `Mcp-Name` must repeat, for methods that address one tool, prompt or
    /// resource.
    fn mirrored_name(&self) -> Option<&str> {
        match self {
            Self::CallTool { name, .. } | Self::GetPrompt { name, .. } => Some(name),
            Self::ReadResource { uri } => Some(uri),
            _ => None,
        }
    }
}

/// Reads the method's parameters. If the method does not exist, the refusal says so, whatever the parameters are.
fn read_call<'a>(
    method: &str,
    params: &Params<'a>,
    reply_to: ReplyTo<'_>,
) -> Result<MethodCall<'a>, Refusal> {
    let call = match (method, reply_to.era) {
        ("initialize", Era::Legacy) => read_initialize(params),
        ("ping", Era::Legacy) => Ok(MethodCall::Ping),
        ("server/discover", Era::Modern) => Ok(MethodCall::Discover),
        ("tools/list", _) => read_list_tools(params),
        ("tools/call", _) => read_call_tool(params),
        ("prompts/list", _) => Ok(MethodCall::ListPrompts),
        ("prompts/get", _) => read_get_prompt(params),
        ("resources/list", _) => Ok(MethodCall::ListResources),
        ("resources/templates/list", _) => Ok(MethodCall::ListResourceTemplates),
        ("resources/read", _) => read_read_resource(params),
        _ => return Err(reply_to.unknown_method(method)),
    };
    // If `params` as a whole is invalid, that explains more than a member that is missing as a consequence.
    params.fault.map_or(call, Err).map_err(|message| reply_to.invalid_params(message))
}

/// What is wrong with a parameter.
type ParamFault = &'static str;

fn read_initialize<'a>(params: &Params<'a>) -> Result<MethodCall<'a>, ParamFault> {
    let fault = "params.protocolVersion must be a string";
    let requested = optional_string(params.protocol_version, fault)?;
    Ok(MethodCall::Initialize { requested })
}

fn read_list_tools<'a>(params: &Params<'a>) -> Result<MethodCall<'a>, ParamFault> {
    let cursor = optional_string(params.cursor, "params.cursor must be a string")?;
    Ok(MethodCall::ListTools { cursor })
}

fn read_call_tool<'a>(params: &Params<'a>) -> Result<MethodCall<'a>, ParamFault> {
    let name = required_string(params.name, "params.name must be the tool's name, a string")?;
    Ok(MethodCall::CallTool { name, arguments: read_arguments(params)? })
}

fn read_get_prompt<'a>(params: &Params<'a>) -> Result<MethodCall<'a>, ParamFault> {
    let name = required_string(params.name, "params.name must be the prompt's name, a string")?;
    Ok(MethodCall::GetPrompt { name, arguments: read_arguments(params)? })
}

fn read_read_resource<'a>(params: &Params<'a>) -> Result<MethodCall<'a>, ParamFault> {
    let uri = required_string(params.uri, "params.uri must be the resource's URI, a string")?;
    Ok(MethodCall::ReadResource { uri })
}

fn read_arguments<'a>(params: &Params<'a>) -> Result<Option<&'a RawValue>, ParamFault> {
    match params.arguments {
        Some(arguments) if !is_object(arguments) => Err("params.arguments must be an object"),
        arguments => Ok(arguments),
    }
}

fn required_string(raw: Option<&RawValue>, fault: ParamFault) -> Result<Cow<'_, str>, ParamFault> {
    raw.and_then(string).ok_or(fault)
}

fn optional_string(
    raw: Option<&RawValue>,
    fault: ParamFault,
) -> Result<Option<String>, ParamFault> {
    match raw {
        None => Ok(None),
        Some(raw) => Ok(Some(string(raw).ok_or(fault)?.into_owned())),
    }
}

/// The `name` in an `Implementation`. If the name is invalid, the client is served anyway, without a name.
fn client_name(info: &RawValue) -> Option<String> {
    let [name] = members(info.get(), ["name"]).ok()?.values;
    let printable: String =
        string(name?)?.chars().filter(|c| !c.is_control()).take(MAX_CLIENT_NAME).collect();
    Some(printable).filter(|name| !name.is_empty())
}
