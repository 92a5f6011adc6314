//! The SQL of lists of the history.

use std::ops::Range;

use zoop_db::{ReadTx, Uuid, params, text};

use super::visibility;
use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::call::history::HistoryEntry;
use crate::call::history::former::{Former, FormerList, filters};
use crate::call::tool::Found;

zoop_db::statements! {
    /// The ids of a tenant's entries from `$3` to below `$2`, newest first.
    ALL_IDS = "SELECT id FROM history_entries \
               WHERE tenant_no = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4";
    /// The ids of one record's entries, in either form, from `$3` to below `$2`, newest first.
    RECORD_IDS = "SELECT entry_id FROM history_records WHERE tenant_no = $1 AND record_id = $5 \
                  AND entry_id < $2 AND entry_id >= $3 ORDER BY entry_id DESC LIMIT $4";
    /// A tenant's entries with ids from `$3` to below `$2`, newest first.
    ALL = (text!("SELECT h.id FROM history_entries h CROSS JOIN history_origins o \
           WHERE h.tenant_no = $1 AND h.id < $2 AND h.id >= $3 AND o.tenant_no = $1 AND o.number = h.origin",
           filters!("o": "$5", "$6", "$7", "$8"), " ORDER BY h.id DESC LIMIT $4"));
    /// The id of the tenant's entry that comes `$3` entries after the first below an id.
    ALL_UP_TO = "SELECT id FROM history_entries \
                 WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3";
    /// One record's entries with ids from `$3` to below `$2`, newest first.
    OF_RECORD = (text!("SELECT r.entry_id FROM history_records r CROSS JOIN history_entries h \
           CROSS JOIN history_origins o WHERE r.tenant_no = $1 AND r.record_id = $9 \
           AND r.entry_id < $2 AND r.entry_id >= $3 AND h.tenant_no = $1 AND h.id = r.entry_id \
           AND o.tenant_no = $1 AND o.number = h.origin",
           filters!("o": "$5", "$6", "$7", "$8"), " ORDER BY r.entry_id DESC LIMIT $4"));
    /// The id of the record's entry that comes `$3` entries after the first below an id.
    OF_RECORD_UP_TO = "SELECT entry_id FROM history_records \
                       WHERE tenant_no = $1 AND record_id = $4 AND entry_id < $2 \
                       ORDER BY entry_id DESC LIMIT 1 OFFSET $3";
}

/// Maximum number of entries that are read to find those of one page.
const MAX_SCANNED: i64 = 1_000;

/// Which entries a list contains.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filters<'a> {
    pub(super) record: Option<Uuid>,
    pub(super) user: Option<Uuid>,
    pub(super) credential: Option<Uuid>,
    pub(super) client: Option<&'a str>,
    pub(super) tool: Option<&'a str>,
    /// No entry has an id below this one.
    pub(super) from: Uuid,
}

impl Filters<'_> {
    /// Whether every entry of the record or of the tenant is in the list.
    const fn find_all(&self) -> bool {
        self.user.is_none()
            && self.credential.is_none()
            && self.client.is_none()
            && self.tool.is_none()
    }

    /// The position at which a search that begins below `before` stops. `None` if it reaches the end.
    fn stop(&self, tx: &mut ReadTx<'_>, former: Former, before: Uuid) -> Result<Option<Uuid>> {
        let last = MAX_SCANNED - 1;
        if let Some(record) = self.record {
            return tx.first(OF_RECORD_UP_TO, params![before, last, record], |row| Ok(row.take()?));
        }
        let stop =
            tx.first::<Uuid, Error>(ALL_UP_TO, params![before, last], |row| Ok(row.take()?))?;
        Ok(stop.max(former.stop(tx, before, last)?))
    }

    /// The ids of up to `count` entries within this range of ids, newest first.
    fn find(
        &self,
        tx: &mut ReadTx<'_>,
        former: Former,
        ids: Range<Uuid>,
        count: usize,
    ) -> Result<Vec<Uuid>> {
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        let Self { record, user, credential, client, tool, from: _ } = *self;
        let range: &[_] = params![ids.end, ids.start, limit];
        if let (Some(record), true) = (&record, self.find_all()) {
            let parameters = [range, params![*record]].concat();
            return tx.all(RECORD_IDS, &parameters, |row| Ok(row.take()?));
        }
        let wanted: &[_] = params![user, credential, client, tool];
        let (statement, list, parameters) = match &record {
            Some(record) => {
                (OF_RECORD, FormerList::OfRecord, [range, wanted, params![*record]].concat())
            }
            None if self.find_all() => (ALL_IDS, FormerList::All, range.to_vec()),
            None => (ALL, FormerList::Matching, [range, wanted].concat()),
        };
        let mut found: Vec<Uuid> =
            tx.all::<_, Error>(statement, &parameters, |row| Ok(row.take()?))?;
        found.extend(former.find(tx, list, &parameters)?);
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.truncate(count);
        Ok(found)
    }
}

/// The ids of up to `count` entries with ids below `before`, newest first.
pub(super) fn newest(
    tx: &mut ReadTx<'_>,
    filters: &Filters<'_>,
    before: Uuid,
    count: usize,
) -> Result<Vec<Uuid>> {
    let former = Former::of(tx)?;
    filters.find(tx, former, filters.from..before, count)
}

/// Up to `count` entries with ids below `before` that the caller is shown, newest first.
///
/// There is an index only for the records of entries. Therefore a search with other filters, or by a caller who is
/// not shown every entry, stops after [`MAX_SCANNED`] entries.
pub(super) fn list(
    tx: &mut ReadTx<'_>,
    access: &Access,
    filters: Filters<'_>,
    before: Uuid,
    count: usize,
) -> Result<Found<HistoryEntry, Uuid>> {
    let former = Former::of(tx)?;
    let finds_all = filters.find_all() && visibility::sees_all(access);
    let stop = if finds_all { None } else { filters.stop(tx, former, before)? };
    // The end of the list is where its time begins.
    let stop = stop.filter(|stop| *stop > filters.from);
    let start = stop.unwrap_or(filters.from);
    let entries = visibility::read(tx, access, before, count, |tx, before, count| {
        filters.find(tx, former, start..before, count)
    })?;
    let rows = entries.into_iter().map(|entry| (entry.id.uuid(), entry));
    Ok(Found { rows: rows.map(|(id, entry)| (entry, id)).collect(), stopped: stop })
}
