//! `catalog_items.archive`

use super::CatalogItemInput;
use crate::business::catalog_items::store;
use crate::call::answer::Archived;
use crate::call::archive::archive;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::kinds;

/// `catalog_items.archive`
pub struct ArchiveCatalogItem;

impl Tool for ArchiveCatalogItem {
    const NAME: &'static str = "catalog_items.archive";
    const TITLE: &'static str = "Archive a catalog item";
    const ABOUT: &'static str = "Archives a catalog item; lines and bundles that have it keep it, \
        and its SKU is free. changes.revert brings it back.";
    const SCOPE: Scope = Scope::WriteCatalogItems;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{catalog_item}"}"#;
    type Input = CatalogItemInput;
    type Output = Archived<kinds::CatalogItem>;
}

impl Command for ArchiveCatalogItem {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &CatalogItemInput,
    ) -> Result<Archived<kinds::CatalogItem>> {
        let item = store::get(ctx.tx, input.id)?;
        archive(ctx, &item)
    }
}
