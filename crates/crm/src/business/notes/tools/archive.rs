//! `notes.archive`

use super::NoteInput;
use crate::business::notes::{access, limit};
use crate::call::answer::Archived;
use crate::call::archive::archive;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::kinds;

/// `notes.archive`
pub struct ArchiveNote;

impl Tool for ArchiveNote {
    const NAME: &'static str = "notes.archive";
    const TITLE: &'static str = "Archive a note";
    const ABOUT: &'static str = "Hides a note from lists. Only its author or an owner \
        may. notes.restore brings it back.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{note}"}"#;
    type Input = NoteInput;
    type Output = Archived<kinds::Note>;
}

impl Command for ArchiveNote {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &NoteInput) -> Result<Archived<kinds::Note>> {
        let note = access::changeable(ctx, input.id)?;
        let answer = archive(ctx, &note)?;
        limit::count(ctx)?;
        Ok(answer)
    }
}
