//! The header rules of both eras: how a request's headers must match its body.
//!
//! This module only compares. The server reads the headers and detects duplicates (see
//! [`ReplyTo::duplicate_header`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::era::{LEGACY_VERSIONS, MODERN_VERSIONS};
use crate::frame::{META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION, Meta};
use crate::object::{is_object, string};
use crate::refusal::{Refusal, ReplyTo, excerpt};

/// The values of the headers that the protocol uses, as they were sent, without surrounding white space.
///
/// Source: MCP 2026-07-28, basic/transports/streamable-http; for `MCP-Protocol-Version` also MCP 2025-06-18.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `MCP-Protocol-Version`.
    pub protocol_version: Option<&'a str>,
    /// `Mcp-Method`.
    pub method: Option<&'a str>,
    /// `Mcp-Name`, possibly in the form `=?base64?…?=`.
    pub name: Option<&'a str>,
}

impl Headers<'_> {
    /// A legacy request may omit the version, but must not name an unsupported one.
    pub(crate) fn check_legacy_version(&self, reply_to: ReplyTo<'_>) -> Result<(), Refusal> {
        match self.protocol_version {
            Some(version) if !LEGACY_VERSIONS.contains(&version) => {
                Err(reply_to.unknown_version_header(version))
            }
            _ => Ok(()),
        }
    }

    /// A modern request names its version twice, in the header and in `_meta`, and describes its
    /// sender in `_meta`.
    pub(crate) fn check_modern_version(
        &self,
        meta: &Meta<'_>,
        reply_to: ReplyTo<'_>,
    ) -> Result<(), Refusal> {
        let Some(header) = self.protocol_version else {
            return Err(reply_to.header_mismatch("the header MCP-Protocol-Version is missing"));
        };
        let Some(version) = meta.protocol_version.and_then(string) else {
            let message = format!("params._meta must have {META_PROTOCOL_VERSION:?}, a string");
            return Err(reply_to.invalid_params(&message));
        };
        if header != version {
            let message = format!(
                "the header MCP-Protocol-Version says {:?}, params._meta says {:?}",
                excerpt(header),
                excerpt(&version)
            );
            return Err(reply_to.header_mismatch(&message));
        }
        if !MODERN_VERSIONS.contains(&header) {
            return Err(reply_to.unsupported_version(header));
        }
        if !meta.client_capabilities.is_some_and(is_object) {
            let message = format!("params._meta must have {META_CLIENT_CAPABILITIES:?}, an object");
            return Err(reply_to.invalid_params(&message));
        }
        Ok(())
    }

    /// `Mcp-Method` repeats the body's method.
    pub(crate) fn check_method(&self, method: &str, reply_to: ReplyTo<'_>) -> Result<(), Refusal> {
        match self.method {
            None => Err(reply_to.header_mismatch("the header Mcp-Method is missing")),
            Some(header) if header == method => Ok(()),
            Some(header) => Err(reply_to.header_mismatch(&format!(
                "the header Mcp-Method says {:?}, the body says {:?}",
                excerpt(header),
                excerpt(method)
            ))),
        }
    }

    /// `Mcp-Name` repeats the name or URI in the body.
    pub(crate) fn check_name(&self, name: &str, reply_to: ReplyTo<'_>) -> Result<(), Refusal> {
        match self.name {
            None => Err(reply_to.header_mismatch("the header Mcp-Name is missing")),
            Some(header) if represents(header, name) => Ok(()),
            Some(header) => Err(reply_to.header_mismatch(&format!(
                "the header Mcp-Name says {:?}, the body says {:?}",
                excerpt(header),
                excerpt(name)
            ))),
        }
    }
}

/// Whether a header value represents this text. A value of exactly the form `=?base64?…?=` is base64, for text
/// that a header cannot contain; any other value is literal.
fn represents(header: &str, text: &str) -> bool {
    let wrapped = header.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    match wrapped {
        Some(encoded) => STANDARD.decode(encoded).is_ok_and(|decoded| decoded == text.as_bytes()),
        None => header == text,
    }
}
