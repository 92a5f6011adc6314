//! A writer thread: one transaction per job.
//!
//! The writes of one tenant wait for one another at a lock that binding the tenant takes, so each sees
//! everything before it and ids are created in order, in any process. Any other obstacle (a deadlock, a
//! connection that breaks) leaves nothing behind, and the job is rerun in a new transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::Connection;
use super::error::Failure;
use super::work::Access;
use crate::error::Error;
use crate::job::WriteJob;
use crate::session::Session;
use crate::tx::WriteTx;

/// How often a job is retried.
const RETRIES: u32 = 3;
/// The pause before the first retry, doubled for each further one. Whatever was in the way needs a moment to
/// finish.
const PAUSE: Duration = Duration::from_millis(20);

/// The outcome of one attempt.
enum Attempt {
    /// What the job wrote is committed.
    Kept,
    /// The job refused, and says why itself.
    Refused,
    /// The transaction failed, whatever the job's own result.
    Failed(Failure),
}

/// Runs jobs until the queue's senders are gone; `commits` counts the committed transactions.
pub(super) fn run(
    mut connection: Connection,
    queue: &Receiver<Box<dyn WriteJob>>,
    commits: &AtomicU64,
) {
    while let Ok(mut job) = queue.recv() {
        if job.caller().is_gone() {
            continue;
        }
        let failure = serve(&mut connection, job.as_mut(), commits).err();
        job.answer(failure);
        connection.end();
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
        caller.ensure_waits()?;
        connection.begin(Access::Write, &caller);
        match attempt(connection, job)? {
            Attempt::Kept => {
                commits.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            Attempt::Refused => return Ok(()),
            Attempt::Failed(failure) if failure.is_transient() && retries < RETRIES => {
                tracing::debug!(%failure, "retrying a write");
                connection.end();
                let left = caller.deadline().saturating_duration_since(Instant::now());
                std::thread::sleep(left.min(PAUSE * 2_u32.pow(retries)));
                retries += 1;
            }
            Attempt::Failed(failure) => return Err(failure.into()),
        }
    }
}

fn attempt(connection: &mut Connection, job: &mut dyn WriteJob) -> Result<Attempt, Error> {
    let mut tx = WriteTx::new(Session::Postgres(connection), job.caller().clone());
    let outcome = catch_unwind(AssertUnwindSafe(|| job.attempt(&mut tx)));
    let keep = outcome.map_err(|_| Error::Panicked)?;
    Ok(match connection.failure() {
        // The job's own error says more, unless it has none or may have none next time. The engine must know of
        // a failing storage.
        Some(failure)
            if keep || failure.is_transient() || Error::from(failure.clone()).is_the_storages() =>
        {
            Attempt::Failed(failure.clone())
        }
        _ if !keep => Attempt::Refused,
        _ => match connection.commit() {
            Ok(()) => Attempt::Kept,
            Err(failure) => Attempt::Failed(failure),
        },
    })
}
