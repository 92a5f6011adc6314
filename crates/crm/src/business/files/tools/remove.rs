//! `notes.remove_file`

use serde_json::json;

use super::FileInput;
use crate::business::files::{File, store};
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
    const ABOUT: &'static str =
        "Removes an attached file for good. Only the note's author or an owner may.";
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
        let removed_at = Some(ctx.moment());
        store::update(ctx.tx, &File { removed_at, ..file.clone() })?;
        ctx.removed(&file)?;
        ctx.changed("note", note.id.uuid(), "attachments", json!(file.name), json!(null));
        if note.draft {
            ctx.leave_no_history();
        }
        Ok(Removed::of(file.id))
    }
}
