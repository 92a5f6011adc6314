//! The SQL of the history.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zoop_db::{ReadTx, Row, Timestamp, Uuid, params};

use super::{HistoryEntry, visibility};
use crate::call::access::Access;
use crate::call::context::{Change, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::storage::{self, Class};
use crate::call::tool::Found;
use crate::values::clock::Moment;
use crate::values::id::{self, Id, kinds};
use crate::values::zone::Zone;

/// The columns of `history h` that [`read_entry`] reads.
macro_rules! columns {
    () => {
        "h.id, h.actor_kind, h.user_id, h.credential_id, h.client, h.address, h.tool, h.changes"
    };
}
pub(crate) use columns;

/// The filters of a list. PostgreSQL learns the type of a parameter from its first use.
macro_rules! filters {
    ($user:literal, $credential:literal, $client:literal, $tool:literal) => {
        concat!(
            " AND (h.user_id = ",
            $user,
            " OR ",
            $user,
            " IS NULL)",
            " AND (h.credential_id = ",
            $credential,
            " OR ",
            $credential,
            " IS NULL)",
            " AND (h.client = ",
            $client,
            " OR ",
            $client,
            " IS NULL)",
            " AND (h.tool = ",
            $tool,
            " OR ",
            $tool,
            " IS NULL)"
        )
    };
}

crate::call::table::table! {
    /// The entries of the history.
    pub(crate) const HISTORY = history {
        per_tenant,
        key: { id: Id },
        columns: {
            actor_kind: Text, user_id: Id, credential_id: Id, client: Text, address: Text,
            tool: Text, changes: Text,
        },
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

crate::call::table::table! {
    /// The records that each entry is about.
    pub(crate) const HISTORY_RECORDS = history_records {
        per_tenant,
        key: { record_id: Id, entry_id: Id },
        columns: {},
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM history WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// The greatest id that is `$2` or above.
    LATEST_ID_FROM = "SELECT id FROM history WHERE tenant_no = $1 AND id >= $2 ORDER BY id DESC LIMIT 1";
    INSERT = "INSERT INTO history \
              (tenant_no, id, actor_kind, user_id, credential_id, client, address, tool, \
              changes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    INSERT_RECORD = "INSERT INTO history_records (tenant_no, record_id, entry_id) \
                     VALUES ($1, $2, $3)";
    /// A tenant's entries with ids from `$3` to below `$2`, newest first.
    ALL = (concat!("SELECT ", columns!(), " FROM history h \
           WHERE h.tenant_no = $1 AND h.id < $2 AND h.id >= $3", filters!("$5", "$6", "$7", "$8"), " \
           ORDER BY h.id DESC LIMIT $4"));
    /// The id of the tenant's entry that comes `$3` entries after the first below an id.
    ALL_UP_TO = "SELECT id FROM history WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3";
    /// One record's entries with ids from `$3` to below `$2`, newest first.
    OF_RECORD = (concat!("SELECT ", columns!(), " FROM history_records r \
           JOIN history h ON h.tenant_no = r.tenant_no AND h.id = r.entry_id \
           WHERE r.tenant_no = $1 AND r.record_id = $9 AND r.entry_id < $2 AND r.entry_id >= $3",
           filters!("$5", "$6", "$7", "$8"), " ORDER BY r.entry_id DESC LIMIT $4"));
    /// The id of the record's entry that comes `$3` entries after the first below an id.
    OF_RECORD_UP_TO = "SELECT entry_id FROM history_records \
                       WHERE tenant_no = $1 AND record_id = $4 AND entry_id < $2 \
                       ORDER BY entry_id DESC LIMIT 1 OFFSET $3";
}

zoop_db::global_statements! {
    ZONE = "SELECT time_zone FROM tenants WHERE no = $1";
}

/// The changes to one record, as stored: its kind and id are stored once, not with each field.
#[derive(Serialize, Deserialize)]
struct StoredRecord<'a>(Cow<'a, str>, Uuid, Vec<StoredField<'a>>);

/// A field, its old value and its new value.
#[derive(Serialize, Deserialize)]
struct StoredField<'a>(Cow<'a, str>, Cow<'a, Value>, Cow<'a, Value>);

impl<'a> StoredRecord<'a> {
    /// `changes` must be about one record and must not be empty.
    fn of(changes: &'a [Change]) -> Self {
        let field = |change: &'a Change| {
            let Change { field, old, new, .. } = change;
            StoredField(Cow::Borrowed(field), Cow::Borrowed(old), Cow::Borrowed(new))
        };
        let Change { record_type, record_id, .. } = &changes[0];
        Self(Cow::Borrowed(record_type), *record_id, changes.iter().map(field).collect())
    }
}

fn parse_changes<'s>(stored: &'s str) -> Result<Vec<Change>> {
    let records: Vec<StoredRecord<'s>> = serde_json::from_str(stored).map_err(Error::internal)?;
    let to_changes = |StoredRecord(record_type, record_id, fields): StoredRecord<'s>| {
        let record_type = record_type.into_owned();
        fields.into_iter().map(move |StoredField(field, old, new)| Change {
            record_type: record_type.clone().into(),
            record_id,
            field: field.into_owned(),
            old: old.into_owned(),
            new: new.into_owned(),
        })
    };
    Ok(records.into_iter().flat_map(to_changes).collect())
}

/// Adds an entry and the ids of the records that it changed.
pub(super) fn insert(ctx: &mut WriteCtx<'_, '_>, tool: &str, changes: &[Change]) -> Result<()> {
    let id = ctx.next_id::<kinds::Entry>(GREATEST_ID_BELOW)?;
    let stored = changes.chunk_by(|a, b| a.record_id == b.record_id).map(StoredRecord::of);
    let changes_json = serde_json::to_string(&stored.collect::<Vec<_>>())?;
    let access = ctx.access;
    let records: BTreeSet<_> = changes.iter().map(|change| change.record_id).collect();
    let entry = HISTORY.row_size() + storage::length(tool) + storage::length(&changes_json);
    let links = HISTORY_RECORDS.row_size() * i64::try_from(records.len()).unwrap_or(0);
    ctx.stored.add(Class::History, entry + links);
    ctx.tx.execute(
        INSERT,
        params![
            id,
            access.actor.kind(),
            access.actor.user(),
            access.credential.uuid(),
            access.source.client,
            access.source.address.map(|address| address.to_string()),
            tool,
            changes_json
        ],
    )?;
    for record in records {
        ctx.tx.execute(INSERT_RECORD, params![record, id])?;
    }
    Ok(())
}

/// The time of the bound tenant's latest entry, if only a wrong clock can have produced that time.
pub(crate) fn latest_from_wrong_clock(
    tx: &mut ReadTx<'_>,
    now: Timestamp,
) -> Result<Option<Moment>> {
    let from = id::first_from_wrong_clock(now);
    let last =
        tx.first::<Id<kinds::Entry>, Error>(LATEST_ID_FROM, params![from], |row| Ok(row.take()?))?;
    Ok(last.map(Id::created_at))
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
    fn stop(&self, tx: &mut ReadTx<'_>, before: Uuid) -> Result<Option<Uuid>> {
        let last = MAX_SCANNED - 1;
        match self.record {
            Some(record) => {
                tx.first(OF_RECORD_UP_TO, params![before, last, record], |row| Ok(row.take()?))
            }
            None => tx.first(ALL_UP_TO, params![before, last], |row| Ok(row.take()?)),
        }
    }

    /// Up to `count` entries with these ids, newest first.
    fn entries(
        &self,
        tx: &mut ReadTx<'_>,
        ids: Range<Uuid>,
        count: usize,
    ) -> Result<Vec<HistoryEntry>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let Self { record, user, credential, client, tool, from: _ } = *self;
        if let Some(record) = record {
            let parameters =
                params![ids.end, ids.start, count, user, credential, client, tool, record];
            return tx.all(OF_RECORD, parameters, read_entry);
        }
        let parameters = params![ids.end, ids.start, count, user, credential, client, tool];
        tx.all(ALL, parameters, read_entry)
    }
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
    let finds_all = filters.find_all() && visibility::sees_all(access);
    let stop = if finds_all { None } else { filters.stop(tx, before)? };
    // The end of the list is where its time begins.
    let stop = stop.filter(|stop| *stop > filters.from);
    let start = stop.unwrap_or(filters.from);
    let entries = visibility::read(access, before, count, |before, count| {
        filters.entries(tx, start..before, count)
    })?;
    let rows = entries.into_iter().map(|entry| (entry.id.uuid(), entry));
    Ok(Found { rows: rows.map(|(id, entry)| (entry, id)).collect(), stopped: stop })
}

/// The bound tenant's time zone.
pub(super) fn zone(tx: &mut ReadTx<'_>) -> Result<Zone> {
    let tenant = i64::from(tx.tenant()?.0);
    let zone =
        tx.global_first::<Option<Zone>, Error>(ZONE, params![tenant], |row| Ok(row.take()?))?;
    Ok(zone.flatten().unwrap_or(Zone::UTC))
}

/// Reads an entry, with all its changes.
pub(crate) fn read_entry(row: &mut Row<'_>) -> Result<HistoryEntry> {
    let id: Id<kinds::Entry> = row.take()?;
    Ok(HistoryEntry {
        id,
        at: id.created_at(),
        actor_kind: row.take()?,
        user_id: row.take()?,
        credential_id: row.take::<Option<Uuid>>()?.filter(|id| !id.is_nil()).map(Id::new),
        client: row.take()?,
        address: row.take()?,
        tool: row.take()?,
        changes: parse_changes(&row.take::<String>()?)?,
        more_changes: None,
    })
}
