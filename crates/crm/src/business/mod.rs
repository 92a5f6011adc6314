//! The records that a tenant works with. All groups have the same layout: `mod.rs` contains the types, `store.rs`
//! the SQL, `tools` the tools, and `index.rs` the tokens and queries of the search.

pub mod customers;
pub mod notes;
pub mod subjects;
pub mod tags;
