//! Catalog categories: the tree in which items of the price book stand.
//!
//! An account has few of them, so that each tool reads all (`tree.rs`) and checks its rules there.

pub(crate) mod hints;
pub(in crate::business) mod put_back;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;
mod tree;

pub use tools::GROUP;

pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;
use crate::values::clock::Moment;
use crate::values::fold;
use crate::values::id::{Id, kinds};
use crate::values::text::visible;

/// Maximum number of an account's categories: a list shows all of them.
pub(crate) const MAX_CATEGORIES: usize = 500;
/// Maximum number of levels.
pub(crate) const MAX_LEVELS: usize = 5;

crate::call::table::record! {
    /// A category as stored and shown.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct CatalogCategory {
        /// The category's id.
        pub id: Id<kinds::CatalogCategory>,
        /// Its name, unique among those in the same category without case.
        pub name: String,
        /// The category that it is in; null at the top.
        pub parent_id: Option<Id<kinds::CatalogCategory>>,
        /// Its place among others; the lowest comes first.
        pub sort_order: i64,
        /// When it was created.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
    }

    table catalog_categories {
        key: [id],
        beside: { name_folded: String },
        exported: WithTenant,
        erased: [WithTenant],
    }
}

impl CatalogCategory {
    /// The form in which names are compared and sorted.
    pub(crate) fn name_folded(&self) -> String {
        fold::caseless(&visible(&self.name))
    }

    /// Writes the change from `old`, at the time of the call, and records it in the history.
    fn save(self, ctx: &mut WriteCtx<'_, '_>, old: &Self) -> Result<Self> {
        let new = Self { updated_at: ctx.moment(), ..self };
        store::update(ctx.tx, &new)?;
        ctx.updated(old, &new)?;
        Ok(new)
    }
}

impl Recorded for CatalogCategory {
    const TYPE: &'static str = "catalog_category";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}
