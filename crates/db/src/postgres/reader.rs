//! A reader thread: takes a job, gives it one snapshot, answers.
//!
//! The end of a snapshot does not affect what the caller has read. So the end is sent in one round trip with the
//! beginning of the next snapshot if a job waits, and otherwise after the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::Receiver;

use super::Connection;
use super::error::Failure;
use super::work::Access;
use crate::error::{Error, Result};
use crate::job::ReadJob;
use crate::session::Session;
use crate::tx::ReadTx;

/// Runs jobs until the queue's senders are gone.
pub(super) fn run(mut connection: Connection, queue: &Receiver<Box<dyn ReadJob>>) {
    loop {
        let waiting = queue.try_recv().ok();
        if waiting.is_none() {
            connection.end();
        }
        let Some(mut job) = waiting.or_else(|| queue.recv().ok()) else { break };
        if !job.caller().is_gone() {
            let failure = serve(&mut connection, job.as_mut()).err();
            job.answer(failure);
        }
    }
    connection.close();
}

fn serve(connection: &mut Connection, job: &mut dyn ReadJob) -> Result<()> {
    let caller = job.caller().clone();
    caller.ensure_waits()?;
    connection.begin(Access::Read, &caller);
    let mut tx = ReadTx::new(Session::Postgres(connection), caller);
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
    let is_success = outcome.map_err(|_| Error::Panicked)?;
    if let Some(failure @ Failure::Refused(_)) = connection.failure()
        && Error::from(failure.clone()).is_the_storages()
    {
        connection.server().tell_refused_read(failure);
    }
    match connection.failure() {
        // Nothing was read after the failure, so the job's answer is based on less than it assumes.
        Some(failure) if is_success => Err(failure.clone().into()),
        _ => Ok(()),
    }
}
