//! Entries of the form that versions before this one wrote: every old and new value as text, in the table `history`.
//!
//! The server's background work packs them, oldest first and in small steps, and a server of the previous version may
//! still add some while servers are being upgraded. Until none is left they are read here.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use zoop_db::{Param, ReadTx, Row, Tenant, Uuid, WriteTx, params, text};

use super::change::{ChangeKind, FieldChange, NOT_FIELDS, RecordChange};
use super::packed;
use super::store::{
    self, HISTORY_ENTRIES, INSERT_ORIGIN, Origin, StoredEntry, WANTED_POSTGRES, WANTED_SQLITE,
    read_origin,
};
use crate::call::error::{Error, Result};
use crate::call::storage::{self, Class, Stored};
use crate::values::id::{Id, kinds};

/// The filters of a list, for the columns of the table with this alias. PostgreSQL learns the type of a parameter from
/// its first use.
macro_rules! filters {
    ($table:literal: $user:literal, $credential:literal, $client:literal, $tool:literal) => {
        zoop_db::text!(
            crate::call::history::former::filter!($table, "user_id", $user),
            crate::call::history::former::filter!($table, "credential_id", $credential),
            crate::call::history::former::filter!($table, "client", $client),
            crate::call::history::former::filter!($table, "tool", $tool)
        )
    };
}
pub(crate) use filters;

macro_rules! filter {
    ($table:literal, $column:literal, $parameter:literal) => {
        concat!(" AND (", $table, ".", $column, " = ", $parameter, " OR ", $parameter, " IS NULL)")
    };
}
pub(crate) use filter;

crate::call::table::table! {
    /// The entries of the history in their former form.
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

/// The columns of `history h` that [`read`] reads.
const COLUMNS: &str =
    "h.id, h.changes, h.tool, h.actor_kind, h.user_id, h.credential_id, h.client, h.address";
/// The wanted entries.
const ENTRIES: &str =
    " FROM wanted CROSS JOIN history h WHERE h.tenant_no = $1 AND h.id = wanted_id";

zoop_db::statements! {
    /// The tenant's first entry.
    FIRST = "SELECT id FROM history WHERE tenant_no = $1 ORDER BY id LIMIT 1";
    BY_IDS = {
        sqlite: text!(WANTED_SQLITE, "SELECT ", COLUMNS, ENTRIES),
        postgres: text!(WANTED_POSTGRES, "SELECT ", COLUMNS, ENTRIES),
    };
    ALL_IDS = "SELECT id FROM history WHERE tenant_no = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4";
    ALL = (text!("SELECT h.id FROM history h WHERE h.tenant_no = $1 AND h.id < $2 AND h.id >= $3",
           filters!("h": "$5", "$6", "$7", "$8"), " ORDER BY h.id DESC LIMIT $4"));
    ALL_UP_TO = "SELECT id FROM history WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3";
    OF_RECORD = (text!("SELECT r.entry_id FROM history_records r CROSS JOIN history h \
           WHERE r.tenant_no = $1 AND r.record_id = $9 AND r.entry_id < $2 AND r.entry_id >= $3 \
           AND h.tenant_no = $1 AND h.id = r.entry_id",
           filters!("h": "$5", "$6", "$7", "$8"), " ORDER BY r.entry_id DESC LIMIT $4"));
    /// The tenant's first entries.
    OLDEST = (text!("SELECT ", COLUMNS, " FROM history h WHERE h.tenant_no = $1 ORDER BY h.id LIMIT $2"));
    REMOVE = {
        sqlite: "DELETE FROM history WHERE tenant_no = $1 AND id = $2",
        postgres: "DELETE FROM history WHERE tenant_no = $1 AND id = ANY($2::uuid[])",
    };
}

zoop_db::global_statements! {
    /// The first `$2` tenants from `$1` on.
    TENANTS_FROM = "SELECT no FROM tenants WHERE no >= $1 ORDER BY no LIMIT $2";
}

/// A list of entries, with the parameters of the statement for packed ones.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FormerList {
    /// All.
    All,
    /// Those that match the filters.
    Matching,
    /// Those about one record that match the filters.
    OfRecord,
}

/// Whether the tenant has entries of the former form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Former {
    exist: bool,
}

impl Former {
    pub(crate) fn of(tx: &mut ReadTx<'_>) -> Result<Self> {
        Ok(Self { exist: first(tx)?.is_some() })
    }

    /// The position at which a search through all entries stops.
    pub(crate) fn stop(self, tx: &mut ReadTx<'_>, before: Uuid, last: i64) -> Result<Option<Uuid>> {
        if !self.exist {
            return Ok(None);
        }
        tx.first(ALL_UP_TO, params![before, last], |row| Ok(row.take()?))
    }

    /// The ids of the entries of a list, newest first.
    pub(crate) fn find(
        self,
        tx: &mut ReadTx<'_>,
        list: FormerList,
        parameters: &[zoop_db::Value<'_>],
    ) -> Result<Vec<Uuid>> {
        if !self.exist {
            return Ok(Vec::new());
        }
        let statement = match list {
            FormerList::All => ALL_IDS,
            FormerList::Matching => ALL,
            FormerList::OfRecord => OF_RECORD,
        };
        tx.all(statement, parameters, |row| Ok(row.take()?))
    }
}

fn first(tx: &mut ReadTx<'_>) -> Result<Option<Uuid>> {
    tx.first(FIRST, &[], |row| Ok(row.take()?))
}

/// The entries with these ids, as [`store::id_list`] writes them.
pub(super) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<StoredEntry>> {
    tx.all(BY_IDS, params![*wanted], |row| Ok(read(row)?.0))
}

/// The changes to one record: its kind, its id, and its fields.
#[derive(Deserialize)]
struct StoredRecord<'a>(#[serde(borrow)] Cow<'a, str>, Uuid, Vec<StoredField>);
/// A field, its old value and its new value.
#[derive(Deserialize)]
struct StoredField(String, Value, Value);

/// Reads an entry and the length of its stored changes.
fn read(row: &mut Row<'_>) -> Result<(StoredEntry, i64)> {
    let id: Id<kinds::Entry> = row.take()?;
    let stored: String = row.take()?;
    let records: Vec<StoredRecord<'_>> = serde_json::from_str(&stored).map_err(Error::internal)?;
    let changes = records.into_iter().flat_map(changes).collect();
    let (tool, actor_kind) = (row.take()?, row.take()?);
    let entry = StoredEntry { entry: read_origin(row, id, tool, actor_kind)?, changes };
    Ok((entry, storage::length(&stored)))
}

/// The changes to a record. The values of a new record are kept, since it is not known whether later entries have them
/// too.
fn changes(stored: StoredRecord<'_>) -> Vec<RecordChange> {
    let StoredRecord(record_type, record_id, fields) = stored;
    let id = fields.iter().find(|StoredField(field, ..)| field == "id");
    let is_added = id.is_some_and(|StoredField(_, old, _)| old.is_null());
    let is_removed = id.is_some_and(|StoredField(_, _, new)| new.is_null());
    let (own, beside): (Vec<_>, Vec<_>) = fields.into_iter().partition(|StoredField(field, ..)| {
        (is_added || is_removed) && !NOT_FIELDS.contains(&field.as_str())
    });
    let own = match (is_added, is_removed) {
        (false, false) => None,
        (true, _) => Some(ChangeKind::Added(own.into_iter().map(|it| (it.0, it.2)).collect())),
        (false, true) => {
            Some(ChangeKind::Removed(own.into_iter().map(|it| (it.0, it.1)).collect()))
        }
    };
    let field = |StoredField(field, old, new)| FieldChange { field, old, new };
    let fields: Vec<_> = beside.into_iter().map(field).collect();
    let beside = (!fields.is_empty()).then_some(ChangeKind::Changed { first: None, fields });
    let record_type = record_type.into_owned();
    let change = |kind| RecordChange { record_type: record_type.clone().into(), record_id, kind };
    own.into_iter().chain(beside).map(change).collect()
}

/// Maximum number of entries that a step moves.
const ENTRIES_AT_ONCE: i64 = 100;
/// Maximum number of tenants that are asked at once.
const TENANTS: i64 = 200;
/// A step ends with the entry that makes its changes longer than this, since every other write waits.
const MAX_STEP_BYTES: usize = 128 * 1024;

/// Entries of one tenant in both forms.
#[derive(Debug)]
pub struct Step {
    tenant: Tenant,
    entries: Vec<Moved>,
    /// The bytes that storage counts for their rows in the former form.
    bytes: i64,
}

#[derive(Debug)]
struct Moved {
    entry: super::HistoryEntry,
    credential: Uuid,
    changes: Vec<u8>,
}

impl Step {
    /// The tenant whose entries these are.
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }
}

/// The first entries to move.
#[derive(Debug)]
pub enum Next {
    /// These.
    Step(Step),
    /// None in the tenants before this one. There may be some from it on.
    From(Tenant),
    /// None that can be moved in this tenant: one of its entries is damaged.
    Damaged(Tenant, Error),
    /// None.
    Nothing,
}

/// Reads the first entries to move in the tenants from `from` on, of a few tenants at once.
///
/// # Errors
/// If the database fails.
pub fn next(tx: &mut ReadTx<'_>, from: Tenant) -> Result<Next> {
    let tenants = tx.global_all::<_, Error>(TENANTS_FROM, params![from.0, TENANTS], |row| {
        Ok(Tenant(row.take()?))
    })?;
    for tenant in &tenants {
        tx.bind(*tenant);
        match step(tx, *tenant) {
            Ok(None) => {}
            Ok(Some(step)) => return Ok(Next::Step(step)),
            Err(error @ Error::Internal { .. }) => return Ok(Next::Damaged(*tenant, error)),
            Err(error) => return Err(error),
        }
    }
    Ok(tenants.last().map_or(Next::Nothing, |last| Next::From(Tenant(last.0 + 1))))
}

fn step(tx: &mut ReadTx<'_>, tenant: Tenant) -> Result<Option<Step>> {
    let mut step = Step { tenant, entries: Vec::new(), bytes: 0 };
    let mut packed_bytes = 0;
    for (StoredEntry { entry, changes }, length) in
        tx.all::<_, Error>(OLDEST, params![ENTRIES_AT_ONCE], read)?
    {
        if packed_bytes > MAX_STEP_BYTES {
            break;
        }
        let changes = packed::pack(&changes, entry.at.0)?;
        packed_bytes += changes.len();
        let credential = entry.credential_id.map_or(Uuid::nil(), Id::uuid);
        let moved = Moved { entry, credential, changes };
        step.bytes += HISTORY.row_size() + length + moved.origin().text_size();
        step.entries.push(moved);
    }
    Ok((!step.entries.is_empty()).then_some(step))
}

impl Moved {
    fn origin(&self) -> Origin<'_> {
        let Self { entry, credential, .. } = self;
        Origin {
            tool: &entry.tool,
            actor_kind: &entry.actor_kind,
            user: entry.user_id.map(Id::uuid),
            credential: *credential,
            client: entry.client.as_deref(),
            address: entry.address.as_deref(),
        }
    }
}

/// Moves the first entries of the bound tenant, whose turn it is. Returns whether there were any.
///
/// # Errors
/// If the database fails, or if an entry is damaged.
pub(crate) fn move_first(tx: &mut WriteTx<'_>) -> Result<bool> {
    let tenant = tx.tenant()?;
    let Some(step) = step(tx, tenant)? else { return Ok(false) };
    write(tx, &step)?;
    Ok(true)
}

/// Moves the entries of a step, unless another process has moved them since the step was read. Returns the number of
/// moved entries.
///
/// # Errors
/// If the database fails.
pub fn write(tx: &mut WriteTx<'_>, step: &Step) -> Result<usize> {
    tx.bind(step.tenant);
    tx.take_turn()?;
    // Every process moves the oldest entries, so the first one is there only if all are.
    if first(tx)? != step.entries.first().map(|moved| moved.entry.id.uuid()) {
        return Ok(0);
    }
    let mut added = Stored::default();
    added.add(Class::History, -step.bytes);
    let (mut rows, mut ids, mut origins) = (Vec::new(), Vec::new(), BTreeSet::new());
    for moved in &step.entries {
        let origin = moved.origin();
        let number = origin.number();
        if origins.insert(number) && tx.execute(INSERT_ORIGIN, &origin.row(&number))? > 0 {
            added.add(Class::History, origin.size());
        }
        added.add(Class::History, store::entry_size(&moved.changes));
        let id = moved.entry.id.value();
        rows.push(vec![id, zoop_db::Value::Integer(number), zoop_db::Value::Bytes(&moved.changes)]);
        ids.push(vec![id]);
    }
    HISTORY_ENTRIES.add(tx, &rows)?;
    tx.execute_each(REMOVE, &ids)?;
    storage::add(tx, step.tenant, &added)?;
    Ok(step.entries.len())
}
