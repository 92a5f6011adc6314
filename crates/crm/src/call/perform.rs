//! The steps of an authorized call. A command is first prepared in a read, which parses its arguments. Then
//! the write looks up the idempotency key, runs the tool, records the history, remembers the answer, counts
//! what was stored, and reduces the answer to a receipt. Only [`crate::call::run`] runs these steps.

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

/// A command whose arguments are valid, so that only the write is left.
pub trait Prepared: Send {
    /// Runs the command, or its next part, and returns the answer as JSON. A retry with the same idempotency key does
    /// not run the command and gets the first answer again. A job that runs again calls this again.
    fn run(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<String>>;
}

/// A [`Prepared`] command, in the tool's own types.
pub(crate) struct Ready<T: Command> {
    input: T::Input,
    claim: Option<Claim>,
    sent: Sent,
}

/// The name of each field that a call sent, and whether its value was blank.
type Sent = Vec<(String, bool)>;

impl<T: Command> Ready<T> {
    /// Runs the command, or its next part, and returns the answer in the tool's own type. For a retry, the record is
    /// read again.
    pub(crate) fn run_typed(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<T::Output>> {
        if let Some(claim) = &self.claim
            && let Some(remembered) = idempotency::recall(ctx.tx, ctx.access, ctx.now, claim)?
        {
            return reread::<T>(ctx, &self.input, &remembered).map(Step::Done);
        }
        let step = self.run_uncharged(ctx)?;
        if let (Step::Done(output), Some(claim)) = (&step, &self.claim) {
            let answer = serde_json::to_string(output)?;
            idempotency::remember(ctx, claim, &to_remember::<T>(&answer)?)?;
        }
        storage::charge(ctx, storage::is_limited::<T>())?;
        Ok(step)
    }

    /// Runs the command, or its next part. A retry has no answer: this one has a secret, of which nothing is remembered.
    pub(crate) fn run_first(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<Option<T::Output>>> {
        if let Some(claim) = &self.claim
            && idempotency::recall(ctx.tx, ctx.access, ctx.now, claim)?.is_some()
        {
            return Ok(Step::Done(None));
        }
        let step = self.run_uncharged(ctx)?;
        if let (Step::Done(_), Some(claim)) = (&step, &self.claim) {
            idempotency::remember(ctx, claim, &Remembered::whole("null".to_owned()))?;
        }
        storage::charge(ctx, storage::is_limited::<T>())?;
        Ok(match step {
            Step::Partial => Step::Partial,
            Step::Done(output) => Step::Done(Some(output)),
        })
    }

    /// Whether the call is a retry of one that has been answered.
    pub(crate) fn is_retry(&self, ctx: &mut ReadCtx<'_, '_>) -> Result<bool> {
        let Some(claim) = &self.claim else { return Ok(false) };
        Ok(idempotency::recall(ctx.tx, ctx.access, ctx.now, claim)?.is_some())
    }

    /// Runs the command, or its next part. The caller must then count what was stored ([`storage::charge`]).
    fn run_uncharged(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<T::Output>> {
        let step = match T::advance(ctx, &self.input)? {
            Step::Partial => Step::Partial,
            Step::Done(()) => Step::Done(T::run(ctx, &self.input)?),
        };
        history::record(ctx, T::NAME)?;
        Ok(step)
    }

    /// Runs the command, or its next part, or replays the answer if the call is a retry.
    fn run_json(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<String>> {
        if let Some(claim) = &self.claim
            && let Some(remembered) = idempotency::recall(ctx.tx, ctx.access, ctx.now, claim)?
        {
            return replay::<T>(ctx, &self.input, remembered).map(Step::Done);
        }
        let step = match self.run_uncharged(ctx)? {
            Step::Partial => Step::Partial,
            Step::Done(output) => Step::Done(serde_json::to_string(&output)?),
        };
        if let (Step::Done(answer), Some(claim)) = (&step, &self.claim) {
            idempotency::remember(ctx, claim, &to_remember::<T>(answer)?)?;
        }
        storage::charge(ctx, storage::is_limited::<T>())?;
        Ok(step)
    }
}

impl<T: Command> Prepared for Ready<T> {
    fn run(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<Step<String>> {
        match self.run_json(ctx)? {
            Step::Done(answer) if needs_receipt(ctx.access, T::SCOPE, T::RECEIPT) => {
                receipt_of(&answer, T::RECEIPT, &self.sent).map(Step::Done)
            }
            Step::Done(answer) if !T::FOR_OWNERS.is_empty() && !ctx.access.actor.is_owner() => {
                without(&answer, T::FOR_OWNERS).map(Step::Done)
            }
            step => Ok(step),
        }
    }
}

/// Checks a command's arguments and prepares its write.
pub(crate) fn prepare<T: Command>(
    ctx: &mut ReadCtx<'_, '_>,
    call: CommandCall,
) -> Result<Ready<T>> {
    let has_key = matches!(call.key, Ok(Some(_)));
    let fingerprint = has_key.then(|| idempotency::fingerprint(&call.arguments, T::PER_TRY));
    let sent = match T::RECEIPT {
        Receipt::Sent { .. } | Receipt::Document { .. } => {
            call.arguments.iter().map(|(name, value)| (name.clone(), value.is_blank())).collect()
        }
        Receipt::Whole | Receipt::Keys(_) => Sent::new(),
    };
    let parse_context = parse_context(ctx.access);
    let (input, key) = argument::read::<T::Input, _>(call.arguments, call.key, parse_context)?;
    let claim = key.zip(fingerprint);
    let claim = claim.map(|(key, fingerprint)| Claim { key, fingerprint, tool: T::NAME });
    let is_retry = match (T::REPLAY, &claim) {
        (Replay::Read(_), Some(claim)) => {
            idempotency::recall(ctx.tx, ctx.access, ctx.now, claim)?.is_some()
        }
        _ => false,
    };
    let input = if is_retry { input } else { T::prepare(ctx, input)? };
    Ok(Ready { input, claim, sent })
}

/// [`prepare`] without the tool's types.
pub(crate) fn prepare_json<T: Command>(
    ctx: &mut ReadCtx<'_, '_>,
    call: CommandCall,
) -> Result<Box<dyn Prepared>> {
    Ok(Box::new(prepare::<T>(ctx, call)?))
}

/// The form in which an answer is remembered.
fn to_remember<T: Command>(answer: &str) -> Result<Remembered> {
    if answer.len() <= idempotency::MAX_KEPT || matches!(T::REPLAY, Replay::Kept | Replay::Read(_))
    {
        return Ok(Remembered::whole(answer.to_owned()));
    }
    // The list of sent fields is empty, so that the part contains only what every receipt contains.
    Ok(Remembered::part(receipt_of(answer, T::RECEIPT, &[])?, answer))
}

/// The answer to a retry. If the record has changed since the first call, a caller who may read it gets its
/// current state. Other callers get only what was stored, because others may have written to the record.
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
        // The record was archived since. The first call still succeeded, so the retry succeeds too.
        Err(Error::NotFound { .. }) => return Ok(remembered.answer),
        Err(error) => return Err(error),
    };
    let is_shown =
        remembered.is_part_of(&answer) || !needs_receipt(ctx.access, T::SCOPE, T::RECEIPT);
    Ok(if is_shown { answer } else { remembered.answer })
}

/// The record that a remembered answer is about, as it is now.
fn reread<T: Command>(
    ctx: &mut WriteCtx<'_, '_>,
    input: &T::Input,
    remembered: &Remembered,
) -> Result<T::Output> {
    let reread = match T::REPLAY {
        Replay::Reread(reread) => reread,
        Replay::Read(read) => return read(&remembered.answer),
        Replay::Kept => {
            let problem = format!("{} was run with a key in its own types", T::NAME);
            return Err(Error::internal(problem));
        }
    };
    let kept: KeptId = serde_json::from_str(&remembered.answer)?;
    reread(ctx, input, kept.id)
}

/// The id of the record that a remembered answer is about.
#[derive(Deserialize)]
struct KeptId {
    id: Uuid,
}

/// Whether the answer must be reduced to a receipt: the caller may not read what this tool writes, and the
/// whole answer would show stored values.
pub(crate) fn needs_receipt(access: &Access, scope: Scope, receipt: Receipt) -> bool {
    receipt != Receipt::Whole && !access.scopes.has(scope.read_counterpart())
}

/// The answer without these keys.
fn without(answer: &str, keys: &[&str]) -> Result<String> {
    let mut record: Map<String, Value> = serde_json::from_str(answer)?;
    record.retain(|key, _| !keys.contains(&&**key));
    Ok(serde_json::to_string(&record)?)
}

/// Fields that no receipt has, though the call sent them: what is shown of them is more than what was sent, or it is for
/// owners only.
const NOT_IN_RECEIPTS: &[&str] = &["components", "cost"];

/// Reduces an answer to its receipt. A remembered answer is reduced too, so that a retry never shows more than
/// the caller may see now.
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
            let sent = sent.iter().filter(|(name, _)| !NOT_IN_RECEIPTS.contains(&&**name));
            for (name, is_blank) in sent {
                let key = renamed.iter().find(|(sent, _)| sent == name).map_or(&**name, |r| r.1);
                if let Some(stored) = record.remove(key) {
                    // Show a cleared field as null, because the answer may fill it from another record.
                    show(key, if *is_blank { Value::Null } else { stored });
                }
            }
        }
        Receipt::Document { always, left_out, beside } => {
            let is_shown = |name: &str| !left_out.contains(&name);
            let mut keys: Vec<&str> = always.to_vec();
            for name in sent.iter().map(|(name, _)| name.as_str()).filter(|name| is_shown(name)) {
                keys.push(name);
                let others = beside.iter().filter(|(field, _)| *field == name);
                keys.extend(others.flat_map(|(_, keys)| keys.iter().copied()));
            }
            for key in keys {
                if let Some(stored) = record.remove(key) {
                    show(key, stored);
                }
            }
        }
    }
    Ok(serde_json::to_string(&shown)?)
}
