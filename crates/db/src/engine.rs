//! [`Db`], the handle to the storage: a job goes in with its deadline, a [`Reply`] comes back.

use std::future::Future;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crossbeam_channel::{Sender, TrySendError};
use tokio::sync::oneshot;

use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::health::WriteHealth;
use crate::job::{Read, ReadJob, Write, WriteJob};
use crate::migrate::{Migrate, Migration};
use crate::postgres::Postgres;
use crate::row::Timestamp;
use crate::sqlite::Sqlite;
use crate::tx::{ReadTx, WriteTx};

const WRITE_BATCH: NonZeroUsize = NonZeroUsize::new(128).expect("not zero");

/// The engine's sizes.
#[derive(Debug, Clone)]
pub struct Options {
    /// Reader threads, each with a connection of its own; without a number, as many as suit the engine.
    pub readers: Option<NonZeroUsize>,
    /// Writer threads, likewise. SQLite always has one.
    pub writers: Option<NonZeroUsize>,
    /// Reads that may wait; the next one is [`Error::Busy`].
    pub read_queue: usize,
    /// Writes that may wait; the next one is [`Error::Busy`].
    pub write_queue: usize,
    /// The most writes that share one commit: bounds how long the first one waits for the last. On
    /// PostgreSQL each write has its own commit, and the server groups commits.
    pub write_batch: NonZeroUsize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: None,
            writers: None,
            read_queue: 1_024,
            write_queue: 1_024,
            write_batch: WRITE_BATCH,
        }
    }
}

/// The storage. A clone is another handle to the same storage; dropping the last one stops the threads
/// after the queued jobs.
#[derive(Clone)]
pub struct Db {
    engine: Arc<Engine>,
    health: Arc<WriteHealth>,
}

/// The running engine.
enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Engine {
    /// The queue of waiting reads, while the engine runs.
    fn reads(&self) -> Option<&Sender<Box<dyn ReadJob>>> {
        match self {
            Self::Sqlite(engine) => engine.reads(),
            Self::Postgres(engine) => engine.reads(),
        }
    }

    /// The queue of waiting writes, while the engine runs.
    fn writes(&self) -> Option<&Sender<Box<dyn WriteJob>>> {
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

/// How much is waiting, for metrics.
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
        Ok(Self { engine: Arc::new(engine), health: Arc::default() })
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
        let (sender, receiver) = oneshot::channel();
        let caller = Caller::new(deadline);
        let job = Read::new(caller.clone(), work, sender);
        match self.engine.reads() {
            Some(queue) => refuse(queue.try_send(Box::new(job)), ReadJob::answer),
            None => Box::new(job).answer(Some(Error::Closed)),
        }
        Reply { receiver, waiting: Waiting(caller) }
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
        match self.engine.writes() {
            Some(queue) => refuse(queue.try_send(Box::new(job)), WriteJob::answer),
            None => Box::new(job).answer(Some(Error::Closed)),
        }
        Reply { receiver, waiting: Waiting(caller) }
    }

    /// Whether the storage accepted the last write; if not, reads may still work.
    pub fn takes_writes(&self) -> bool {
        self.health.is_good()
    }

    /// The database clock's current time, for comparison with this machine's: its time when a connection
    /// was last opened, plus the time since. None if the database has no clock of its own.
    pub fn clock(&self) -> Option<Timestamp> {
        match &*self.engine {
            Engine::Sqlite(_) => None,
            Engine::Postgres(engine) => engine.time(),
        }
    }

    /// Connections to the database's server that this process has open; 0 without a server.
    pub fn connections(&self) -> usize {
        match &*self.engine {
            Engine::Sqlite(_) => 0,
            Engine::Postgres(engine) => engine.connections(),
        }
    }

    /// How much is waiting now.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            reads_waiting: self.engine.reads().map_or(0, Sender::len),
            writes_waiting: self.engine.writes().map_or(0, Sender::len),
            commits: self.engine.commits(),
        }
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

/// A full queue is [`Error::Busy`]; a queue without a thread is [`Error::Closed`].
fn refuse<J: ?Sized>(
    sent: Result<(), TrySendError<Box<J>>>,
    answer: impl FnOnce(Box<J>, Option<Error>),
) {
    match sent {
        Ok(()) => {}
        Err(TrySendError::Full(job)) => answer(job, Some(Error::Busy)),
        Err(TrySendError::Disconnected(job)) => answer(job, Some(Error::Closed)),
    }
}

/// The pending answer of a queued job. Dropping it tells the engine that the caller has gone: a job that
/// has not started is then skipped, and one that runs is cancelled, unless its commit may be under way.
pub struct Reply<T, E> {
    receiver: oneshot::Receiver<Result<T, E>>,
    #[expect(dead_code, reason = "its end tells the engine")]
    waiting: Waiting,
}

/// A caller until it leaves.
struct Waiting(Caller);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<T, E: From<Error>> Reply<T, E> {
    /// Blocks until the answer arrives. Not for use inside an asynchronous runtime.
    pub fn wait(self) -> Result<T, E> {
        self.receiver.blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }
}

impl<T, E: From<Error>> Future for Reply<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|received| received.unwrap_or_else(|_| Err(Error::Closed.into())))
    }
}
