//! PostgreSQL clusters for the duration of a test: a separate server in a temporary folder, on a Unix socket,
//! stopped and removed even if its owner dies.
//!
//! A test calls [`database()`], which creates an empty database in the cluster that `ZOOP_TEST_POSTGRES` names, or
//! else in a new cluster for this test alone. `zoop-postgres-cluster run -- COMMAND…` runs a command with one
//! cluster for all of its tests, or with the named one. [`Cluster`] is for tests that stop the server, [`Proxy`]
//! for tests that lose messages to or from the server.
//!
//! For tests only: the passwords are no secrets, and by default nothing is written durably.

mod cluster;
mod database;
mod programs;
mod proxy;
mod url;

pub use cluster::{Cluster, Durability};
pub use database::{APPLICATION, Database, database, own_database};
pub use proxy::{Fault, Proxy};

/// The variable with a superuser's URL for the cluster in which tests create their databases, such as
/// `postgres://USER:PASSWORD@HOST/DATABASE`.
pub const VARIABLE: &str = "ZOOP_TEST_POSTGRES";
