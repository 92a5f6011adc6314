//! The number of bytes that each tenant stores, by class, and the limit on the total.
//!
//! In its own transaction, each write adds an estimate of what it stores, and each sweep subtracts what it
//! removes. The estimate is computed from the values, so it is the same on both engines and proportional to
//! what the engine needs. Background work measures each tenant from time to time and corrects the count.
//!
//! What must never live here: the list of tables to measure. `maintenance.rs` has it.

use std::collections::BTreeMap;

use serde_json::Value;
use zoop_db::{GlobalSql, ReadTx, Row, Tenant, Timestamp, WriteTx, params};

use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{Command, Effect, Exposure};
use crate::values::id::{Id, kinds};
use crate::values::size::Size;

crate::call::table::table! {
    /// The bytes that each tenant stores, by class.
    pub(crate) const TENANT_STORAGE = tenant_storage {
        shared: "are added up over all tenants",
        key: { tenant_no: Integer },
        columns: {
            records: Integer, notes: Integer, drafts: Integer, history: Integer, answers: Integer,
            counted_at: Time,
        },
        exported: Internal,
        erased: [WithTenant],
    }
}

macro_rules! total {
    () => {
        "records + notes + drafts + history + answers"
    };
}

/// The sum of a column. The cast is for PostgreSQL, whose `sum` of `bigint` values is `numeric`.
macro_rules! sum {
    ($column:literal) => {
        concat!("CAST(coalesce(sum(", $column, "), 0) AS bigint)")
    };
}

zoop_db::global_statements! {
    /// Adds to a tenant's count, unless the count is already above `$7`.
    ADD = (concat!("UPDATE tenant_storage SET records = records + $2, notes = notes + $3, \
           drafts = drafts + $4, history = history + $5, answers = answers + $6 \
           WHERE tenant_no = $1 AND ", total!(), " <= $7"));
    /// Adds the row of a tenant that has none. The tenant still counts as not measured.
    BEGIN = "INSERT INTO tenant_storage (tenant_no, records, notes, drafts, history, answers) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_no) DO NOTHING";
    OF_TENANT = "SELECT records, notes, drafts, history, answers FROM tenant_storage \
                 WHERE tenant_no = $1";
    /// Marks a tenant as measured at `$2`, unless it was measured at `$3` or later.
    MEASURED = "UPDATE tenant_storage SET counted_at = $2 \
                WHERE tenant_no = $1 AND (counted_at IS NULL OR counted_at < $3)";
    /// Tenants that were never measured, or last measured before `$1`.
    UNMEASURED = "SELECT t.no FROM tenants t LEFT JOIN tenant_storage s ON s.tenant_no = t.no \
                  WHERE s.counted_at IS NULL OR s.counted_at < $1 ORDER BY t.no LIMIT $2";
    SUMS = (concat!("SELECT ", sum!("records"), ", ", sum!("notes"), ", ", sum!("drafts"), ", ",
            sum!("history"), ", ", sum!("answers"), " FROM tenant_storage"));
    ABOVE = (concat!("SELECT t.id, ", total!(), " FROM tenant_storage s \
             JOIN tenants t ON t.no = s.tenant_no WHERE ", total!(), " > $1 ORDER BY t.no"));
}

/// A class of stored data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Customers and what belongs to them, with their search index.
    Records,
    /// Notes that are committed, with their search index.
    Notes,
    /// Drafts.
    Drafts,
    /// The history.
    History,
    /// Remembered answers.
    Answers,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 5] =
        [Self::Records, Self::Notes, Self::Drafts, Self::History, Self::Answers];

    /// The class in one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Notes => "notes",
            Self::Drafts => "drafts",
            Self::History => "history",
            Self::Answers => "answers",
        }
    }
}

/// A number of bytes for each class: an amount or a change, which may be negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored([i64; Class::ALL.len()]);

impl Stored {
    /// The bytes of a class.
    pub const fn of(&self, class: Class) -> i64 {
        self.0[class as usize]
    }

    /// The bytes of all classes.
    pub fn total(&self) -> i64 {
        self.0.iter().sum()
    }

    /// Adds bytes to a class.
    pub(crate) const fn add(&mut self, class: Class, bytes: i64) {
        self.0[class as usize] += bytes;
    }

    /// The difference of each class from `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self(std::array::from_fn(|class| self.0[class] - before.0[class]))
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self([row.take()?, row.take()?, row.take()?, row.take()?, row.take()?]))
    }
}

/// The bytes counted for a value, about its length in JSON. Text and bytes are counted by length instead.
pub(crate) const fn fixed_size(kind: zoop_db::Kind) -> i64 {
    match kind {
        zoop_db::Kind::Id => 36,
        zoop_db::Kind::Time => 24,
        zoop_db::Kind::Integer | zoop_db::Kind::Real | zoop_db::Kind::Boolean => 8,
        zoop_db::Kind::Text | zoop_db::Kind::Bytes => 0,
    }
}

/// The number of bytes counted for the value of a record's field.
pub(crate) fn field_size(value: &Value) -> i64 {
    match value {
        Value::Null => 0,
        Value::String(text) => length(text),
        _ => 8,
    }
}

/// The length of a string in bytes.
pub(crate) fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// Whether a tool is rejected when the storage is full. Tools that hide or remove data are not, and neither
/// are tools that manage the tenant, such as `users.remove`. Whether a tool that adds records is offered over MCP does
/// not matter.
pub(crate) const fn is_limited<T: Command>() -> bool {
    matches!(T::EFFECT, Effect::Create | Effect::Update | Effect::Add)
        && (matches!(T::EXPOSURE, Exposure::Public)
            || matches!(T::SCOPE, Scope::WriteCustomers | Scope::WriteNotes))
}

/// Adds what a call has stored to its tenant's count. A call without a tenant is not counted. This must be the
/// last statement of the transaction: it locks a row that sweeps change too, and they should not wait for the rest
/// of the call.
///
/// # Errors
/// [`Error::Conflict`] if `is_limited` and the tenant's total would exceed the limit.
pub(crate) fn charge(ctx: &mut WriteCtx<'_, '_>, is_limited: bool) -> Result<()> {
    let Ok(tenant) = ctx.tx.tenant() else { return Ok(()) };
    let added = ctx.stored;
    let Size(limit) = ctx.environment.storage_limit;
    let is_limited = is_limited && limit > 0 && added.total() > 0;
    let max_before = if is_limited {
        i64::try_from(limit).unwrap_or(i64::MAX) - added.total()
    } else {
        i64::MAX
    };
    if add_unless_above(ctx.tx, tenant, &added, max_before)? {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "This account's storage is full ({}). Archiving does not free any: ask the operator of this server \
         for more.",
        Size(limit)
    )))
}

/// Adds bytes that no call has stored to a tenant's count.
pub(crate) fn add(tx: &mut WriteTx<'_>, tenant: Tenant, added: &Stored) -> Result<()> {
    add_unless_above(tx, tenant, added, i64::MAX).map(drop)
}

/// Adds to a tenant's count, unless its total so far is above `max_before`. Returns whether it added.
fn add_unless_above(
    tx: &mut WriteTx<'_>,
    Tenant(tenant): Tenant,
    added: &Stored,
    max_before: i64,
) -> Result<bool> {
    let Stored([records, notes, drafts, history, answers]) = *added;
    let params = params![tenant, records, notes, drafts, history, answers, max_before];
    if tx.global_execute(ADD, params)? > 0 {
        return Ok(true);
    }
    let begin = params![tenant, records, notes, drafts, history, answers];
    if tx.global_execute(BEGIN, begin)? > 0 {
        return Ok(true);
    }
    // The total is above `max_before`, or a measurement, which takes no tenant lock, has just added the row.
    Ok(tx.global_execute(ADD, params)? > 0)
}

/// Runs a sweep of rows of a class, and subtracts the removed bytes from the counts of their tenants. `sql`
/// must return the tenant and the bytes of each removed row. Returns the number of removed rows.
pub(crate) fn sweep(
    tx: &mut WriteTx<'_>,
    class: Class,
    sql: GlobalSql,
    params: &[zoop_db::Value<'_>],
) -> Result<usize> {
    let rows =
        tx.sweep::<_, Error>(sql, params, |row| Ok((Tenant(row.take()?), row.take::<i64>()?)))?;
    let mut removed: BTreeMap<Tenant, Stored> = BTreeMap::new();
    for (tenant, bytes) in &rows {
        removed.entry(*tenant).or_default().add(class, -bytes);
    }
    // In the order of the tenants, so that two sweeps cannot deadlock.
    for (tenant, removed) in removed {
        add_unless_above(tx, tenant, &removed, i64::MAX)?;
    }
    Ok(rows.len())
}

/// The bytes counted for the bound tenant.
pub(crate) fn counted(tx: &mut ReadTx<'_>) -> Result<Stored> {
    let Tenant(tenant) = tx.tenant()?;
    Ok(tx.global_first(OF_TENANT, params![tenant], Stored::read)?.unwrap_or_default())
}

/// Adds `drift` to the count of a tenant that was measured at `now`, unless another process measured the
/// tenant at `since` or later.
///
/// # Errors
/// If the database fails.
pub fn correct(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    drift: &Stored,
    now: Timestamp,
    since: Timestamp,
) -> Result<()> {
    add_unless_above(tx, tenant, &Stored::default(), i64::MAX)?;
    if tx.global_execute(MEASURED, params![tenant.0, now, since])? > 0 {
        add_unless_above(tx, tenant, drift, i64::MAX)?;
    }
    Ok(())
}

/// Up to `count` tenants that were never measured, or last measured before `since`.
///
/// # Errors
/// If the database fails.
pub fn unmeasured(tx: &mut ReadTx<'_>, since: Timestamp, count: u32) -> Result<Vec<Tenant>> {
    tx.global_all(UNMEASURED, params![since, count], |row| Ok(Tenant(row.take()?)))
}

/// The bytes counted for all tenants together.
///
/// # Errors
/// If the database fails.
pub fn sums(tx: &mut ReadTx<'_>) -> Result<Stored> {
    Ok(tx.global_first(SUMS, &[], Stored::read)?.unwrap_or_default())
}

/// The tenants that store more than `size`, and how much each of them stores.
///
/// # Errors
/// If the database fails.
pub fn above(tx: &mut ReadTx<'_>, size: Size) -> Result<Vec<(Id<kinds::Tenant>, Size)>> {
    let bytes = i64::try_from(size.0).unwrap_or(i64::MAX);
    tx.global_all(ABOVE, params![bytes], |row| {
        Ok((row.take()?, Size(u64::try_from(row.take::<i64>()?).unwrap_or(0))))
    })
}
