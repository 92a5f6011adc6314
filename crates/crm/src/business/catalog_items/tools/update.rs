//! `catalog_items.update`

use super::{Price, cost_problem, require_category, require_components};
use crate::business::catalog_items::components::SentComponents;
use crate::business::catalog_items::hints::HINTS;
use crate::business::catalog_items::rules::{self, KindField};
use crate::business::catalog_items::{CatalogItem, Item, ItemKind, shown, store};
use crate::call::archive::Archivable as _;
use crate::call::argument::{
    Argument, Fields, Json, NotNull, Parse, ParseContext, ParseError, Patch, Text, input,
};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};
use crate::values::money::{DiscountPercent, UnitPrice};

/// A field of an update that some kinds of item must have and others cannot have: whether it can be cleared is known once
/// the item's kind is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfKind<T>(pub Patch<T>);

impl<T: Parse> Argument for OfKind<T> {
    const REQUIRED: bool = false;

    fn schema() -> serde_json::Value {
        T::schema()
    }

    fn read(sent: Option<Json>, context: ParseContext) -> Result<Self, ParseError> {
        <Patch<T> as Argument>::read(sent, context).map(Self)
    }
}

input! {
    /// The changes to a catalog item.
    pub struct UpdateCatalogItemInput, rules = update_rules, hints = HINTS {
        /// The item's id.
        pub id: Id<kinds::CatalogItem>,
        /// Name.
        pub name: NotNull<Text<200>>,
        /// Documents made before keep theirs. Of a discount, it clears the percentage.
        pub price: OfKind<Price>,
        /// Of a discount, it clears the price.
        pub discount_percent: Patch<DiscountPercent>,
        /// Unique, ignoring case.
        pub sku: Patch<Text<64>>,
        /// Description.
        pub description: Patch<Text<10_000>>,
        /// A category's id.
        pub category_id: Patch<Id<kinds::CatalogCategory>>,
        /// Unit label.
        pub unit_label: Patch<Text<32>>,
        /// Taxable.
        pub taxable: OfKind<bool>,
        /// Only owners set and see it.
        pub cost: Patch<Price>,
        /// Replaces all parts of a bundle.
        pub components: OfKind<SentComponents>,
    }
}

fn update_rules(sent: &mut Fields) {
    sent.require_change(&["id"]);
}

/// `catalog_items.update`
pub struct UpdateCatalogItem;

impl Tool for UpdateCatalogItem {
    const NAME: &'static str = "catalog_items.update";
    const TITLE: &'static str = "Update a catalog item";
    const ABOUT: &'static str = "Changes a catalog item for documents to come.";
    const SCOPE: Scope = Scope::WriteCatalogItems;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{bundle}","price":"195.00"}"#;
    type Input = UpdateCatalogItemInput;
    type Output = Item;
}

impl Command for UpdateCatalogItem {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, _, id| {
        let item = store::get(ctx.tx, Id::new(id))?;
        shown::item(ctx.tx, ctx.access, item)
    });
    const FOR_OWNERS: &'static [&'static str] = shown::FOR_OWNERS;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateCatalogItemInput) -> Result<Item> {
        if let Some(problem) = cost_problem(ctx, !input.cost.is_keep()) {
            return Err(Error::fields(vec![problem]));
        }
        let old = store::get(ctx.tx, input.id)?.unless_archived(ctx.access)?;
        let mut problems = problems_of_kind(input, old.kind);
        let (price, discount_percent) = match old.kind {
            ItemKind::Discount => taken_off(input, &old).unwrap_or_else(|problem| {
                problems.push(problem);
                (None, None)
            }),
            _ => (input.price.0.clone().map(|price| price.0).apply(old.price), None),
        };
        if !problems.is_empty() {
            return Err(Error::fields(problems));
        }
        let input = input.clone();
        let category_id = input.category_id.apply(old.category_id);
        if category_id != old.category_id {
            require_category(ctx, category_id)?;
        }
        let components = match input.components.0 {
            Patch::Set(sent) => require_components(ctx, &old.components, sent.0)?,
            Patch::Keep | Patch::Clear => old.components.clone(),
        };
        let taxable = match input.taxable.0 {
            Patch::Set(taxable) => Some(taxable),
            Patch::Keep | Patch::Clear => old.taxable,
        };
        let new = CatalogItem {
            name: input.name.0.map_or_else(|| old.name.clone(), |name| name.0),
            sku: input.sku.map(|sku| sku.0).apply(old.sku.clone()),
            description: input.description.map(|text| text.0).apply(old.description.clone()),
            category_id,
            unit_label: input.unit_label.map(|label| label.0).apply(old.unit_label.clone()),
            price,
            discount_percent,
            taxable,
            components,
            cost: input.cost.map(|cost| cost.0).apply(old.cost),
            updated_at: ctx.moment(),
            ..old.clone()
        };
        CatalogItem::save(ctx, &old, &new)?;
        shown::item(ctx.tx, ctx.access, new)
    }
}

/// The problems with fields that items of this kind do not have, or must have. A field of another kind that is `null` is
/// not sent.
fn problems_of_kind(input: &UpdateCatalogItemInput, kind: ItemKind) -> Vec<FieldProblem> {
    let state = |field| match field {
        KindField::Price => state(&input.price.0),
        KindField::DiscountPercent => state(&input.discount_percent),
        KindField::UnitLabel => state(&input.unit_label),
        KindField::Taxable => state(&input.taxable.0),
        KindField::Cost => state(&input.cost),
        KindField::Components => state(&input.components.0),
    };
    let problem = |field: KindField| match state(field) {
        Patch::Set(()) => field.problem(kind),
        Patch::Clear => field.required_problem(kind),
        Patch::Keep => None,
    };
    KindField::ALL.into_iter().filter_map(problem).collect()
}

/// What was sent, without the value.
const fn state<T>(sent: &Patch<T>) -> Patch<()> {
    match sent {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(_) => Patch::Set(()),
    }
}

/// What a discount takes off after the update: a price or a percentage.
fn taken_off(
    input: &UpdateCatalogItemInput,
    old: &CatalogItem,
) -> Result<(Option<UnitPrice>, Option<DiscountPercent>), FieldProblem> {
    let percent = input.discount_percent.clone();
    match (input.price.0.clone(), percent) {
        (Patch::Set(_), Patch::Set(_)) => Err(rules::both()),
        (Patch::Set(price), _) if price.0.units() == 0 => Err(rules::nothing_off()),
        (Patch::Set(price), _) => Ok((Some(price.0), None)),
        (_, Patch::Set(percent)) => Ok((None, Some(percent))),
        (price, percent) => {
            let price = price.map(|price| price.0).apply(old.price);
            match (price, percent.apply(old.discount_percent)) {
                (None, None) => Err(rules::neither()),
                taken_off => Ok(taken_off),
            }
        }
    }
}
