//! A reader thread: takes a job, gives it one snapshot, answers.
//!
//! Beginning and ending a snapshot takes file locks and costs as much as a small read. So a snapshot is kept
//! for the next job if that job was queued before the snapshot was taken: it then sees everything that was
//! committed when its caller asked. A later job gets a later snapshot, and an idle thread holds none.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crossbeam_channel::Receiver;

use super::Connection;
use crate::error::{Error, Result};
use crate::job::ReadJob;
use crate::session::Session;
use crate::tx::ReadTx;

/// Runs jobs until the queue's senders are gone.
pub(super) fn run(mut connection: Connection, queue: &Receiver<Box<dyn ReadJob>>) -> Connection {
    let mut snapshot = Snapshot { taken: None };
    loop {
        let waiting = queue.try_recv().ok();
        if waiting.is_none() {
            snapshot.end(&connection);
        }
        let Some(mut job) = waiting.or_else(|| queue.recv().ok()) else { return connection };
        if !job.caller().is_gone() {
            let failure = serve(&mut connection, &mut snapshot, job.as_mut()).err();
            job.answer(failure);
        }
    }
}

/// The snapshot that a thread holds, if any.
struct Snapshot {
    /// A time at or before the snapshot.
    taken: Option<Instant>,
}

impl Snapshot {
    /// Ensures a snapshot that includes everything committed by `asked`.
    fn cover(&mut self, connection: &Connection, asked: Instant) -> Result<()> {
        // A storage error in the previous job may have ended the transaction.
        if self.taken.is_some_and(|taken| asked <= taken) && !connection.is_autocommit() {
            return Ok(());
        }
        self.end(connection);
        let now = Instant::now();
        connection.control("BEGIN")?;
        self.taken = Some(now);
        Ok(())
    }

    fn end(&mut self, connection: &Connection) {
        let is_open = self.taken.take().is_some() && !connection.is_autocommit();
        if is_open && connection.control("COMMIT").is_err() {
            // If this fails, the next BEGIN fails too, and with it the job that needs it.
            let _ = connection.control("ROLLBACK");
        }
    }
}

fn serve(
    connection: &mut Connection,
    snapshot: &mut Snapshot,
    job: &mut dyn ReadJob,
) -> Result<()> {
    let caller = job.caller().clone();
    caller.ensure_waits()?;
    snapshot.cover(connection, job.queued())?;
    connection.set_caller(Some(caller.clone()));
    let mut tx = ReadTx::new(Session::Sqlite(connection), caller);
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
    // Ending the snapshot must not be cancelled by the deadline that ended the work.
    connection.set_caller(None);
    outcome.map(drop).map_err(|_| Error::Panicked)
}
