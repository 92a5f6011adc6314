//! The values of new records that their entries do not have.
//!
//! While a record is as it was added, the entry of its addition stores no values: they are the record's. Its first
//! change stores all of them. So they are read from there, or from the record itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use zoop_db::{ReadTx, Row, Uuid, params, text};

use super::stored_once::STORED_ONCE;
use crate::business::customers::Customer;
use crate::business::notes;
use crate::call::context::Recorded;
use crate::call::error::{Error, Result};
use crate::call::history::HistoryEntry;
use crate::call::history::change::{
    ChangeKind, NOT_FIELDS, RecordChange, Values, has_times_of_addition, without_nulls,
};
use crate::call::history::store::{self, StoredEntry, WANTED_POSTGRES, WANTED_SQLITE, id_list};

/// Each record's entry that comes `$3` entries after its first one.
const NEXT_ENTRIES: &str = "SELECT wanted_id, (SELECT r.entry_id FROM history_records r \
    WHERE r.tenant_no = $1 AND r.record_id = wanted_id ORDER BY r.entry_id LIMIT 1 OFFSET $3) FROM wanted";

zoop_db::statements! {
    NEXT = {
        sqlite: text!(WANTED_SQLITE, NEXT_ENTRIES), postgres: text!(WANTED_POSTGRES, NEXT_ENTRIES),
    };
    /// The next entries about a record after another one.
    AFTER = "SELECT entry_id FROM history_records WHERE tenant_no = $1 AND record_id = $2 AND entry_id > $3 \
             ORDER BY entry_id LIMIT $4";
    /// The entries about a record after one and before another one, newest first.
    BETWEEN = "SELECT entry_id FROM history_records \
               WHERE tenant_no = $1 AND record_id = $2 AND entry_id > $3 AND entry_id < $4 \
               ORDER BY entry_id DESC LIMIT $5";
}

/// How many of each record's first entries are searched for its first change together with those of other records. Few
/// come before that change, such as those of tags that were attached.
const FIRST: i64 = 4;
/// The number of entries that are then read at once for one record.
const AT_ONCE: i64 = 200;

/// A record whose values at its addition are wanted.
struct Wanted {
    record_type: String,
    /// The last entry about it that was read.
    after: Uuid,
    /// Whether no other entry is about it.
    is_read: bool,
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
                wanted.insert(
                    record,
                    Wanted { record_type, after: Uuid::nil(), is_read: false, replaced },
                );
            }
        }
    }
    find(tx, wanted, &mut originals)?;
    let complete = |StoredEntry { mut entry, changes }: StoredEntry| {
        let changes = changes.into_iter().map(|change| match change.kind {
            ChangeKind::AddedAsItWas => {
                let values = originals.remove(&change.record_id).unwrap_or_default();
                RecordChange { kind: ChangeKind::Added(values), ..change }
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
    for later in 0..FIRST {
        if wanted.is_empty() {
            break;
        }
        let next = next(tx, wanted.keys(), later)?;
        let ids: BTreeSet<_> = next.values().flatten().copied().collect();
        let entries = changes_of(tx, &ids.into_iter().collect::<Vec<_>>())?;
        let mut remaining = BTreeMap::new();
        for (record, mut state) in wanted {
            let Some(entry) = next.get(&record).copied().flatten() else {
                unchanged.insert(record, Wanted { is_read: true, ..state });
                continue;
            };
            let changes = entries.get(&entry).map(Vec::as_slice).unwrap_or_default();
            if let Some(values) = all_before(record, changes, &mut state.replaced) {
                originals.insert(record, over(values, &state.replaced));
            } else {
                remaining.insert(record, Wanted { after: entry, ..state });
            }
        }
        wanted = remaining;
    }
    unchanged.extend(wanted);
    let records = unchanged.iter().map(|(record, wanted)| (&*wanted.record_type, *record));
    let mut now = as_they_are(tx, records)?;
    for (record, mut state) in unchanged {
        let now = now.remove(&record);
        // A record that has its times of then has not changed, however much was attached to it. A note may have been
        // moved, which leaves its times.
        let is_note = state.record_type == notes::RecordedNote::TYPE;
        let has_its_times = || !is_note && now.as_ref().is_some_and(has_times_of_addition);
        let is_as_it_was = state.is_read || has_its_times();
        let replaced = if is_as_it_was { None } else { walk(tx, record, &mut state)? };
        if let Some(values) = replaced.or(now) {
            originals.insert(record, over(values, &state.replaced));
        }
    }
    Ok(())
}

/// Reads further entries of a record, until one has all values before it.
fn walk(tx: &mut ReadTx<'_>, record: Uuid, state: &mut Wanted) -> Result<Option<Values>> {
    loop {
        tx.ensure_time()?;
        let read = |row: &mut Row<'_>| Ok(row.take()?);
        let ids: Vec<Uuid> =
            tx.all::<_, Error>(AFTER, params![record, state.after, AT_ONCE], read)?;
        let entries = changes_of(tx, &ids)?;
        for changes in entries.values() {
            if let Some(values) = all_before(record, changes, &mut state.replaced) {
                return Ok(Some(values));
            }
        }
        match ids.last() {
            Some(last) => state.after = *last,
            None => return Ok(None),
        }
    }
}

/// The changes of entries, in the order of the entries.
fn changes_of(tx: &mut ReadTx<'_>, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<RecordChange>>> {
    let entries = store::by_ids(tx, ids)?.into_iter();
    Ok(entries.map(|stored| (stored.entry.id.uuid(), stored.changes)).collect())
}

/// All values of a record before these changes, if they have them. Otherwise the old values that they have are added to
/// those of earlier changes.
fn all_before(record: Uuid, changes: &[RecordChange], replaced: &mut Values) -> Option<Values> {
    for change in changes.iter().filter(|change| change.record_id == record) {
        match &change.kind {
            ChangeKind::Removed(values) | ChangeKind::Changed { first: Some(values), .. } => {
                return Some(values.clone());
            }
            ChangeKind::Changed { first: None, fields } => {
                for field in fields {
                    replaced.entry(field.field.clone()).or_insert_with(|| field.old.clone());
                }
            }
            ChangeKind::Added(_) | ChangeKind::AddedAsItWas => {}
        }
    }
    None
}

/// The values, with the earlier ones of the fields that changed before.
fn over(mut values: Values, replaced: &Values) -> Values {
    for (field, value) in replaced {
        if !NOT_FIELDS.contains(&field.as_str()) {
            values.insert(field.clone(), value.clone());
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

/// The records of these types and ids as they are now.
fn as_they_are<'t>(
    tx: &mut ReadTx<'_>,
    records: impl Iterator<Item = (&'t str, Uuid)>,
) -> Result<BTreeMap<Uuid, Values>> {
    let mut by_type: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for (record_type, record) in records {
        by_type.entry(record_type).or_default().insert(record);
    }
    let mut values = BTreeMap::new();
    for (record_type, ids) in by_type {
        let kind = STORED_ONCE.iter().find(|kind| kind.record_type == record_type);
        let kind = kind.ok_or_else(|| {
            Error::internal(format!("the values of a {record_type} are not stored twice"))
        })?;
        values.extend((kind.read)(tx, &id_list(ids))?);
    }
    Ok(values)
}

/// The records of these changes as they are now, with all their fields. Records that are gone are left out.
pub(super) fn now<'c>(
    tx: &mut ReadTx<'_>,
    changes: impl Iterator<Item = &'c RecordChange>,
) -> Result<BTreeMap<Uuid, Values>> {
    let is_known =
        |record_type: &str| STORED_ONCE.iter().any(|kind| kind.record_type == record_type);
    let records = changes.filter(|change| is_known(&change.record_type));
    as_they_are(tx, records.map(|change| (&*change.record_type, change.record_id)))
}

/// These customers as they are now.
pub(super) fn customers(
    tx: &mut ReadTx<'_>,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, Values>> {
    as_they_are(tx, ids.into_iter().map(|id| (Customer::TYPE, id)))
}

/// What became of the text that an entry gave a note.
pub(super) enum TextAfter {
    /// The note still has it.
    Unchanged,
    /// It was this text. A later change replaced it.
    Was(Value),
    /// It cannot be told: a clock that was set back hid a later change.
    Unknown,
}

/// What became of the text that an entry gave a note, which has these values now.
pub(super) fn text_after(
    tx: &mut ReadTx<'_>,
    note: Uuid,
    entry: Uuid,
    now: &Values,
) -> Result<TextAfter> {
    // The first change decides, and few entries come before it.
    let (mut after, mut count, mut updated_at) = (entry, 1, None);
    let mut entries = store::by_ids(tx, &[entry])?;
    loop {
        tx.ensure_time()?;
        for stored in &entries {
            let of_note = stored.changes.iter().filter(|change| change.record_id == note);
            for change in of_note.flat_map(RecordChange::fields) {
                match change.field.as_str() {
                    "body" if stored.entry.id.uuid() != entry => {
                        return Ok(TextAfter::Was(change.old.clone()));
                    }
                    "updated_at" => updated_at = Some(change.new.clone()),
                    _ => {}
                }
            }
        }
        let read = |row: &mut Row<'_>| Ok(row.take()?);
        let ids: Vec<Uuid> = tx.all::<_, Error>(AFTER, params![note, after, count], read)?;
        let Some(last) = ids.last() else { break };
        entries = store::by_ids(tx, &ids)?;
        (after, count) = (*last, AT_ONCE.min(count * 4));
    }
    // Two changes in the same millisecond have the same time.
    let is_latest = updated_at.is_none_or(|at| Some(&at) == now.get("updated_at"));
    Ok(if is_latest { TextAfter::Unchanged } else { TextAfter::Unknown })
}

/// The values that some fields of a record had after an entry: those that changed since.
pub(super) fn values_after(
    tx: &mut ReadTx<'_>,
    record: Uuid,
    entry: Uuid,
    wanted: &[&str],
) -> Result<BTreeMap<String, Value>> {
    let (mut after, mut count, mut values) = (entry, 4, BTreeMap::new());
    while values.len() < wanted.len() {
        tx.ensure_time()?;
        let read = |row: &mut Row<'_>| Ok(row.take()?);
        let ids: Vec<Uuid> = tx.all::<_, Error>(AFTER, params![record, after, count], read)?;
        let Some(last) = ids.last() else { break };
        for stored in store::by_ids(tx, &ids)? {
            let of_record = stored.changes.iter().filter(|change| change.record_id == record);
            for change in of_record.flat_map(RecordChange::fields) {
                if wanted.contains(&&*change.field) {
                    values.entry(change.field.clone()).or_insert_with(|| change.old.clone());
                }
            }
        }
        (after, count) = (*last, AT_ONCE.min(count * 4));
    }
    Ok(values)
}

/// The latest entry after another one that changed a field of a record.
pub(super) fn last_change(
    tx: &mut ReadTx<'_>,
    record: Uuid,
    after: Uuid,
    field: &str,
) -> Result<Option<HistoryEntry>> {
    let (mut before, mut count) = (Uuid::max(), 1);
    loop {
        tx.ensure_time()?;
        let read = |row: &mut Row<'_>| Ok(row.take()?);
        let ids: Vec<Uuid> =
            tx.all::<_, Error>(BETWEEN, params![record, after, before, count], read)?;
        let Some(oldest) = ids.last() else { return Ok(None) };
        for stored in store::by_ids(tx, &ids)? {
            let mut of_record = stored.changes.iter().filter(|change| change.record_id == record);
            if of_record.any(|change| change.has_field(field)) {
                return Ok(Some(stored.entry));
            }
        }
        (before, count) = (*oldest, AT_ONCE.min(count * 4));
    }
}
