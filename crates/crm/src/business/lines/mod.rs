//! Lines: what a document charges and takes off, and what that comes to.
//!
//! [`totals()`] is the only place that computes a document's amounts: a tool, a page and a printed document show what it
//! returns. It knows no database and no caller. `docs/money.md` explains its rules with examples.

#[cfg(test)]
mod tests;
mod totals;

pub use totals::{Line, Rate, Refused, Tax, Totals, totals};
