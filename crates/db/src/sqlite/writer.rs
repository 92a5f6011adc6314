//! The writer thread: group commit.
//!
//! All writes that wait share one transaction, each in a savepoint of its own, and one COMMIT makes
//! them durable together: two to three times the durable writes of a transaction each, and no
//! slower for one caller. Every answer of a batch, a refusal too, leaves after the COMMIT, because
//! a refusal may rest on what an earlier job of the same batch wrote.
//!
//! A full disk or an I/O error ends the whole transaction and every savepoint with it, silently:
//! after each job the writer therefore looks whether the transaction is still open. If it is not,
//! or if COMMIT fails, nothing was kept, and every job of the batch is run once more alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};

use super::Connection;
use crate::error::{Error, Result};
use crate::tx::WriteTx;

/// Jobs that share a transaction at most: bounds how long the first one waits for the last.
const BATCH: usize = 128;

/// A queued write. It may be attempted twice, so attempting must leave nothing behind but what the
/// transaction holds and the kept answer.
pub(crate) trait WriteJob: Send {
    /// When the caller stops waiting.
    fn deadline(&self) -> Instant;
    /// Whether the caller has already gone.
    fn is_abandoned(&self) -> bool;
    /// Does the work and keeps the answer; whether what it wrote is to be kept.
    fn attempt(&mut self, tx: &mut WriteTx<'_>) -> bool;
    /// Sends the answer that [`WriteJob::attempt`] kept, or `failure`.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

/// A job of a batch and what became of it.
struct Entry {
    job: Box<dyn WriteJob>,
    failure: Option<Error>,
}

/// Serves jobs until the queue's senders are gone; `committed` wakes the checkpoint thread, and
/// `commits` counts the transactions that were kept.
pub(super) fn run(
    mut connection: Connection,
    queue: &Receiver<Box<dyn WriteJob>>,
    committed: &Sender<()>,
    commits: &AtomicU64,
) -> Connection {
    while let Ok(first) = queue.recv() {
        let mut batch = vec![Entry { job: first, failure: None }];
        batch.extend(queue.try_iter().take(BATCH - 1).map(|job| Entry { job, failure: None }));
        batch.retain(|entry| !entry.job.is_abandoned());
        if batch.is_empty() {
            continue;
        }
        serve(&mut connection, batch, commits);
        // A full channel means that the thread is already awake.
        let _ = committed.try_send(());
    }
    connection
}

/// Runs a batch in one transaction; if that fails as a whole, each job once more alone.
fn serve(connection: &mut Connection, mut batch: Vec<Entry>, commits: &AtomicU64) {
    match together(connection, &mut batch) {
        Ok(()) => {
            commits.fetch_add(1, Ordering::Relaxed);
            answer(batch);
        }
        Err(failure) if batch.len() == 1 => {
            for entry in batch {
                entry.job.answer(Some(clearer(failure_of(&failure), entry.failure)));
            }
        }
        Err(failure) => {
            tracing::warn!(%failure, jobs = batch.len(), "a batch failed; its jobs run alone");
            for mut entry in batch {
                entry.failure = None;
                serve(connection, vec![entry], commits);
            }
        }
    }
}

/// What to tell the one job of a transaction that was lost: its own failure if it has one.
fn clearer(lost: Error, own: Option<Error>) -> Error {
    own.unwrap_or(lost)
}

/// An equal failure for another answer: driver errors cannot be cloned, their meaning can.
fn failure_of(failure: &Error) -> Error {
    match failure {
        Error::Deadline => Error::Deadline,
        Error::Locked => Error::Locked,
        Error::Closed => Error::Closed,
        Error::Unavailable(rusqlite::Error::SqliteFailure(cause, text)) => {
            Error::Unavailable(rusqlite::Error::SqliteFailure(*cause, text.clone()))
        }
        other => {
            Error::Unavailable(rusqlite::Error::ToSqlConversionFailure(other.to_string().into()))
        }
    }
}

fn answer(batch: Vec<Entry>) {
    for entry in batch {
        entry.job.answer(entry.failure);
    }
}

fn together(connection: &mut Connection, batch: &mut [Entry]) -> Result<()> {
    connection.set_deadline(None);
    connection.control("BEGIN IMMEDIATE")?;
    for entry in batch.iter_mut() {
        attempt(connection, entry)?;
        if connection.is_autocommit() {
            return Err(lost(entry));
        }
    }
    connection.control("COMMIT").inspect_err(|_| {
        // A COMMIT that failed for a full disk has already rolled back; else this does.
        if !connection.is_autocommit() {
            let _ = connection.control("ROLLBACK");
        }
    })
}

/// The transaction ended under a job: why, as far as the job's own failure tells.
fn lost(entry: &mut Entry) -> Error {
    entry.failure.take().unwrap_or(Error::Unavailable(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
        Some("the transaction was ended by a storage error".to_owned()),
    )))
}

/// Runs one job in its savepoint. An error here is the whole transaction's, never the job's own.
fn attempt(connection: &mut Connection, entry: &mut Entry) -> Result<()> {
    if Instant::now() >= entry.job.deadline() {
        entry.failure = Some(Error::Deadline);
        return Ok(());
    }
    connection.control("SAVEPOINT job")?;
    connection.set_deadline(Some(entry.job.deadline()));
    let outcome =
        catch_unwind(AssertUnwindSafe(|| entry.job.attempt(&mut WriteTx::new(connection))));
    connection.set_deadline(None);
    if connection.is_autocommit() {
        return Ok(());
    }
    let keep = outcome.unwrap_or_else(|_| {
        entry.failure = Some(Error::Panicked);
        false
    });
    if !keep {
        connection.control("ROLLBACK TO job")?;
    }
    connection.control("RELEASE job")
}
