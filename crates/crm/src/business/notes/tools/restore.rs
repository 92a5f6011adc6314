//! `notes.restore`

use super::NoteInput;
use crate::business::notes::store;
use crate::call::answer::Restored;
use crate::call::archive::restore;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Kind, kinds};

/// `notes.restore`
pub struct RestoreNote;

impl Tool for RestoreNote {
    const NAME: &'static str = "notes.restore";
    const TITLE: &'static str = "Restore a note";
    const ABOUT: &'static str = "Brings an archived note back.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = r#"{"id":"{archived_note}"}"#;
    type Input = NoteInput;
    type Output = Restored<kinds::Note>;
}

impl Command for RestoreNote {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &NoteInput) -> Result<Restored<kinds::Note>> {
        let note = store::get(ctx.tx, input.id)?;
        // Only the author may see a draft, archived or not.
        if note.draft {
            return Err(Error::not_found(kinds::Note::ARCHIVED));
        }
        restore(ctx, &note)
    }
}
