//! The refusal of a tool that needs a capability of its client. The official conformance suite calls such a tool; it
//! does not exist, only its refusal does. Only the build for that suite contains this module.

use serde_json::json;
use zoop_mcp::Refusal;

use super::context::RequestContext;

/// The refusal of a call to `test_missing_capability` by a client that does not offer sampling.
pub(super) fn missing_capability(context: &RequestContext<'_>, name: &str) -> Option<Refusal> {
    let is_offered =
        context.request.client_capabilities.is_some_and(|it| it.get().contains("sampling"));
    let is_refused = name == "test_missing_capability" && !is_offered;
    is_refused.then(|| context.request.reply_to().missing_capability(json!({ "sampling": {} })))
}
