//! The steps of an authorized call: parse the arguments, look up the idempotency key, run the tool, record
//! the history, remember the answer, count what was stored, and reduce it to a receipt. Only [`crate::call::run`] runs them.

use serde::Deserialize;
use serde_json::{Map, Value};
use zoop_db::Uuid;

use crate::call::access::Access;
use crate::call::argument::{self, Object, ParseContext};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::ToolDef;
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::history;
use crate::call::idempotency::{self, Remembered};
use crate::call::storage;
use crate::call::tool::{Command, Query, Receipt, Replay};

/// A command's call, with the idempotency key separate from the arguments.
pub struct Call {
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
    storage::charge(ctx, storage::is_limited::<T>())?;
    Ok(output)
}

/// Runs a command and returns the answer as JSON. A retry with the same idempotency key gets the first
/// answer again, and nothing is run.
pub(crate) fn command_json<T: Command>(ctx: &mut WriteCtx<'_, '_>, call: Call) -> Result<String> {
    let has_key = matches!(call.key, Ok(Some(_)));
    let fingerprint = has_key.then(|| idempotency::fingerprint(&call.arguments));
    let parse_context = parse_context(ctx.access);
    let (input, key) = argument::read::<T::Input, _>(call.arguments, call.key, parse_context)?;
    let claim = match (key, fingerprint) {
        (Some(key), Some(fingerprint)) => {
            let claim = idempotency::Claim { key, fingerprint, tool: call.tool.name };
            if let Some(remembered) = idempotency::recall(ctx, &claim)? {
                return replay::<T>(ctx, call.tool, &input, remembered);
            }
            Some(claim)
        }
        _ => None,
    };
    let answer = serde_json::to_string(&T::run(ctx, &input)?)?;
    history::record(ctx, call.tool.name)?;
    if let Some(claim) = claim {
        idempotency::remember(ctx, &claim, &remembered::<T>(&answer)?)?;
    }
    storage::charge(ctx, storage::is_limited::<T>())?;
    Ok(answer)
}

/// What is remembered of an answer.
fn remembered<T: Command>(answer: &str) -> Result<Remembered> {
    if answer.len() <= idempotency::MAX_KEPT || matches!(T::REPLAY, Replay::Kept) {
        return Ok(Remembered::whole(answer.to_owned()));
    }
    // Nothing was sent: what remains is what every receipt contains.
    Ok(Remembered::part(receipt_of(answer, T::RECEIPT, &Object::new())?, answer))
}

/// The answer to a retry. If the record has changed since, a caller who may read it gets it as it is now. Nobody
/// else gets more than was kept: the record may contain what others have written meanwhile.
fn replay<T: Command>(
    ctx: &mut WriteCtx<'_, '_>,
    tool: &ToolDef,
    input: &T::Input,
    remembered: Remembered,
) -> Result<String> {
    let (true, Replay::Reread(reread)) = (remembered.is_part(), T::REPLAY) else {
        return Ok(remembered.answer);
    };
    let kept: KeptId = serde_json::from_str(&remembered.answer)?;
    let answer = match reread(ctx, input, kept.id) {
        Ok(record) => serde_json::to_string(&record)?,
        // It was archived meanwhile. The write has happened all the same.
        Err(Error::NotFound { .. }) => return Ok(remembered.answer),
        Err(error) => return Err(error),
    };
    let is_shown = remembered.is_of(&answer) || !needs_receipt(ctx.access, tool, T::RECEIPT);
    Ok(if is_shown { answer } else { remembered.answer })
}

/// The record that a remembered answer is about.
#[derive(Deserialize)]
struct KeptId {
    id: Uuid,
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
