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
        &[Advice("use tags.attach to tag a customer")],
    ),
];

/// For the tools that attach and detach tags.
pub(crate) const ASSIGNMENT_HINTS: &[Hint] = &[
    Hint::new(&["tag_id", "tag", "tag_name", "name", "label", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["customer", "customer_number", "customer_ids"], &[Fields(&["customer_id"])]),
];
