//! PostgreSQL clusters that live as long as a test: a server of their own in a temporary folder, on a
//! unix socket, ended and removed also when whoever started it dies.
//!
//! [`database()`] is what a test asks for. It makes an empty database in the cluster that
//! `ZOOP_TEST_POSTGRES` names, and without one starts a cluster for the test alone;
//! `zoop-postgres-cluster run -- COMMAND…` runs a command with one cluster for all of its tests, or with
//! the one that is named already.
//! [`Cluster`] is for tests that stop the server, [`Proxy`] for those that lose what it says.
//!
//! For tests only: the roles have no secrets worth keeping, and by default nothing is written durably.

mod cluster;
mod database;
mod programs;
mod proxy;
mod url;

pub use cluster::{Cluster, Durability};
pub use database::{APPLICATION, Database, database, own_database};
pub use proxy::{Fault, Proxy};

/// Names a superuser's URL of the cluster in which tests make their databases, such as
/// `postgres://USER:PASSWORD@HOST/DATABASE`.
pub const VARIABLE: &str = "ZOOP_TEST_POSTGRES";
