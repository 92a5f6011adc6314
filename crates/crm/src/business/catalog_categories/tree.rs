//! All categories of an account, and the rules of their tree.

use std::collections::BTreeMap;

use zoop_db::{ReadTx, Uuid};

use super::{CatalogCategory, MAX_CATEGORIES, MAX_LEVELS, store};
use crate::call::error::{Error, Result};
use crate::values::id::{Id, Kind as _, kinds};

/// The categories by their ids.
pub(super) struct Tree(BTreeMap<Uuid, CatalogCategory>);

impl Tree {
    /// Those of the account.
    pub(super) fn read(tx: &mut ReadTx<'_>) -> Result<Self> {
        let all = store::all(tx)?;
        Ok(Self(all.into_iter().map(|category| (category.id.uuid(), category)).collect()))
    }

    /// A category.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such category.
    pub(super) fn get(&self, id: Id<kinds::CatalogCategory>) -> Result<&CatalogCategory> {
        self.0.get(&id.uuid()).ok_or(Error::not_found(kinds::CatalogCategory::WORD))
    }

    /// Rejects another category if there are as many as a list shows.
    pub(super) fn require_room(&self) -> Result<()> {
        if self.0.len() < MAX_CATEGORIES {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "There are {MAX_CATEGORIES} categories already, the maximum: delete one first."
        )))
    }

    /// Checks that a category, new or changed, can be where it is with its name.
    ///
    /// # Errors
    /// [`Error::NotFound`] if its parent is not there, [`Error::Conflict`] if the tree or the names do not allow it.
    pub(super) fn require_place(&self, category: &CatalogCategory) -> Result<()> {
        let mut levels = 1 + self.height_below(category.id);
        let mut above = category.parent_id;
        while let Some(parent) = above {
            if parent == category.id {
                return Err(Error::conflict(
                    "A category cannot be in itself or in one below it: choose another parent_id.",
                ));
            }
            levels += 1;
            above = self.get(parent)?.parent_id;
        }
        if levels > MAX_LEVELS {
            return Err(Error::conflict(format!(
                "Categories have at most {MAX_LEVELS} levels: choose a parent nearer to the top."
            )));
        }
        self.require_name(category, category.parent_id, category.id)
    }

    /// Rejects a name that another category of the same parent has. `except` is not counted.
    pub(super) fn require_name(
        &self,
        category: &CatalogCategory,
        parent: Option<Id<kinds::CatalogCategory>>,
        except: Id<kinds::CatalogCategory>,
    ) -> Result<()> {
        let folded = category.name_folded();
        let is_taken = |other: &CatalogCategory| {
            other.id != category.id
                && other.id != except
                && other.parent_id == parent
                && other.name_folded() == folded
        };
        if !self.0.values().any(is_taken) {
            return Ok(());
        }
        let name = &category.name;
        Err(Error::conflict(format!(
            "There is a category called {name} in the same place: choose another name or place."
        )))
    }

    /// The categories that are directly in one.
    pub(super) fn children(
        &self,
        id: Id<kinds::CatalogCategory>,
    ) -> impl Iterator<Item = &CatalogCategory> {
        self.0.values().filter(move |category| category.parent_id == Some(id))
    }

    /// The number of levels below a category. No cycle is stored.
    fn height_below(&self, id: Id<kinds::CatalogCategory>) -> usize {
        self.children(id).map(|child| 1 + self.height_below(child.id)).max().unwrap_or(0)
    }
}
