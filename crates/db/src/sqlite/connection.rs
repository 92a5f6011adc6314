//! One SQLite connection: its settings, its statement cache, its deadline.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, OpenFlags, StatementStatus};

use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::row::{Row, Source, Value};
use crate::tx::Tenant;

/// The size of each connection's statement cache. It has room for every statement that the product declares.
const STATEMENT_CACHE_SIZE: usize = 512;
/// How long the writer waits for another process's lock before it returns [`Error::Locked`].
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// The time between two attempts to get the lock. SQLite's own pauses grow to 100 ms, in which a process that writes a
/// lot, such as an import, commits and locks again many times, so that the others hardly ever get the lock.
const LOCK_ATTEMPTS: Duration = Duration::from_millis(1);
/// The interval for polling a lock that SQLite does not wait for.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How much of the file is memory-mapped instead of copied. SQLite silently maps less unless it was compiled
/// with at least this limit, which `.cargo/config.toml` sets.
const MAPPED_BYTES: i64 = 1 << 36;
/// The size of a connection's page cache in KiB, in addition to the mapping.
const CACHE_KIB: i64 = 4 * 1024;
/// Pages that one step of merging an index writes: a millisecond or two, because other writes wait meanwhile.
const MERGED_PAGES: u32 = 8;
/// Virtual-machine steps between two checks that the caller still waits: well under a millisecond of work.
const STEPS_PER_CHECK: i32 = 2_000;

/// How many bytes of the file a connection maps: 0 if the process's address space is limited. Each mapping takes
/// as much address space as the file is long, and an allocation that fails for lack of it aborts the process.
fn mapped_bytes() -> i64 {
    match rlimit::Resource::AS.get_soft() {
        Ok(limit) if limit < rlimit::INFINITY => 0,
        _ => MAPPED_BYTES,
    }
}

/// Makes a connection wait for [`LOCK_WAIT`], with short pauses.
fn wait_for_lock(raw: &mut rusqlite::Connection) -> Result<()> {
    let mut give_up = Instant::now();
    raw.busy_handler(Some(move |attempts| {
        let now = Instant::now();
        if attempts == 0 {
            give_up = now + LOCK_WAIT;
        }
        thread::sleep(LOCK_ATTEMPTS);
        now < give_up
    }))?;
    Ok(())
}

/// A connection with its statement cache and the caller of the job that runs on it.
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    /// Each statement's text as SQLite reads it, by the address of the declared text: statements are `'static`,
    /// so an address always identifies the same text.
    texts: HashMap<usize, String>,
    caller: CallerCell,
    log: LogLength,
}

/// The length of the write-ahead log when the connection last committed.
#[derive(Debug, Clone, Default)]
pub(super) struct LogLength(Arc<AtomicU64>);

impl LogLength {
    /// The length in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn emptied(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The running job's caller, shared with SQLite's progress callback, which the same thread runs.
type CallerCell = Arc<Mutex<Option<Caller>>>;

impl Connection {
    /// Opens the file to read and write, and creates it if it does not exist.
    pub(crate) fn open_writer(path: &Path) -> Result<Self> {
        super::create_private(path);
        let mut raw = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        wait_for_lock(&mut raw)?;
        enable_wal(&raw)?;
        raw.pragma_update(None, "synchronous", "FULL")?;
        raw.pragma_update(None, "foreign_keys", true)?;
        // A checkpoint would delay the caller's commit: see `checkpoint.rs` for when they run instead.
        raw.pragma_update(None, "wal_autocheckpoint", 0)?;
        let page: u32 = raw.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let mut connection = Self::prepare(raw)?;
        let log = connection.log.clone();
        let committed = move |_: &mut _, pages| {
            log.0.store(u64::try_from(pages).unwrap_or(0) * u64::from(page), Ordering::Relaxed);
            Ok(())
        };
        connection.raw.wal_hook(Some(committed))?;
        Ok(connection)
    }

    /// The writer waits for locks of other processes as long as when it was opened.
    pub(super) fn wait_for_lock(&mut self) -> Result<()> {
        wait_for_lock(&mut self.raw)
    }

    /// Opens an existing file read-only.
    pub(crate) fn open_reader(path: &Path) -> Result<Self> {
        let raw = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        raw.busy_timeout(LOCK_WAIT)?;
        raw.pragma_update(None, "query_only", true)?;
        Self::prepare(raw)
    }

    fn prepare(mut raw: rusqlite::Connection) -> Result<Self> {
        raw.pragma_update(None, "mmap_size", mapped_bytes())?;
        raw.pragma_update(None, "cache_size", -CACHE_KIB)?;
        raw.pragma_update(None, "temp_store", "MEMORY")?;
        // The bundled SQLite keeps statistics of values (STAT4) and would replan every statement for every
        // binding. With this setting, plans do not depend on the values, so each is computed once.
        raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        raw.set_prepared_statement_cache_capacity(STATEMENT_CACHE_SIZE);
        let caller = CallerCell::default();
        let current = caller.clone();
        let is_over = move || {
            let caller = current.lock().unwrap_or_else(PoisonError::into_inner);
            caller.as_ref().is_some_and(|caller| caller.ensure_waits().is_err())
        };
        raw.progress_handler(STEPS_PER_CHECK, Some(is_over))?;
        Ok(Self { raw, texts: HashMap::new(), caller, log: LogLength::default() })
    }

    /// Statements that run from now on are cancelled when `caller` waits no longer.
    pub(crate) fn set_caller(&self, caller: Option<Caller>) {
        *self.caller.lock().unwrap_or_else(PoisonError::into_inner) = caller;
    }

    /// The length of the log, which each commit of this connection updates.
    pub(super) fn log(&self) -> LogLength {
        self.log.clone()
    }

    /// Runs one of the engine's own statements: transaction control and schema.
    pub(crate) fn control(&self, sql: &str) -> Result<()> {
        self.raw.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Runs a script of several statements, for migrations.
    pub(crate) fn script(&self, sql: &str) -> Result<()> {
        Ok(self.raw.execute_batch(sql)?)
    }

    /// Faults in the file's structure; empty if there are none.
    pub(crate) fn faults(&self) -> Result<Vec<String>> {
        let mut statement = self.raw.prepare("PRAGMA quick_check")?;
        let found = statement.query_map([], |row| row.get::<_, String>(0))?;
        let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// The file's number in its file system and when it was created. Asking for them does not open the file, which would release its locks.
    pub(crate) fn place(&self) -> Result<String> {
        let found = std::fs::metadata(self.raw.path().unwrap_or_default())?;
        // A file system without times of creation tells its files apart by their numbers only.
        let created = found.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(format!("file {}:{}", found.ino(), created.unwrap_or_default().as_nanos()))
    }

    /// Merges segments of an FTS5 table, until it has written [`MERGED_PAGES`] pages. Returns whether there was anything
    /// to merge.
    ///
    /// Source: SQLite FTS5, "The 'merge' Command": without work, fewer than two changes are counted.
    pub(crate) fn merge_index(&self, index: &'static str) -> Result<bool> {
        let before = self.changes();
        let sql = format!("INSERT INTO {index} ({index}, rank) VALUES ('merge', {MERGED_PAGES})");
        self.control(&sql)?;
        Ok(self.changes() - before >= 2)
    }

    /// Whether no transaction is open: SQLite itself ends one on a full disk or an I/O error.
    pub(crate) fn is_autocommit(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Rows written over this connection since it was opened, committed or not.
    pub(crate) fn changes(&self) -> u64 {
        self.raw.total_changes()
    }

    /// The integer key of the last inserted row.
    pub(crate) fn last_key(&self) -> i64 {
        self.raw.last_insert_rowid()
    }

    /// The driver's connection, for what is specific to SQLite: checkpoints and migrations.
    pub(crate) fn raw(&self) -> &rusqlite::Connection {
        &self.raw
    }

    /// Runs a writing statement; returns the number of rows it affected.
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<usize> {
        let mut statement = prepared(&self.raw, &mut self.texts, sql)?;
        bind(&mut statement, tenant, params)?;
        Ok(statement.raw_execute()?)
    }

    /// Reads rows until there are no more or `read` returns `false`.
    pub(crate) fn rows<E: From<Error>>(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
        mut read: impl FnMut(&mut Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut statement = prepared(&self.raw, &mut self.texts, sql)?;
        bind(&mut statement, tenant, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(Error::from)? {
            if !read(&mut Row::new(Source::Sqlite(row)))? {
                break;
            }
        }
        Ok(())
    }

    /// Reads the first row, if there is one.
    pub(crate) fn first<T, E: From<Error>>(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
        read: impl FnOnce(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let mut statement = prepared(&self.raw, &mut self.texts, sql)?;
        bind(&mut statement, tenant, params)?;
        let mut rows = statement.raw_query();
        let Some(row) = rows.next().map_err(Error::from)? else { return Ok(None) };
        Ok(Some(read(&mut Row::new(Source::Sqlite(row)))?))
    }

    /// Runs a statement to its end; returns the number of steps that SQLite's virtual machine took.
    pub(crate) fn steps(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<i32> {
        let mut statement = prepared(&self.raw, &mut self.texts, sql)?;
        bind(&mut statement, tenant, params)?;
        statement.reset_status(StatementStatus::VmStep);
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        drop(rows);
        Ok(statement.get_status(StatementStatus::VmStep))
    }

    /// The query plan of a statement; its parameters are bound to NULL.
    pub(crate) fn plan(&self, sql: &str, params: usize) -> Result<Vec<String>> {
        let mut statement = self.raw.prepare(&format!("EXPLAIN QUERY PLAN {}", rewrite(sql)))?;
        for index in 1..=params {
            statement.raw_bind_parameter(index, Value::Null)?;
        }
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get(3)?);
        }
        Ok(steps)
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<rusqlite::Connection> {
    rusqlite::Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|source| Error::Open { path: path.to_owned(), source: source.into() })
}

/// Turns on the write-ahead log. If several processes do so for a new file at once, all but the first find it
/// locked, and SQLite does not wait for this lock as it does for all others.
fn enable_wal(raw: &rusqlite::Connection) -> Result<()> {
    let give_up = Instant::now() + LOCK_WAIT;
    loop {
        match raw.pragma_update(None, "journal_mode", "WAL").map_err(Error::from) {
            Err(Error::Locked) if Instant::now() < give_up => {
                std::thread::sleep(LOCK_POLL_INTERVAL);
            }
            outcome => return outcome,
        }
    }
}

fn prepared<'c>(
    raw: &'c rusqlite::Connection,
    texts: &mut HashMap<usize, String>,
    sql: &'static str,
) -> Result<CachedStatement<'c>> {
    let text = texts.entry(sql.as_ptr().addr()).or_insert_with(|| rewrite(sql));
    Ok(raw.prepare_cached(text)?)
}

fn bind(
    statement: &mut CachedStatement<'_>,
    tenant: Option<Tenant>,
    params: &[Value<'_>],
) -> Result<()> {
    let mut index = 0;
    if let Some(Tenant(number)) = tenant {
        index += 1;
        statement.raw_bind_parameter(index, i64::from(number))?;
    }
    for param in params {
        index += 1;
        statement.raw_bind_parameter(index, param)?;
    }
    Ok(())
}

/// Replaces `$1` with `?1`: SQLite treats `$1` as a name and numbers names in the order in which they appear.
fn rewrite(sql: &str) -> String {
    sql.replace('$', "?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    #[test]
    fn placeholders_are_bound_by_number_whatever_their_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut connection =
            Connection::open_writer(&folder.path().join("t.db")).expect("a database");
        let read = connection
            .first::<_, Error>("SELECT $2, $1", None, params![1_i64, 2_i64], |row| {
                Ok((row.take::<i64>()?, row.take::<i64>()?))
            })
            .expect("an answer");
        assert_eq!(read, Some((2, 1)));
    }

    #[test]
    fn the_requested_size_of_the_file_is_mapped() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = Connection::open_writer(&folder.path().join("t.db")).expect("a database");
        let mapped = connection.raw.pragma_query_value(None, "mmap_size", |row| row.get(0));
        assert_eq!(mapped, Ok(MAPPED_BYTES));
    }

    #[test]
    fn a_statement_past_its_deadline_is_cancelled() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut connection =
            Connection::open_writer(&folder.path().join("t.db")).expect("a database");
        let deadline = Instant::now() + Duration::from_millis(20);
        connection.set_caller(Some(Caller::new(deadline)));
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT count(*) FROM n";
        let answer = connection.first::<i64, Error>(endless, None, &[], |row| row.take());
        assert!(matches!(answer, Err(Error::Deadline)), "{answer:?}");
    }
}
