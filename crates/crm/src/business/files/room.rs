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

/// How many bytes of files the account has room for.
///
/// Files that were removed count until their content is deleted, so that adding and removing in turn cannot fill the
/// store. Must not run in a write: the sizes of all files are added up, and other writes would wait for that.
pub(super) fn left_in_account(tx: &mut ReadTx<'_>, Size(limit): Size) -> Result<u64> {
    if limit == 0 {
        return Ok(u64::MAX);
    }
    Ok(limit.saturating_sub(u64::try_from(store::total(tx)?).unwrap_or(0)))
}

/// Rejects files of this size together for which the account has no room. Must not run in a write either.
pub(super) fn require_in_account(tx: &mut ReadTx<'_>, size: u64, limit: Size) -> Result<()> {
    let has_room = left_in_account(tx, limit)? >= size;
    if has_room { Ok(()) } else { Err(Error::conflict(account_is_full(limit))) }
}

/// What to say if an account has no room for a file.
pub fn account_is_full(limit: Size) -> String {
    format!(
        "This account's files have reached their limit ({limit}). Removing some makes room a day later; or ask the operator \
         of this server for more."
    )
}
