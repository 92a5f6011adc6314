//! The storage engine: jobs in, answers out, one snapshot each.
//!
//! | module | holds |
//! | --- | --- |
//! | [`engine`] | [`Db`], the handle: queues a job, returns a [`Reply`] |
//! | [`sqlite`] | the embedded engine: reader threads, one writer with group commit, checkpoints |
//! | `postgres` | the PostgreSQL engine: reader connections and writer connections |
//! | [`tx`] | [`ReadTx`] and [`WriteTx`], everything that a job can do |
//! | [`sql`] | [`Sql`] and [`GlobalSql`]: statements are declared, never built |
//! | [`sql_text`] | statements' texts that the compiler puts together |
//! | [`row`] | values in and out, the same for every engine |
//! | [`migrate`] | the schema's history and its check at startup |
//! | [`error`] | the engine's errors |
//!
//! What must not live here: a product term (customers, scopes, tools), a protocol, a setting's name. What
//! must not leave here: which engine runs, except for the [`Dialect`] of the text that a statement passes
//! on.

mod caller;
pub mod engine;
pub mod error;
mod health;
mod job;
pub mod migrate;
mod postgres;
pub mod row;
mod session;
pub mod sql;
pub mod sql_text;
pub mod sqlite;
pub mod tx;

pub use engine::{Db, Gauges, Options, Reply};
pub use error::Error;
pub use migrate::{Migrate, Migration};
pub use row::{Column, Kind, Param, Row, Timestamp, Value};
pub use session::ServerState;
pub use sql::{Declared, Dialect, GlobalSql, Sql};
pub use tx::{Earlier, ReadTx, RowQuery, Tenant, Three, WriteTx};
pub use uuid::Uuid;
