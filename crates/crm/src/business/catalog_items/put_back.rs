//! Earlier values of a catalog item, put back from the history.

use zoop_db::Uuid;

use super::{CatalogItem, store};
use crate::business::catalog_categories;
use crate::call::archive::Archivable as _;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::values::id::Id;

/// Puts back values of an item.
pub(in crate::business) fn catalog_item(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new: CatalogItem = with_values(&old, values)?;
    if new == old {
        return Ok(());
    }
    if let Some(category) = new.category_id.filter(|category| Some(*category) != old.category_id)
        && catalog_categories::store::get(ctx.tx, category).is_err()
    {
        return Err(Error::conflict("The category was deleted since: choose another one by hand."));
    }
    CatalogItem::save(ctx, &old, &CatalogItem { updated_at: ctx.moment(), ..new })
}
