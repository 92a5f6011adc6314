//! Files that are removed again, or come back, when a change is reverted.

use serde_json::json;
use zoop_db::ReadTx;

use super::cleaning::KEPT_FOR;
use super::{File, room, store};
use crate::business::notes::{Note, access};
use crate::call::archive::Archivable;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

/// How long a removed file can come back, in microseconds: until an hour before its content may be deleted.
const RESTORABLE_FOR: i64 = KEPT_FOR - 60 * 60 * 1_000_000;

/// What is left of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::business) enum Presence {
    /// It is on its note.
    There,
    /// It was removed, and its content is still stored.
    Removed,
    /// It is deleted.
    Gone,
}

/// What is left of a file.
pub(in crate::business) fn presence(tx: &mut ReadTx<'_>, id: Id<kinds::File>) -> Result<Presence> {
    match store::get(tx, id) {
        Ok(_) => return Ok(Presence::There),
        Err(Error::NotFound { .. }) => {}
        Err(other) => return Err(other),
    }
    match store::get_removed(tx, id) {
        Ok(_) => Ok(Presence::Removed),
        Err(Error::NotFound { .. }) => Ok(Presence::Gone),
        Err(other) => Err(other),
    }
}

/// Removes a file that was added.
pub(in crate::business) fn added(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::File>) -> Result<()> {
    let file = store::get(ctx.tx, id)?;
    let note = changeable_note(ctx, &file)?;
    remove(ctx, &file, &note)
}

/// Brings back a file that was removed.
pub(in crate::business) fn removed(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::File>) -> Result<()> {
    let file = store::get_removed(ctx.tx, id)?;
    let note = changeable_note(ctx, &file)?;
    let is_kept = file.removed_at.is_some_and(|at| ctx.now.0 - at.0.0 < RESTORABLE_FOR);
    if !is_kept {
        return Err(Error::conflict("A removed file can come back for a day: add the file again."));
    }
    room::require_on_note(ctx.tx, note.id, 1)?;
    let file = File { removed_at: None, ..file };
    store::update(ctx.tx, &file)?;
    ctx.added(&file)?;
    ctx.changed("note", note.id.uuid(), "attachments", json!(null), json!(file.name));
    Ok(())
}

/// The note of a file, if the caller may change it.
fn changeable_note(ctx: &mut WriteCtx<'_, '_>, file: &File) -> Result<Note> {
    access::changeable(ctx, file.note_id)
        .map_err(super::tools::of_file)?
        .unless_archived(ctx.access)
}

/// Removes a file from its note. Its content stays for a day.
pub(super) fn remove(ctx: &mut WriteCtx<'_, '_>, file: &File, note: &Note) -> Result<()> {
    let removed_at = Some(ctx.moment());
    store::update(ctx.tx, &File { removed_at, ..file.clone() })?;
    ctx.removed(file)?;
    ctx.changed("note", note.id.uuid(), "attachments", json!(file.name), json!(null));
    Ok(())
}
