//! The writer thread: group commit.
//!
//! All waiting writes share one transaction, and one COMMIT makes them durable together: several times as many
//! durable writes as with a transaction each, and no slower for one caller. Every answer of a batch, even a
//! refusal, is sent after the COMMIT, because a refusal may depend on what an earlier job of the batch wrote.
//!
//! The jobs of a batch run one after another without savepoints, as long as none has to be undone: a job that
//! refuses before it wrote leaves nothing behind. When one fails after it wrote, the batch is rolled back and
//! rerun with a savepoint around each job. Savepoints from the start would be expensive: at each of them
//! FTS5 writes out what it has gathered, so that a batch would write one segment of the search index per job
//! instead of one in all.
//!
//! A full disk or an I/O error silently ends the whole transaction and every savepoint. So after each job the
//! writer checks whether the transaction is still open. If it is not, or if COMMIT fails, nothing was
//! committed, and every job of the batch is rerun in a transaction of its own.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender};

use super::{Connection, checkpoint};
use crate::error::{Error, Result};
use crate::job::WriteJob;
use crate::session::Session;
use crate::tx::WriteTx;

/// A job of a batch and its outcome.
struct Entry {
    job: Box<dyn WriteJob>,
    failure: Option<Error>,
}

/// Why a batch was not committed.
enum Lost {
    /// A job failed after it had written, and its writes cannot be separated from the others'.
    Mixed,
    /// The transaction could not begin, was ended by the storage, or could not be committed.
    Failed(Error),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What to do after a job.
enum After {
    /// Keep what the job wrote, if anything.
    Keep,
    /// Undo: the job failed and had written.
    TakeBack,
}

/// How one job of a batch is run inside the transaction.
type Attempt = fn(&mut Connection, &mut Entry) -> Result<(), Lost>;

/// Runs jobs until the queue's senders are gone, at most `batch` of them in a transaction. `committed` wakes
/// the checkpoint thread, which asks by `log_is_too_long` to empty the log. `commits` counts the committed
/// transactions.
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
            .filter(|job| !job.caller().is_gone())
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
            tracing::warn!(%error, "could not empty the log; this will be retried");
        }
    }
    connection
}

/// Runs a batch in as few transactions as its failures allow; returns how many were committed.
fn serve(connection: &mut Connection, entries: &mut [Entry]) -> u64 {
    let outcome = match pipelined(connection, entries, plainly) {
        // A single job has no others to protect.
        Err(Lost::Mixed) if entries.len() > 1 => pipelined(connection, entries, in_savepoint),
        outcome => outcome,
    };
    match (outcome, &mut *entries) {
        (Ok(()), _) => return 1,
        // Otherwise each job would wait for the lock again, one after another.
        (Err(Lost::Failed(Error::Locked)), entries) => {
            for entry in entries {
                entry.failure = Some(Error::Locked);
            }
            return 0;
        }
        (Err(lost), [entry]) => {
            // Its own failure says more than that of the transaction that ended with it.
            if let (None, Lost::Failed(failure)) = (&entry.failure, lost) {
                entry.failure = Some(failure);
            }
            return 0;
        }
        (Err(Lost::Failed(failure)), entries) => {
            tracing::debug!(%failure, jobs = entries.len(), "a batch failed; its jobs run one by one");
        }
        (Err(Lost::Mixed), _) => {}
    }
    entries.iter_mut().map(|entry| serve(connection, std::slice::from_mut(entry))).sum()
}

/// Runs a batch in one transaction, each job by `attempt`.
fn pipelined(
    connection: &mut Connection,
    entries: &mut [Entry],
    attempt: Attempt,
) -> Result<(), Lost> {
    connection.set_caller(None);
    connection.control("BEGIN IMMEDIATE")?;
    let attempted = entries.iter_mut().try_for_each(|entry| {
        entry.failure = None;
        attempt(connection, entry)
    });
    attempted.and_then(|()| Ok(connection.control("COMMIT")?)).inspect_err(|_| {
        // A full disk has already ended the transaction; otherwise this does.
        if !connection.is_autocommit() {
            let _ = connection.control("ROLLBACK");
        }
    })
}

/// Runs a job without a savepoint.
fn plainly(connection: &mut Connection, entry: &mut Entry) -> Result<(), Lost> {
    match run_job(connection, entry)? {
        After::Keep => Ok(()),
        After::TakeBack => Err(Lost::Mixed),
    }
}

/// Runs a job in a savepoint of its own, so that it can be undone separately.
fn in_savepoint(connection: &mut Connection, entry: &mut Entry) -> Result<(), Lost> {
    connection.control("SAVEPOINT job")?;
    if let After::TakeBack = run_job(connection, entry)? {
        connection.control("ROLLBACK TO job")?;
    }
    Ok(connection.control("RELEASE job")?)
}

/// Runs a job. An error here affects the whole transaction, not only the job.
fn run_job(connection: &mut Connection, entry: &mut Entry) -> Result<After> {
    let caller = entry.job.caller().clone();
    if let Err(failure) = caller.ensure_waits() {
        entry.failure = Some(failure);
        return Ok(After::Keep);
    }
    connection.set_caller(Some(caller.clone()));
    let changes = connection.changes();
    let mut tx = WriteTx::new(Session::Sqlite(connection), caller);
    let outcome = catch_unwind(AssertUnwindSafe(|| entry.job.attempt(&mut tx)));
    connection.set_caller(None);
    let keep = outcome.unwrap_or_else(|_| {
        entry.failure = Some(Error::Panicked);
        false
    });
    if connection.is_autocommit() {
        return Err(entry.failure.take().unwrap_or_else(ended));
    }
    if keep || connection.changes() == changes { Ok(After::Keep) } else { Ok(After::TakeBack) }
}

/// The error of a job under which the transaction ended.
fn ended() -> Error {
    Error::Unavailable("the transaction was ended by a storage error".into())
}
