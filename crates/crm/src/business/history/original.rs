//! The values of new records that their entries do not have.
//!
//! While a record is as it was added, the entry of its addition stores no values: they are the record's. Its first change
//! stores all of them. So they are read from there, or from the record itself.

use std::collections::BTreeMap;

use zoop_db::{ReadTx, Uuid, params, text};

use super::lasting::{LASTING, Lasting};
use crate::call::error::{Error, Result};
use crate::call::history::HistoryEntry;
use crate::call::history::change::{RecordChange, Values, What, without_nulls};
use crate::call::history::store::{self, StoredEntry, WANTED_POSTGRES, WANTED_SQLITE, id_list};

/// Each record's entry that comes `$3` entries after its first one.
const LATER: &str = "SELECT wanted_id, (SELECT r.entry_id FROM history_records r \
    WHERE r.tenant_no = $1 AND r.record_id = wanted_id ORDER BY r.entry_id LIMIT 1 OFFSET $3) FROM wanted";

zoop_db::statements! {
    NEXT = { sqlite: text!(WANTED_SQLITE, LATER), postgres: text!(WANTED_POSTGRES, LATER) };
}

/// A record whose values at its addition are wanted.
struct Wanted {
    record_type: String,
    /// The old values of later changes that do not have all of them, the earliest of each field.
    replaced: Values,
}

/// The entries as they are shown.
pub(super) fn complete(
    tx: &mut ReadTx<'_>,
    entries: Vec<StoredEntry>,
) -> Result<Vec<HistoryEntry>> {
    let (mut originals, mut wanted) = (BTreeMap::new(), BTreeMap::new());
    for StoredEntry { changes, .. } in &entries {
        for (position, added) in changes.iter().enumerate().filter(|(_, it)| !it.is_complete()) {
            let mut replaced = Values::new();
            let record = added.record_id;
            // The call that added a record may have changed it too.
            if let Some(values) = all_before(record, &changes[position + 1..], &mut replaced) {
                originals.insert(record, over(values, &replaced));
            } else {
                let record_type = added.record_type.clone().into_owned();
                wanted.insert(record, Wanted { record_type, replaced });
            }
        }
    }
    find(tx, wanted, &mut originals)?;
    let complete = |StoredEntry { mut entry, changes }: StoredEntry| {
        let changes = changes.into_iter().map(|change| match change.what {
            What::AddedAsItWas => {
                let values = originals.remove(&change.record_id).unwrap_or_default();
                RecordChange { what: What::Added(values), ..change }
            }
            _ => change,
        });
        entry.changes = changes.flat_map(RecordChange::listed).collect();
        entry.shortened()
    };
    Ok(entries.into_iter().map(complete).collect())
}

/// Adds the values of records when they were added.
fn find(
    tx: &mut ReadTx<'_>,
    mut wanted: BTreeMap<Uuid, Wanted>,
    originals: &mut BTreeMap<Uuid, Values>,
) -> Result<()> {
    let mut unchanged = BTreeMap::new();
    for later in 1_i64.. {
        if wanted.is_empty() {
            break;
        }
        tx.ensure_time()?;
        let next = next(tx, wanted.keys(), later)?;
        let ids: std::collections::BTreeSet<_> = next.values().flatten().copied().collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let entries = store::by_ids(tx, &ids)?.into_iter();
        let entries: BTreeMap<_, _> =
            entries.map(|stored| (stored.entry.id.uuid(), stored.changes)).collect();
        let mut remaining = BTreeMap::new();
        for (record, mut state) in wanted {
            let Some(entry) = next.get(&record).copied().flatten() else {
                unchanged.insert(record, state);
                continue;
            };
            let changes = entries.get(&entry).map(Vec::as_slice).unwrap_or_default();
            match all_before(record, changes, &mut state.replaced) {
                Some(values) => {
                    originals.insert(record, over(values, &state.replaced));
                }
                None => {
                    remaining.insert(record, state);
                }
            }
        }
        wanted = remaining;
    }
    originals.extend(as_they_are(tx, &unchanged)?);
    Ok(())
}

/// All values of a record before these changes, if they have them. Otherwise the old values that they have are added to
/// those of earlier changes.
fn all_before(record: Uuid, changes: &[RecordChange], replaced: &mut Values) -> Option<Values> {
    for change in changes.iter().filter(|change| change.record_id == record) {
        match &change.what {
            What::Removed(values) | What::Changed { first: Some(values), .. } => {
                return Some(values.clone());
            }
            What::Changed { first: None, fields } => {
                for field in fields {
                    replaced.entry(field.field.clone()).or_insert_with(|| field.old.clone());
                }
            }
            What::Added(_) | What::AddedAsItWas => {}
        }
    }
    None
}

/// The values, with the earlier ones of the fields that changed before. Fields that are none of the record's own, such as
/// a tag that was attached, are left out.
fn over(mut values: Values, replaced: &Values) -> Values {
    for (field, value) in &mut values {
        if let Some(earlier) = replaced.get(field) {
            *value = earlier.clone();
        }
    }
    without_nulls(values)
}

/// For each record the entry that comes so many entries after its first one, if there is one.
fn next<'r>(
    tx: &mut ReadTx<'_>,
    records: impl Iterator<Item = &'r Uuid>,
    later: i64,
) -> Result<BTreeMap<Uuid, Option<Uuid>>> {
    let wanted = id_list(records.copied());
    let next =
        tx.all::<_, Error>(NEXT, params![wanted, later], |row| Ok((row.take()?, row.take()?)))?;
    Ok(next.into_iter().collect())
}

/// The values of records that have not changed since they were added.
fn as_they_are(
    tx: &mut ReadTx<'_>,
    records: &BTreeMap<Uuid, Wanted>,
) -> Result<BTreeMap<Uuid, Values>> {
    let mut values = BTreeMap::new();
    for Lasting { record_type, read } in LASTING {
        let ids = records.iter().filter(|(_, wanted)| wanted.record_type == *record_type);
        let ids: Vec<_> = ids.map(|(id, _)| *id).collect();
        if ids.is_empty() {
            continue;
        }
        for (id, now) in read(tx, &id_list(ids))? {
            if let Some(Wanted { replaced, .. }) = records.get(&id) {
                values.insert(id, over(now, replaced));
            }
        }
    }
    Ok(values)
}
