//! The product: a multi-tenant back end for field-service businesses, as tools over a database.
//!
//! Open [`catalog`] first: it lists every tool. [`run`] is the one way to run a tool. A group's folder (`customers/`, `notes/`, …) holds its types and validation
//! (`mod.rs`), its SQL (`store.rs`), its tools (`tools.rs`) and their tests (`tests.rs`).
//!
//! | module | holds |
//! | --- | --- |
//! | [`catalog`] | every tool there is |
//! | [`tool`], [`definition`], [`run`], [`context`], [`page`], [`answer`] | what a tool is, and how a call runs |
//! | [`argument`] | what callers send becomes valid types |
//! | [`proof`], [`caller`], [`access`], [`authenticate`], [`secret`] | who calls, what proves it, and what they may do |
//! | [`scope`] | every scope, which role has it and what it is called |
//! | [`sign_in`], [`oauth`] | people at a browser, and the programs that they connect |
//! | [`error`] | the one error |
//! | [`id`], [`clock`] | ids, time, randomness |
//! | [`text`], [`fold`], [`search`], [`phone`], [`email`], [`country`] | text made comparable, countries |
//! | [`request_counts`], [`maintenance`] | what processes tell one another; what is removed in time |
//! | [`servers`] | where the servers of this database answer |
//! | [`moving`] | a database copied into another |
//! | [`table`] | how a table is declared |
//! | [`schema`] | the schema's steps, and every table |
//!
//! What must never live here: HTTP, a protocol, a command line, `async`, or which engine runs.

// Tests on both engines name this crate as those of other crates do.
#[cfg(test)]
extern crate self as zoop_crm;

pub mod access;
pub mod answer;
mod archive;
pub mod argument;
pub mod authenticate;
pub mod caller;
pub mod catalog;
pub mod clock;
pub mod contacts;
pub mod context;
pub mod country;
pub mod customers;
pub mod definition;
pub mod email;
pub mod error;
pub mod fold;
pub mod history;
pub mod id;
mod idempotency;
pub mod invitations;
pub mod keys;
pub mod locations;
pub mod maintenance;
pub mod moving;
pub mod notes;
pub mod oauth;
pub mod page;
mod perform;
pub mod phone;
pub mod proof;
pub mod request_counts;
pub mod run;
pub mod schema;
pub mod scope;
pub mod search;
pub mod secret;
pub mod servers;
pub mod sign_in;
pub mod subjects;
pub mod table;
pub mod tags;
pub mod tenants;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod tool;
pub mod users;

#[cfg(test)]
mod tests;
