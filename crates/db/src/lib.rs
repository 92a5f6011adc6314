//! The storage engine: jobs in, answers out, one snapshot each.
//!
//! | module | holds |
//! | --- | --- |
//! | [`engine`] | [`Db`], the handle: queues a job, returns a [`Reply`] |
//! | `caller`, `reply` | who waits for a job, and until when |
//! | `queue`, [`Lane`] | the jobs that wait, in turn |
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
pub use tx::{Earlier, ReadTx, RowQuery, Tenant, Three, WriteTx};
pub use uuid::Uuid;
