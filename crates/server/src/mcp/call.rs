//! `tools/call`.

use serde_json::value::RawValue;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_mcp::ToolResult;

use super::turn::{self, Turn};
use super::{done, refused};
use crate::answer::Answer;
use crate::auth::Halt;

/// Runs a tool. A tool's refusal is a result with status 200; other refusals are only for callers who were
/// not admitted and for overload.
pub(super) async fn call(
    turn: &Turn<'_>,
    name: &str,
    arguments: Option<&RawValue>,
) -> Result<Answer, Answer> {
    let listed = turn.shared.tools.find(name);
    let Some(listed) = listed.filter(|it| turn.view.shows(it.group, it.tool)) else {
        // Only an authenticated caller learns which names exist.
        turn.admit().await?;
        #[cfg(feature = "conformance-fixtures")]
        if let Some(refusal) = super::fixture::missing_capability(turn, name) {
            return Err(refused(&refusal));
        }
        return Err(refused(&turn.request.reply_to().unknown_tool(name)));
    };
    let arguments = arguments.map_or("{}", RawValue::get).to_owned();
    match turn.run(listed.tool, arguments).await {
        Ok(json) => {
            let result = ToolResult { json: &json, is_error: false };
            Ok(done(turn.responder().tool_result(result)))
        }
        Err(Halt::Failed(error)) => Err(failure(turn, &error)),
        Err(halt) => Err(turn.halted(&halt)),
    }
}

/// Tells a connected client which scope to ask the user for (RFC 6750, 3.1; MCP, authorization).
fn step_up(turn: &Turn<'_>, required: &[Scope]) -> Answer {
    let names: Vec<_> = required.iter().map(|scope| scope.name()).collect();
    let refusal = turn.request.reply_to().insufficient_scope(&names);
    let has = turn.ticket.pass().map_or(Scopes::NONE, |pass| pass.scopes);
    let challenge = Some(turn.ticket.challenge().step_up(has.or(Scopes::of(required))));
    Answer { challenge, ..Answer::refusal(&refusal, "insufficient_scope") }
}

fn failure(turn: &Turn<'_>, error: &Error) -> Answer {
    match error {
        Error::Unavailable { .. } => return turn.failed(error),
        Error::InsufficientScope { required, attainable: true } => return step_up(turn, required),
        _ => {}
    }
    turn::log(turn.request_id, error);
    let json = error.public_json(turn.request_id);
    let result = ToolResult { json: &json, is_error: true };
    Answer::ok(turn.responder().tool_result(result), error.kind())
}
