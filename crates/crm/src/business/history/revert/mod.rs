//! `changes.revert`: puts back what an entry of the history replaced, as an entry of its own.

mod plan;
mod run;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

use self::plan::{Blocked, Verdict};
use crate::call::argument::input;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::store;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The entry to revert.
    pub struct RevertChangesInput {
        /// The id of the entry, from changes.list.
        pub id: Id<kinds::Entry>,
        /// Only says what would be done.
        pub dry_run: Option<bool>,
    }
}

/// What was put back, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reverted {
    /// Whether the entry was reverted. `false` if the call only asked what would be done.
    pub reverted: bool,
    /// The entry.
    pub id: Id<kinds::Entry>,
    /// What is done: a sentence for each record.
    pub steps: Vec<String>,
}

/// `changes.revert`
pub struct RevertChanges;

impl Tool for RevertChanges {
    const NAME: &'static str = "changes.revert";
    const TITLE: &'static str = "Revert changes";
    const ABOUT: &'static str = "Undoes one entry of changes.list: puts old values back, archives what was \
        added, restores what was archived. Refused if a field was changed since.";
    const SCOPE: Scope = Scope::ReadHistory;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{entry}"}"#;
    type Input = RevertChangesInput;
    type Output = Reverted;
}

impl Command for RevertChanges {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &RevertChangesInput) -> Result<Reverted> {
        let stored = store::by_ids(ctx.tx, &[input.id.uuid()])?.pop();
        let stored = stored.filter(|it| super::visibility::is_shown(it, ctx.access));
        let stored = stored.ok_or_else(|| Error::not_found("change"))?;
        let steps = match plan::verdict(ctx.tx, &stored)? {
            Verdict::Possible(steps) => steps,
            Verdict::Impossible(reason) => return Err(Error::conflict(reason)),
            Verdict::Blocked(blocked) => return Err(refusal(ctx.tx, input.id.uuid(), &blocked)?),
        };
        let is_dry_run = input.dry_run == Some(true);
        if is_dry_run {
            ctx.leave_no_history();
        } else {
            for step in &steps {
                run::run(ctx, step)?;
            }
        }
        let steps = steps.iter().map(ToString::to_string).collect();
        Ok(Reverted { reverted: !is_dry_run, id: input.id, steps })
    }
}

/// How many fields a refusal names.
const NAMED: usize = 5;

/// Why an entry cannot be reverted: what was changed since, with its value now and who set it.
fn refusal(tx: &mut ReadTx<'_>, entry: Uuid, blocked: &[Blocked]) -> Result<Error> {
    let mut fields = Vec::new();
    for Blocked { kind, record, field, now } in blocked.iter().take(NAMED) {
        let by = original::last_change(tx, *record, entry, field)?;
        let by = by.map(|it| format!(" (entry {})", it.id)).unwrap_or_default();
        let now = match now {
            None => String::new(),
            Some(Value::Null) => " is empty now".to_owned(),
            Some(Value::String(text)) => format!(" is now {text:?}"),
            Some(other) => format!(" is now {other}"),
        };
        fields.push(format!("{} of {} {record}{now}{by}", field, kind.word()));
    }
    let more = blocked.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(Error::conflict(format!(
        "This was changed since, so it cannot be reverted: {}{more}. Revert those changes first, or change the \
         fields by hand.",
        fields.join("; ")
    )))
}
