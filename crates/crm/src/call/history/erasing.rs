//! Takes the values of erased records out of the history. Their entries stay: who did something, when, and with which
//! tool.

mod lent;

pub(crate) use lent::{Lent, lent};

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::json;
use zoop_db::{ReadTx, Uuid, params};

use super::change::{ChangeKind, ERASED, FieldChange, RecordChange};
use super::{former, packed, store};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::storage::Class;

zoop_db::statements! {
    /// The next entries about a record after another one.
    NEXT = "SELECT entry_id FROM history_records WHERE tenant_no = $1 AND record_id = $2 AND entry_id > $3 \
            ORDER BY entry_id LIMIT $4";
    REPLACE = "UPDATE history_entries SET changes = $3 WHERE tenant_no = $1 AND id = $2";
}

/// How many ids of entries are read at once.
const ENTRIES: i64 = 100;

/// How many whole entries are read at once.
const WHOLE: usize = 50;

/// In a change of a customer: that it was merged into another one, or is not any more.
const MERGED_INTO: &str = "merged_into";

/// Brings some of the tenant's entries into the present form, which is the only one that [`erase`] changes. Returns
/// whether there were any.
pub(crate) fn prepare(ctx: &mut WriteCtx<'_, '_>) -> Result<bool> {
    former::move_first(ctx.tx)
}

/// The entries about a record after another one, in order.
pub(crate) fn entries(tx: &mut ReadTx<'_>, record: Uuid, after: Uuid) -> Result<Vec<Uuid>> {
    let mut all = Vec::new();
    loop {
        tx.ensure_time()?;
        let last = all.last().copied().unwrap_or(after);
        let next =
            tx.all::<Uuid, Error>(NEXT, params![record, last, ENTRIES], |row| Ok(row.take()?))?;
        if next.is_empty() {
            return Ok(all);
        }
        all.extend(next);
    }
}

/// Takes the values of these records, and what other records had of them, out of these entries. Returns how many
/// entries had some and no erased value before.
pub(crate) fn erase(
    ctx: &mut WriteCtx<'_, '_>,
    entries: &[Uuid],
    records: &BTreeSet<Uuid>,
    lent: &[Lent],
) -> Result<i64> {
    let mut erased = 0;
    for stored in store::by_ids(ctx.tx, entries)? {
        let at = stored.entry.at.0;
        let is_new = is_whole(&stored.changes, records);
        let before = packed::pack(&stored.changes, at)?;
        let without = lent::without(stored.changes, stored.entry.id.uuid(), lent);
        let now = packed::pack(&self::without(without, records), at)?;
        if before == now {
            continue;
        }
        erased += i64::from(is_new);
        ctx.stored.add(Class::History, store::entry_size(&now) - store::entry_size(&before));
        if ctx.tx.execute(REPLACE, params![stored.entry.id, now[..]])? == 0 {
            return Err(Error::conflict(
                "A server of the previous version has just written to the history: try again.",
            ));
        }
    }
    Ok(erased)
}

/// How many of these entries have no erased value of these records.
pub(crate) fn count_whole(
    tx: &mut ReadTx<'_>,
    entries: &[Uuid],
    records: &BTreeSet<Uuid>,
) -> Result<i64> {
    let mut count = 0;
    for few in entries.chunks(WHOLE) {
        tx.ensure_time()?;
        for stored in store::by_ids(tx, few)? {
            count += i64::from(is_whole(&stored.changes, records));
        }
    }
    Ok(count)
}

/// Whether nothing of these records is erased in the changes of an entry.
fn is_whole(changes: &[RecordChange], records: &BTreeSet<Uuid>) -> bool {
    !changes.iter().any(|change| records.contains(&change.record_id) && change.has_field(ERASED))
}

/// The change of a record that stands for all values of it.
fn mark(record_type: Cow<'static, str>, record_id: Uuid) -> RecordChange {
    let erased = FieldChange { field: ERASED.to_owned(), old: json!(null), new: json!(true) };
    let kind = ChangeKind::Changed { first: None, fields: vec![erased] };
    RecordChange { record_type, record_id, kind }
}

/// The changes of an entry without the values of these records.
fn without(changes: Vec<RecordChange>, records: &BTreeSet<Uuid>) -> Vec<RecordChange> {
    let is_of = |change: &RecordChange| records.contains(&change.record_id);
    // The files of a note change together with it, and their rows may be gone.
    let has_note = changes.iter().any(|change| is_of(change) && change.record_type == "note");
    let is_erased =
        |change: &RecordChange| is_of(change) || has_note && change.record_type == "file";
    // A merge writes values of one customer into the other, and undoing it takes them back.
    let is_merge = changes.iter().any(|change| is_of(change) && change.has_field(MERGED_INTO));
    let has_others = changes.iter().any(|change| !is_erased(change));
    let mut marked = BTreeSet::new();
    let mut kept = Vec::with_capacity(changes.len());
    for mut change in changes {
        if !is_erased(&change) {
            if is_merge {
                lent::take_back(&mut change);
            }
            kept.push(change);
        // What else the entry did can still be undone, such as the deletion of a tag that many customers had.
        } else if !(has_others && has_only_tags(&change)) && marked.insert(change.record_id) {
            kept.push(mark(change.record_type, change.record_id));
        }
    }
    kept
}

/// Whether a change says only which tags a customer got or lost.
fn has_only_tags(change: &RecordChange) -> bool {
    let fields = change.fields();
    !fields.is_empty() && fields.iter().all(|it| it.field == "tag")
}
