//! A reader thread: takes a job, gives it one snapshot, answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crossbeam_channel::Receiver;

use super::Connection;
use crate::error::{Error, Result};
use crate::tx::ReadTx;

/// A queued read.
pub(crate) trait ReadJob: Send {
    /// When the caller stops waiting.
    fn deadline(&self) -> Instant;
    /// Whether the caller has already gone.
    fn is_abandoned(&self) -> bool;
    /// Does the work and keeps the answer.
    fn run(&mut self, tx: &mut ReadTx<'_>);
    /// Sends the answer that [`ReadJob::run`] kept, or `failure`.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

/// Serves jobs until the queue's senders are gone.
pub(super) fn run(mut connection: Connection, queue: &Receiver<Box<dyn ReadJob>>) -> Connection {
    for mut job in queue {
        if job.is_abandoned() {
            continue;
        }
        let failure = serve(&mut connection, job.as_mut()).err();
        job.answer(failure);
    }
    connection
}

fn serve(connection: &mut Connection, job: &mut dyn ReadJob) -> Result<()> {
    if Instant::now() >= job.deadline() {
        return Err(Error::Deadline);
    }
    connection.set_deadline(Some(job.deadline()));
    connection.control("BEGIN")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut ReadTx::new(connection))));
    // Ending the snapshot must not be cancelled by the deadline that ended the work.
    connection.set_deadline(None);
    connection.control("COMMIT")?;
    outcome.map_err(|_| Error::Panicked)
}
