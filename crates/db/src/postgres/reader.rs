//! A reader thread: takes a job, gives it one snapshot, answers.
//!
//! Ending a snapshot does not affect what the caller has read. So if another job waits, the end is sent in one
//! round trip with the beginning of that job's snapshot; otherwise it is sent after the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::Connection;
use super::error::Failure;
use super::work::TxMode;
use crate::error::{Error, Result};
use crate::job::{ReadJob, ReadWorker};
use crate::session::Session;
use crate::tx::ReadTx;

/// Runs jobs until the queue is closed.
pub(super) fn run(mut connection: Connection, queue: &ReadWorker) {
    loop {
        let waiting = queue.try_next();
        if waiting.is_none() {
            connection.end();
        }
        let Some((mut job, turn)) = waiting.or_else(|| queue.next()) else { break };
        if !job.caller().is_gone() {
            let began = Instant::now();
            let failure = serve(&mut connection, job.as_mut()).err();
            turn.end(began.elapsed());
            job.answer(failure);
        }
    }
    connection.close();
}

fn serve(connection: &mut Connection, job: &mut dyn ReadJob) -> Result<()> {
    let caller = job.caller().clone();
    caller.ensure_waits()?;
    connection.begin(TxMode::Read, &caller);
    let mut tx = ReadTx::new(Session::Postgres(connection), caller);
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
    let is_success = outcome.map_err(|_| Error::Panicked)?;
    if let Some(failure @ Failure::Refused(_)) = connection.failure()
        && Error::from(failure.clone()).is_storage_failure()
    {
        connection.server().log_refused_read(failure);
    }
    if let Some(failure) = connection.failure() {
        job.storage_failed(&failure.clone().into());
    }
    match connection.failure() {
        // The job ignored the failure, after which nothing could be read, so its answer may be wrong.
        Some(failure) if is_success => Err(failure.clone().into()),
        _ => Ok(()),
    }
}
