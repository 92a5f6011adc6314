//! The writer thread: group commit.
//!
//! All writes that wait share one transaction, and one COMMIT makes them durable together: several
//! times the durable writes of a transaction each, and no slower for one caller. Every answer of a
//! batch, a refusal too, leaves after the COMMIT, because a refusal may rest on what an earlier job
//! of the same batch wrote.
//!
//! The jobs of a batch run one after another with nothing between them, for as long as none has to
//! be taken back: a job that refuses before it wrote leaves nothing behind. When one fails after it
//! wrote, the batch is rolled back and runs again with a savepoint around each job. Savepoints from
//! the start would be dear: at each of them FTS5 writes what it had gathered, so that a batch wrote
//! one segment of the search index a job instead of one in all.
//!
//! A full disk or an I/O error ends the whole transaction and every savepoint with it, silently:
//! after each job the writer therefore looks whether the transaction is still open. If it is not,
//! or if COMMIT fails, nothing was kept, and every job of the batch is run once more alone.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};

use super::{Connection, checkpoint};
use crate::error::{Error, Result};
use crate::job::WriteJob;
use crate::session::Session;
use crate::tx::WriteTx;

/// A job of a batch and what the engine made of it.
struct Entry {
    job: Box<dyn WriteJob>,
    failure: Option<Error>,
}

/// Why a batch was not kept.
enum Lost {
    /// A job failed after it had written, so what it wrote cannot be told from what others wrote.
    Mixed,
    /// The transaction could not begin, was ended by the storage, or could not be committed.
    Failed(Error),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What becomes of the transaction after a job.
enum After {
    /// What the job wrote, if anything, stays.
    Keep,
    /// The job failed and had written.
    TakeBack,
}

/// How one job of a batch is run inside the transaction.
type Attempt = fn(&mut Connection, &mut Entry) -> Result<(), Lost>;

/// Serves jobs until the queue's senders are gone, at most `batch` of them in a transaction;
/// `committed` wakes the checkpoint thread, which says by `log_is_too_long` that the log is to be
/// emptied, and `commits` counts the transactions that were kept.
pub(super) fn run(
    mut connection: Connection,
    queue: &Receiver<Box<dyn WriteJob>>,
    batch: NonZeroUsize,
    committed: &Sender<()>,
    log_is_too_long: &AtomicBool,
    commits: &AtomicU64,
) -> Connection {
    while let Ok(first) = queue.recv() {
        let waiting = queue.try_iter().take(batch.get() - 1);
        let mut entries: Vec<_> = std::iter::once(first)
            .chain(waiting)
            .filter(|job| !job.is_abandoned())
            .map(|job| Entry { job, failure: None })
            .collect();
        if entries.is_empty() {
            continue;
        }
        commits.fetch_add(serve(&mut connection, &mut entries), Ordering::Relaxed);
        for entry in entries {
            entry.job.answer(entry.failure);
        }
        // A full channel means that the thread is already awake.
        let _ = committed.try_send(());
        if log_is_too_long.swap(false, Ordering::Relaxed)
            && let Err(error) = checkpoint::empty(&connection)
        {
            tracing::warn!(%error, "the log could not be emptied; it is tried again");
        }
    }
    connection
}

/// Runs a batch in as few transactions as its failures allow; how many of them were kept.
fn serve(connection: &mut Connection, entries: &mut [Entry]) -> u64 {
    let outcome = match together(connection, entries, plainly) {
        // Alone, it has nobody to spare.
        Err(Lost::Mixed) if entries.len() > 1 => together(connection, entries, in_savepoint),
        outcome => outcome,
    };
    match (outcome, &mut *entries) {
        (Ok(()), _) => return 1,
        // Alone, each job would wait for the lock again, one after another.
        (Err(Lost::Failed(Error::Locked)), entries) => {
            for entry in entries {
                entry.failure = Some(Error::Locked);
            }
            return 0;
        }
        (Err(lost), [entry]) => {
            // Its own failure says more than that of the transaction which ended with it.
            if let (None, Lost::Failed(failure)) = (&entry.failure, lost) {
                entry.failure = Some(failure);
            }
            return 0;
        }
        (Err(Lost::Failed(failure)), entries) => {
            tracing::debug!(%failure, jobs = entries.len(), "a batch failed; its jobs run alone");
        }
        (Err(Lost::Mixed), _) => {}
    }
    entries.iter_mut().map(|entry| serve(connection, std::slice::from_mut(entry))).sum()
}

/// Runs a batch in one transaction, each job as `attempt` does it.
fn together(
    connection: &mut Connection,
    entries: &mut [Entry],
    attempt: Attempt,
) -> Result<(), Lost> {
    connection.set_deadline(None);
    connection.control("BEGIN IMMEDIATE")?;
    let attempted = entries.iter_mut().try_for_each(|entry| {
        entry.failure = None;
        attempt(connection, entry)
    });
    attempted.and_then(|()| Ok(connection.control("COMMIT")?)).inspect_err(|_| {
        // A full disk has already ended the transaction; else this does.
        if !connection.is_autocommit() {
            let _ = connection.control("ROLLBACK");
        }
    })
}

/// Runs a job with nothing around it.
fn plainly(connection: &mut Connection, entry: &mut Entry) -> Result<(), Lost> {
    match run_job(connection, entry)? {
        After::Keep => Ok(()),
        After::TakeBack => Err(Lost::Mixed),
    }
}

/// Runs a job in a savepoint of its own, so that it can be taken back alone.
fn in_savepoint(connection: &mut Connection, entry: &mut Entry) -> Result<(), Lost> {
    connection.control("SAVEPOINT job")?;
    if let After::TakeBack = run_job(connection, entry)? {
        connection.control("ROLLBACK TO job")?;
    }
    Ok(connection.control("RELEASE job")?)
}

/// Runs a job. An error here is the whole transaction's, never the job's own.
fn run_job(connection: &mut Connection, entry: &mut Entry) -> Result<After> {
    let deadline = entry.job.deadline();
    if Instant::now() >= deadline {
        entry.failure = Some(Error::Deadline);
        return Ok(After::Keep);
    }
    connection.set_deadline(Some(deadline));
    let changes = connection.changes();
    let mut tx = WriteTx::new(Session::Sqlite(connection));
    let outcome = catch_unwind(AssertUnwindSafe(|| entry.job.attempt(&mut tx)));
    connection.set_deadline(None);
    let keep = outcome.unwrap_or_else(|_| {
        entry.failure = Some(Error::Panicked);
        false
    });
    if connection.is_autocommit() {
        return Err(entry.failure.take().unwrap_or_else(ended));
    }
    if keep || connection.changes() == changes { Ok(After::Keep) } else { Ok(After::TakeBack) }
}

/// The transaction ended under a job, and the job does not know why.
fn ended() -> Error {
    Error::Unavailable("the transaction was ended by a storage error".into())
}
