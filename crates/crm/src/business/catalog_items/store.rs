//! The SQL for catalog items.

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Row, Uuid, WriteTx, params, text};

use super::{CatalogItem, ItemKind};
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::table::Record;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(CatalogItem::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN catalog_items x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);

const MOVED: &str = "UPDATE catalog_items SET category_id = $3, updated_at = $4 \
    WHERE tenant_no = $1 AND id IN (SELECT wanted_id FROM wanted)";

/// The columns of [`Listed`], of the items that are archived or not.
const LISTED: &str = "SELECT name_folded, id, kind, name, sku FROM catalog_items \
    WHERE tenant_no = $1 AND (archived_at IS NOT NULL) = $2";

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM catalog_items WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", CatalogItem::SELECTED, " FROM catalog_items WHERE tenant_no = $1 AND id = $2"));
    BY_SKU = "SELECT id FROM catalog_items WHERE tenant_no = $1 AND sku_folded = $2 AND archived_at IS NULL";
    /// The next items in the order of their names.
    BY_NAME = (text!(LISTED, " AND (name_folded, id) > ($3, $4) ORDER BY name_folded, id LIMIT $5"));
    /// [`BY_NAME`], of one kind.
    OF_KIND = (text!(LISTED, " AND (name_folded, id) > ($3, $4) AND kind = $6 \
               ORDER BY name_folded, id LIMIT $5"));
    /// [`BY_NAME`], in one category.
    IN_CATEGORY = (text!(LISTED, " AND (name_folded, id) > ($3, $4) AND category_id = $6 \
                   ORDER BY name_folded, id LIMIT $5"));
    /// The next items in the order of their ids, for exports.
    AFTER = (text!("SELECT ", CatalogItem::SELECTED, " FROM catalog_items \
             WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    /// All items of a category. Without the order, SQLite would read all items of the tenant.
    OF_CATEGORY = (text!("SELECT ", CatalogItem::SELECTED, " FROM catalog_items \
                   WHERE tenant_no = $1 AND category_id = $2 ORDER BY (archived_at IS NOT NULL), name_folded, id"));
    MOVE = { sqlite: text!(WANTED_SQLITE, MOVED), postgres: text!(WANTED_POSTGRES, MOVED) };
    INSERT = (CatalogItem::INSERT);
    UPDATE = (CatalogItem::UPDATE);
}

/// The place of an item in the list: its folded name, then its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    name: String,
    pub(super) id: Uuid,
}

/// What decides whether an item is in a list.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) position: Position,
    pub(super) kind: ItemKind,
    pub(super) name: String,
    pub(super) sku: Option<String>,
}

fn read_listed(row: &mut Row<'_>) -> Result<Listed> {
    let (name, id) = (row.take()?, row.take()?);
    let position = Position { name, id };
    Ok(Listed { position, kind: row.take()?, name: row.take()?, sku: row.take()? })
}

/// Up to `count` items after a place, in the order of their names. Of a kind and a category, the category is looked up.
pub(super) fn listed(
    tx: &mut ReadTx<'_>,
    archived: bool,
    kind: Option<ItemKind>,
    category: Option<Id<kinds::CatalogCategory>>,
    after: &Position,
    count: usize,
) -> Result<Vec<Listed>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let Position { name, id } = after;
    match (category, kind) {
        (Some(category), _) => {
            let params = params![archived, *name, *id, count, category];
            tx.all(IN_CATEGORY, params, read_listed)
        }
        (None, Some(kind)) => {
            tx.all(OF_KIND, params![archived, *name, *id, count, kind], read_listed)
        }
        (None, None) => tx.all(BY_NAME, params![archived, *name, *id, count], read_listed),
    }
}

/// An item, also an archived one.
///
/// # Errors
/// [`Error::NotFound`] if there is no such item.
pub(crate) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::CatalogItem>) -> Result<CatalogItem> {
    tx.first::<_, Error>(GET, params![id], CatalogItem::read)?
        .ok_or(Error::not_found("catalog item"))
}

/// The active item with this folded SKU.
pub(super) fn by_sku(tx: &mut ReadTx<'_>, folded: &str) -> Result<Option<Id<kinds::CatalogItem>>> {
    tx.first(BY_SKU, params![*folded], |row| Ok(row.take()?))
}

/// All items of a category, archived ones too.
pub(super) fn of_category(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::CatalogCategory>,
) -> Result<Vec<CatalogItem>> {
    tx.all(OF_CATEGORY, params![id], CatalogItem::read)
}

/// Moves items to a category, at a time.
pub(super) fn move_to(
    tx: &mut WriteTx<'_>,
    items: impl Iterator<Item = Uuid>,
    category: Option<Id<kinds::CatalogCategory>>,
    at: Moment,
) -> Result<()> {
    tx.execute(MOVE, params![id_list(items), category, at])?;
    Ok(())
}

/// Up to `count` items with ids above `after`, archived ones too.
pub(crate) fn after(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<CatalogItem>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(AFTER, params![after, count], CatalogItem::read)
}

/// The items with the ids in a parameter that `id_list` writes, in no order.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<CatalogItem>> {
    tx.all(BY_IDS, params![*wanted], CatalogItem::read)
}

/// Adds an item.
pub(super) fn insert(tx: &mut WriteTx<'_>, item: &CatalogItem) -> Result<()> {
    let (name, sku) = (item.name_folded(), item.sku_folded());
    tx.execute(INSERT, &[item.inserted().as_ref(), params![name, sku]].concat())?;
    Ok(())
}

/// Writes all of an item's fields that can change.
pub(super) fn update(tx: &mut WriteTx<'_>, item: &CatalogItem) -> Result<()> {
    let (name, sku) = (item.name_folded(), item.sku_folded());
    tx.execute(UPDATE, &[item.updated().as_ref(), params![name, sku]].concat())?;
    Ok(())
}
