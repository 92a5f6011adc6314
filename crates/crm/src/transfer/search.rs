//! Checks that a copy's search index is complete.

use std::time::Instant;

use zoop_db::{Db, GlobalSql, ReadTx, Row, Sql, Tenant, params};

use super::{INDEX_TIMEOUT, Tally};
use crate::call::error::{Error, Result};

zoop_db::statements! {
    CUSTOMERS = "SELECT count(*) FROM customers WHERE tenant_no = $1";
    CUSTOMERS_FOUND = {
        sqlite: "SELECT count(*) FROM customer_search s JOIN customers c ON c.n = s.rowid \
                 WHERE c.tenant_no = $1",
        postgres: "SELECT count(*) FROM customers c WHERE c.tenant_no = $1 \
                   AND EXISTS (SELECT 1 FROM customer_search s WHERE s.tenant_no = $1 AND s.n = c.n)",
    };
    /// The index contains neither drafts nor archived notes.
    NOTES = "SELECT count(*) FROM notes WHERE tenant_no = $1 AND NOT draft AND archived_at IS NULL";
    NOTES_FOUND = {
        sqlite: "SELECT count(*) FROM note_search s JOIN notes x ON x.n = s.rowid \
                 WHERE x.tenant_no = $1 AND NOT x.draft AND x.archived_at IS NULL",
        postgres: "SELECT count(*) FROM notes x \
                   WHERE x.tenant_no = $1 AND NOT x.draft AND x.archived_at IS NULL \
                   AND EXISTS (SELECT 1 FROM note_search s WHERE s.tenant_no = $1 AND s.n = x.n)",
    };
}

zoop_db::global_statements! {
    CUSTOMERS_HELD = "SELECT count(*) FROM customer_search";
    NOTES_HELD = "SELECT count(*) FROM note_search";
}

/// One index: the name of its records, and statements that count a tenant's records, those of them in the
/// index, and all records in the index.
type Index = (&'static str, Sql, Sql, GlobalSql);

const INDEXES: [Index; 2] = [
    ("customers", CUSTOMERS, CUSTOMERS_FOUND, CUSTOMERS_HELD),
    ("notes", NOTES, NOTES_FOUND, NOTES_HELD),
];

/// Compares the index with the records that it must contain.
///
/// # Errors
/// [`Error::Conflict`] if a record is missing or there is an extra one. Also if the database fails.
pub(super) fn check(to: &Db, copied: &Tally) -> Result<()> {
    let tenants: Vec<_> = copied.tenants.keys().copied().map(Tenant).collect();
    let checked = to.read(Instant::now() + INDEX_TIMEOUT, move |tx| {
        INDEXES.into_iter().try_for_each(|index| check_one(tx, &tenants, index))
    });
    checked.wait()
}

fn check_one(tx: &mut ReadTx<'_>, tenants: &[Tenant], index: Index) -> Result<()> {
    let (name, there, found, held) = index;
    let number = |row: &mut Row<'_>| Ok::<_, Error>(row.take::<i64>()?);
    let (mut all, mut found_of_all) = (0, 0);
    for tenant in tenants {
        tx.bind(*tenant);
        all += tx.first(there, &[], number)?.unwrap_or(0);
        found_of_all += tx.first(found, &[], number)?.unwrap_or(0);
    }
    let held = tx.global_first(held, params![], number)?.unwrap_or(0);
    if (found_of_all, held) == (all, all) {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the copy's search index contains {held} {name}, {found_of_all} of them from the {all} that were \
         copied: something else has written to it, and the copy is incomplete"
    )))
}
