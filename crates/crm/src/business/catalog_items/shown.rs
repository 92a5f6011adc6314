//! Catalog items as the history records them, and as answers show them.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Uuid};

use super::{CatalogItem, Component, Components, ItemKind, store};
use crate::call::access::Access;
use crate::call::error::Result;
use crate::call::history::store::id_list;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::{Cost, DiscountPercent, Markup, UnitPrice};

/// The fields that only owners are shown.
pub(crate) const FOR_OWNERS: &[&str] = &["cost", "markup_percent"];

/// An item as the history records it: with texts for its prices, and with the cost that it has itself.
#[derive(Serialize, Deserialize)]
pub(super) struct RecordedItem {
    id: Id<kinds::CatalogItem>,
    kind: ItemKind,
    name: String,
    sku: Option<String>,
    description: Option<String>,
    category_id: Option<Id<kinds::CatalogCategory>>,
    unit_label: Option<String>,
    price: Option<String>,
    discount_percent: Option<DiscountPercent>,
    taxable: Option<bool>,
    components: Vec<Component>,
    currency: String,
    cost: Option<String>,
    created_at: Moment,
    updated_at: Moment,
    archived_at: Option<Moment>,
}

impl From<CatalogItem> for RecordedItem {
    fn from(item: CatalogItem) -> Self {
        let text = |price: Option<UnitPrice>| price.map(|price| price.text(item.currency));
        Self {
            id: item.id,
            kind: item.kind,
            price: text(item.price),
            cost: text(item.cost),
            name: item.name,
            sku: item.sku,
            description: item.description,
            category_id: item.category_id,
            unit_label: item.unit_label,
            discount_percent: item.discount_percent,
            taxable: item.taxable,
            components: item.components.list().to_vec(),
            currency: item.currency.code().to_owned(),
            created_at: item.id.created_at(),
            updated_at: item.updated_at,
            archived_at: item.archived_at,
        }
    }
}

impl TryFrom<RecordedItem> for CatalogItem {
    type Error = &'static str;

    fn try_from(item: RecordedItem) -> Result<Self, Self::Error> {
        let price = |text: Option<String>| {
            text.map(|text| UnitPrice::parse(&text)).transpose().map_err(|_| "not a price")
        };
        Ok(Self {
            id: item.id,
            kind: item.kind,
            name: item.name,
            sku: item.sku,
            description: item.description,
            category_id: item.category_id,
            unit_label: item.unit_label,
            price: price(item.price)?,
            discount_percent: item.discount_percent,
            taxable: item.taxable,
            components: Components::new(item.components),
            currency: Currency::parse(&item.currency).ok_or("not a currency")?,
            cost: price(item.cost)?,
            updated_at: item.updated_at,
            archived_at: item.archived_at,
        })
    }
}

/// A value of a field that others than owners do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OwnersOnly<T> {
    /// The caller is not an owner: the key is left out.
    Hidden,
    /// The value, if there is one.
    Shown(Option<T>),
}

impl<T> OwnersOnly<T> {
    /// Whether the key is left out.
    const fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden)
    }
}

/// A catalog item as answers show it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Item {
    /// The item's id.
    pub id: Id<kinds::CatalogItem>,
    /// What kind of item it is, which never changes.
    pub kind: ItemKind,
    /// Its name, which is the description of lines.
    pub name: String,
    /// The business's number for it.
    pub sku: Option<String>,
    /// A longer description.
    pub description: Option<String>,
    /// Its category.
    pub category_id: Option<Id<kinds::CatalogCategory>>,
    /// What is counted, such as hour.
    pub unit_label: Option<String>,
    /// The price of one, such as "85.00"; of a discount, what it takes off.
    pub price: Option<String>,
    /// What a discount takes off, unless it has a price.
    pub discount_percent: Option<DiscountPercent>,
    /// Whether it is taxed; null for a discount.
    pub taxable: Option<bool>,
    /// The parts of a bundle.
    pub components: Vec<Component>,
    /// The ISO 4217 currency of the price.
    #[schemars(with = "String")]
    pub currency: Currency,
    /// For owners only: what one costs the business. Of a bundle, what its parts cost; null if one is unknown.
    #[serde(skip_serializing_if = "OwnersOnly::is_hidden")]
    #[schemars(with = "Option<String>")]
    pub cost: OwnersOnly<String>,
    /// For owners only: how much more the price is, in percent of the cost.
    #[serde(skip_serializing_if = "OwnersOnly::is_hidden")]
    #[schemars(with = "Option<Markup>")]
    pub markup_percent: OwnersOnly<Markup>,
    /// When it was created.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// When it was archived.
    pub archived_at: Option<Moment>,
}

/// A catalog item in the list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ItemRow {
    /// The item's id.
    pub id: Id<kinds::CatalogItem>,
    /// What kind of item it is, which never changes.
    pub kind: ItemKind,
    /// Its name, which is the description of lines.
    pub name: String,
    /// The business's number for it.
    pub sku: Option<String>,
    /// Its category.
    pub category_id: Option<Id<kinds::CatalogCategory>>,
    /// What is counted, such as hour.
    pub unit_label: Option<String>,
    /// The price of one, such as "85.00"; of a discount, what it takes off.
    pub price: Option<String>,
    /// What a discount takes off, unless it has a price.
    pub discount_percent: Option<DiscountPercent>,
    /// Whether it is taxed; null for a discount.
    pub taxable: Option<bool>,
    /// The ISO 4217 currency of the price.
    #[schemars(with = "String")]
    pub currency: Currency,
    /// For owners only: what one costs the business. Of a bundle, what its parts cost; null if one is unknown.
    #[serde(skip_serializing_if = "OwnersOnly::is_hidden")]
    #[schemars(with = "Option<String>")]
    pub cost: OwnersOnly<String>,
    /// For owners only: how much more the price is, in percent of the cost.
    #[serde(skip_serializing_if = "OwnersOnly::is_hidden")]
    #[schemars(with = "Option<Markup>")]
    pub markup_percent: OwnersOnly<Markup>,
    /// When it was created.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// When it was archived.
    pub archived_at: Option<Moment>,
}

/// What owners are shown of an item in addition.
struct ForOwners {
    cost: OwnersOnly<String>,
    markup_percent: OwnersOnly<Markup>,
}

/// What only owners are shown, for every item of an answer.
struct Costs {
    /// What parts of the bundles cost; `None` for a caller who is not an owner.
    parts: Option<HashMap<Uuid, Option<UnitPrice>>>,
}

impl Costs {
    /// Reads what the parts of the bundles among the items cost, if the caller is an owner now.
    fn read(tx: &mut ReadTx<'_>, access: &Access, items: &[CatalogItem]) -> Result<Self> {
        if !access.actor.is_owner() {
            return Ok(Self { parts: None });
        }
        let parts = items.iter().flat_map(|item| item.components.list());
        let parts: BTreeSet<_> = parts.map(|part| part.catalog_item_id.uuid()).collect();
        let parts = if parts.is_empty() { Vec::new() } else { store::by_ids(tx, &id_list(parts))? };
        Ok(Self { parts: Some(parts.into_iter().map(|it| (it.id.uuid(), it.cost)).collect()) })
    }

    /// What the caller is shown for an item in addition.
    fn of(&self, item: &CatalogItem) -> ForOwners {
        let Some(parts) = &self.parts else {
            return ForOwners { cost: OwnersOnly::Hidden, markup_percent: OwnersOnly::Hidden };
        };
        let cost = match item.kind {
            ItemKind::Bundle => {
                let costs = item.components.list().iter().map(|part| {
                    let cost = parts.get(&part.catalog_item_id.uuid()).copied().flatten();
                    cost.map(|cost| (cost, part.quantity))
                });
                costs.collect::<Option<Vec<_>>>().map(Cost::of_parts)
            }
            _ => item.cost.map(Cost::of),
        };
        ForOwners {
            cost: OwnersOnly::Shown(cost.map(|cost| cost.text(item.currency))),
            markup_percent: OwnersOnly::Shown(
                cost.zip(item.price).and_then(|(cost, price)| cost.markup(price)),
            ),
        }
    }
}

/// The item as the caller is shown it.
pub(super) fn item(tx: &mut ReadTx<'_>, access: &Access, item: CatalogItem) -> Result<Item> {
    let ForOwners { cost, markup_percent } =
        Costs::read(tx, access, std::slice::from_ref(&item))?.of(&item);
    Ok(Item {
        id: item.id,
        kind: item.kind,
        price: item.price.map(|price| price.text(item.currency)),
        name: item.name,
        sku: item.sku,
        description: item.description,
        category_id: item.category_id,
        unit_label: item.unit_label,
        discount_percent: item.discount_percent,
        taxable: item.taxable,
        components: item.components.list().to_vec(),
        currency: item.currency,
        cost,
        markup_percent,
        created_at: item.id.created_at(),
        updated_at: item.updated_at,
        archived_at: item.archived_at,
    })
}

/// The items as the caller is shown them in the list.
pub(super) fn rows(
    tx: &mut ReadTx<'_>,
    access: &Access,
    items: Vec<CatalogItem>,
) -> Result<Vec<ItemRow>> {
    let costs = Costs::read(tx, access, &items)?;
    let row = |item: CatalogItem| {
        let ForOwners { cost, markup_percent } = costs.of(&item);
        ItemRow {
            id: item.id,
            kind: item.kind,
            price: item.price.map(|price| price.text(item.currency)),
            name: item.name,
            sku: item.sku,
            category_id: item.category_id,
            unit_label: item.unit_label,
            discount_percent: item.discount_percent,
            taxable: item.taxable,
            currency: item.currency,
            cost,
            markup_percent,
            created_at: item.id.created_at(),
            updated_at: item.updated_at,
            archived_at: item.archived_at,
        }
    };
    Ok(items.into_iter().map(row).collect())
}
