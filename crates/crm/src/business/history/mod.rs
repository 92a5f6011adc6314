//! The history as it is shown: who changed what, and the tools that list and revert changes.
//! [`call::history`](crate::call::history) writes it.

pub(crate) mod names;
pub(crate) mod original;
pub mod revert;
pub(crate) mod store;
pub(crate) mod stored_once;
#[cfg(test)]
pub(in crate::business) mod tests;
pub mod tools;
pub mod undoable;
pub(crate) mod visibility;
pub(crate) mod whole;

pub use tools::GROUP;
