//! Stub.
pub(crate) mod store {
    use zoop_db::ReadTx;

    use super::CatalogItem;
    use crate::call::error::Result;

    pub(crate) fn by_ids(_: &mut ReadTx<'_>, _: &str) -> Result<Vec<CatalogItem>> {
        Ok(Vec::new())
    }
}
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};
use crate::values::money::{DiscountPercent, UnitPrice};
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    Service,
    Discount,
}
#[derive(Debug, Clone)]
pub struct CatalogItem {
    pub id: Id<kinds::CatalogItem>,
    pub kind: ItemKind,
    pub name: String,
    pub price: Option<UnitPrice>,
    pub discount_percent: Option<DiscountPercent>,
    pub taxable: Option<bool>,
    pub archived_at: Option<Moment>,
}
