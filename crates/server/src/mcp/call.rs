//! `tools/call`.

use serde_json::value::RawValue;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_mcp::ToolResult;

use super::context::{self, RequestContext};
use super::{done, refused};
use crate::answer::Answer;
use crate::auth::CallFailure;

/// Runs a tool. A tool's error is a result with status 200. The answer is a protocol error for an unknown tool, a
/// rejected token, an exceeded limit, a scope that the client can still ask for, overload, and a storage failure.
pub(super) async fn call(
    context: &RequestContext<'_>,
    name: &str,
    arguments: Option<&RawValue>,
) -> Result<Answer, Answer> {
    let listed = context.shared.tools.find(name);
    let Some(listed) = listed.filter(|it| context.view.shows(it.group, it.tool)) else {
        // Only an authenticated caller learns which names exist.
        context.admit().await?;
        #[cfg(feature = "conformance-fixtures")]
        if let Some(refusal) = super::fixture::missing_capability(context, name) {
            return Err(refused(&refusal));
        }
        return Err(refused(&context.request.reply_to().unknown_tool(name)));
    };
    let arguments = arguments.map_or("{}", RawValue::get).to_owned();
    match context.run(listed.tool, arguments).await {
        Ok(json) => {
            let result = ToolResult { json: &json, is_error: false };
            Ok(done(context.responder().tool_result(result)))
        }
        Err(CallFailure::Failed(error)) => Err(failure(context, &error)),
        Err(failure) => Err(context.answer_to(&failure)),
    }
}

/// The error that tells an OAuth client which scopes to ask the user for (RFC 6750, 3.1; MCP, authorization).
fn step_up(context: &RequestContext<'_>, required: &[Scope]) -> Answer {
    let names: Vec<_> = required.iter().map(|scope| scope.name()).collect();
    let refusal = context.request.reply_to().insufficient_scope(&names);
    let has =
        context.auth.authenticated().map_or(Scopes::NONE, |authenticated| authenticated.scopes);
    let challenge = Some(context.auth.challenge().step_up(has.or(Scopes::of(required))));
    Answer { challenge, ..Answer::refusal(&refusal, "insufficient_scope") }
}

fn failure(context: &RequestContext<'_>, error: &Error) -> Answer {
    match error {
        Error::Unavailable { .. } => return context.failed(error),
        Error::InsufficientScope { required, attainable: true } => {
            return step_up(context, required);
        }
        _ => {}
    }
    context::log(context.request_id, error);
    let json = error.public_json(context.request_id);
    let result = ToolResult { json: &json, is_error: true };
    Answer::ok(context.responder().tool_result(result), error.kind())
}
