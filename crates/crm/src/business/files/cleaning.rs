//! Whose content can be deleted from the file store. Content that no row names for a day was left by a write that
//! failed, or its note was a draft that has expired.

use zoop_db::{ReadTx, Tenant, Timestamp, WriteTx};

use super::store;
use crate::call::error::{Error, Result};
use crate::identity::tenants::{self, Numbered};
use crate::values::id::{self, Id, kinds};

/// How long content stays that is not needed, in microseconds. An upload takes less.
pub const KEPT_FOR: i64 = 24 * 60 * 60 * 1_000_000;

/// Maximum number of files in one step.
pub const STEP: usize = 200;

/// Every tenant.
///
/// # Errors
/// If the database fails.
pub fn tenants(tx: &mut ReadTx<'_>) -> Result<Vec<Numbered>> {
    tenants::store::numbered(tx)
}

/// The files of a tenant that were removed a day ago, or whose note is gone.
///
/// # Errors
/// If the database fails.
pub fn removed(
    tx: &mut ReadTx<'_>,
    tenant: Tenant,
    now: Timestamp,
) -> Result<Vec<Id<kinds::File>>> {
    tx.bind(tenant);
    let before = Timestamp(now.0 - KEPT_FOR);
    store::removed(tx, before, id::lowest_at(before))
}

/// Those of a tenant's files, sorted by id, whose content is a day old and not needed.
///
/// # Errors
/// If the database fails.
pub fn unneeded(
    tx: &mut ReadTx<'_>,
    tenant: Tenant,
    now: Timestamp,
    files: &[Id<kinds::File>],
) -> Result<Vec<Id<kinds::File>>> {
    let before = Timestamp(now.0 - KEPT_FOR);
    let is_old = |id: &&Id<kinds::File>| id.created_at().0 < before;
    let old: Vec<_> = files.iter().filter(is_old).copied().collect();
    let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(Vec::new()) };
    tx.bind(tenant);
    let kept = store::kept(tx, *first, *last, before)?;
    Ok(old.into_iter().filter(|id| !kept.contains(id)).collect())
}

/// Deletes the rows of files whose content was deleted.
///
/// # Errors
/// If the database fails.
pub fn forget(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    files: &[Id<kinds::File>],
) -> Result<(), Error> {
    tx.bind(tenant);
    for id in files {
        store::delete(tx, *id)?;
    }
    Ok(())
}
