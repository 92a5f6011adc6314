//! The records that a tenant works with. All groups have the same layout: `mod.rs` contains the types, `store.rs`
//! the SQL and `tools` the tools. If a group can be searched, `index.rs` contains its search tokens and queries.

pub mod customers;
pub mod notes;
pub mod subjects;
pub mod tags;
