//! [`Db`], the handle to the storage: a job goes in with its deadline, a [`Reply`] comes back.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::health::WriteHealth;
use crate::job::{Read, ReadQueue, Write, WriteQueue};
use crate::lane::Lane;
use crate::migrate::{Migrate, Migration};
use crate::postgres::Postgres;
use crate::reply::Reply;
use crate::row::Timestamp;
use crate::sqlite::Sqlite;
use crate::tx::{ReadTx, WriteTx};

const WRITE_BATCH: NonZeroUsize = NonZeroUsize::new(128).expect("not zero");
const LOG_BYTES: u64 = 256 << 20;
const WRITE_BATCH_TIME: Duration = Duration::from_millis(5);

/// The engine's sizes and limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// The number of reader threads, each with its own connection; if `None`, the engine chooses.
    pub readers: Option<NonZeroUsize>,
    /// The number of writer threads, likewise. SQLite always has one.
    pub writers: Option<NonZeroUsize>,
    /// The maximum number of callers' reads that wait; further ones fail with [`Error::Busy`]. One tenant may fill
    /// a quarter of the queue, and so may all strangers together. The program's own reads have the same limit,
    /// and are counted separately.
    pub read_queue: usize,
    /// The maximum number of writes that wait, likewise.
    pub write_queue: usize,
    /// The maximum number of writes that share one commit; bounds how long the first write waits for the last.
    /// On PostgreSQL each write has its own commit, and the server groups commits.
    pub write_batch: NonZeroUsize,
    /// How long jobs are added to a batch; on a slow disk up to four times as long.
    pub write_batch_time: Duration,
    /// Above this length in bytes, SQLite's write-ahead log is emptied, while reads and writes wait.
    pub log_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: None,
            writers: None,
            read_queue: 1_024,
            write_queue: 1_024,
            write_batch: WRITE_BATCH,
            write_batch_time: WRITE_BATCH_TIME,
            log_bytes: LOG_BYTES,
        }
    }
}

/// The storage. A clone is another handle to the same storage. Dropping the last handle lets the queued jobs
/// finish, then stops the threads.
#[derive(Clone)]
pub struct Db {
    engine: Arc<Engine>,
    health: Arc<WriteHealth>,
    lane: Lane,
    url: Arc<str>,
}

/// The running engine.
enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Engine {
    fn reads(&self) -> &ReadQueue {
        match self {
            Self::Sqlite(engine) => engine.reads(),
            Self::Postgres(engine) => engine.reads(),
        }
    }

    fn writes(&self) -> &WriteQueue {
        match self {
            Self::Sqlite(engine) => engine.writes(),
            Self::Postgres(engine) => engine.writes(),
        }
    }

    /// Write transactions committed since the engine started.
    fn commits(&self) -> u64 {
        match self {
            Self::Sqlite(engine) => engine.commits(),
            Self::Postgres(engine) => engine.commits(),
        }
    }
}

/// The lengths of the queues and the number of commits, for metrics.
#[derive(Debug, Clone, Copy)]
pub struct Gauges {
    /// Reads in the queue.
    pub reads_waiting: usize,
    /// Writes in the queue.
    pub writes_waiting: usize,
    /// Write transactions committed since the start; each contains one or more jobs.
    pub commits: u64,
}

impl Db {
    /// Opens the database that `url` names: `sqlite://PATH`, creating the file if need be, or
    /// `postgres://USER@HOST/DATABASE`.
    pub fn open(
        url: &str,
        options: &Options,
        migrations: &[Migration],
        migrate: Migrate,
    ) -> Result<Self> {
        let engine = if is_postgres(url) {
            Engine::Postgres(Postgres::open(url, options, migrations, migrate)?)
        } else {
            Engine::Sqlite(Sqlite::open(&sqlite_path(url)?, options, migrations, migrate)?)
        };
        Ok(Self {
            engine: Arc::new(engine),
            health: Arc::default(),
            lane: Lane::Internal,
            url: url.into(),
        })
    }

    /// The URL that it was opened with, which may have a password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Another handle to the same storage, whose jobs wait in this lane. The lane of a handle that was just
    /// opened is [`Lane::Internal`].
    #[must_use]
    pub fn lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Queues a read. The read sees one snapshot that includes everything committed before this call, and cannot
    /// write.
    pub fn read<T, E>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Reply<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.queue_read(deadline, work, None)
    }

    /// Queues a read that precedes a write. For [`Db::takes_writes`], a storage failure in this read is a failed
    /// write.
    pub fn read_before_write<T, E>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Reply<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.queue_read(deadline, work, Some(self.health.clone()))
    }

    fn queue_read<T, E>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
        health: Option<Arc<WriteHealth>>,
    ) -> Reply<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let caller = Caller::new(deadline);
        let job = Read::new(caller.clone(), work, sender, health);
        if let Err((job, refusal)) = self.engine.reads().push(self.lane, Box::new(job)) {
            job.answer(Some(refusal));
        }
        Reply::new(receiver, caller)
    }

    /// Queues a write. The write is committed if `work` returns `Ok`, and is durable before the reply arrives.
    /// `work` may run several times, so it must be repeatable.
    pub fn write<T, E>(
        &self,
        deadline: Instant,
        work: impl FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Reply<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let caller = Caller::new(deadline);
        let job = Write::new(caller.clone(), work, sender, self.health.clone());
        if let Err((job, refusal)) = self.engine.writes().push(self.lane, Box::new(job)) {
            job.answer(Some(refusal));
        }
        Reply::new(receiver, caller)
    }

    /// Whether the storage accepted the last write; if not, reads may still work.
    pub fn takes_writes(&self) -> bool {
        self.health.is_good()
    }

    /// The database clock's current time, to compare it with this machine's clock: the time read when a
    /// connection was last opened, plus the time since. None if the database has no clock of its own.
    pub fn clock(&self) -> Option<Timestamp> {
        match &*self.engine {
            Engine::Sqlite(_) => None,
            Engine::Postgres(engine) => engine.time(),
        }
    }

    /// The number of connections that this process keeps to the database's server; 0 without a server.
    pub fn connections(&self) -> usize {
        match &*self.engine {
            Engine::Sqlite(_) => 0,
            Engine::Postgres(engine) => engine.connections(),
        }
    }

    /// The current [`Gauges`].
    pub fn gauges(&self) -> Gauges {
        Gauges {
            reads_waiting: self.engine.reads().len(),
            writes_waiting: self.engine.writes().len(),
            commits: self.engine.commits(),
        }
    }
}

/// Writes the database again, so that its files have nothing of rows that were deleted or changed. `tables` and the
/// full-text `indexes` are those that may have some. Other processes may use the database meanwhile: their writes wait,
/// and on PostgreSQL also reads of the table that is being written. A step that other connections prevent is tried again
/// for this long.
///
/// # Errors
/// [`Error::Locked`] if other connections prevent it for longer. Also if the storage fails, as when the disk has no room for
/// a second copy.
pub fn rewrite(
    url: &str,
    tables: &[&'static str],
    indexes: &[&'static str],
    patience: Duration,
) -> Result<()> {
    if is_postgres(url) {
        crate::postgres::rewrite::run(url, &[tables, indexes].concat(), patience)
    } else {
        crate::sqlite::rewrite::run(&sqlite_path(url)?, indexes, patience)
    }
}

/// Checks that [`rewrite`] may write these tables and indexes again.
///
/// # Errors
/// [`Error::NotOwner`] if the role of the server does not own all of them. Also if the database cannot be reached.
pub fn check_rewrite(url: &str, tables: &[&'static str], indexes: &[&'static str]) -> Result<()> {
    if is_postgres(url) {
        crate::postgres::rewrite::check(url, &[tables, indexes].concat())
    } else {
        Ok(())
    }
}

/// Whether a database URL names a PostgreSQL server.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The file that a database URL names.
pub fn sqlite_path(url: &str) -> Result<PathBuf> {
    match url.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err(Error::Url),
    }
}
