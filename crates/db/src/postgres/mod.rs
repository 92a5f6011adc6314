//! The PostgreSQL engine: reader threads and writer threads, each with a connection of its own.
//!
//! Writers wait for one another's locks, so they have threads of their own and reads never wait behind
//! them. Nothing here knows what the jobs do; nothing above knows that this is PostgreSQL.

mod commit;
mod connection;
mod error;
mod fitness;
mod inspect;
mod link;
mod migrate;
mod reader;
pub(crate) mod rewrite;
mod server;
mod statement;
mod tls;
mod value;
mod work;
mod writer;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) use connection::Connection;
pub(crate) use value::stored;

use server::Server;

use crate::engine::Options;
use crate::error::Result;
use crate::job::{ReadQueue, WriteQueue};
use crate::migrate::{Migrate, Migration};
use crate::queue::{Bounds, Queue};
use crate::row::Timestamp;

/// The default number of reader connections, and of writer connections.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).expect("not zero");
/// Strangers may use one in this many writers at once, and so may the program itself.
const WRITERS_PER_SHARE: usize = 4;
/// The time limit for opening each connection at startup.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(10);

/// The engine's threads and the queues that feed them.
pub(crate) struct Postgres {
    reads: Arc<ReadQueue>,
    writes: Arc<WriteQueue>,
    threads: Vec<JoinHandle<()>>,
    /// Write transactions committed since the engine started.
    commits: Arc<AtomicU64>,
    server: Arc<Server>,
}

impl Postgres {
    /// Connects to the server, migrates its schema as `migrate` says, and starts the threads.
    pub(crate) fn open(
        url: &str,
        options: &Options,
        migrations: &[Migration],
        migrate: Migrate,
    ) -> Result<Self> {
        let server = Arc::new(Server::new(url)?);
        let mut first = Connection::new(server.clone())?;
        first
            .open(Instant::now() + STARTUP_TIMEOUT)
            .map_err(|failure| server.unreachable(&failure))?;
        fitness::check(&mut first)?;
        migrate::run(&mut first, migrations, migrate)?;
        first.close();

        let mut threads = Vec::new();
        let reading = options.readers.unwrap_or(CONNECTIONS).get();
        let reads = Queue::new(Bounds::of_threads(options.read_queue, reading));
        for number in 0..reading {
            let queue = reads.worker();
            threads.push(spawn(&format!("zoop-read-{number}"), &server, move |connection| {
                reader::run(connection, &queue);
            })?);
        }
        let writing = options.writers.unwrap_or(CONNECTIONS).get();
        // One write of a tenant at a time: a second one would only wait for the tenant's lock.
        let writes = Queue::new(Bounds {
            of_tenant: 1,
            of_others: writing.div_ceil(WRITERS_PER_SHARE),
            ..Bounds::of_threads(options.write_queue, writing)
        });
        let commits = Arc::new(AtomicU64::new(0));
        for number in 0..writing {
            let queue = writes.worker();
            let commits = commits.clone();
            threads.push(spawn(&format!("zoop-write-{number}"), &server, move |connection| {
                writer::run(connection, &queue, &commits);
            })?);
        }
        Ok(Self { reads, writes, threads, commits, server })
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

    /// The number of connections: one per thread.
    pub(crate) fn connections(&self) -> usize {
        self.threads.len()
    }

    /// The database clock's current time.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.server.time()
    }
}

impl Drop for Postgres {
    /// Lets the queued jobs finish, then stops the threads.
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has failed its jobs and lost its connection.
            let _ = thread.join();
        }
    }
}

/// Starts a thread, which opens its connection before the first job needs it.
fn spawn(
    name: &str,
    server: &Arc<Server>,
    body: impl FnOnce(Connection) + Send + 'static,
) -> Result<JoinHandle<()>> {
    let mut connection = Connection::new(server.clone())?;
    let serve = move || {
        // If this fails, the first job fails in the same way and reports it.
        let _ = connection.open(Instant::now() + STARTUP_TIMEOUT);
        body(connection);
    };
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(serve)?)
}
