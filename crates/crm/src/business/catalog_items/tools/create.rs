//! `catalog_items.create`

use super::{Price, cost_problem, require_category, require_components};
use crate::business::catalog_items::components::SentComponents;
use crate::business::catalog_items::hints::HINTS;
use crate::business::catalog_items::{
    CatalogItem, Components, Item, ItemKind, require_free_sku, rules, shown, store,
};
use crate::call::argument::{Text, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::identity::tenants;
use crate::values::id::{Id, kinds};
use crate::values::money::DiscountPercent;

input! {
    /// A new catalog item.
    pub struct CreateCatalogItemInput, rules = rules::check_new, hints = HINTS {
        /// Never changes.
        pub kind: ItemKind,
        /// The description of lines.
        pub name: Text<200>,
        /// Of one, such as "85.00"; of a discount, what is taken off. All kinds but discount need it.
        pub price: Option<Price>,
        /// Of a discount, instead of a price.
        pub discount_percent: Option<DiscountPercent>,
        /// Unique, ignoring case.
        pub sku: Option<Text<64>>,
        /// A longer text.
        pub description: Option<Text<10_000>>,
        /// A category's id.
        pub category_id: Option<Id<kinds::CatalogCategory>>,
        /// Such as hour; not of a discount.
        pub unit_label: Option<Text<32>>,
        /// Default true; not of a discount.
        pub taxable: Option<bool>,
        /// What one costs the business; only owners set and see it. Not of a bundle or discount.
        pub cost: Option<Price>,
        /// The parts of a bundle.
        pub components: Option<SentComponents>,
    }
}

/// `catalog_items.create`
pub struct CreateCatalogItem;

impl Tool for CreateCatalogItem {
    const NAME: &'static str = "catalog_items.create";
    const TITLE: &'static str = "Create a catalog item";
    const ABOUT: &'static str = "Creates a catalog item.";
    const SCOPE: Scope = Scope::WriteCatalogItems;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"kind":"service","name":"Drain cleaning","price":"120.00","sku":"DRAIN-2"}"#;
    type Input = CreateCatalogItemInput;
    type Output = Item;
}

impl Command for CreateCatalogItem {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, _, id| {
        let item = store::get(ctx.tx, Id::new(id))?;
        shown::item(ctx.tx, ctx.access, item)
    });
    const FOR_OWNERS: &'static [&'static str] = shown::FOR_OWNERS;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateCatalogItemInput) -> Result<Item> {
        let problem = cost_problem(ctx, input.cost.is_some()).or_else(|| price_problem(input));
        if let Some(problem) = problem {
            return Err(Error::fields(vec![problem]));
        }
        require_category(ctx, input.category_id)?;
        let sent = input.components.clone().map(|sent| sent.0).unwrap_or_default();
        let components = require_components(ctx, &Components::none(), sent)?;
        let currency = tenants::tenant(ctx.tx)?.currency;
        let id = ctx.next_id::<kinds::CatalogItem>(store::GREATEST_ID_BELOW)?;
        let input = input.clone();
        let is_discount = input.kind == ItemKind::Discount;
        let item = CatalogItem {
            id,
            kind: input.kind,
            name: input.name.0,
            sku: input.sku.map(|sku| sku.0),
            description: input.description.map(|description| description.0),
            category_id: input.category_id,
            unit_label: input.unit_label.map(|label| label.0),
            price: input.price.map(|price| price.0),
            discount_percent: input.discount_percent,
            taxable: (!is_discount).then_some(input.taxable != Some(false)),
            components,
            currency,
            cost: input.cost.map(|cost| cost.0),
            updated_at: id.created_at(),
            archived_at: None,
        };
        require_free_sku(ctx, &item)?;
        store::insert(ctx.tx, &item)?;
        ctx.added(&item)?;
        shown::item(ctx.tx, ctx.access, item)
    }
}

/// The problem with a discount of 0.
fn price_problem(input: &CreateCatalogItemInput) -> Option<FieldProblem> {
    let is_nothing = input.price.is_some_and(|price| price.0.units() == 0);
    (input.kind == ItemKind::Discount && is_nothing).then(rules::nothing_off)
}
