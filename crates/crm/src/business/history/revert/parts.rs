//! The transactions in which a tag that many customers have is deleted, and comes back.
//!
//! Each takes the tag from some customers and has an entry of its own, which names the tag; the last one deletes it. To
//! revert the last one, the tag comes back first, and then the customers of the other ones get it again, a few in each
//! transaction. The last one counts as reverted when all is done, so a call that ends early can be repeated.

use zoop_db::{ReadTx, Uuid, params};

use super::reverted::{self, BEFORE};
use crate::call::error::{Error, Result};
use crate::call::history::change::{ChangeKind, DETACHED, RecordChange, Values};
use crate::call::history::store::{self, StoredEntry};
use crate::values::id::{Id, kinds};

/// How many customers get a tag in one transaction. Each is indexed again, which takes about as long as an update.
pub(super) const ATTACHED_AT_ONCE: usize = 50;
/// The longest time between two transactions of one deletion, in microseconds: more than a call may take.
const MAX_PAUSE: i64 = 60 * 1_000_000;
/// How many entries are read at once.
const AT_ONCE: i64 = 10;

/// The tag that an entry deleted, and its values.
pub(super) fn deleted(entry: &StoredEntry) -> Option<(Id<kinds::Tag>, &Values)> {
    entry.changes.iter().find_map(|change| match &change.kind {
        ChangeKind::Removed(values) if change.record_type == "tag" => {
            Some((Id::new(change.record_id), values))
        }
        _ => None,
    })
}

/// How many customers lost a tag in the other transactions of a deletion.
pub(super) fn customers(tx: &mut ReadTx<'_>, last: &StoredEntry) -> Result<usize> {
    let mut count = 0;
    walk(tx, last, |_, part| {
        count += part.changes.iter().filter(|it| it.has_field("tag")).count();
        Ok(false)
    })?;
    Ok(count)
}

/// The latest of the other transactions of a deletion whose customers did not get the tag again since it came back.
pub(super) fn next(tx: &mut ReadTx<'_>, last: &StoredEntry) -> Result<Option<StoredEntry>> {
    let Some((tag, _)) = deleted(last) else { return Ok(None) };
    let since = last_return(tx, tag.uuid())?;
    walk(tx, last, |tx, part| {
        let reverted_by = reverted::latest_about(tx, part.entry.id.uuid())?;
        Ok(since.is_none_or(|since| reverted_by.is_none_or(|by| by < since)))
    })
}

/// The entry by which a tag that is there came back last.
fn last_return(tx: &mut ReadTx<'_>, tag: Uuid) -> Result<Option<Uuid>> {
    let mut before = Uuid::max();
    loop {
        tx.ensure_time()?;
        let ids = before_id(tx, tag, before)?;
        let Some(oldest) = ids.last() else { return Ok(None) };
        before = *oldest;
        for entry in store::by_ids(tx, &ids)? {
            let mut of_tag = entry.changes.iter().filter(|change| change.record_id == tag);
            match of_tag.find(|it| it.fields().is_empty()).map(|it| &it.kind) {
                None => {}
                Some(ChangeKind::Removed(_)) => return Ok(None),
                Some(_) => return Ok(Some(entry.entry.id.uuid())),
            }
        }
    }
}

/// The latest of the other transactions of a deletion for which `is_wanted` holds.
fn walk(
    tx: &mut ReadTx<'_>,
    last: &StoredEntry,
    mut is_wanted: impl FnMut(&mut ReadTx<'_>, &StoredEntry) -> Result<bool>,
) -> Result<Option<StoredEntry>> {
    let Some((tag, _)) = deleted(last) else { return Ok(None) };
    let (mut before, mut at) = (last.entry.id.uuid(), last.entry.at.0.0);
    loop {
        tx.ensure_time()?;
        let ids = before_id(tx, tag.uuid(), before)?;
        let Some(oldest) = ids.last() else { return Ok(None) };
        before = *oldest;
        for entry in store::by_ids(tx, &ids)? {
            if at - entry.entry.at.0.0 > MAX_PAUSE {
                return Ok(None);
            }
            let is_part = |it: &RecordChange| it.record_id == tag.uuid() && it.has_field(DETACHED);
            let is_same_call = entry.entry.tool == last.entry.tool
                && entry.entry.credential_id == last.entry.credential_id
                && entry.entry.user_id == last.entry.user_id;
            if !is_same_call || !entry.changes.iter().any(is_part) {
                continue;
            }
            at = entry.entry.at.0.0;
            if is_wanted(tx, &entry)? {
                return Ok(Some(entry));
            }
        }
    }
}

/// The next entries about a record before another one, newest first.
fn before_id(tx: &mut ReadTx<'_>, record: Uuid, before: Uuid) -> Result<Vec<Uuid>> {
    tx.all::<_, Error>(BEFORE, params![record, before, AT_ONCE], |row| Ok(row.take()?))
}
