//! Everything that is measured: zoop itself, the floor, and other implementations.
//!
//! | module | holds |
//! | --- | --- |
//! | [`server`] | a server as a process of its own |
//! | [`floor`] | an HTTP server that only answers |
//! | [`driver`] | the same SQL straight through the driver |
//! | [`rmcp`] | the same tool with the official Rust SDK |
//! | [`postgres`] | a PostgreSQL server with a generated database, and its driver |
//! | [`peers`] | the table that the SDKs' servers read, and how they are started |

pub(crate) mod driver;
pub(crate) mod floor;
pub(crate) mod peers;
pub(crate) mod postgres;
pub(crate) mod rmcp;
pub(crate) mod server;
