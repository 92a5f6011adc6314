//! Which entries were reverted: an entry of `changes.revert` names the entry that it reverts as one of its records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zoop_db::{ReadTx, Row, Uuid, params, text};

use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};

/// The word for an entry as a record of another entry.
pub(in crate::business) const TYPE: &str = "change";
const FIELD: &str = "reverted";

/// The latest entry about each wanted record.
const LATEST_OF: &str = "SELECT wanted_id, (SELECT r.entry_id FROM history_records r \
    WHERE r.tenant_no = $1 AND r.record_id = wanted_id ORDER BY r.entry_id DESC LIMIT 1) FROM wanted";

zoop_db::statements! {
    LATEST = {
        sqlite: text!(WANTED_SQLITE, LATEST_OF), postgres: text!(WANTED_POSTGRES, LATEST_OF),
    };
    /// The entries about a record before another one, newest first.
    BEFORE = "SELECT entry_id FROM history_records WHERE tenant_no = $1 AND record_id = $2 AND entry_id < $3 \
              ORDER BY entry_id DESC LIMIT $4";
}

/// Records that the call reverts an entry.
pub(super) fn record(ctx: &mut WriteCtx<'_, '_>, entry: Uuid) {
    ctx.changed(TYPE, entry, FIELD, Value::Null, json!(true));
}

/// How often an undo that was undone is followed. Beyond, an entry may count as reverted that is not.
const MAX_DEPTH: usize = 50;

/// Those of these entries that were reverted, unless that was reverted in turn.
pub(super) fn among(
    tx: &mut ReadTx<'_>,
    entries: impl Iterator<Item = Uuid>,
) -> Result<BTreeSet<Uuid>> {
    // Each step asks about the entries that reverted those of the step before.
    let mut by_depth: Vec<BTreeMap<Uuid, Uuid>> = Vec::new();
    let mut wanted: BTreeSet<_> = entries.collect();
    while !wanted.is_empty() && by_depth.len() < MAX_DEPTH {
        tx.ensure_time()?;
        let found = latest_about_each(tx, wanted)?;
        wanted = found.values().copied().collect();
        by_depth.push(found);
    }
    let mut reverted = BTreeSet::new();
    for found in by_depth.into_iter().rev() {
        let stands = |(_, by): &(Uuid, Uuid)| !reverted.contains(by);
        reverted = found.into_iter().filter(stands).map(|(entry, _)| entry).collect();
    }
    Ok(reverted)
}

/// The latest entry about a record, which may be an entry.
pub(in crate::business) fn latest_about(tx: &mut ReadTx<'_>, record: Uuid) -> Result<Option<Uuid>> {
    Ok(latest_about_each(tx, [record])?.remove(&record))
}

/// The latest entry about each of these records that has any.
pub(super) fn latest_about_each(
    tx: &mut ReadTx<'_>,
    records: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, Uuid>> {
    let read = |row: &mut Row<'_>| Ok((row.take()?, row.take::<Option<Uuid>>()?));
    let found = tx.all::<_, Error>(LATEST, params![id_list(records)], read)?;
    Ok(found.into_iter().filter_map(|(record, latest)| Some((record, latest?))).collect())
}
