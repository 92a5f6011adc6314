//! `notes.archive`

use super::NoteInput;
use crate::context::WriteCtx;
use crate::error::{Error, Result};
use crate::id::kinds;
use crate::notes::{Note, access, limit, record, store};
use crate::page::Archived;
use crate::scope::Scope;
use crate::tool::{ActorRule, Command, Doors, Effect, Receipt, Tool};

/// `notes.archive`
pub struct ArchiveNote;

impl Tool for ArchiveNote {
    const NAME: &'static str = "notes.archive";
    const TITLE: &'static str = "Archive a note";
    const ABOUT: &'static str = "Hides a note from notes.list and notes.get; its data is kept. \
        Only its author or an owner may. Only the operator can restore it (zoop restore). \
        Needs a user key or OAuth token.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const DOORS: Doors = Doors::Everywhere;
    const EXAMPLE: &'static str = r#"{"id":"{note}"}"#;
    type Input = NoteInput;
    type Output = Archived<kinds::Note>;
}

impl Command for ArchiveNote {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &NoteInput) -> Result<Archived<kinds::Note>> {
        let old = access::changeable(ctx, input.id, Error::archived_already)?;
        limit::count(ctx)?;
        let moment = ctx.moment();
        let new = Note { archived_at: Some(moment), updated_at: moment, ..old.clone() };
        store::update(ctx.tx, &old, &new)?;
        record(ctx, Some(&old), &new)?;
        Ok(Archived::of(input.id))
    }
}
