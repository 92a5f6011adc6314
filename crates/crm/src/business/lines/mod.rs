//! Lines: what a document charges and takes off, and what that comes to. Quotes and jobs share them.
//!
//! | file | what it does |
//! | --- | --- |
//! | `input.rs` | reads the lines that a caller sends |
//! | `fill.rs` | fills them from the price book and the tax rates |
//! | `stored.rs` | keeps them in their document's row |
//! | `shown.rs` | shows them with their amounts |
//! | `totals.rs` | computes every amount |
//!
//! A line has no identity: it is read, replaced and stored with its document, as one value of the document's row.
//! [`totals()`] is the only place that computes a document's amounts: a tool, a page and a printed document show what it
//! returns. It knows no database and no caller. `docs/money.md` explains its rules with examples.

mod fill;
mod input;
mod shown;
mod stored;
#[cfg(test)]
mod tests;
mod totals;

pub use input::{LineInput, QuoteLineInput, SentLines, TaxChoice};
pub use shown::{ShownLine, ShownQuoteLine, ShownTax};
pub use totals::{Line, Rate, Refused, Tax, Totals, totals};

pub(in crate::business) use fill::{Kept, fill, kept_default, kept_rate, refuse_amounts};
pub(in crate::business) use stored::{KeptRate, Lines};

/// Maximum number of lines of a document.
pub(crate) const MAX_LINES: usize = 100;
