//! The records that a tenant works with. All groups have the same layout: `mod.rs` contains the types, `store.rs`
//! the SQL and `tools` the tools. If a group can be searched, `index.rs` contains its search tokens and queries.
//! [`account`] has no records of its own: it shows what several modules know of the tenant and the caller. [`lines`]
//! computes what documents come to.

pub mod account;
pub mod catalog_categories;
pub mod catalog_items;
pub mod customers;
pub(crate) mod documents;
pub mod files;
pub mod history;
pub mod import;
pub mod jobs;
pub mod lines;
pub mod notes;
pub(crate) mod numbers;
pub mod quotes;
pub mod subjects;
pub mod tags;
pub mod tax_rates;
