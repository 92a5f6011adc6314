//! [`Database`]: an empty database for one test.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::url::{with_database, with_role};
use crate::{Cluster, VARIABLE, programs};

/// The role that owns the tests' databases: not a superuser, and subject to row-level security.
pub const APPLICATION: &str = "zoop_application";

/// The role's password, for a server that asks for one. The password is no secret, so anyone who can reach a
/// server during its tests can log in.
const PASSWORD: &str = "zoop_application";

/// Creates the role if it does not exist. The script takes a lock, because other tests create the role too.
const CREATE_ROLE: &str = "DO $$ BEGIN \
                           PERFORM pg_advisory_xact_lock(hashtext('zoop_application')); \
                           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zoop_application') \
                           THEN CREATE ROLE zoop_application LOGIN PASSWORD 'zoop_application'; \
                           END IF; \
                         END $$";

/// A database owned by [`APPLICATION`]. Dropping this removes the database, and the cluster if it was started for
/// this database.
pub struct Database {
    url: String,
    superuser_url: String,
    name: String,
    superuser: String,
    own: Option<Cluster>,
}

/// An empty database in the cluster that `ZOOP_TEST_POSTGRES` names, or in a cluster of its own.
pub fn database() -> Result<Database> {
    if let Ok(superuser) = std::env::var(VARIABLE) {
        return Database::create(&superuser);
    }
    own_database()
}

/// An empty database, always in a cluster of its own: for tests that need the server's socket, or the name of its
/// superuser.
pub fn own_database() -> Result<Database> {
    let cluster = Cluster::start()?;
    let mut database = cluster.fresh_database()?;
    database.own = Some(cluster);
    Ok(database)
}

impl Database {
    /// The application's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same database with a password in its URL, for tests that check that passwords are not shown. The server
    /// ignores the password.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.url = format!("{}&password={password}", self.url);
        self
    }

    /// The superuser's URL for this database, for what the application may not do.
    pub fn superuser_url(&self) -> &str {
        &self.superuser_url
    }

    /// Runs a script as the application's role, up to its first error; returns the values it selects: a line per
    /// row, values separated by `|`.
    pub fn run(&self, script: &str) -> Result<String> {
        ask(&self.url, script)
    }

    /// Runs a script as a superuser, who sees all rows; otherwise like [`Database::run`].
    pub fn run_as_superuser(&self, script: &str) -> Result<String> {
        ask(self.superuser_url(), script)
    }

    /// Another database with the same contents. The original must not be in use meanwhile.
    pub fn copy(&self) -> Result<Self> {
        Self::create_from(&self.superuser, &self.name)
    }

    /// The application's URL for a database with this name, which is created if it does not exist.
    pub(crate) fn ensure(superuser: &str, name: &str) -> Result<String> {
        let mut psql = Command::new(programs::folder()?.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command"]);
        psql.arg(format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'"));
        if programs::output(psql.arg(superuser))?.trim() == "0" {
            let create = format!("CREATE DATABASE {name} OWNER {APPLICATION}");
            run(superuser, &[CREATE_ROLE, &create])?;
        }
        with_role(&with_database(superuser, name)?, APPLICATION, PASSWORD)
    }

    pub(crate) fn create(superuser: &str) -> Result<Self> {
        Self::create_from(superuser, "template1")
    }

    pub(crate) fn create_from(superuser: &str, template: &str) -> Result<Self> {
        static NEXT_NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        // Tests that were killed may have left a database with this name.
        let name = format!("zoop_test_{}_{number}", std::process::id());
        run(
            superuser,
            &[
                CREATE_ROLE,
                &format!("DROP DATABASE IF EXISTS {name}"),
                &format!("CREATE DATABASE {name} OWNER {APPLICATION} TEMPLATE {template}"),
            ],
        )?;
        let superuser_url = with_database(superuser, &name)?;
        let url = with_role(&superuser_url, APPLICATION, PASSWORD)?;
        Ok(Self { url, superuser_url, name, superuser: superuser.to_owned(), own: None })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A database with a cluster of its own is removed with the cluster.
        if self.own.is_none() {
            let _ = run(&self.superuser, &[&format!("DROP DATABASE {} WITH (FORCE)", self.name)]);
        }
    }
}

/// Runs a script; returns the values it selects.
fn ask(url: &str, script: &str) -> Result<String> {
    let mut psql = Command::new(programs::folder()?.join("psql"));
    psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
    psql.args(["--set=ON_ERROR_STOP=1", "--command", script, url]);
    programs::output(&mut psql)
}

/// Runs statements as the superuser, each in a transaction of its own.
fn run(superuser: &str, statements: &[&str]) -> Result<()> {
    let mut psql = Command::new(programs::folder()?.join("psql"));
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]).arg(superuser);
    for statement in statements {
        psql.arg("--command").arg(statement);
    }
    programs::output(&mut psql).context("cannot create a test's database")?;
    Ok(())
}
