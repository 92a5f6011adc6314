//! A writer thread: one transaction per job.
//!
//! Binding a tenant takes a lock, so the writes of one tenant run one after another in all processes: each sees
//! all earlier ones, and ids are created in order. A deadlock or a lost connection leaves nothing behind, and the
//! job is rerun in a new transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Connection;
use super::error::Failure;
use super::work::TxMode;
use crate::error::Error;
use crate::job::{WriteJob, WriteWorker};
use crate::session::Session;
use crate::tx::WriteTx;

/// The maximum number of retries of a job.
const MAX_RETRIES: u32 = 3;
/// The pause before the first retry, doubled for each further one, so that the cause of the failure can pass.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// The outcome of one attempt.
enum JobOutcome {
    /// What the job wrote is committed.
    Committed,
    /// The job refused; its own error says why.
    Refused,
    /// The transaction failed, whatever the job's own result.
    Failed(Failure),
}

/// Runs jobs until the queue is closed; `commits` counts the committed transactions.
pub(super) fn run(mut connection: Connection, queue: &WriteWorker, commits: &AtomicU64) {
    while let Some((mut job, turn)) = queue.next() {
        if job.caller().is_gone() {
            continue;
        }
        let began = Instant::now();
        let failure = serve(&mut connection, job.as_mut(), commits).err();
        turn.charge(began.elapsed());
        job.answer(failure);
        // The next write of the tenant may start only after this, because until then the lock may be held.
        connection.end();
        drop(turn);
    }
    connection.close();
}

/// Runs a job until it is committed, refuses, or has failed too often. An error here is not the job's own.
fn serve(
    connection: &mut Connection,
    job: &mut dyn WriteJob,
    commits: &AtomicU64,
) -> Result<(), Error> {
    let caller = job.caller().clone();
    let mut retries = 0;
    loop {
        caller.begin_write()?;
        connection.begin(TxMode::Write, &caller);
        match attempt(connection, job)? {
            JobOutcome::Committed => {
                commits.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            JobOutcome::Refused => return Ok(()),
            JobOutcome::Failed(failure) if failure.is_transient() && retries < MAX_RETRIES => {
                tracing::debug!(%failure, "retrying a write");
                connection.end();
                let left = caller.deadline().saturating_duration_since(Instant::now());
                std::thread::sleep(left.min(RETRY_PAUSE * 2_u32.pow(retries)));
                retries += 1;
            }
            JobOutcome::Failed(failure) => return Err(failure.into()),
        }
    }
}

fn attempt(connection: &mut Connection, job: &mut dyn WriteJob) -> Result<JobOutcome, Error> {
    let mut tx = WriteTx::new(Session::Postgres(connection), job.caller().clone());
    let outcome = catch_unwind(AssertUnwindSafe(|| job.attempt(&mut tx)));
    let keep = outcome.map_err(|_| Error::Panicked)?;
    Ok(match connection.failure() {
        // The job's own error says more. The transaction's failure replaces it only if the job ignored the
        // failure, if a retry may succeed, or if the storage failed, which the engine must know.
        Some(failure)
            if keep
                || failure.is_transient()
                || Error::from(failure.clone()).is_storage_failure() =>
        {
            JobOutcome::Failed(failure.clone())
        }
        _ if !keep => JobOutcome::Refused,
        _ => match connection.commit() {
            Ok(()) => JobOutcome::Committed,
            Err(failure) => JobOutcome::Failed(failure),
        },
    })
}
