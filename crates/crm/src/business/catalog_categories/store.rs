//! The SQL for catalog categories.

use zoop_db::{ReadTx, Uuid, WriteTx, params, text};

use super::{CatalogCategory, MAX_CATEGORIES};
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE};
use crate::call::table::Record;
use crate::values::id::{Id, Kind as _, kinds};

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(CatalogCategory::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN catalog_categories x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM catalog_categories WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", CatalogCategory::SELECTED, " FROM catalog_categories WHERE tenant_no = $1 AND id = $2"));
    /// The next categories in the order of their ids.
    AFTER = (text!("SELECT ", CatalogCategory::SELECTED, " FROM catalog_categories \
             WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    INSERT = (CatalogCategory::INSERT);
    UPDATE = (CatalogCategory::UPDATE);
    /// Gives up the name of a category that is about to be deleted, so that one below it can have it.
    FREE_NAME = "UPDATE catalog_categories SET name_folded = $3 WHERE tenant_no = $1 AND id = $2";
    DELETE = "DELETE FROM catalog_categories WHERE tenant_no = $1 AND id = $2";
}

/// All categories of the account, by id.
pub(super) fn all(tx: &mut ReadTx<'_>) -> Result<Vec<CatalogCategory>> {
    after(tx, Uuid::nil(), MAX_CATEGORIES)
}

/// A category.
///
/// # Errors
/// [`Error::NotFound`] if there is no such category.
pub(in crate::business) fn get(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::CatalogCategory>,
) -> Result<CatalogCategory> {
    tx.first::<_, Error>(GET, params![id], CatalogCategory::read)?
        .ok_or(Error::not_found(kinds::CatalogCategory::WORD))
}

/// Up to `count` categories with ids above `after`.
pub(crate) fn after(
    tx: &mut ReadTx<'_>,
    after: Uuid,
    count: usize,
) -> Result<Vec<CatalogCategory>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(AFTER, params![after, count], CatalogCategory::read)
}

/// The categories with the ids in a parameter that `id_list` writes.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<CatalogCategory>> {
    tx.all(BY_IDS, params![*wanted], CatalogCategory::read)
}

/// Adds a category.
pub(super) fn insert(tx: &mut WriteTx<'_>, category: &CatalogCategory) -> Result<()> {
    let name = category.name_folded();
    tx.execute(INSERT, &[category.inserted().as_ref(), params![name]].concat())?;
    Ok(())
}

/// Writes all of a category's fields that can change.
pub(super) fn update(tx: &mut WriteTx<'_>, category: &CatalogCategory) -> Result<()> {
    let name = category.name_folded();
    tx.execute(UPDATE, &[category.updated().as_ref(), params![name]].concat())?;
    Ok(())
}

/// Gives up the name of a category that is about to be deleted.
pub(super) fn free_name(tx: &mut WriteTx<'_>, id: Id<kinds::CatalogCategory>) -> Result<()> {
    // No visible name begins with a control character.
    tx.execute(FREE_NAME, params![id, format!("\u{1}{id}")])?;
    Ok(())
}

/// Deletes a category. Nothing may be in it.
pub(super) fn delete(tx: &mut WriteTx<'_>, id: Id<kinds::CatalogCategory>) -> Result<()> {
    tx.execute(DELETE, params![id])?;
    Ok(())
}
