//! `notes.check_file`: whether a file can be added to a note, before its content is received.

use schemars::JsonSchema;
use serde::Serialize;

use super::add::AddFiles;
use crate::business::files::room;
use crate::business::notes::access;
use crate::business::notes::hints::HINTS;
use crate::call::archive::Archivable;
use crate::call::argument::{Ranged, Text, input};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::idempotency;
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
        /// The idempotency key with which it will be added.
        pub key: Option<Text<1024>>,
    }
}

/// Where a file that fits is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Checked {
    /// The tenant, under whose id the content is stored.
    pub tenant: Id<kinds::Tenant>,
    /// How many bytes of files the account has room for.
    pub left: u64,
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
    type Output = Checked;
}

impl Query for CheckFile {
    /// What was added with the same key already needs no more room: adding it again answers the same.
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &CheckFileInput) -> Result<Checked> {
        let tenant = super::tenant(ctx.access)?;
        if let Some(key) = &input.key
            && idempotency::is_answered(ctx, AddFiles::NAME, &key.0)?
        {
            return Ok(Checked { tenant, left: u64::MAX });
        }
        let note = access::changeable_at(ctx.tx, ctx.access, ctx.now, input.note_id)?;
        let note = note.unless_archived(ctx.access)?;
        let limit = ctx.environment.files_limit;
        room::require_on_note(ctx.tx, note.id, 1)?;
        let left = room::left_in_account(ctx.tx, limit)?;
        if left < u64::from(input.size.get()) {
            return Err(Error::conflict(room::account_is_full(limit)));
        }
        Ok(Checked { tenant, left })
    }
}
