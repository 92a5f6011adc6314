//! The whole history, for an export: without what of it can be reverted.

use zoop_db::{ReadTx, Uuid};

use super::store::{Filters, newest};
use super::{names, original};
use crate::call::error::Result;
use crate::call::history::HistoryEntry;
use crate::call::history::store;

/// Up to `count` entries with ids below `before`, newest first. `can_revert` is always false.
pub(crate) fn page(tx: &mut ReadTx<'_>, before: Uuid, count: usize) -> Result<Vec<HistoryEntry>> {
    let ids = newest(tx, &Filters::default(), before, count)?;
    let entries = store::by_ids(tx, &ids)?;
    let mut entries = original::complete(tx, entries)?;
    names::add(tx, &mut entries)?;
    Ok(entries)
}
