//! The storage engine: runs each job in one transaction, and returns its answer.
//!
//! | module | holds |
//! | --- | --- |
//! | [`engine`] | [`Db`], the handle: queues a job, returns a [`Reply`] |
//! | `caller`, `reply` | the caller that waits for a job, and its deadline |
//! | `queue`, [`Lane`] | the waiting jobs, and which of them is next |
//! | [`sqlite`] | the embedded engine: reader threads, one writer with group commit, checkpoints |
//! | `postgres` | the PostgreSQL engine: reader connections and writer connections |
//! | [`tx`] | [`ReadTx`] and [`WriteTx`]: everything that a job can do |
//! | [`sql`] | [`Sql`] and [`GlobalSql`]: statements, declared at compile time |
//! | [`sql_text`] | statement texts that are assembled at compile time |
//! | [`row`] | parameters and column values, the same for every engine |
//! | [`migrate`] | the schema's history and its check at startup |
//! | [`error`] | the engine's errors |
//!
//! What must not live here: a product term (customers, scopes, tools), a protocol, the name of a setting. Code
//! outside this crate must not depend on which engine runs, except for the [`Dialect`] of a statement's text.

mod caller;
pub mod engine;
pub mod error;
mod health;
mod job;
mod lane;
pub mod migrate;
mod postgres;
mod queue;
mod reply;
pub mod row;
mod session;
pub mod sql;
pub mod sql_text;
pub mod sqlite;
pub mod tx;

pub use engine::{Db, Gauges, Options};
pub use error::Error;
pub use lane::Lane;
pub use migrate::{Migrate, Migration};
pub use reply::Reply;
pub use row::{Column, Kind, Param, Row, Timestamp, Value};
pub use session::ServerState;
pub use sql::{Declared, Dialect, GlobalSql, Sql};
pub use tx::{Earlier, PipelinedRows, ReadTx, RowQuery, Tenant, WriteTx};
pub use uuid::Uuid;
