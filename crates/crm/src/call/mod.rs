//! What a tool is ([`tool`], [`definition`]), and the only way to run one ([`run`]).
//!
//! What must never live here: tools or tables of `business` and `identity`, or the lookup of credentials. Of
//! the crate's other folders, this one imports only `values`.

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
pub mod pending;
pub(crate) mod perform;
pub mod proof;
pub mod run;
pub mod scope;
pub mod storage;
pub mod sweep;
pub mod table;
pub mod tool;
mod typed_write;
pub mod written;
