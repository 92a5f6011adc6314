//! Catalog items: what the business sells and takes off, with prices that lines of documents copy.
//!
//! An item's kind decides which fields it has (`rules.rs`). What an item costs the business is shown to owners
//! only: `shown.rs` decides that for answers, and the pipeline takes it out of answers that are given again. A bundle has no
//! cost of its own: it is what its parts cost now.

pub mod components;
pub(crate) mod hints;
pub(in crate::business) mod put_back;
pub(crate) mod rules;
pub(crate) mod shown;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use components::{Component, Components};
pub use shown::{Item, ItemRow, OwnersOnly};
pub use tools::GROUP;

pub(crate) use store::STATEMENTS;

use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use self::shown::RecordedItem;
use crate::call::archive::Archivable;
use crate::call::argument::choices;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::fold;
use crate::values::id::{Id, kinds};
use crate::values::money::{DiscountPercent, UnitPrice};
use crate::values::text::visible;

choices! {
    /// What kind of item it is, which never changes.
    pub enum ItemKind {
        /// Work at a price.
        Service = "service",
        /// A thing that is sold.
        Product = "product",
        /// Work by the hour.
        Labor = "labor",
        /// A charge, such as for the way.
        Fee = "fee",
        /// Several items at one price.
        Bundle = "bundle",
        /// What is taken off: an amount or a percentage.
        Discount = "discount",
    }
}

crate::call::table::record! {
    /// A catalog item as stored.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(into = "RecordedItem", try_from = "RecordedItem")]
    pub struct CatalogItem {
        /// The item's id.
        pub id: Id<kinds::CatalogItem>,
        /// What kind of item it is.
        pub kind: ItemKind as fixed,
        /// Its name, which is the description of lines.
        pub name: String,
        /// The business's number for it, unique among active items without case.
        pub sku: Option<String>,
        /// A longer description.
        pub description: Option<String>,
        /// Its category.
        pub category_id: Option<Id<kinds::CatalogCategory>>,
        /// What is counted, such as hour.
        pub unit_label: Option<String>,
        /// The price of one; of a discount, what it takes off. Only a discount of a percentage has none.
        pub price: Option<UnitPrice>,
        /// What a discount takes off, unless it has a price.
        pub discount_percent: Option<DiscountPercent>,
        /// Whether it is taxed; a discount has none.
        pub taxable: Option<bool>,
        /// The parts of a bundle.
        pub components: Components,
        /// The currency of the price and of the cost.
        pub currency: Currency as fixed,
        /// What one costs the business. That of a bundle follows from its parts.
        pub cost: Option<UnitPrice>,
        /// When it was last changed.
        pub updated_at: Moment,
        /// When it was archived.
        pub archived_at: Option<Moment>,
    }

    table catalog_items {
        key: [id],
        beside: { name_folded: String, sku_folded: Option<String> },
        exported: WithTenant,
        erased: [WithTenant],
    }
}

impl CatalogItem {
    /// Maximum number of characters of a name by which items are sorted, so that an index can have them.
    const MAX_FOLDED: usize = 256;

    /// The name by which items are sorted: its folded words and single spaces.
    pub(crate) fn name_folded(&self) -> String {
        let words = fold::words(&self.name);
        let words: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ").chars().take(Self::MAX_FOLDED).collect()
    }

    /// The form in which SKUs are compared.
    pub(crate) fn sku_folded(&self) -> Option<String> {
        self.sku.as_deref().map(|sku| fold::caseless(&visible(sku)))
    }
}

impl Recorded for CatalogItem {
    const TYPE: &'static str = "catalog_item";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Archivable for CatalogItem {
    type Kind = kinds::CatalogItem;
    const READ: Scope = Scope::ReadCatalogItems;
    const WAY_BACK: &'static str = "changes.revert";

    fn id(&self) -> Id<kinds::CatalogItem> {
        self.id
    }

    fn archived_at(&self) -> Option<Moment> {
        self.archived_at
    }

    fn set_archived(&mut self, archived_at: Option<Moment>, updated_at: Moment) {
        (self.archived_at, self.updated_at) = (archived_at, updated_at);
    }

    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()> {
        if new.archived_at.is_none() {
            require_free_sku(ctx, new)?;
        }
        store::update(ctx.tx, new)?;
        ctx.updated(old, new)
    }
}

/// Rejects an item whose SKU another active item has.
pub(super) fn require_free_sku(ctx: &mut WriteCtx<'_, '_>, item: &CatalogItem) -> Result<()> {
    let Some(folded) = item.sku_folded() else { return Ok(()) };
    let Some(other) = store::by_sku(ctx.tx, &folded)?.filter(|other| *other != item.id) else {
        return Ok(());
    };
    Err(if ctx.access.scopes.has(Scope::ReadCatalogItems) {
        let sku = item.sku.as_deref().unwrap_or_default();
        Error::conflict(format!(
            "The item {other} has the SKU {sku}: choose another, or archive that item."
        ))
    } else {
        Error::conflict("Another item has this SKU: choose another.")
    })
}

/// Moves all items of a category that is deleted to its parent.
pub(in crate::business) fn move_all(
    ctx: &mut WriteCtx<'_, '_>,
    from: Id<kinds::CatalogCategory>,
    to: Option<Id<kinds::CatalogCategory>>,
) -> Result<()> {
    let items = store::of_category(ctx.tx, from)?;
    let at = ctx.moment();
    store::move_to(ctx.tx, items.iter().map(|item| item.id.uuid()), to, at)?;
    for old in &items {
        ctx.updated(old, &CatalogItem { category_id: to, updated_at: at, ..old.clone() })?;
    }
    Ok(())
}
