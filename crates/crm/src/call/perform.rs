//! The steps of an authorized call. A command is first prepared, as a read: its arguments are parsed. Then,
//! in the write: look up the idempotency key, run the tool, record the history, remember the answer, count what
//! was stored, and reduce the answer to a receipt. Only [`crate::call::run`] runs them.

use serde::Deserialize;
use serde_json::{Map, Value};
use zoop_db::Uuid;

use crate::call::access::Access;
use crate::call::argument::{self, Object, ParseContext};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::history;
use crate::call::idempotency::{self, Claim, Remembered};
use crate::call::scope::Scope;
use crate::call::storage;
use crate::call::tool::{Command, Query, Receipt, Replay, Step};

/// A command's call, with the idempotency key separate from the arguments.
pub struct CommandCall {
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

/// A command whose arguments are valid: only the write is left. It may run several times.
pub trait Prepared: Send {
    /// Runs it, or its next part, and returns the answer as JSON. A retry with the same idempotency key gets the
    /// first answer again, and nothing is run.
    fn run(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<String>>;
}

/// [`Prepared`] in the tool's own types.
pub(crate) struct Ready<T: Command> {
    input: T::Input,
    claim: Option<Claim>,
    sent: Sent,
}

/// The names of the fields that a call sent, and whether each one's value was blank.
type Sent = Vec<(String, bool)>;

impl<T: Command> Ready<T> {
    /// Runs it, or its next part.
    pub(crate) fn output(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<T::Output>> {
        let output = self.unpaid(ctx)?;
        storage::charge(ctx, storage::is_limited::<T>())?;
        Ok(output)
    }

    /// Runs it, or its next part, and leaves it to the caller to count what was stored.
    fn unpaid(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<T::Output>> {
        let step = match T::advance(ctx, &self.input)? {
            Step::Partial => Step::Partial,
            Step::Done(()) => Step::Done(T::run(ctx, &self.input)?),
        };
        history::record(ctx, T::NAME)?;
        Ok(step)
    }

    fn answer(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<String>> {
        if let Some(claim) = &self.claim
            && let Some(remembered) = idempotency::recall(ctx, claim)?
        {
            return replay::<T>(ctx, &self.input, remembered).map(Step::Done);
        }
        let step = match self.unpaid(ctx)? {
            Step::Partial => Step::Partial,
            Step::Done(output) => Step::Done(serde_json::to_string(&output)?),
        };
        if let (Step::Done(answer), Some(claim)) = (&step, &self.claim) {
            idempotency::remember(ctx, claim, &remembered::<T>(answer)?)?;
        }
        storage::charge(ctx, storage::is_limited::<T>())?;
        Ok(step)
    }
}

impl<T: Command> Prepared for Ready<T> {
    fn run(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<String>> {
        match self.answer(ctx)? {
            Step::Done(answer) if needs_receipt(ctx.access, T::SCOPE, T::RECEIPT) => {
                receipt_of(&answer, T::RECEIPT, &self.sent).map(Step::Done)
            }
            step => Ok(step),
        }
    }
}

/// Checks a command's arguments and makes it ready for the write.
pub(crate) fn prepare<T: Command>(
    ctx: &mut ReadCtx<'_, '_>,
    call: CommandCall,
) -> Result<Ready<T>> {
    let has_key = matches!(call.key, Ok(Some(_)));
    let fingerprint = has_key.then(|| idempotency::fingerprint(&call.arguments));
    let sent = match T::RECEIPT {
        Receipt::Sent { .. } => {
            call.arguments.iter().map(|(name, value)| (name.clone(), value.is_blank())).collect()
        }
        Receipt::Whole | Receipt::Keys(_) => Sent::new(),
    };
    let parse_context = parse_context(ctx.access);
    let (input, key) = argument::read::<T::Input, _>(call.arguments, call.key, parse_context)?;
    let claim = key.zip(fingerprint);
    let claim = claim.map(|(key, fingerprint)| Claim { key, fingerprint, tool: T::NAME });
    Ok(Ready { input: T::prepare(ctx, input)?, claim, sent })
}

/// [`prepare`] without the tool's types.
pub(crate) fn prepare_json<T: Command>(
    ctx: &mut ReadCtx<'_, '_>,
    call: CommandCall,
) -> Result<Box<dyn Prepared>> {
    Ok(Box::new(prepare::<T>(ctx, call)?))
}

/// What is remembered of an answer.
fn remembered<T: Command>(answer: &str) -> Result<Remembered> {
    if answer.len() <= idempotency::MAX_KEPT || matches!(T::REPLAY, Replay::Kept) {
        return Ok(Remembered::whole(answer.to_owned()));
    }
    // Nothing was sent: what remains is what every receipt contains.
    Ok(Remembered::part(receipt_of(answer, T::RECEIPT, &[])?, answer))
}

/// The answer to a retry. If the record has changed since, a caller who may read it gets it as it is now. Nobody
/// else gets more than was kept: the record may contain what others have written meanwhile.
fn replay<T: Command>(
    ctx: &mut WriteCtx<'_, '_>,
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
    let is_shown = remembered.is_of(&answer) || !needs_receipt(ctx.access, T::SCOPE, T::RECEIPT);
    Ok(if is_shown { answer } else { remembered.answer })
}

/// The record that a remembered answer is about.
#[derive(Deserialize)]
struct KeptId {
    id: Uuid,
}

/// Whether the answer must be reduced to a receipt: the caller may not read what this tool writes, and the
/// whole answer would show stored values.
pub(crate) fn needs_receipt(access: &Access, scope: Scope, receipt: Receipt) -> bool {
    receipt != Receipt::Whole && !access.scopes.has(scope.read_counterpart())
}

/// Reduces an answer to its receipt. A stored answer passes through here too, so that a retry never shows
/// more than the caller may see now.
fn receipt_of(answer: &str, receipt: Receipt, sent: &[(String, bool)]) -> Result<String> {
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
            for (name, is_blank) in sent {
                let key = renamed.iter().find(|(sent, _)| sent == name).map_or(&**name, |r| r.1);
                if let Some(stored) = record.remove(key) {
                    // A cleared field is shown as null: the stored record may show another record's value
                    // in its place.
                    show(key, if *is_blank { Value::Null } else { stored });
                }
            }
        }
    }
    Ok(serde_json::to_string(&shown)?)
}
