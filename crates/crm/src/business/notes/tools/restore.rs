//! `notes.restore`

use super::NoteInput;
use crate::business::notes::{access, limit};
use crate::call::answer::Restored;
use crate::call::archive::restore;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::kinds;

/// `notes.restore`
pub struct RestoreNote;

impl Tool for RestoreNote {
    const NAME: &'static str = "notes.restore";
    const TITLE: &'static str = "Restore a note";
    const ABOUT: &'static str = "Restores an archived note. Only its author or an \
        owner may.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{archived_note}"}"#;
    type Input = NoteInput;
    type Output = Restored<kinds::Note>;
}

impl Command for RestoreNote {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &NoteInput) -> Result<Restored<kinds::Note>> {
        let note = access::restorable(ctx.tx, ctx.access, ctx.now, input.id)?;
        let answer = restore(ctx, &note)?;
        if ctx.access.actor.user().is_some() {
            limit::count(ctx)?;
        }
        Ok(answer)
    }
}
