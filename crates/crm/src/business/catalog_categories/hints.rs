//! What to use instead of fields that the tools for catalog categories do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for catalog categories.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["category_id", "catalog_category_id", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["title", "label", "category"], &[Fields(&["name"])]),
    Hint::new(&["parent", "parent_category_id"], &[Fields(&["parent_id"])]),
    Hint::new(&["order", "position", "rank"], &[Fields(&["sort_order"])]),
    Hint::new(&["items", "item_ids"], &[Advice("set category_id with catalog_items.update")]),
];
