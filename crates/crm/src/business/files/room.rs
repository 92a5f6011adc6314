//! How many files fit on a note and in an account.

use zoop_db::ReadTx;

use super::store;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};
use crate::values::size::Size;

/// Maximum size of a file in bytes.
pub const MAX_BYTES: u32 = 25 * 1024 * 1024;
/// Maximum number of files on a note.
pub const MAX_FILES: u32 = 20;

/// Rejects so many files for which the note has no room.
pub(super) fn require_on_note(
    tx: &mut ReadTx<'_>,
    note: Id<kinds::Note>,
    files: usize,
) -> Result<()> {
    let present = usize::try_from(store::count(tx, note)?).unwrap_or(usize::MAX);
    let room = (MAX_FILES as usize).saturating_sub(present);
    if room == 0 {
        return Err(Error::conflict(format!(
            "This note already has {MAX_FILES} files, the maximum: remove one first, or add another note."
        )));
    }
    if files > room {
        return Err(Error::conflict(format!(
            "This note has room for only {room} more: it already has {present} files, and {MAX_FILES} is the maximum."
        )));
    }
    Ok(())
}

/// Rejects files of this size together for which the account has no room.
///
/// Files that were removed count until their content is deleted, so that adding and removing in turn cannot fill the
/// store. Must not run in a write: the sizes of all files are added up, and other writes would wait for that.
pub(super) fn require_in_account(tx: &mut ReadTx<'_>, size: u64, Size(limit): Size) -> Result<()> {
    if limit == 0 {
        return Ok(());
    }
    let total = u64::try_from(store::total(tx)?).unwrap_or(0);
    if total.saturating_add(size) > limit {
        return Err(Error::conflict(format!(
            "This account's files have reached their limit ({}). Removing some makes room a day later; or ask the \
             operator of this server for more.",
            Size(limit)
        )));
    }
    Ok(())
}
