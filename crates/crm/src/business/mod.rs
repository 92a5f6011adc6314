//! The records that a business works with. Every group looks like the others: `mod.rs` holds its types,
//! `store.rs` its SQL, `tools` its tools, `index.rs` what the search knows of it.

pub mod customers;
pub mod notes;
pub mod subjects;
pub mod tags;
