//! What to use instead of fields that the tools for quotes do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for quotes.
pub(super) const HINTS: &[Hint] = &[
    Hint::new(&["quote_id", "estimate_id", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["customer", "client_id", "client"], &[Fields(&["customer_id"])]),
    Hint::new(&["name", "subject", "description"], &[Fields(&["title"])]),
    Hint::new(&["state", "stage"], &[Fields(&["status"])]),
    Hint::new(
        &["line_items", "lines", "items", "sections"],
        &[Fields(&["line_items"]), Advice("lines are made in the quote's page in the console")],
    ),
    Hint::new(
        &["tax_rate_id", "tax", "discount", "discount_percent"],
        &[
            Fields(&["tax_rate_id"]),
            Advice("it is set with the lines, in the quote's page in the console"),
        ],
    ),
    Hint::new(
        &["total", "subtotal", "amount", "price"],
        &[Advice("it is computed from the lines: leave it out")],
    ),
    Hint::new(
        &["quote_number", "number", "created_by"],
        &[Advice("it is given when the quote is created: leave it out")],
    ),
];
