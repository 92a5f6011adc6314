//! The test environment: a real database in a temporary file or on a real server, a clock that moves only
//! when a test moves it, repeatable randomness, and callers with real keys.
//!
//! Tests call tools as clients do: by name, with JSON.

mod business;
mod caller;
mod files;
mod imports;
mod people;
mod rehearsal;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_db::{Db, Dialect, Migrate, Options, ReadTx, Timestamp, WriteTx};

use crate::call::access::Account;
use crate::call::error::{Error, Result};
use crate::call::run::{self, Runner};
use crate::call::scope::{Scope, Scopes};
use crate::catalog;
use crate::identity::oauth::tokens::Issued;
use crate::identity::sign_in::SignedIn;
use crate::maintenance;
use crate::schema;
use crate::values::clock::{Clock, Entropy, Environment, parse_rfc3339};
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;
use crate::values::size::Size;
use people::sign_in;

pub use business::Business;
pub use caller::Caller;
pub use people::connect;

/// The time at which a test environment starts.
const START: &str = "2026-06-13T18:00:00.000Z";
/// Time limit for each call: longer than any call in a test takes, so that only a test that hangs fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A clock that moves only when a test moves it.
#[derive(Debug)]
pub struct MockClock(AtomicI64);

impl MockClock {
    /// Moves the clock; a negative number moves it back.
    pub fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A test environment: one database, and what else calls need.
pub struct TestEnv {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Arc<MockClock>,
    /// What calls need besides the database.
    pub environment: Environment,
    url: String,
    /// Removes the database when it is dropped.
    storage: Storage,
}

/// Where the environment's database is.
enum Storage {
    Folder(#[expect(dead_code, reason = "removes the folder when dropped")] tempfile::TempDir),
    Server(zoop_postgres_cluster::Database),
}

thread_local! {
    static ENGINE: Cell<Dialect> = const { Cell::new(Dialect::Sqlite) };
}

/// Runs a test on this engine: its environments have their databases there. The default is SQLite.
pub fn on<T>(engine: Dialect, test: impl FnOnce() -> T) -> T {
    ENGINE.set(engine);
    test()
}

/// The engine of this test's environments.
pub fn engine() -> Dialect {
    ENGINE.get()
}

/// The URL of a new database on the engine of this test, and its storage.
fn new_database() -> (String, Storage) {
    match engine() {
        Dialect::Sqlite => {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let url = format!("sqlite://{}", folder.path().join("zoop.db").display());
            (url, Storage::Folder(folder))
        }
        Dialect::Postgres => {
            let database = zoop_postgres_cluster::database().expect("a database");
            (database.url().to_owned(), Storage::Server(database))
        }
    }
}

impl TestEnv {
    /// An empty environment.
    ///
    /// # Panics
    /// If there is no room for a temporary file, or if PostgreSQL is needed and not installed.
    pub fn new() -> Self {
        let (url, storage) = new_database();
        Self::opened(url, storage)
    }

    /// An environment whose database `fill` filled before a migration, and which was migrated then.
    ///
    /// # Panics
    /// As [`Self::new`], or if there is no such migration.
    pub fn upgraded(
        migration: &str,
        fill: impl FnMut(&mut WriteTx<'_>) -> Result<()> + Send + 'static,
    ) -> Self {
        let (url, storage) = new_database();
        let is_it = |known: &zoop_db::Migration| known.name == migration;
        let position = schema::MIGRATIONS.iter().position(is_it).expect("the migration");
        let before = &schema::MIGRATIONS[..position];
        let options = Options::default();
        let db = Db::open(&url, &options, before, Migrate::Run).expect("a database");
        db.write(Instant::now() + TIMEOUT, fill).wait().expect("the rows of before");
        drop(db);
        Self::opened(url, storage)
    }

    fn opened(url: String, storage: Storage) -> Self {
        let start = parse_rfc3339(START).expect("the start should be a time");
        let clock = Arc::new(MockClock(AtomicI64::new(start.0)));
        let environment = Environment {
            clock: clock.clone(),
            entropy: Entropy::seeded(42),
            note_writes_per_minute: 60,
            storage_limit: Size(0),
            files_limit: Size(0),
            dropped_client_keys: Arc::default(),
        };
        // Few threads, because many environments exist at the same time.
        let few = NonZeroUsize::new(2);
        let options = Options { readers: few, writers: few, ..Options::default() };
        let db = Db::open(&url, &options, schema::MIGRATIONS, Migrate::Run).expect("a database");
        Self { db, clock, environment, url, storage }
    }

    /// The URL of the database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's server, for queries that the product does not offer; `None` on SQLite.
    pub const fn server(&self) -> Option<&zoop_postgres_cluster::Database> {
        match &self.storage {
            Storage::Server(database) => Some(database),
            Storage::Folder(_) => None,
        }
    }

    /// Closes the database and returns its server.
    ///
    /// # Panics
    /// If the environment is not on PostgreSQL.
    pub fn into_server(self) -> zoop_postgres_cluster::Database {
        drop(self.db);
        match self.storage {
            Storage::Server(database) => database,
            Storage::Folder(_) => panic!("the environment is not on PostgreSQL"),
        }
    }

    /// The database's file.
    ///
    /// # Panics
    /// If the environment is not on SQLite.
    pub fn path(&self) -> std::path::PathBuf {
        zoop_db::engine::sqlite_path(&self.url).expect("an environment on SQLite")
    }

    /// Runs `work` in a write transaction that is not bound to a tenant.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write(Instant::now() + TIMEOUT, work).wait()
    }

    /// Sweeps everything that has expired, and returns the number of swept rows.
    ///
    /// # Panics
    /// If the database fails.
    pub fn sweep(&self) -> usize {
        sweep(&self.db, self.environment.clock.now()).expect("a sweep")
    }

    /// Runs `work` in a read transaction that is not bound to a tenant.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.read(Instant::now() + TIMEOUT, work).wait()
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// The tool's error.
    ///
    /// # Panics
    /// If there is no such tool, or if its answer is not JSON.
    pub fn call(&self, caller: &Caller, tool: &str, arguments: Value) -> Result<Value> {
        let answer = self.call_text(caller, tool, &arguments.to_string())?;
        Ok(serde_json::from_str(&answer).expect("an answer in JSON"))
    }

    /// Calls a tool with arguments as text, and returns the answer as text.
    ///
    /// # Errors
    /// The tool's error.
    ///
    /// # Panics
    /// If there is no such tool.
    pub fn call_text(&self, caller: &Caller, tool: &str, arguments: &str) -> Result<String> {
        let tool = catalog::find(tool).expect("a tool of the catalog");
        let runner = Runner {
            db: &self.db,
            environment: &self.environment,
            deadline: Instant::now() + TIMEOUT,
        };
        runner.call(caller.clone(), tool, arguments.to_owned(), None).wait()
    }

    /// Makes calls that write, all in one transaction, and returns their answers.
    ///
    /// # Panics
    /// If a call is refused or names no tool.
    pub fn write_all(&self, caller: &Caller, calls: Vec<(String, Value)>) -> Vec<Value> {
        let (caller, environment) = (caller.clone(), self.environment.clone());
        let written = self.write(move |tx| {
            calls
                .iter()
                .map(|(tool, arguments)| {
                    let tool = catalog::find(tool).expect("a tool of the catalog");
                    run::write(tx, &environment, &caller, tool, &arguments.to_string(), None)
                })
                .collect::<Result<Vec<_>>>()
        });
        let answers = written.expect("every call succeeds");
        answers.iter().map(|answer| serde_json::from_str(answer).expect("JSON")).collect()
    }

    /// Calls a tool as the operator, in one tenant or outside any tenant.
    ///
    /// # Panics
    /// If the call is rejected.
    pub fn call_as_operator(
        &self,
        account: Option<Account>,
        tool: &str,
        arguments: Value,
    ) -> Value {
        self.call(&Caller::operator(account), tool, arguments).expect("the operator's call")
    }

    /// Calls a tool that creates a record, and returns the record's id.
    ///
    /// # Panics
    /// If the call is rejected.
    pub fn create(&self, caller: &Caller, tool: &str, arguments: Value) -> String {
        let created = self.call(caller, tool, arguments).expect("the record is created");
        text(&created, "id").to_owned()
    }

    /// Creates a key and returns its secret.
    ///
    /// # Panics
    /// If the key cannot be created.
    pub fn key(&self, account: Account, user: Option<&str>, scopes: &[Scope]) -> String {
        let created = self.call_as_operator(
            Some(account),
            "keys.create",
            json!({
                "user": user, "scopes": Scopes::of(scopes).list(), "name": "test",
            }),
        );
        text(&created, "key").to_owned()
    }

    /// Signs a user in, and returns the session's secret and the signed-in user.
    ///
    /// # Panics
    /// If the database fails.
    pub fn sign_in(&self, user: Id<kinds::User>) -> (Secret, SignedIn) {
        let environment = self.environment.clone();
        self.write(move |tx| sign_in(tx, &environment, user)).expect("a session")
    }

    /// Connects a client for a user, as a browser and the client do, and returns the grant and its tokens.
    ///
    /// # Panics
    /// If the client is rejected.
    pub fn connect(
        &self,
        account: Account,
        user: Id<kinds::User>,
        scopes: Scopes,
    ) -> (Id<kinds::Grant>, Issued) {
        connect(&self.db, &self.environment, account.id, user, scopes)
    }

    /// The caller with this key.
    ///
    /// # Panics
    /// If the key is rejected.
    pub fn access(&self, key: &str) -> Caller {
        self.authenticate(key).expect("a valid key")
    }
}

impl Default for TestEnv {
    fn default() -> Self {
        Self::new()
    }
}

/// Sweeps everything that has expired at `now`, step by step, and returns the number of swept rows.
///
/// # Errors
/// If the database fails.
pub fn sweep(db: &Db, now: Timestamp) -> Result<usize> {
    let mut rows = 0;
    for sweep in maintenance::sweeps() {
        loop {
            let step = db.write(Instant::now() + TIMEOUT, move |tx| sweep.step(tx, now));
            let swept = step.wait()?;
            rows += swept.rows;
            if swept.is_done {
                break;
            }
        }
    }
    Ok(rows)
}

/// A text field of an answer.
///
/// # Panics
/// If the answer has no such field.
pub fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    answer[key].as_str().unwrap_or_else(|| panic!("{key} in {answer}"))
}

/// An error as callers see it, with a fixed request id.
///
/// # Panics
/// If the error is not JSON.
pub fn error_json(error: &Error) -> Value {
    serde_json::from_str(&error.public_json("test")).expect("an error in JSON")
}
