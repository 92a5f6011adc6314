//! The steps of an authorized call: parse the arguments, look up the idempotency key, run the tool, record
//! the history, store the answer, and reduce it to a receipt. Only [`crate::call::run`] runs them.

use serde_json::{Map, Value};

use crate::call::access::Access;
use crate::call::argument::{self, Object, ParseContext};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::ToolDef;
use crate::call::error::{FieldProblem, Result};
use crate::call::history;
use crate::call::idempotency;
use crate::call::tool::{Command, Query, Receipt};

/// A command's call, with the idempotency key separate from the arguments.
pub struct CommandCall {
    /// The tool.
    pub(crate) tool: &'static ToolDef,
    /// The arguments, without the idempotency key.
    pub(crate) arguments: Object,
    /// The idempotency key, if one was sent, or what is wrong with it.
    pub(crate) key: Result<Option<String>, FieldProblem>,
}

/// The context in which a caller's arguments are parsed.
pub(crate) fn parse_context(access: &Access) -> ParseContext {
    ParseContext { country: access.country() }
}

/// Runs a query.
pub(crate) fn query<T: Query>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<T::Output> {
    let input = argument::read_filters::<T::Input>(object, parse_context(ctx.access))?;
    T::run(ctx, &input)
}

/// Runs a query and returns the answer as JSON.
pub(crate) fn query_json<T: Query>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<String> {
    Ok(serde_json::to_string(&query::<T>(ctx, object)?)?)
}

/// Runs a command without an idempotency key.
pub(crate) fn command<T: Command>(ctx: &mut WriteCtx<'_, '_>, object: Object) -> Result<T::Output> {
    let (input, ()) = argument::read::<T::Input, _>(object, Ok(()), parse_context(ctx.access))?;
    let output = T::run(ctx, &input)?;
    history::record(ctx, T::NAME)?;
    Ok(output)
}

/// Runs a command and returns the answer as JSON. A retry with the same idempotency key gets the stored
/// answer, and nothing is run.
pub(crate) fn command_json<T: Command>(
    ctx: &mut WriteCtx<'_, '_>,
    call: CommandCall,
) -> Result<String> {
    let has_key = matches!(call.key, Ok(Some(_)));
    let fingerprint = has_key.then(|| idempotency::fingerprint(&call.arguments));
    let parse_context = parse_context(ctx.access);
    let (input, key) = argument::read::<T::Input, _>(call.arguments, call.key, parse_context)?;
    let claim = match (key, fingerprint) {
        (Some(key), Some(fingerprint)) => {
            let claim = idempotency::Claim { key, fingerprint, tool: call.tool.name };
            if let Some(answer) = idempotency::replay(ctx, &claim)? {
                return Ok(answer);
            }
            Some(claim)
        }
        _ => None,
    };
    let answer = serde_json::to_string(&T::run(ctx, &input)?)?;
    history::record(ctx, call.tool.name)?;
    if let Some(claim) = claim {
        idempotency::remember(ctx, &claim, &answer)?;
    }
    Ok(answer)
}

/// Whether the answer must be reduced to a receipt: the caller may not read what this tool writes, and the
/// whole answer would show stored values.
pub(crate) fn needs_receipt(access: &Access, tool: &ToolDef, receipt: Receipt) -> bool {
    receipt != Receipt::Whole && !access.scopes.has(tool.scope.read_counterpart())
}

/// Reduces an answer to its receipt. A stored answer passes through here too, so that a retry never shows
/// more than the caller may see now.
pub(crate) fn receipt_of(answer: &str, receipt: Receipt, sent: &Object) -> Result<String> {
    let mut record: Map<String, Value> = serde_json::from_str(answer)?;
    let mut shown = Map::new();
    let mut show = |key: &str, value: Value| {
        shown.insert(key.to_owned(), value);
    };
    match receipt {
        Receipt::Whole => return Ok(answer.to_owned()),
        Receipt::Keys(keys) => {
            for key in keys {
                show(key, record.remove(*key).unwrap_or(Value::Null));
            }
        }
        Receipt::Sent { always, renamed } => {
            for key in always {
                show(key, record.remove(*key).unwrap_or(Value::Null));
            }
            for (name, value) in sent {
                let key = renamed.iter().find(|(sent, _)| sent == name).map_or(&**name, |r| r.1);
                if let Some(stored) = record.remove(key) {
                    // A cleared field is shown as null: the stored record may show another record's value
                    // in its place.
                    show(key, if value.is_blank() { Value::Null } else { stored });
                }
            }
        }
    }
    Ok(serde_json::to_string(&shown)?)
}
