//! Who is shown which entries of the history.
//!
//! Who may manage the tenant sees all of it. Others see the changes of the records that they may read, and nothing
//! about people, keys, programs and sign-ins.

use zoop_db::{ReadTx, Uuid};

use super::original;
use crate::call::access::Access;
use crate::call::error::Result;
use crate::call::history::HistoryEntry;
use crate::call::history::store::{self, StoredEntry};
use crate::call::scope::Scope;

/// The records whose changes are shown to callers who may read them, by [`Recorded::TYPE`]. All other changes are only
/// for those who manage the tenant, so that a new kind of record is hidden until it is listed here.
///
/// [`Recorded::TYPE`]: crate::call::context::Recorded::TYPE
const OF_RECORDS: &[(&str, Scope)] = &[
    ("customer", Scope::ReadCustomers),
    ("contact", Scope::ReadCustomers),
    ("location", Scope::ReadCustomers),
    ("subject", Scope::ReadCustomers),
    ("tag", Scope::ReadCustomers),
    ("note", Scope::ReadNotes),
    ("file", Scope::ReadNotes),
];

/// Whether the caller is shown every entry.
pub(super) const fn sees_all(access: &Access) -> bool {
    access.scopes.has(Scope::Administer)
}

/// Whether the caller is shown an entry: only if it may read all the records that the entry changed.
fn is_shown(stored: &StoredEntry, access: &Access) -> bool {
    let is_readable = |record_type: &str| {
        let known = OF_RECORDS.iter().find(|(known, _)| *known == record_type);
        known.is_some_and(|(_, scope)| access.scopes.has(*scope))
    };
    sees_all(access)
        || (!stored.changes.is_empty()
            && stored.changes.iter().all(|change| is_readable(&change.record_type)))
}

/// Minimum number of entries that are read at once for a caller who may be shown few of them.
const MIN_READ: usize = 25;

/// Up to `count` entries with ids below `before` that the caller is shown, newest first. `find` returns the ids of the
/// next entries below an id, at most as many as it is asked for. Where colleagues' devices are is only for those who
/// manage the tenant.
pub(crate) fn read(
    tx: &mut ReadTx<'_>,
    access: &Access,
    mut before: Uuid,
    count: usize,
    mut find: impl FnMut(&mut ReadTx<'_>, Uuid, usize) -> Result<Vec<Uuid>>,
) -> Result<Vec<HistoryEntry>> {
    let mut rows = Vec::new();
    loop {
        let missing = count - rows.len();
        let wanted = if sees_all(access) { missing } else { missing.max(MIN_READ) };
        let found = find(tx, before, wanted)?;
        let entries = store::by_ids(tx, &found)?;
        rows.extend(entries.into_iter().filter(|entry| is_shown(entry, access)));
        if found.len() < wanted || rows.len() >= count {
            break;
        }
        before = found.last().copied().unwrap_or(before);
    }
    rows.truncate(count);
    let mut rows = original::complete(tx, rows)?;
    if !sees_all(access) {
        for entry in &mut rows {
            entry.address = None;
        }
    }
    Ok(rows)
}
