//! Earlier values of a catalog category, put back from the history.

use zoop_db::Uuid;

use super::tree::Tree;
use super::{CatalogCategory, store};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::values::id::Id;

/// Puts back values of a category.
pub(in crate::business) fn category(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new: CatalogCategory = with_values(&old, values)?;
    if new == old {
        return Ok(());
    }
    require_place(&Tree::read(ctx.tx)?, &new)?;
    new.save(ctx, &old).map(drop)
}

/// Adds a deleted category again, with the id that it had.
pub(in crate::business) fn deleted(ctx: &mut WriteCtx<'_, '_>, values: &Values) -> Result<()> {
    // Fields that were null are not stored.
    let mut values = values.clone();
    values.entry("parent_id").or_insert(serde_json::Value::Null);
    let old: CatalogCategory = serde_json::from_value(serde_json::Value::Object(values))?;
    let new = CatalogCategory { updated_at: ctx.moment(), ..old };
    let tree = Tree::read(ctx.tx)?;
    tree.require_room()?;
    require_place(&tree, &new)?;
    store::insert(ctx.tx, &new)?;
    ctx.added(&new)
}

fn require_place(tree: &Tree, category: &CatalogCategory) -> Result<()> {
    tree.require_place(category).map_err(|error| match error {
        Error::NotFound { .. } => {
            Error::conflict("The category that it was in was deleted since: undo that first.")
        }
        other => other,
    })
}
