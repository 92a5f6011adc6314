//! Who is shown which entries of the history.
//!
//! Who may manage the tenant sees all of it. Others see the changes of the records that they may read, and nothing
//! about people, keys, programs and sign-ins.

use zoop_db::{ReadTx, Uuid};

use super::revert::{self, Obstacle, Present};
use super::{names, original};
use crate::business::catalog_items::{CatalogItem, shown};
use crate::call::access::Access;
use crate::call::context::{Change, Recorded as _};
use crate::call::error::Result;
use crate::call::history::HistoryEntry;
use crate::call::history::change::RecordChange;
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
    ("quote", Scope::ReadQuotes),
    ("job", Scope::ReadJobs),
    ("tag", Scope::ReadCustomers),
    ("note", Scope::ReadNotes),
    ("file", Scope::ReadNotes),
    ("tax_rate", Scope::ReadTaxRates),
    (CatalogItem::TYPE, Scope::ReadCatalogItems),
    ("catalog_category", Scope::ReadCatalogCategories),
    (revert::TYPE, Scope::ReadHistory),
];

/// Whether the caller is shown every entry.
pub(super) const fn sees_all(access: &Access) -> bool {
    access.scopes.has(Scope::Administer)
}

/// Whether the caller is shown the changes of records of this type.
fn is_readable(record_type: &str, access: &Access) -> bool {
    let known = OF_RECORDS.iter().find(|(known, _)| *known == record_type);
    sees_all(access) || known.is_some_and(|(_, scope)| access.scopes.has(*scope))
}

/// Whether the caller is shown an entry: only if it may read a record that the entry changed. It is then shown the
/// changes of such records, and not the others.
pub(super) fn is_shown(stored: &StoredEntry, access: &Access) -> bool {
    let is_record = |record_type: &str| record_type != revert::TYPE;
    let readable = |change: &RecordChange| {
        is_record(&change.record_type) && is_readable(&change.record_type, access)
    };
    sees_all(access) || stored.changes.iter().any(readable)
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
    let obstacles = obstacles(tx, access, &rows)?;
    for stored in &mut rows {
        stored.changes.retain(|change| is_readable(&change.record_type, access));
    }
    let mut rows = original::complete(tx, rows)?;
    for (entry, obstacle) in rows.iter_mut().zip(obstacles) {
        entry.can_revert = obstacle.is_none();
        entry.cannot_revert = obstacle.map(|obstacle| obstacle.to_string());
        if !sees_all(access) {
            entry.address = None;
            entry.changes.retain(|change| !is_for_owners(change));
        }
    }
    names::add(tx, &mut rows)?;
    Ok(rows)
}

/// Whether the change is of a field that only those who manage the tenant are shown.
fn is_for_owners(change: &Change) -> bool {
    change.record_type == CatalogItem::TYPE && shown::FOR_OWNERS.contains(&&*change.field)
}

/// For each entry, why the caller cannot revert it.
fn obstacles(
    tx: &mut ReadTx<'_>,
    access: &Access,
    entries: &[StoredEntry],
) -> Result<Vec<Option<Obstacle>>> {
    let present = Present::read(tx, entries)?;
    entries.iter().map(|entry| Ok(present.plan(tx, access, entry)?.err())).collect()
}
