//! Who is shown which entries of the history.
//!
//! Who may manage the tenant sees all of it. Others see the changes of the records that they may read, and nothing
//! about people, keys, programs and sign-ins.

use zoop_db::Uuid;

use super::HistoryEntry;
use crate::call::access::Access;
use crate::call::error::Result;
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

/// The entry as the caller is shown it. An entry is hidden unless the caller may read all the records that it changed.
/// Where colleagues' devices are is only for those who manage the tenant.
pub(super) fn shown(entry: HistoryEntry, access: &Access) -> Option<HistoryEntry> {
    if sees_all(access) {
        return Some(entry);
    }
    let is_readable = |record_type: &str| {
        let known = OF_RECORDS.iter().find(|(known, _)| *known == record_type);
        known.is_some_and(|(_, scope)| access.scopes.has(*scope))
    };
    let is_shown = !entry.changes.is_empty()
        && entry.changes.iter().all(|change| is_readable(&change.record_type));
    is_shown.then_some(HistoryEntry { address: None, ..entry })
}

/// Up to `count` entries with ids below `before` that the caller is shown, newest first. `read` returns the next entries
/// below an id, at most as many as it is asked for.
pub(crate) fn read(
    access: &Access,
    mut before: Uuid,
    count: usize,
    mut read: impl FnMut(Uuid, usize) -> Result<Vec<HistoryEntry>>,
) -> Result<Vec<HistoryEntry>> {
    let mut rows = Vec::new();
    loop {
        let wanted = count - rows.len();
        let found = read(before, wanted)?;
        let is_end = found.len() < wanted;
        if let Some(last) = found.last() {
            before = last.id.uuid();
        }
        let shown = found.into_iter().filter_map(|entry| shown(entry, access));
        rows.extend(shown.map(HistoryEntry::shortened));
        if is_end || rows.len() == count {
            return Ok(rows);
        }
    }
}
