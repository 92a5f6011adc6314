//! What to use instead of fields that the tools for catalog items do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for catalog items.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["catalog_item_id", "item_id", "uuid"], &[Fields(&["id"])]),
    Hint::new(
        &["kind", "type", "item_type"],
        &[Fields(&["kind"]), Advice("an item keeps its kind: create another one instead")],
    ),
    Hint::new(&["title", "label", "item", "item_name"], &[Fields(&["name"]), Fields(&["id"])]),
    Hint::new(&["unit_price", "amount", "rate", "retail_price"], &[Fields(&["price"])]),
    Hint::new(&["percent", "percentage", "discount"], &[Fields(&["discount_percent"])]),
    Hint::new(&["unit_cost", "cost_price"], &[Fields(&["cost"])]),
    Hint::new(
        &["markup", "markup_percent", "margin"],
        &[Advice("the markup follows from price and cost")],
    ),
    Hint::new(&["unit", "units", "uom"], &[Fields(&["unit_label"])]),
    Hint::new(&["category", "catalog_category_id"], &[Fields(&["category_id"])]),
    Hint::new(&["parts", "items", "line_items"], &[Fields(&["components"])]),
    Hint::new(&["tax", "is_taxable"], &[Fields(&["taxable"])]),
    Hint::new(&["currency"], &[Advice("prices are in the account's currency")]),
    Hint::new(&["query", "search", "text"], &[Fields(&["q"])]),
];
