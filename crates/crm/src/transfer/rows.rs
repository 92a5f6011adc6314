//! Reads and writes the rows of any table, one page at a time.

use zoop_db::{Param, ReadTx, Row, Tenant, Value, WriteTx};

use super::cell::Cell;
use crate::call::error::{Error, Result};
use crate::call::table::{Rows, Table};
use crate::identity::tenants::store::TENANTS;
use crate::schema::TABLES;

/// Number of rows that are read at once, and written in one transaction.
const PAGE_SIZE: usize = 500;

/// The number of rows in a table; in a per-tenant table, only the bound tenant's rows.
pub(crate) fn count(tx: &mut ReadTx<'_>, table: &Table) -> Result<u64> {
    let read = |row: &mut Row<'_>| Ok::<_, Error>(row.take::<i64>()?);
    let count = match table.rows {
        Rows::Shared { statements, .. } => tx.global_first(statements.count, &[], read)?,
        Rows::PerTenant { statements, .. } => tx.first(statements.count, &[], read)?,
    };
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// The number of rows in the database.
pub(super) fn count_all(tx: &mut ReadTx<'_>) -> Result<u64> {
    let mut rows = 0;
    each_table(tx, |tx, table, _| {
        rows += count(tx, table)?;
        Ok(())
    })?;
    Ok(rows)
}

/// Passes all rows of the database to `take`, page by page, each page with the tenant that its rows belong to.
/// Rows come after the rows that they refer to.
pub(super) fn each_page(
    tx: &mut ReadTx<'_>,
    mut take: impl FnMut(&'static Table, Option<Tenant>, Vec<Vec<Cell>>) -> Result<()>,
) -> Result<()> {
    each_table(tx, |tx, table, tenant| {
        pages(tx, table, PAGE_SIZE, |page| take(table, tenant, page))
    })
}

/// Visits every table in the order of [`TABLES`]. Adjacent per-tenant tables are visited as a group, once for
/// each tenant, which is bound during the visit.
fn each_table(
    tx: &mut ReadTx<'_>,
    mut visit: impl FnMut(&mut ReadTx<'_>, &'static Table, Option<Tenant>) -> Result<()>,
) -> Result<()> {
    for group in TABLES.chunk_by(|one, next| one.is_per_tenant() == next.is_per_tenant()) {
        let tenants = if group[0].is_per_tenant() {
            tenant_numbers(tx)?.into_iter().map(Some).collect()
        } else {
            vec![None]
        };
        for tenant in tenants {
            if let Some(tenant) = tenant {
                tx.bind(tenant);
            }
            for table in group {
                visit(tx, table, tenant)?;
            }
        }
    }
    Ok(())
}

/// Adds rows to a table.
pub(super) fn add(
    tx: &mut WriteTx<'_>,
    table: &Table,
    tenant: Option<Tenant>,
    rows: &[Vec<Cell>],
) -> Result<()> {
    if let Some(tenant) = tenant {
        tx.bind(tenant);
    }
    let rows: Vec<Vec<Value<'_>>> =
        rows.iter().map(|row| row.iter().map(Param::value).collect()).collect();
    table.add(tx, &rows)
}

/// The numbers of all tenants.
fn tenant_numbers(tx: &mut ReadTx<'_>) -> Result<Vec<Tenant>> {
    let mut numbers = Vec::new();
    pages(tx, &TENANTS, PAGE_SIZE, |page| {
        for row in page {
            if let Cell::Integer(number) = row[0] {
                numbers.push(Tenant(u32::try_from(number).map_err(Error::internal)?));
            }
        }
        Ok(())
    })?;
    Ok(numbers)
}

/// Passes all rows of a table to `take`, in the order of its key, up to `size` of them at once; in a per-tenant table,
/// only the bound tenant's rows.
pub(crate) fn pages(
    tx: &mut ReadTx<'_>,
    table: &Table,
    size: usize,
    mut take: impl FnMut(Vec<Vec<Cell>>) -> Result<()>,
) -> Result<()> {
    let key = &table.columns[..table.key];
    let mut after: Vec<Cell> = key.iter().map(|column| Cell::lowest(column.kind)).collect();
    loop {
        let page = page(tx, table, &after, size)?;
        let is_last = page.len() < size;
        if let Some(row) = page.last() {
            after = row[..table.key].to_vec();
            take(page)?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// The next rows of a table after a key.
fn page(tx: &mut ReadTx<'_>, table: &Table, after: &[Cell], size: usize) -> Result<Vec<Vec<Cell>>> {
    let limit = i64::try_from(size).unwrap_or(i64::MAX);
    let params: Vec<_> =
        [Value::Integer(limit)].into_iter().chain(after.iter().map(Param::value)).collect();
    let read = |row: &mut Row<'_>| {
        table.columns.iter().map(|column| Cell::take(column.kind, row)).collect()
    };
    match table.rows {
        Rows::Shared { statements, .. } => tx.global_all(statements.page, &params, read),
        Rows::PerTenant { statements, .. } => tx.all(statements.page, &params, read),
    }
}
