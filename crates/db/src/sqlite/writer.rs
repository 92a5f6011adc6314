//! The writer thread: group commit.
//!
//! Waiting writes share one transaction, and one COMMIT makes them durable together: several times as many
//! durable writes as with a transaction each, and no slower for one caller. Jobs are taken one at a time, in turn,
//! for a few milliseconds, so a job that arrives meanwhile waits for one short batch, however long the queue is.
//! Every answer of a batch, even a refusal, is sent after the COMMIT, because a refusal may depend on what an
//! earlier job of the batch wrote.
//!
//! The jobs of a batch run one after another without savepoints, while none has to be undone: a job that refuses
//! before it wrote leaves nothing behind. If a job fails after it wrote, the batch is rolled back and rerun with a
//! savepoint around each job. Savepoints from the start would be expensive: at each savepoint FTS5 writes out what
//! it has buffered, so a batch would write one segment of the search index per job instead of one in all.
//!
//! A full disk or an I/O error silently ends the whole transaction and every savepoint. So after each job the
//! writer checks whether the transaction is still open. If it is not, or if COMMIT fails, nothing was
//! committed, and every job of the batch is rerun in a transaction of its own.
//!
//! SQLite also ends the transaction if it interrupts a write statement because the caller has gone or the deadline
//! has passed. This is no fault of the storage: the job counts as one that failed after it wrote.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::Connection;
use super::checkpoint::Log;
use super::snapshots::Snapshots;
use crate::error::{Error, Result};
use crate::job::{WriteJob, WriteTurn, WriteWorker};
use crate::session::Session;
use crate::tx::WriteTx;

/// On a slow disk, jobs are added to a batch for as long as the last commit took, but at most for this many times
/// the limit. Each job waits for a commit anyway.
const MAX_TIME_FACTOR: u32 = 4;

/// A job of a batch and its outcome.
struct BatchJob {
    job: Box<dyn WriteJob>,
    turn: WriteTurn,
    failure: Option<Error>,
    /// Whether the time of its first run was charged. A rerun is the fault of another job.
    is_charged: bool,
}

/// The limits of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    pub(super) jobs: NonZeroUsize,
    /// How long jobs are added; the last job may take longer.
    pub(super) time: Duration,
}

/// Why a batch was not committed.
enum Lost {
    /// A job failed after it had written, and its writes cannot be separated from those of the other jobs.
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
    /// Undo what the job wrote, because it failed.
    Undo,
}

/// How one job of a batch is run inside the transaction.
type JobRunner = fn(&mut Connection, &mut BatchJob) -> Result<(), Lost>;

/// The write-ahead log, and what the writer needs to have it emptied.
pub(super) struct Logging {
    pub(super) log: Arc<Log>,
    /// The readers' snapshots, which prevent the log from being emptied.
    pub(super) snapshots: Arc<Snapshots>,
    /// Wakes the checkpoint thread.
    pub(super) wake: Sender<()>,
}

/// Runs jobs until the queue is closed. `commits` counts the committed transactions.
pub(super) fn run(
    mut connection: Connection,
    queue: &WriteWorker,
    limits: BatchLimits,
    logging: &Logging,
    commits: &AtomicU64,
) -> Connection {
    let mut bounding = logging.log.bounding();
    let mut last_commit = Duration::ZERO;
    while let Some(first) = queue.next() {
        let time = limits.time.max(last_commit.min(limits.time.saturating_mul(MAX_TIME_FACTOR)));
        let jobs = limits.jobs.get();
        let mut batch = Batch {
            queue,
            jobs,
            time,
            began: Instant::now(),
            first: Some(first),
            gathered: Duration::ZERO,
        };
        let Some(first) = batch.next() else { continue };
        let mut entries = vec![first];
        let gathered = batch.gather(&mut connection, &mut entries);
        if let Err(Lost::Failed(Error::Locked)) = gathered {
            // All waiting jobs fail with this batch: otherwise they would wait for the lock one after another.
            entries.extend(std::iter::from_fn(|| batch.next()));
        }
        let committed_now = settle(&mut connection, gathered, &mut entries);
        commits.fetch_add(committed_now, Ordering::Relaxed);
        last_commit = batch.began.elapsed().saturating_sub(batch.gathered);
        for BatchJob { job, turn, failure, .. } in entries {
            drop(turn);
            job.answer(failure);
        }
        // If the channel is full, the thread has already been woken.
        let _ = logging.wake.try_send(());
        if let Err(error) = logging.log.bound(&mut connection, &logging.snapshots, &mut bounding) {
            tracing::warn!(%error, "could not empty the log; this will be retried");
        }
    }
    connection
}

/// A batch that is being gathered.
struct Batch<'q> {
    queue: &'q WriteWorker,
    jobs: usize,
    time: Duration,
    began: Instant,
    /// The job for which the writer waited, until `next` takes it.
    first: Option<(Box<dyn WriteJob>, WriteTurn)>,
    /// How long the jobs took, without the commit.
    gathered: Duration,
}

impl Batch<'_> {
    /// Runs the batch in one transaction without savepoints. If a job fails after it wrote, reruns it with them.
    fn gather(
        &mut self,
        connection: &mut Connection,
        entries: &mut Vec<BatchJob>,
    ) -> Result<(), Lost> {
        let gathered = in_transaction(connection, |it| {
            // The wait for the lock does not count as time of the batch.
            self.began = Instant::now();
            self.run(it, entries, run_without_savepoint)
        });
        match gathered {
            // A single job has no others to protect.
            Err(Lost::Mixed) if entries.len() > 1 => {
                let (failed, began) = (entries.len() - 1, Instant::now());
                let rerun =
                    in_transaction(connection, |it| self.run(it, entries, run_in_savepoint));
                if let Some(entry) = entries.get(failed) {
                    entry.turn.charge(began.elapsed());
                }
                rerun
            }
            gathered => gathered,
        }
    }

    /// Runs the jobs in `entries`, and adds and runs further jobs until the batch is large enough.
    fn run(
        &mut self,
        connection: &mut Connection,
        entries: &mut Vec<BatchJob>,
        run_one: JobRunner,
    ) -> Result<(), Lost> {
        let mut done = 0;
        while let Some(entry) = entries.get_mut(done) {
            run_one(connection, entry)?;
            done += 1;
            self.gathered = self.began.elapsed();
            let is_large = done >= self.jobs;
            if !is_large && self.gathered < self.time {
                entries.extend(self.next());
            }
        }
        Ok(())
    }

    /// The next job whose caller still waits.
    fn next(&mut self) -> Option<BatchJob> {
        loop {
            let (job, turn) = self.first.take().or_else(|| self.queue.try_next())?;
            if !job.caller().is_gone() {
                return Some(BatchJob { job, turn, failure: None, is_charged: false });
            }
        }
    }
}

/// If a batch was not committed, reruns each of its jobs in a transaction of its own, where that may help. Returns
/// how many transactions were committed in all.
fn settle(
    connection: &mut Connection,
    gathered: Result<(), Lost>,
    entries: &mut [BatchJob],
) -> u64 {
    match (gathered, &mut *entries) {
        (Ok(()), _) => return 1,
        // All jobs fail: otherwise they would wait for the lock one after another.
        (Err(Lost::Failed(Error::Locked)), entries) => {
            for entry in entries {
                entry.failure = Some(Error::Locked);
            }
            return 0;
        }
        (Err(lost), [entry]) => {
            // The job's own failure says more than that of its transaction.
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
    let mut committed = 0;
    let mut entries = entries.iter_mut();
    for entry in entries.by_ref() {
        committed += run_alone(connection, entry);
        if matches!(entry.failure, Some(Error::Locked)) {
            break;
        }
    }
    entries.for_each(|entry| entry.failure = Some(Error::Locked));
    committed
}

/// Runs a job in a transaction of its own.
fn run_alone(connection: &mut Connection, entry: &mut BatchJob) -> u64 {
    let outcome = in_transaction(connection, |connection| run_without_savepoint(connection, entry));
    settle(connection, outcome, std::slice::from_mut(entry))
}

/// Runs jobs in one transaction.
fn in_transaction(
    connection: &mut Connection,
    run: impl FnOnce(&mut Connection) -> Result<(), Lost>,
) -> Result<(), Lost> {
    connection.set_caller(None);
    connection.control("BEGIN IMMEDIATE")?;
    run(connection).and_then(|()| Ok(connection.control("COMMIT")?)).inspect_err(|_| {
        // A storage error may already have ended the transaction.
        if !connection.is_autocommit() {
            let _ = connection.control("ROLLBACK");
        }
    })
}

/// Runs a job without a savepoint.
fn run_without_savepoint(connection: &mut Connection, entry: &mut BatchJob) -> Result<(), Lost> {
    match run_job(connection, entry)? {
        After::Keep => Ok(()),
        After::Undo => Err(Lost::Mixed),
    }
}

/// Runs a job in a savepoint of its own, so that it can be undone separately.
fn run_in_savepoint(connection: &mut Connection, entry: &mut BatchJob) -> Result<(), Lost> {
    connection.control("SAVEPOINT job")?;
    if let After::Undo = run_job(connection, entry)? {
        connection.control("ROLLBACK TO job")?;
    }
    Ok(connection.control("RELEASE job")?)
}

/// Runs a job. An error here affects the whole transaction, not only the job.
fn run_job(connection: &mut Connection, entry: &mut BatchJob) -> Result<After> {
    entry.failure = None;
    let caller = entry.job.caller().clone();
    if let Err(failure) = caller.begin_write() {
        entry.failure = Some(failure);
        return Ok(After::Keep);
    }
    connection.set_caller(Some(caller.clone()));
    let began = Instant::now();
    let changes = connection.changes();
    let mut tx = WriteTx::new(Session::Sqlite(connection), caller.clone());
    let outcome = catch_unwind(AssertUnwindSafe(|| entry.job.attempt(&mut tx)));
    connection.set_caller(None);
    if !std::mem::replace(&mut entry.is_charged, true) {
        entry.turn.charge(began.elapsed());
    }
    let keep = outcome.unwrap_or_else(|_| {
        entry.failure = Some(Error::Panicked);
        false
    });
    if connection.is_autocommit() {
        if caller.ensure_waits().is_err() {
            return Ok(After::Undo);
        }
        return Err(entry.failure.take().unwrap_or_else(transaction_ended));
    }
    if keep || connection.changes() == changes { Ok(After::Keep) } else { Ok(After::Undo) }
}

/// The error for a job during which the storage ended the transaction.
fn transaction_ended() -> Error {
    Error::Unavailable("the transaction was ended by a storage error".into())
}
