//! A tool for the official conformance suite: it needs a capability of its client, as no tool of the product
//! does. Only the suite's build contains it.

use serde_json::json;
use zoop_mcp::Refusal;

use super::context::RequestContext;

/// The refusal of `test_missing_capability` from a client that does not offer sampling.
pub(super) fn missing_capability(context: &RequestContext<'_>, name: &str) -> Option<Refusal> {
    let offered =
        context.request.client_capabilities.is_some_and(|it| it.get().contains("sampling"));
    let refused = name == "test_missing_capability" && !offered;
    refused.then(|| context.request.reply_to().missing_capability(json!({ "sampling": {} })))
}
