//! `notes.check_file`: whether a file can be added to a note, before its content is received.

use crate::business::files::room;
use crate::business::notes::access;
use crate::business::notes::hints::HINTS;
use crate::call::archive::Archivable;
use crate::call::argument::{Ranged, input};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// A file that is to be added.
    pub struct CheckFileInput, hints = HINTS {
        /// The note.
        pub note_id: Id<kinds::Note>,
        /// Its size in bytes, as far as it is known.
        pub size: Ranged<0, { u32::MAX }>,
    }
}

/// `notes.check_file`
pub struct CheckFile;

impl Tool for CheckFile {
    const NAME: &'static str = "notes.check_file";
    const TITLE: &'static str = "Check whether a file fits";
    const ABOUT: &'static str = "Says whether a file can be added to a note.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = CheckFileInput;
    type Output = Id<kinds::Tenant>;
}

impl Query for CheckFile {
    /// Returns the tenant, under whose id the content is stored.
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &CheckFileInput) -> Result<Id<kinds::Tenant>> {
        let note = access::changeable_at(ctx.tx, ctx.access, ctx.now, input.note_id)?;
        let note = note.unless_archived(ctx.access)?;
        let size = u64::from(input.size.get());
        room::require_on_note(ctx.tx, note.id, 1)?;
        room::require_in_account(ctx.tx, size, ctx.environment.files_limit)?;
        super::tenant(ctx.access)
    }
}
