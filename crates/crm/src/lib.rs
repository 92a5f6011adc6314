//! The product: a multi-tenant back end for field-service businesses, as tools over a database.
//!
//! Open [`catalog`] first: it lists every tool. [`call::run`] is the one way to run a tool.
//!
//! | module | holds |
//! | --- | --- |
//! | [`catalog`] | every tool there is |
//! | [`call`] | what a tool is, how a call runs: arguments, scopes, answers, errors, tables, history |
//! | [`business`] | the records that a business works with: customers, contacts, locations, tags, notes |
//! | [`identity`] | tenants, users, sign-in, API keys, OAuth: who calls, and what they may do |
//! | [`search`] | the search index: tokens and expressions, whatever is indexed |
//! | [`values`] | ids, time, randomness, secrets, phones, e-mail addresses, text made comparable |
//! | [`schema`] | the migrations, every table, every statement |
//! | [`transfer`] | a database copied to another engine |
//! | [`maintenance`] | what is removed in time |
//! | [`request_counts`], [`servers`] | what the processes of an installation tell one another |
//!
//! Imports point one way: `values` imports nothing of this crate; `call` imports `values`; `search` never
//! imports `identity` or `business`; `identity` never imports `business`. A test holds this.
//!
//! What must never live here: HTTP, a protocol, a command line, `async`, or which engine runs.

// Tests on both engines name this crate as those of other crates do.
#[cfg(test)]
extern crate self as zoop_crm;

pub mod business;
pub mod call;
pub mod catalog;
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
