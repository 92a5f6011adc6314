//! The embedded engine: one file, reader threads, one writer thread with group commit, and a thread that
//! checkpoints the write-ahead log.
//!
//! Nothing here knows what the jobs do; nothing above knows that this is SQLite.

mod backup;
mod checkpoint;
mod connection;
mod error;
mod migrate;
mod reader;
pub(crate) mod rewrite;
mod snapshots;
mod value;
mod writer;

use std::fs::OpenOptions;
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub(crate) use connection::Connection;
pub(crate) use value::stored;

use checkpoint::Log;
use reader::ReaderSlot;
use snapshots::Snapshots;
use writer::{BatchLimits, Logging};

use crate::engine::Options;
use crate::error::Result;
use crate::job::{ReadQueue, WriteQueue};
use crate::migrate::{Migrate, Migration};
use crate::queue::{Bounds, Queue};

/// The minimum number of reader threads, if the options name no number.
const MIN_READERS: usize = 4;
/// The maximum number of reader threads, if the options name no number.
const MAX_READERS: usize = 32;

/// The embedded engine's threads and the queues that feed them.
pub(crate) struct Sqlite {
    reads: Arc<ReadQueue>,
    writes: Arc<WriteQueue>,
    /// Each thread returns its connection when it ends.
    threads: Vec<JoinHandle<Connection>>,
    /// Write transactions committed since the engine started.
    commits: Arc<AtomicU64>,
    /// Set when the engine is dropped; read by the checkpoint thread.
    stopping: Arc<AtomicBool>,
}

impl Sqlite {
    /// Opens or creates the file, migrates its schema as `migrate` says, and starts the threads.
    pub(crate) fn open(
        path: &Path,
        options: &Options,
        migrations: &[Migration],
        migrate: Migrate,
    ) -> Result<Self> {
        let path = &resolved(path);
        let connection = Connection::open_writer(path)?;
        migrate::run(&connection, migrations, migrate)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();

        let readers = options.readers.unwrap_or_else(default_readers).get();
        let reads = Queue::new(Bounds::of_threads(options.read_queue, readers));
        let snapshots = Arc::new(Snapshots::new(readers));
        for number in 0..readers {
            let connection = Connection::open_reader(path)?;
            let queue = reads.worker();
            let slot = ReaderSlot { number, snapshots: snapshots.clone() };
            threads.push(spawn(&format!("zoop-read-{number}"), move || {
                reader::run(connection, &queue, slot)
            })?);
        }

        let (wake, woken) = crossbeam_channel::bounded(1);
        let checkpointer = Connection::open_writer(path)?;
        let length = connection.log();
        let log = Arc::new(Log { length, bound: options.log_bytes, one_at_a_time: Mutex::new(()) });
        let (stop, checkpoint_log) = (stopping.clone(), log.clone());
        threads.push(spawn("zoop-checkpoint", move || {
            checkpoint::run(&checkpointer, &checkpoint_log, &woken, &stop);
            checkpointer
        })?);

        // All jobs of a batch count as running, so their number is not limited: the parties take turns anyway.
        let writes = Queue::new(Bounds::of_threads(options.write_queue, usize::MAX));
        let queue = writes.worker();
        let commits = Arc::new(AtomicU64::new(0));
        let commit_count = commits.clone();
        let limits = BatchLimits { jobs: options.write_batch, time: options.write_batch_time };
        threads.push(spawn("zoop-write", move || {
            let logging = Logging { log, snapshots, wake };
            writer::run(connection, &queue, limits, &logging, &commit_count)
        })?);

        Ok(Self { reads, writes, threads, commits, stopping })
    }

    pub(crate) fn reads(&self) -> &ReadQueue {
        &self.reads
    }

    pub(crate) fn writes(&self) -> &WriteQueue {
        &self.writes
    }

    /// Write transactions committed since the engine started.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

impl Drop for Sqlite {
    /// Lets the queued jobs finish, then stops the threads.
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        self.reads.close();
        self.writes.close();
        // The last connection to close empties the log and removes it. If two close at the same time, neither
        // is the last. A thread that panicked has failed its jobs and lost its connection.
        let threads = self.threads.drain(..);
        let connections: Vec<_> = threads.filter_map(|thread| thread.join().ok()).collect();
        drop(connections);
    }
}

/// The default number of reader threads: two per core, within the limits. One party uses at most half of them, so
/// it can use every core and still leaves threads to other parties.
fn default_readers() -> NonZeroUsize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new((2 * cores).clamp(MIN_READERS, MAX_READERS)).unwrap_or(NonZeroUsize::MIN)
}

/// Copies a database file as it is now, whatever its schema, to a new file. Other processes may write to the
/// source meanwhile.
pub fn copy(source: &Path, target: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    backup::copy(&resolved(source), &resolved(target), progress)
}

/// Runs a statement in a file that no process has open, if the file has the table, whatever else is in it. All of it is in
/// the file itself afterwards, and nothing in a log.
pub fn change(file: &Path, table: &str, sql: &str) -> Result<()> {
    backup::change(&resolved(file), table, sql)
}

/// The canonical path of a database's file: absolute, with symbolic links followed. SQLite derives the names of
/// the log's files from this path, and never interprets a path that begins with `/` as a URI.
pub fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    // The file does not exist yet, so only its folder can be resolved.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent().map(Path::canonicalize), absolute.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

fn spawn(
    name: &str,
    body: impl FnOnce() -> Connection + Send + 'static,
) -> Result<JoinHandle<Connection>> {
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(body)?)
}

/// Creates the file of a new database, readable only by its owner; SQLite gives the log's files the same
/// permissions. An existing file is not even opened: closing it would release the locks that this process
/// has on it. Errors are ignored, because SQLite opens the file next and reports them.
fn create_private(path: &Path) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}
