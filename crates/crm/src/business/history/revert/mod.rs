//! `changes.revert`: puts back what an entry of the history replaced, as an entry of its own.

mod apply;
mod combined;
mod moved;
mod obstacle;
mod parts;
mod plan;
mod reverted;
mod steps;
mod tagged;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zoop_db::{ReadTx, Uuid};

pub(super) use self::obstacle::Obstacle;
pub(super) use self::plan::Present;
pub(crate) use self::reverted::STATEMENTS;
pub(super) use self::reverted::TYPE;
pub(in crate::business) use self::reverted::latest_about;

use self::obstacle::{ChangedSince, NAMED};
use self::parts::ATTACHED_AT_ONCE;
use self::steps::{Kind, Opposite};
use super::{names, original};
use crate::business::customers::put_back;
use crate::business::notes::KnownWords;
use crate::business::tags;
use crate::call::access::Access;
use crate::call::argument::{NotNull, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::history::change::REVIVED;
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
    /// What was done, or would be: the first 25 steps.
    pub steps: Vec<String>,
    /// How many steps are not shown, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_steps: Option<usize>,
}

/// How many steps an answer shows.
const SHOWN: usize = 25;
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

    /// Computes the words of a note that would be changed.
    fn prepare(
        ctx: &mut ReadCtx<'_, '_>,
        mut input: RevertChangesInput,
    ) -> Result<RevertChangesInput> {
        let entry = shown(ctx.tx, ctx.access, input.id)?;
        let Ok(steps) = planned(ctx.tx, ctx.access, &entry)? else { return Ok(input) };
        let note = steps.iter().find_map(|step| match step {
            Opposite::Put { kind: Kind::Note, id, values } => Some((*id, values.get("body"))),
            _ => None,
        });
        if let Some((id, body)) = note {
            input.words = match body.and_then(Value::as_str) {
                Some(body) => KnownWords::of(body),
                None => KnownWords::of_stored(ctx, Id::new(id))?,
            };
        }
        Ok(input)
    }

    /// Brings a deleted tag back to some of its customers, or takes a tag that will be deleted from some.
    fn advance(ctx: &mut WriteCtx<'_, '_>, input: &RevertChangesInput) -> Result<Step<()>> {
        if input.dry_run.0 == Some(true) {
            return Ok(Step::Done(()));
        }
        let entry = shown(ctx.tx, ctx.access, input.id)?;
        if !entry.changes.iter().any(|change| change.record_type == Kind::Tag.word()) {
            return Ok(Step::Done(()));
        }
        let steps = allowed(ctx.tx, ctx.access, &entry)?;
        if let Some(part) = parts::next(ctx.tx, &entry)? {
            bring_back_to_part(ctx, &entry, &part)?;
            return Ok(Step::Partial);
        }
        if steps.iter().filter(|step| matches!(step, Opposite::Attach { .. })).count()
            > ATTACHED_AT_ONCE
        {
            apply_some(ctx, &steps)?;
            return Ok(Step::Partial);
        }
        let deleted = steps.iter().find_map(|step| match step {
            Opposite::Delete { tag } => Some(*tag),
            _ => None,
        });
        deleted.map_or(Ok(Step::Done(())), |tag| tags::tools::detach_some(ctx, tag))
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &RevertChangesInput) -> Result<Reverted> {
        let entry = shown(ctx.tx, ctx.access, input.id)?;
        let steps = allowed(ctx.tx, ctx.access, &entry)?;
        let described = Described::of(ctx.tx, &entry, &steps)?;
        if input.dry_run.0 == Some(true) {
            ctx.leave_no_history();
            return Ok(described.answer(input.id, false));
        }
        // Two customers may get each other's external ids.
        let external_ids: Vec<_> = steps.iter().filter_map(Opposite::external_id_of).collect();
        for customer in external_ids.iter().filter(|_| external_ids.len() > 1) {
            put_back::without_external_id(ctx, *customer)?;
        }
        apply::all(ctx, &steps, &input.words)?;
        for customer in steps.iter().filter_map(Opposite::merged_customer) {
            put_back::settle(ctx, customer)?;
        }
        if let Some((tag, _)) = parts::deleted(&entry)
            && !steps.iter().any(|step| matches!(step, Opposite::BringBack { .. }))
        {
            // An earlier transaction brought the tag back. Undoing this one must delete it again.
            ctx.changed(Kind::Tag.word(), tag.uuid(), REVIVED, Value::Null, json!(true));
        }
        reverted::record(ctx, input.id.uuid());
        Ok(described.answer(input.id, true))
    }
}

/// Some customers that lost a tag in another transaction of its deletion get it again. The tag comes back first.
fn bring_back_to_part(
    ctx: &mut WriteCtx<'_, '_>,
    last: &StoredEntry,
    part: &StoredEntry,
) -> Result<()> {
    let Some((tag, values)) = parts::deleted(last) else { return Ok(()) };
    if tags::store::number(ctx.tx, tag)?.is_none() {
        tags::put_back::deleted(ctx, values)?;
    }
    let present = Present::read(ctx.tx, std::slice::from_ref(part))?;
    let steps = match present.plan_part(ctx.tx, ctx.access, part, tag)? {
        Ok(steps) => steps,
        Err(obstacle) => return Err(refusal(ctx.tx, ctx.access, part, obstacle)?),
    };
    if apply_some(ctx, &steps)? == steps.len() {
        reverted::record(ctx, part.entry.id.uuid());
    }
    Ok(())
}

/// Applies the first steps, up to as many assignments of a tag as one transaction makes. Returns how many.
fn apply_some(ctx: &mut WriteCtx<'_, '_>, steps: &[Opposite]) -> Result<usize> {
    // A tag comes back before it is attached.
    let first = steps.iter().take_while(|step| matches!(step, Opposite::BringBack { .. })).count();
    let some = &steps[..steps.len().min(first + ATTACHED_AT_ONCE)];
    apply::all(ctx, some, &KnownWords::default())?;
    Ok(some.len())
}

/// The steps of a revert in words. A deleted tag comes back in several transactions, which are described together.
struct Described {
    steps: Vec<String>,
    more: usize,
}

impl Described {
    fn of(tx: &mut ReadTx<'_>, entry: &StoredEntry, steps: &[Opposite]) -> Result<Self> {
        let mut all: Vec<_> = steps.iter().take(SHOWN).map(ToString::to_string).collect();
        let mut more = steps.len() - all.len();
        if let Some((tag, values)) = parts::deleted(entry) {
            let values = values.clone();
            all = vec![Opposite::BringBack { tag, values }.to_string()];
            let customers = entry.changes.iter().filter(|change| change.has_field("tag"));
            all.extend(customers.map(|change| {
                Opposite::Attach { tag, customer: Id::new(change.record_id) }.to_string()
            }));
            more = parts::customers(tx, entry)?;
        }
        more += all.len().saturating_sub(SHOWN);
        all.truncate(SHOWN);
        Ok(Self { steps: all, more })
    }

    fn answer(self, id: Id<kinds::Entry>, reverted: bool) -> Reverted {
        let Self { steps, more } = self;
        Reverted { reverted, id, steps, more_steps: Some(more).filter(|more| *more > 0) }
    }
}

/// An entry that the caller is shown.
fn shown(tx: &mut ReadTx<'_>, access: &Access, id: Id<kinds::Entry>) -> Result<StoredEntry> {
    let entry = store::by_ids(tx, &[id.uuid()])?.pop();
    let entry = entry.filter(|entry| super::visibility::is_shown(entry, access));
    entry.ok_or_else(|| Error::not_found("change"))
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
        Err(obstacle) => Err(refusal(tx, access, entry, obstacle)?),
    }
}

/// The error that says what stands in the way.
fn refusal(
    tx: &mut ReadTx<'_>,
    access: &Access,
    entry: &StoredEntry,
    obstacle: Obstacle,
) -> Result<Error> {
    Ok(match obstacle {
        Obstacle::Changed(fields) => changed(tx, entry.entry.id.uuid(), &fields)?,
        Obstacle::Scope(scope) => Error::InsufficientScope {
            required: vec![scope],
            attainable: access.attainable().has(scope),
        },
        obstacle => Error::conflict(obstacle.to_string()),
    })
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
