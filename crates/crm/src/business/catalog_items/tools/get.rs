//! `catalog_items.get`

use super::CatalogItemInput;
use crate::business::catalog_items::{Item, shown, store};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};

/// `catalog_items.get`
pub struct GetCatalogItem;

impl Tool for GetCatalogItem {
    const NAME: &'static str = "catalog_items.get";
    const TITLE: &'static str = "Get a catalog item";
    const ABOUT: &'static str = "Returns one catalog item, also an archived one.";
    const SCOPE: Scope = Scope::ReadCatalogItems;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{bundle}"}"#;
    type Input = CatalogItemInput;
    type Output = Item;
}

impl Query for GetCatalogItem {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &CatalogItemInput) -> Result<Item> {
        let item = store::get(ctx.tx, input.id)?;
        shown::item(ctx.tx, ctx.access, item)
    }
}
