//! The SQL for tenants.

use std::ops::Range;

use zoop_db::{ReadTx, Row, Uuid, WriteTx, params};

use super::{Tenant, TenantRow};
use crate::call::access::Account;
use crate::call::argument::DateOrTime;
use crate::call::error::{Error, Result};
use crate::values::country::Country;
use crate::values::currency::Currency;
use crate::values::id::{self, Id, kinds};
use crate::values::zone::Zone;

crate::call::table::table! {
    pub(crate) const TENANTS = tenants {
        shared: "list the tenants",
        key: { no: Integer as numbered },
        columns: {
            id: Id, name: Text, country: Text, last_customer_number: Integer,
            notes_out_of_order: Boolean, time_zone: Text, currency: Text,
        },
        exported: WithTenant,
        erased: [WithTenant],
    }
}

zoop_db::statements! {
    /// Whether the tenant has a record with a price.
    PRICED = "SELECT 1 FROM catalog_items WHERE tenant_no = $1 \
              UNION ALL SELECT 1 FROM quotes WHERE tenant_no = $1 AND line_items <> '[]' \
              UNION ALL SELECT 1 FROM jobs WHERE tenant_no = $1 AND (line_items <> '[]' OR flat_price IS NOT NULL) LIMIT 1";
}

zoop_db::global_statements! {
    GREATEST_ID_BELOW = "SELECT id FROM tenants WHERE id < $1 ORDER BY id DESC LIMIT 1";
    NUMBERS = "SELECT no FROM tenants ORDER BY no";
    NUMBERS_FROM = "SELECT no FROM tenants WHERE no >= $1 ORDER BY no LIMIT $2";
    NUMBERED = "SELECT no, id FROM tenants ORDER BY no";
    INSERT = "INSERT INTO tenants (id, name, country, time_zone, currency) \
              VALUES ($1, $2, $3, $4, $5) RETURNING no";
    GET = "SELECT id, name, country, time_zone, currency FROM tenants WHERE no = $1";
    /// Changes the columns whose parameter is not `NULL`.
    UPDATE = "UPDATE tenants SET name = coalesce($2, name), country = coalesce($3, country), \
              time_zone = coalesce($4, time_zone), currency = coalesce($5, currency) \
              WHERE no = $1";
    LIST = "SELECT t.id, t.name, t.country, t.time_zone, t.currency, coalesce(s.records + s.notes + s.drafts + s.history \
            + s.answers, 0) FROM tenants t LEFT JOIN tenant_storage s ON s.tenant_no = t.no \
            WHERE t.id > $1 ORDER BY t.id LIMIT $2";
    ACCOUNT = "SELECT no, id, country FROM tenants WHERE id = $1";
    INCREMENT_CUSTOMER_NUMBER = "UPDATE tenants SET last_customer_number = last_customer_number + 1 \
                      WHERE no = $1";
    LAST_CUSTOMER_NUMBER = "SELECT last_customer_number FROM tenants WHERE no = $1";
}

/// The numbers of all tenants.
pub(crate) fn numbers(tx: &mut ReadTx<'_>) -> Result<Vec<zoop_db::Tenant>> {
    tx.global_all(NUMBERS, &[], |row| Ok(zoop_db::Tenant(row.take()?)))
}

/// The numbers of the first tenants from one on.
pub(crate) fn numbers_from(
    tx: &mut ReadTx<'_>,
    from: zoop_db::Tenant,
    count: i64,
) -> Result<Vec<zoop_db::Tenant>> {
    tx.global_all(NUMBERS_FROM, params![from.0, count], |row| Ok(zoop_db::Tenant(row.take()?)))
}

/// A tenant's number and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// The number, for the database.
    pub number: zoop_db::Tenant,
    /// The id, for everything else.
    pub id: Id<kinds::Tenant>,
}

/// The numbers and ids of all tenants.
pub(crate) fn numbered(tx: &mut ReadTx<'_>) -> Result<Vec<Numbered>> {
    tx.global_all(NUMBERED, &[], |row| {
        Ok(Numbered { number: zoop_db::Tenant(row.take()?), id: row.take()? })
    })
}

/// Adds a tenant and returns its number.
pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Tenant>,
    name: &str,
    country: Country,
    time_zone: Option<Zone>,
    currency: Option<Currency>,
) -> Result<zoop_db::Tenant> {
    let params = params![id, name, country, time_zone, currency];
    let number = tx.global_first::<u32, Error>(INSERT, params, |row| Ok(row.take()?))?;
    number.map(zoop_db::Tenant).ok_or_else(|| zoop_db::Error::NoRow.into())
}

/// The new values of a tenant. `None` leaves a value as it is.
pub(super) struct Changes<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) country: Option<Country>,
    pub(super) time_zone: Option<Zone>,
    pub(super) currency: Option<Currency>,
}

/// Whether the bound tenant has a record with a price. Its amounts mean nothing in another currency.
pub(super) fn is_priced(tx: &mut ReadTx<'_>) -> Result<bool> {
    Ok(tx.first::<i64, Error>(PRICED, &[], |row| Ok(row.take()?))?.is_some())
}

/// Changes the bound tenant.
pub(super) fn update(tx: &mut WriteTx<'_>, changes: &Changes<'_>) -> Result<()> {
    let Changes { name, country, time_zone, currency } = *changes;
    let tenant = tx.tenant()?.0;
    tx.global_execute(UPDATE, params![tenant, name, country, time_zone, currency])?;
    Ok(())
}

/// The bound tenant.
pub(crate) fn tenant(tx: &mut ReadTx<'_>) -> Result<Tenant> {
    let tenant = tx.tenant()?.0;
    tx.global_first::<_, Error>(GET, params![tenant], read_tenant)?
        .ok_or_else(|| zoop_db::Error::NoRow.into())
}

/// The ids of what was created at or after one time and before the other. The bound tenant's clocks say when a date or
/// a local time is.
pub(crate) fn ids_between(
    tx: &mut ReadTx<'_>,
    from: Option<DateOrTime>,
    before: Option<DateOrTime>,
) -> Result<Range<Uuid>> {
    let times = [from, before];
    let is_local = times.into_iter().flatten().any(DateOrTime::is_local);
    let zone = if is_local { tenant(tx)?.time_zone } else { Zone::UTC };
    let rules = zone.rules();
    let [from, before] = times.map(|time| time.map(|time| id::lowest_at(time.in_zone(&rules))));
    Ok(from.unwrap_or(Uuid::nil())..before.unwrap_or(Uuid::max()))
}

/// Up to `count` tenants after the id `after`, oldest first.
pub(super) fn list(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<TenantRow>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.global_all(LIST, params![after, count], |row| {
        let tenant = read_tenant(row)?;
        // The sum is negative if sweeps subtracted more than was counted, since both amounts are estimates.
        let storage_bytes = u64::try_from(row.take::<i64>()?).unwrap_or(0);
        Ok(TenantRow { tenant, storage_bytes })
    })
}

fn read_tenant(row: &mut Row<'_>) -> Result<Tenant> {
    let id: Id<kinds::Tenant> = row.take()?;
    let name = row.take()?;
    let country: Country = row.take()?;
    let time_zone = row.take::<Option<Zone>>()?.unwrap_or(Zone::UTC);
    let currency = row.take::<Option<Currency>>()?.unwrap_or_else(|| Currency::of(country));
    Ok(Tenant { id, name, country, time_zone, currency, created_at: id.created_at() })
}

/// The [`Account`] of the tenant with this id.
///
/// # Errors
/// [`Error::NotFound`] if there is no such tenant.
pub fn account(tx: &mut ReadTx<'_>, id: Id<kinds::Tenant>) -> Result<Account> {
    tx.global_first::<_, Error>(ACCOUNT, params![id], read_account)?
        .ok_or(Error::not_found("tenant"))
}

/// Reads an [`Account`] from the columns `no`, `id` and `country`.
pub(crate) fn read_account(row: &mut Row<'_>) -> Result<Account> {
    let number = zoop_db::Tenant(row.take()?);
    Ok(Account { number, id: row.take()?, country: row.take()? })
}

/// Takes the next customer number of the bound tenant. Gaps are possible, but a number is never used for two
/// customers.
pub(crate) fn next_customer_number(tx: &mut WriteTx<'_>) -> Result<i64> {
    let tenant = tx.tenant()?.0;
    tx.global_execute(INCREMENT_CUSTOMER_NUMBER, params![tenant])?;
    tx.global_first::<_, Error>(LAST_CUSTOMER_NUMBER, params![tenant], |row| Ok(row.take()?))?
        .ok_or_else(|| zoop_db::Error::NoRow.into())
}
