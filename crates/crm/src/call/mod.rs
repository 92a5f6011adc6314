//! What a call is, and the one way to run it: [`definition`] says what a tool is, [`run`] runs one.
//!
//! What must never live here: a tool of a group, a table of a group, or who a token belongs to. This
//! folder imports `values` only.

pub mod access;
pub mod answer;
pub(crate) mod archive;
pub mod argument;
pub mod caller;
pub mod context;
pub mod definition;
pub mod error;
pub mod history;
pub(crate) mod idempotency;
pub mod page;
pub(crate) mod perform;
pub mod proof;
pub mod run;
pub mod scope;
pub mod table;
pub mod tool;
