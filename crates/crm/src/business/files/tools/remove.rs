//! `notes.remove_file`

use super::FileInput;
use crate::business::files::{put_back, store};
use crate::business::notes::{access, limit};
use crate::call::answer::done;
use crate::call::archive::Archivable;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::kinds;

done!(
    /// What removing a file answers.
    Removed, removed, "The file's id."
);

/// `notes.remove_file`
pub struct RemoveFile;

impl Tool for RemoveFile {
    const NAME: &'static str = "notes.remove_file";
    const TITLE: &'static str = "Remove a file from a note";
    const ABOUT: &'static str = "Removes an attached file. Only the note's author or an owner may.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{file}"}"#;
    type Input = FileInput;
    type Output = Removed<kinds::File>;
}

impl Command for RemoveFile {
    const EFFECT: Effect = Effect::Destroy;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &FileInput) -> Result<Removed<kinds::File>> {
        let file = store::get(ctx.tx, input.id)?;
        let note = access::changeable(ctx, file.note_id).map_err(super::of_file)?;
        let note = note.unless_archived(ctx.access)?;
        limit::count(ctx)?;
        put_back::remove(ctx, &file, &note)?;
        if note.draft {
            ctx.leave_no_history();
        }
        Ok(Removed::of(file.id))
    }
}
