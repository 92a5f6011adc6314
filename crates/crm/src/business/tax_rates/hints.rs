//! What to use instead of fields that the tools for tax rates do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::Fields;

/// For all tools for tax rates.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["tax_rate_id", "rate_id", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["tax_rate", "label", "title"], &[Fields(&["name"]), Fields(&["id"])]),
    Hint::new(
        &["rate", "rate_decimal", "percent", "percentage", "tax_percent", "value"],
        &[Fields(&["rate_percentage"])],
    ),
    Hint::new(&["default"], &[Fields(&["is_default"])]),
];
