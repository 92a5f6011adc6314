//! The tools for catalog items.

pub mod archive;
pub mod create;
pub mod get;
pub mod list;
pub mod restore;
pub mod update;

use archive::ArchiveCatalogItem;
use create::CreateCatalogItem;
use get::GetCatalogItem;
use list::ListCatalogItems;
use restore::RestoreCatalogItem;
use update::UpdateCatalogItem;

use super::components::Component;
use super::hints::HINTS;
use super::{Components, store};
use crate::business::catalog_categories;
use crate::business::catalog_items::rules::KindField;
use crate::call::argument::{Json, Parse, ParseContext, ParseError, input};
use crate::call::context::WriteCtx;
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::history::store::id_list;
use crate::values::id::{Id, kinds};
use crate::values::money::UnitPrice;

/// The tools for catalog items.
pub const GROUP: Group = Group {
    name: "catalog_items",
    about: "Catalog items: the price book.",
    tools: &[
        ToolDef::list::<ListCatalogItems>(),
        ToolDef::query::<GetCatalogItem>(),
        ToolDef::command::<CreateCatalogItem>(),
        ToolDef::command::<UpdateCatalogItem>(),
        ToolDef::command::<ArchiveCatalogItem>(),
        ToolDef::command::<RestoreCatalogItem>(),
    ],
};

input! {
    /// A catalog item.
    pub struct CatalogItemInput, hints = HINTS {
        /// The item's id.
        pub id: Id<kinds::CatalogItem>,
    }
}

/// A price or cost of an item: a [`UnitPrice`] that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(pub UnitPrice);

impl Parse for Price {
    fn schema() -> serde_json::Value {
        <UnitPrice as Parse>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        match <UnitPrice as Parse>::parse(value, context)? {
            price if price.is_negative() => {
                Err(ParseError::Invalid("must not be negative".to_owned()))
            }
            price => Ok(Self(price)),
        }
    }
}

/// The problem with a cost that was sent by another caller than an owner.
fn cost_problem(ctx: &WriteCtx<'_, '_>, is_sent: bool) -> Option<FieldProblem> {
    let problem = || FieldProblem {
        field: KindField::Cost.name().to_owned(),
        problem: "can only be set by an owner, acting in person: leave it out".to_owned(),
    };
    (is_sent && !ctx.access.actor.is_owner()).then(problem)
}

/// Rejects a category that the account does not have.
fn require_category(
    ctx: &mut WriteCtx<'_, '_>,
    category: Option<Id<kinds::CatalogCategory>>,
) -> Result<()> {
    category.map(|id| catalog_categories::store::get(ctx.tx, id)).transpose().map(drop)
}

/// The parts of a bundle that has the parts `old`. New ones must be active, and of a kind that has no parts.
fn require_components(
    ctx: &mut WriteCtx<'_, '_>,
    old: &Components,
    new: Vec<Component>,
) -> Result<Components> {
    let is_new = |part: &&Component| {
        !old.list().iter().any(|known| known.catalog_item_id == part.catalog_item_id)
    };
    let ids = new.iter().filter(is_new).map(|part| part.catalog_item_id.uuid());
    let items = store::by_ids(ctx.tx, &id_list(ids))?;
    let mut problems = Vec::new();
    for (index, part) in new.iter().enumerate().filter(|(_, part)| is_new(part)) {
        let item = items.iter().find(|item| item.id == part.catalog_item_id);
        let item = item.filter(|item| item.archived_at.is_none());
        let item = item.ok_or(Error::not_found("catalog item"))?;
        if !KindField::Cost.is_of(item.kind) {
            let kind = item.kind.word();
            problems.push(FieldProblem {
                field: format!("components[{index}].catalog_item_id"),
                problem: format!("is an item of kind {kind}: a bundle cannot have it as a part"),
            });
        }
    }
    if problems.is_empty() { Ok(Components::new(new)) } else { Err(Error::fields(problems)) }
}
