//! The tools for catalog categories.

use schemars::JsonSchema;
use serde::Serialize;

use super::hints::HINTS;
use super::tree::Tree;
use super::{CatalogCategory, store};
use crate::business::catalog_items;
use crate::call::answer::Deleted;
use crate::call::argument::{Fields, NotNull, Patch, Ranged, Text, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Query, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

/// The tools for catalog categories.
pub const GROUP: Group = Group {
    name: "catalog_categories",
    about: "Catalog categories: the tree in which catalog items stand.",
    tools: &[
        ToolDef::query::<ListCatalogCategories>(),
        ToolDef::query::<GetCatalogCategory>(),
        ToolDef::command::<CreateCatalogCategory>(),
        ToolDef::command::<UpdateCatalogCategory>(),
        ToolDef::command::<DeleteCatalogCategory>(),
    ],
};

input! {
    /// No fields.
    pub struct ListCatalogCategoriesInput, hints = HINTS {}
}

/// The account's categories.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CatalogCategories {
    /// All of them, flat: by sort_order, then by name.
    pub rows: Vec<CatalogCategory>,
}

/// `catalog_categories.list`
pub struct ListCatalogCategories;

impl Tool for ListCatalogCategories {
    const NAME: &'static str = "catalog_categories.list";
    const TITLE: &'static str = "List catalog categories";
    const ABOUT: &'static str =
        "Lists all categories of the price book, flat; parent_id makes the tree.";
    const SCOPE: Scope = Scope::ReadCatalogCategories;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = "{}";
    type Input = ListCatalogCategoriesInput;
    type Output = CatalogCategories;
}

impl Query for ListCatalogCategories {
    fn run(ctx: &mut ReadCtx<'_, '_>, _: &ListCatalogCategoriesInput) -> Result<CatalogCategories> {
        let mut rows = store::all(ctx.tx)?;
        rows.sort_by_cached_key(|row| (row.sort_order, row.name_folded(), row.id.uuid()));
        Ok(CatalogCategories { rows })
    }
}

input! {
    /// A category.
    pub struct CatalogCategoryInput, hints = HINTS {
        /// The category's id.
        pub id: Id<kinds::CatalogCategory>,
    }
}

/// `catalog_categories.get`
pub struct GetCatalogCategory;

impl Tool for GetCatalogCategory {
    const NAME: &'static str = "catalog_categories.get";
    const TITLE: &'static str = "Get a catalog category";
    const ABOUT: &'static str = "Returns one category of the price book.";
    const SCOPE: Scope = Scope::ReadCatalogCategories;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{catalog_category}"}"#;
    type Input = CatalogCategoryInput;
    type Output = CatalogCategory;
}

impl Query for GetCatalogCategory {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &CatalogCategoryInput) -> Result<CatalogCategory> {
        store::get(ctx.tx, input.id)
    }
}

input! {
    /// A new category.
    pub struct CreateCatalogCategoryInput, hints = HINTS {
        /// Unique in its place without case.
        pub name: Text<128>,
        /// The category it is in; without it, at the top. At most 5 levels.
        pub parent_id: Option<Id<kinds::CatalogCategory>>,
        /// The lowest comes first. Default 0.
        pub sort_order: Option<Ranged<0, 1_000_000>>,
    }
}

/// `catalog_categories.create`
pub struct CreateCatalogCategory;

impl Tool for CreateCatalogCategory {
    const NAME: &'static str = "catalog_categories.create";
    const TITLE: &'static str = "Create a catalog category";
    const ABOUT: &'static str = "Creates a category of the price book.";
    const SCOPE: Scope = Scope::WriteCatalogCategories;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"name":"Water heaters","parent_id":"{catalog_category}"}"#;
    type Input = CreateCatalogCategoryInput;
    type Output = CatalogCategory;
}

impl Command for CreateCatalogCategory {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, _, id| store::get(ctx.tx, Id::new(id)));

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &CreateCatalogCategoryInput,
    ) -> Result<CatalogCategory> {
        let id = ctx.next_id::<kinds::CatalogCategory>(store::GREATEST_ID_BELOW)?;
        let category = CatalogCategory {
            id,
            name: input.name.0.clone(),
            parent_id: input.parent_id,
            sort_order: input.sort_order.map_or(0, |order| order.get().into()),
            created_at: id.created_at(),
            updated_at: id.created_at(),
        };
        let tree = Tree::read(ctx.tx)?;
        tree.require_place(&category)?;
        tree.require_room()?;
        store::insert(ctx.tx, &category)?;
        ctx.added(&category)?;
        Ok(category)
    }
}

input! {
    /// The changes to a category.
    pub struct UpdateCatalogCategoryInput, rules = update_rules, hints = HINTS {
        /// The category's id.
        pub id: Id<kinds::CatalogCategory>,
        /// Unique in its place without case.
        pub name: NotNull<Text<128>>,
        /// The category it is in.
        pub parent_id: Patch<Id<kinds::CatalogCategory>>,
        /// The lowest comes first.
        pub sort_order: NotNull<Ranged<0, 1_000_000>>,
    }
}

fn update_rules(sent: &mut Fields) {
    sent.require_change(&["id"]);
}

/// `catalog_categories.update`
pub struct UpdateCatalogCategory;

impl Tool for UpdateCatalogCategory {
    const NAME: &'static str = "catalog_categories.update";
    const TITLE: &'static str = "Update a catalog category";
    const ABOUT: &'static str = "Renames a category of the price book, or moves it with all in it.";
    const SCOPE: Scope = Scope::WriteCatalogCategories;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{catalog_category}","sort_order":10}"#;
    type Input = UpdateCatalogCategoryInput;
    type Output = CatalogCategory;
}

impl Command for UpdateCatalogCategory {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &UpdateCatalogCategoryInput,
    ) -> Result<CatalogCategory> {
        let tree = Tree::read(ctx.tx)?;
        let old = tree.get(input.id)?.clone();
        let input = input.clone();
        let new = CatalogCategory {
            name: input.name.0.map_or_else(|| old.name.clone(), |name| name.0),
            parent_id: input.parent_id.apply(old.parent_id),
            sort_order: input.sort_order.0.map_or(old.sort_order, |order| order.get().into()),
            ..old.clone()
        };
        tree.require_place(&new)?;
        new.save(ctx, &old)
    }
}

/// `catalog_categories.delete`
pub struct DeleteCatalogCategory;

impl Tool for DeleteCatalogCategory {
    const NAME: &'static str = "catalog_categories.delete";
    const TITLE: &'static str = "Delete a catalog category";
    const ABOUT: &'static str =
        "Deletes a category of the price book; what is in it moves to its parent.";
    const SCOPE: Scope = Scope::WriteCatalogCategories;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{catalog_category}"}"#;
    type Input = CatalogCategoryInput;
    type Output = Deleted<kinds::CatalogCategory>;
}

impl Command for DeleteCatalogCategory {
    const EFFECT: Effect = Effect::Destroy;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &CatalogCategoryInput,
    ) -> Result<Deleted<kinds::CatalogCategory>> {
        let tree = Tree::read(ctx.tx)?;
        let old = tree.get(input.id)?;
        for child in tree.children(old.id) {
            tree.require_name(child, old.parent_id, old.id)?;
        }
        store::free_name(ctx.tx, old.id)?;
        for child in tree.children(old.id) {
            CatalogCategory { parent_id: old.parent_id, ..child.clone() }.save(ctx, child)?;
        }
        catalog_items::move_all(ctx, old.id, old.parent_id)?;
        store::delete(ctx.tx, old.id)?;
        ctx.removed(old)?;
        Ok(Deleted::of(old.id))
    }
}
