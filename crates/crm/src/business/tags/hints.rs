//! What to use instead of fields that the tools for tags do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for tags.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["tag_id", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["tag", "tag_name", "label", "title"], &[Fields(&["name"]), Fields(&["id"])]),
    Hint::new(&["colour", "hex"], &[Fields(&["color"])]),
    Hint::new(
        &["customer_id", "customer", "customer_ids"],
        &[Advice("only the operator attaches tags to a customer (tags.attach: zoop tag attach)")],
    ),
];
