//! How many files fit on a note and in an account.

use zoop_db::{ReadTx, Timestamp, Uuid};

use super::cleaning::KEPT_FOR;
use super::store;
use crate::call::argument::not_sent;
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{self, Id, kinds};
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
    Ok(limit.saturating_sub(store::total(tx)?))
}

/// What the account's older files take, added up before a write that adds files, so that only the recent ones are added
/// up in it. Part of a command's input, but not a field of the call.
#[derive(Debug, Clone, Copy, Default)]
pub struct OlderFiles(Option<Older>);

#[derive(Debug, Clone, Copy)]
struct Older {
    /// The files with lower ids. No more of them come: an upload takes less than a day.
    before: Uuid,
    bytes: u64,
}

impl OlderFiles {
    /// Adds them up, and rejects files of this size together for which the account has no room.
    pub(super) fn with_room_for(ctx: &mut ReadCtx<'_, '_>, size: u64) -> Result<Self> {
        let limit = ctx.environment.files_limit;
        if limit.0 == 0 {
            return Ok(Self::default());
        }
        let before = id::lowest_at(Timestamp(ctx.now.0 - KEPT_FOR));
        let (all, recent) = (store::total(ctx.tx)?, store::total_since(ctx.tx, before)?);
        require(all, size, limit)?;
        Ok(Self(Some(Older { before, bytes: all.saturating_sub(recent) })))
    }

    /// Rejects files of this size together for which the account has no room now. The tenant's writes take turns, so
    /// this is certain, whichever server has added others meanwhile.
    pub(super) fn require_room(self, tx: &mut ReadTx<'_>, size: u64, limit: Size) -> Result<()> {
        let taken = match self.0 {
            _ if limit.0 == 0 => return Ok(()),
            Some(Older { before, bytes }) => bytes + store::total_since(tx, before)?,
            None => store::total(tx)?,
        };
        require(taken, size, limit)
    }
}

not_sent!(OlderFiles);

fn require(taken: u64, size: u64, limit: Size) -> Result<()> {
    let has_room = taken.saturating_add(size) <= limit.0;
    if has_room { Ok(()) } else { Err(Error::conflict(account_is_full(limit))) }
}

/// What to say if an account has no room for a file.
pub fn account_is_full(limit: Size) -> String {
    format!(
        "This account's files have reached their limit ({limit}). Removing some makes room a day later; or ask the operator \
         of this server for more."
    )
}
