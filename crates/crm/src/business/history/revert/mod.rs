//! `changes.revert`: puts back what an entry of the history replaced, as an entry of its own.

mod apply;
mod obstacle;
mod plan;
mod reverted;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

pub(super) use self::obstacle::Obstacle;
pub(super) use self::plan::Present;
pub(crate) use self::reverted::STATEMENTS;
pub(super) use self::reverted::TYPE;

use self::obstacle::{ChangedSince, NAMED};
use self::plan::Step as Opposite;
use super::{names, original};
use crate::business::notes::KnownWords;
use crate::business::tags;
use crate::call::access::Access;
use crate::call::argument::{NotNull, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::history::store::{self, StoredEntry};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Step, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The entry to revert.
    pub struct RevertChangesInput {
        /// The entry's id.
        pub id: Id<kinds::Entry>,
        /// Only say what would be done.
        pub dry_run: NotNull<bool>,
        ..words: KnownWords
    }
}

/// What was put back, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reverted {
    /// false if the call only asked what would be done.
    pub reverted: bool,
    /// The entry.
    pub id: Id<kinds::Entry>,
    /// What was done, or would be: the first hundred steps.
    pub steps: Vec<String>,
    /// How many steps are not shown, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_steps: Option<usize>,
}

/// How many steps an answer shows.
const SHOWN: usize = 100;
/// How much of a value a refusal shows, in characters.
const MAX_VALUE: usize = 80;

/// `changes.revert`
pub struct RevertChanges;

impl Tool for RevertChanges {
    const NAME: &'static str = "changes.revert";
    const TITLE: &'static str = "Undo a change";
    const ABOUT: &'static str = "Undoes one entry of changes.list: puts old values back, archives \
        what was added, restores what was archived. Refused if a field was changed since.";
    const SCOPE: Scope = Scope::ReadHistory;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{entry}"}"#;
    type Input = RevertChangesInput;
    type Output = Reverted;
}

impl Command for RevertChanges {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    /// Computes the words of a note's text that would be put back.
    fn prepare(
        ctx: &mut ReadCtx<'_, '_>,
        mut input: RevertChangesInput,
    ) -> Result<RevertChangesInput> {
        let entry = shown(ctx.tx, ctx.access, input.id)?;
        let Ok(steps) = planned(ctx.tx, ctx.access, &entry)? else { return Ok(input) };
        let body = steps.iter().find_map(|step| match step {
            Opposite::Put { values, .. } => values.get("body")?.as_str(),
            _ => None,
        });
        if let Some(body) = body {
            input.words = KnownWords::of(body);
        }
        Ok(input)
    }

    /// Reverts all but one of the transactions that deleted a tag, each in a transaction of its own, and takes a tag
    /// that will be deleted from its customers.
    fn advance(ctx: &mut WriteCtx<'_, '_>, input: &RevertChangesInput) -> Result<Step<()>> {
        if input.dry_run.0 == Some(true) {
            return Ok(Step::Done(()));
        }
        let parts = parts(ctx.tx, ctx.access, input.id)?;
        let [first, rest @ ..] = &parts[..] else { return Ok(Step::Done(())) };
        if !rest.is_empty() {
            revert(ctx, first, &input.words)?;
            return Ok(Step::Partial);
        }
        let steps = planned(ctx.tx, ctx.access, first)?.unwrap_or_default();
        let deleted = steps.iter().find_map(|step| match step {
            Opposite::Delete { tag } => Some(*tag),
            _ => None,
        });
        deleted.map_or(Ok(Step::Done(())), |tag| tags::tools::detach_some(ctx, tag))
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &RevertChangesInput) -> Result<Reverted> {
        let is_dry_run = input.dry_run.0 == Some(true);
        let mut steps = Vec::new();
        for part in parts(ctx.tx, ctx.access, input.id)? {
            steps.extend(if is_dry_run {
                allowed(ctx.tx, ctx.access, &part)?
            } else {
                revert(ctx, &part, &input.words)?
            });
        }
        if is_dry_run {
            ctx.leave_no_history();
        }
        let more = steps.len().checked_sub(SHOWN).filter(|more| *more > 0);
        let steps = steps.iter().take(SHOWN).map(ToString::to_string).collect();
        Ok(Reverted { reverted: !is_dry_run, id: input.id, steps, more_steps: more })
    }
}

/// An entry that the caller is shown.
fn shown(tx: &mut ReadTx<'_>, access: &Access, id: Id<kinds::Entry>) -> Result<StoredEntry> {
    let entry = store::by_ids(tx, &[id.uuid()])?.pop();
    let entry = entry.filter(|entry| super::visibility::is_shown(entry, access));
    entry.ok_or_else(|| Error::not_found("change"))
}

/// The entries that are reverted together and were not yet: an entry, and those of the other transactions of the same
/// deletion of a tag. The last part is reverted last, because a call that ends early can be repeated while there is one.
fn parts(tx: &mut ReadTx<'_>, access: &Access, id: Id<kinds::Entry>) -> Result<Vec<StoredEntry>> {
    let entry = shown(tx, access, id)?;
    let others = reverted::parts(tx, &entry)?;
    let ids = others.iter().chain([&entry]).map(|part| part.entry.id.uuid());
    let done = reverted::among(tx, ids)?;
    let is_open = |part: &StoredEntry| !done.contains(&part.entry.id.uuid());
    let mut open = Vec::new();
    // A part that was reverted by itself is not waited for.
    let others: Vec<_> = others.into_iter().filter(is_open).collect();
    if is_open(&entry) || others.is_empty() {
        open.push(entry);
    }
    open.extend(others);
    Ok(open)
}

fn planned(
    tx: &mut ReadTx<'_>,
    access: &Access,
    entry: &StoredEntry,
) -> Result<Result<Vec<Opposite>, Obstacle>> {
    Present::read(tx, std::slice::from_ref(entry))?.plan(tx, access, entry)
}

/// Whether nothing stands in the way of reverting an entry.
pub(super) fn can_revert(
    tx: &mut ReadTx<'_>,
    access: &Access,
    id: Id<kinds::Entry>,
) -> Result<bool> {
    let entry = shown(tx, access, id)?;
    Ok(planned(tx, access, &entry)?.is_ok())
}

/// The steps that revert an entry, if nothing stands in the way.
fn allowed(tx: &mut ReadTx<'_>, access: &Access, entry: &StoredEntry) -> Result<Vec<Opposite>> {
    match planned(tx, access, entry)? {
        Ok(steps) => Ok(steps),
        Err(Obstacle::Changed(fields)) => Err(changed(tx, entry.entry.id.uuid(), &fields)?),
        Err(Obstacle::Scope(scope)) => Err(Error::InsufficientScope {
            required: vec![scope],
            attainable: access.attainable().has(scope),
        }),
        Err(obstacle) => Err(Error::conflict(obstacle.to_string())),
    }
}

/// Reverts an entry. Returns what was done.
fn revert(
    ctx: &mut WriteCtx<'_, '_>,
    entry: &StoredEntry,
    known: &KnownWords,
) -> Result<Vec<Opposite>> {
    let steps = allowed(ctx.tx, ctx.access, entry)?;
    for step in &steps {
        apply::apply(ctx, step, known)?;
    }
    reverted::record(ctx, entry.entry.id.uuid());
    Ok(steps)
}

/// A value, cut if it is long.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The refusal because fields were changed since: their values now, and who set them.
fn changed(tx: &mut ReadTx<'_>, entry: Uuid, fields: &[ChangedSince]) -> Result<Error> {
    let mut named = Vec::new();
    for ChangedSince { kind, record, field, now } in fields.iter().take(NAMED) {
        let now = match now {
            None => String::new(),
            Some(Value::Null) => " is empty now".to_owned(),
            Some(value) => format!(" is now {}", shortened(value)),
        };
        let by = original::last_change(tx, *record, entry, field)?;
        let mut by: Vec<_> = by.into_iter().collect();
        names::add(tx, &mut by)?;
        let by = by.first().map(|entry| format!(", set by {}", names::who(entry)));
        let by = by.unwrap_or_default();
        named.push(format!("{field} of {} {record}{now}{by}", kind.word()));
    }
    let more = fields.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Ok(Error::conflict(format!(
        "Changed since: {}{more}. Undo the later changes first, or change the fields by hand.",
        named.join("; ")
    )))
}
