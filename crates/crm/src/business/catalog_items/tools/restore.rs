//! `catalog_items.restore`

use super::CatalogItemInput;
use crate::business::catalog_items::store;
use crate::call::answer::Restored;
use crate::call::archive::restore;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::kinds;

/// `catalog_items.restore`
pub struct RestoreCatalogItem;

impl Tool for RestoreCatalogItem {
    const NAME: &'static str = "catalog_items.restore";
    const TITLE: &'static str = "Restore a catalog item";
    const ABOUT: &'static str =
        "Restores an archived catalog item, unless another one has its SKU.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = r#"{"id":"{archived_catalog_item}"}"#;
    type Input = CatalogItemInput;
    type Output = Restored<kinds::CatalogItem>;
}

impl Command for RestoreCatalogItem {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &CatalogItemInput,
    ) -> Result<Restored<kinds::CatalogItem>> {
        let item = store::get(ctx.tx, input.id)?;
        restore(ctx, &item)
    }
}
