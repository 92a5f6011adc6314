//! The SQL of the history.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use zoop_db::{Param, ReadTx, Row, Sql, Timestamp, Uuid, Value, WriteTx, params, text};

use super::change::RecordChange;
use super::{HistoryEntry, former, packed};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::storage::{self, Class};
use crate::values::clock::Moment;
use crate::values::id::{self, Id, kinds};

crate::call::table::table! {
    /// The entries of the history, with their changes as [`packed`] writes them.
    pub(crate) const HISTORY_ENTRIES = history_entries {
        per_tenant,
        key: { id: Id },
        columns: { origin: Integer, changes: Bytes },
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

crate::call::table::table! {
    /// Who did what, with which credential and client, from where. Entries that agree in all of this share a row, whose
    /// number is computed from the rest.
    pub(crate) const HISTORY_ORIGINS = history_origins {
        per_tenant,
        key: { number: Integer },
        columns: {
            tool: Text, actor_kind: Text, user_id: Id, credential_id: Id, client: Text, address: Text,
        },
        exported: WithTenant,
        erased: [WithTenant],
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

/// Begins a statement about the ids in `$2`, which [`id_list`] writes.
pub(crate) const WANTED_SQLITE: &str =
    "WITH wanted AS (SELECT unhex(value) AS wanted_id FROM json_each($2)) ";
/// [`WANTED_SQLITE`] for PostgreSQL.
pub(crate) const WANTED_POSTGRES: &str = "WITH wanted AS MATERIALIZED \
    (SELECT value::uuid AS wanted_id FROM jsonb_array_elements_text($2::text::jsonb)) ";

/// The wanted entries. SQLite keeps the order of a CROSS JOIN, and so looks each entry up.
const ENTRIES: &str = "SELECT h.id, h.changes, o.tool, o.actor_kind, o.user_id, o.credential_id, o.client, o.address \
    FROM wanted CROSS JOIN history_entries h CROSS JOIN history_origins o \
    WHERE h.tenant_no = $1 AND h.id = wanted_id AND o.tenant_no = $1 AND o.number = h.origin";

zoop_db::statements! {
    /// The greatest id below a bound in either form.
    GREATEST_IDS_BELOW = "SELECT \
        (SELECT id FROM history_entries WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1), \
        (SELECT id FROM history WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1)";
    /// The greatest id in either form that is `$2` or above.
    LATEST_IDS_FROM = "SELECT \
        (SELECT id FROM history_entries WHERE tenant_no = $1 AND id >= $2 ORDER BY id DESC LIMIT 1), \
        (SELECT id FROM history WHERE tenant_no = $1 AND id >= $2 ORDER BY id DESC LIMIT 1)";
    INSERT_ORIGIN = "INSERT INTO history_origins \
        (tenant_no, number, tool, actor_kind, user_id, credential_id, client, address) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_no, number) DO NOTHING";
    INSERT = "INSERT INTO history_entries (tenant_no, id, origin, changes) VALUES ($1, $2, $3, $4)";
    /// The entries of a list of ids.
    BY_IDS = {
        sqlite: text!(WANTED_SQLITE, ENTRIES),
        postgres: text!(WANTED_POSTGRES, ENTRIES),
    };
}

/// An entry as stored: without the values of records that are still as they were added.
#[derive(Debug)]
pub(crate) struct StoredEntry {
    /// The entry, without its changes.
    pub(crate) entry: HistoryEntry,
    pub(crate) changes: Vec<RecordChange>,
}

/// Who did what, with which credential and client, from where.
#[derive(Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) tool: &'a str,
    pub(crate) actor_kind: &'a str,
    pub(crate) user: Option<Uuid>,
    pub(crate) credential: Uuid,
    pub(crate) client: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
}

impl Origin<'_> {
    /// Computed from the rest, so that no write has to read it first. Two origins of a tenant with the same number
    /// would take billions of them by chance, and 2^63 attempts by intent.
    pub(super) fn number(&self) -> i64 {
        let mut hash = Sha256::new();
        let mut add = |part: Option<&[u8]>| {
            hash.update([u8::from(part.is_some())]);
            let part = part.unwrap_or_default();
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        };
        add(Some(self.tool.as_bytes()));
        add(Some(self.actor_kind.as_bytes()));
        add(self.user.as_ref().map(|user| &user.as_bytes()[..]));
        add(Some(self.credential.as_bytes()));
        add(self.client.map(str::as_bytes));
        add(self.address.map(str::as_bytes));
        let digest = hash.finalize();
        // Numbers are never negative: a copy begins at zero.
        i64::from_be_bytes(std::array::from_fn(|byte| digest[byte])) & i64::MAX
    }

    /// The row, after the tenant.
    pub(super) fn row<'v>(&'v self, number: &'v i64) -> [Value<'v>; 7] {
        [
            number.value(),
            self.tool.value(),
            self.actor_kind.value(),
            self.user.as_ref().map_or(Value::Null, Param::value),
            self.credential.value(),
            self.client.map_or(Value::Null, Param::value),
            self.address.map_or(Value::Null, Param::value),
        ]
    }

    /// The bytes that storage counts for the row.
    pub(super) fn size(&self) -> i64 {
        HISTORY_ORIGINS.row_size() + self.text_size()
    }

    /// The length of its texts in bytes.
    pub(super) fn text_size(&self) -> i64 {
        let texts = [Some(self.tool), Some(self.actor_kind), self.client, self.address];
        texts.into_iter().flatten().map(storage::length).sum()
    }
}

/// The bytes that storage counts for an entry.
pub(super) fn entry_size(changes: &[u8]) -> i64 {
    HISTORY_ENTRIES.row_size() + i64::try_from(changes.len()).unwrap_or(i64::MAX)
}

/// Adds an origin that comes from another database, unless the tenant has it, and returns its number.
pub(crate) fn bring_origin(tx: &mut WriteTx<'_>, origin: &Origin<'_>) -> Result<i64> {
    let number = origin.number();
    tx.execute(INSERT_ORIGIN, &origin.row(&number))?;
    Ok(number)
}

/// Adds an entry and the ids of the records that it changed.
pub(super) fn insert(
    ctx: &mut WriteCtx<'_, '_>,
    tool: &str,
    changes: &[RecordChange],
) -> Result<()> {
    let bound = id::first_from_wrong_clock(ctx.now);
    let last = greatest(ctx.tx, GREATEST_IDS_BELOW, bound)?;
    let id: Id<kinds::Entry> = ctx.following(last);
    let packed = packed::pack(changes, id.created_at().0)?;
    let access = ctx.access;
    let address = access.source.address.map(|address| address.to_string());
    let origin = Origin {
        tool,
        actor_kind: access.actor.kind(),
        user: access.actor.user().map(Id::uuid),
        credential: access.credential.uuid(),
        client: access.source.client.as_deref(),
        address: address.as_deref(),
    };
    let number = origin.number();
    if ctx.tx.execute(INSERT_ORIGIN, &origin.row(&number))? > 0 {
        ctx.stored.add(Class::History, origin.size());
    }
    ctx.tx.execute(INSERT, params![id, number, packed[..]])?;
    ctx.entry = Some(id);
    let records: BTreeSet<_> = changes.iter().map(|change| change.record_id).collect();
    let links = HISTORY_RECORDS.row_size() * i64::try_from(records.len()).unwrap_or(0);
    ctx.stored.add(Class::History, entry_size(&packed) + links);
    let rows: Vec<_> = records.iter().map(|record| vec![record.value(), id.value()]).collect();
    HISTORY_RECORDS.add(ctx.tx, &rows)
}

/// The id of the bound tenant's latest entry.
pub(crate) fn latest(tx: &mut ReadTx<'_>) -> Result<Option<Uuid>> {
    greatest(tx, GREATEST_IDS_BELOW, Uuid::max())
}

/// The time of the bound tenant's latest entry, if only a wrong clock can have produced that time.
pub(crate) fn latest_from_wrong_clock(
    tx: &mut ReadTx<'_>,
    now: Timestamp,
) -> Result<Option<Moment>> {
    let last = greatest(tx, LATEST_IDS_FROM, id::first_from_wrong_clock(now))?;
    Ok(last.map(|id| Id::<kinds::Entry>::new(id).created_at()))
}

/// The greater one of the ids that a statement finds in the two forms.
fn greatest(tx: &mut ReadTx<'_>, statement: Sql, bound: Uuid) -> Result<Option<Uuid>> {
    let read = |row: &mut Row<'_>| Ok((row.take::<Option<Uuid>>()?, row.take::<Option<Uuid>>()?));
    let ids = tx.first::<_, Error>(statement, params![bound], read)?;
    Ok(ids.and_then(|(packed, former)| packed.max(former)))
}

/// A parameter with ids, of any number.
pub(crate) fn id_list(ids: impl IntoIterator<Item = Uuid>) -> String {
    let mut list = String::from("[");
    for id in ids {
        if list.len() > 1 {
            list.push(',');
        }
        list.push('"');
        list.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        list.push('"');
    }
    list.push(']');
    list
}

/// The entries with these ids, in the order of the ids.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, ids: &[Uuid]) -> Result<Vec<StoredEntry>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = id_list(ids.iter().copied());
    let mut entries = tx.all::<_, Error>(BY_IDS, params![wanted], read)?;
    if entries.len() < ids.len() {
        entries.extend(former::by_ids(tx, &wanted)?);
    }
    let position = |entry: &StoredEntry| ids.iter().position(|id| *id == entry.entry.id.uuid());
    entries.sort_by_key(position);
    Ok(entries)
}

fn read(row: &mut Row<'_>) -> Result<StoredEntry> {
    let id: Id<kinds::Entry> = row.take()?;
    let changes = packed::unpack(&row.take::<Vec<u8>>()?, id.created_at().0)?;
    let (tool, actor_kind) = (row.take()?, row.take()?);
    Ok(StoredEntry { entry: read_origin(row, id, tool, actor_kind)?, changes })
}

/// Reads the rest of an entry: the person, the credential, the client and the address.
pub(super) fn read_origin(
    row: &mut Row<'_>,
    id: Id<kinds::Entry>,
    tool: String,
    actor_kind: String,
) -> Result<HistoryEntry> {
    Ok(HistoryEntry {
        id,
        at: id.created_at(),
        actor_kind,
        user_id: row.take()?,
        user_name: None,
        key_name: None,
        can_revert: false,
        cannot_revert: None,
        credential_id: row.take::<Option<Uuid>>()?.filter(|id| !id.is_nil()).map(Id::new),
        client: row.take()?,
        address: row.take()?,
        tool,
        changes: Vec::new(),
        more_changes: None,
    })
}
