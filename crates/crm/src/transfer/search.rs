//! Checks that a copy's search index is complete.

use std::time::Instant;

use zoop_db::{Db, GlobalSql, ReadTx, Row, Sql, Tenant, params};

use super::{LONG_TIMEOUT, Tally};
use crate::call::error::{Error, Result};

zoop_db::statements! {
    /// Does not count merged and erased customers, which are not in the index. None is both.
    CUSTOMERS = "SELECT (SELECT count(*) FROM customers WHERE tenant_no = $1) - \
                 (SELECT count(*) FROM customers WHERE tenant_no = $1 AND merged_into IS NOT NULL) - \
                 (SELECT count(*) FROM customers WHERE tenant_no = $1 AND erased_at IS NOT NULL)";
    INDEXED_CUSTOMERS = {
        sqlite: "SELECT count(*) FROM customer_search s JOIN customers c ON c.n = s.rowid \
                 WHERE c.tenant_no = $1",
        postgres: "SELECT count(*) FROM customers c WHERE c.tenant_no = $1 \
                   AND EXISTS (SELECT 1 FROM customer_search s WHERE s.tenant_no = $1 AND s.n = c.n)",
    };
    /// Does not count drafts and archived notes, which are not in the index.
    NOTES = "SELECT count(*) FROM notes WHERE tenant_no = $1 AND NOT draft AND archived_at IS NULL";
    INDEXED_NOTES = {
        sqlite: "SELECT count(*) FROM note_search s JOIN notes x ON x.n = s.rowid \
                 WHERE x.tenant_no = $1 AND NOT x.draft AND x.archived_at IS NULL",
        postgres: "SELECT count(*) FROM notes x \
                   WHERE x.tenant_no = $1 AND NOT x.draft AND x.archived_at IS NULL \
                   AND EXISTS (SELECT 1 FROM note_search s WHERE s.tenant_no = $1 AND s.n = x.n)",
    };
}

zoop_db::global_statements! {
    CUSTOMER_ENTRIES = "SELECT count(*) FROM customer_search";
    NOTE_ENTRIES = "SELECT count(*) FROM note_search";
}

/// One index, and the statements that check it.
struct Index {
    /// The name of the indexed records.
    name: &'static str,
    /// Counts a tenant's records.
    records: Sql,
    /// Counts a tenant's records that are in the index.
    indexed: Sql,
    /// Counts all entries of the index.
    entries: GlobalSql,
}

const INDEXES: [Index; 2] = [
    Index {
        name: "customers",
        records: CUSTOMERS,
        indexed: INDEXED_CUSTOMERS,
        entries: CUSTOMER_ENTRIES,
    },
    Index { name: "notes", records: NOTES, indexed: INDEXED_NOTES, entries: NOTE_ENTRIES },
];

/// Compares the index with the records that it must contain.
///
/// # Errors
/// [`Error::Conflict`] if a record is missing or there is an extra entry. Also if the database fails.
pub(super) fn check(to: &Db, copied: &Tally) -> Result<()> {
    let tenants: Vec<_> = copied.tenants.keys().copied().map(Tenant).collect();
    let checked = to.read(Instant::now() + LONG_TIMEOUT, move |tx| {
        INDEXES.into_iter().try_for_each(|index| check_one(tx, &tenants, index))
    });
    checked.wait()
}

fn check_one(tx: &mut ReadTx<'_>, tenants: &[Tenant], index: Index) -> Result<()> {
    let Index { name, records, indexed, entries } = index;
    let number = |row: &mut Row<'_>| Ok::<_, Error>(row.take::<i64>()?);
    let (mut all, mut found) = (0, 0);
    for tenant in tenants {
        tx.bind(*tenant);
        all += tx.first(records, &[], number)?.unwrap_or(0);
        found += tx.first(indexed, &[], number)?.unwrap_or(0);
    }
    let entries = tx.global_first(entries, params![], number)?.unwrap_or(0);
    if (found, entries) == (all, all) {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the search index of the copy contains {entries} {name}, including {found} of the {all} that were \
         copied: another process has written to the copy, which is incomplete"
    )))
}
