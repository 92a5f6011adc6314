//! The product: a multi-tenant back end for field-service businesses, as tools over a database.
//!
//! Open [`catalog`] first: it lists every tool. [`call::run`] is the one way to run a tool.
//!
//! | module | purpose |
//! | --- | --- |
//! | [`catalog`] | the list of all tools |
//! | [`call`] | what a tool is and how a call runs: arguments, scopes, answers, errors, tables, history |
//! | [`business`] | the records that a business works with: customers, contacts, locations, tags, notes |
//! | [`identity`] | tenants, users, sign-in, API keys, OAuth: who calls, and what they may do |
//! | [`search`] | tokens and expressions of the search index, for any kind of record |
//! | [`values`] | ids, time, randomness, secrets, phone numbers, e-mail addresses, folded text |
//! | [`schema`] | the migrations, every table, every statement |
//! | [`transfer`] | copies a database to another one |
//! | [`export`] | writes all that an account owns to files, and brings it back |
//! | [`maintenance`] | removes expired rows |
//! | [`database_identity`] | which database this is |
//! | [`request_counts`], [`servers`] | what the processes of an installation share |
//!
//! Imports point one way. `values` imports nothing from this crate, `call` and `search` import only `values`,
//! and `identity` never imports `business`. A test enforces this.
//!
//! What must never live here: HTTP, a protocol, a command line, `async`, or the choice of the engine.

// `#[both]` generates paths that begin with `zoop_crm`, also in the tests of this crate.
#[cfg(test)]
extern crate self as zoop_crm;

pub mod business;
pub mod call;
pub mod catalog;
pub mod database_identity;
pub mod export;
pub mod identity;
pub mod maintenance;
pub mod request_counts;
pub mod schema;
pub mod search;
pub mod servers;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transfer;
pub mod values;

#[cfg(test)]
mod tests;
