//! A reader thread: takes a job, gives it one snapshot, answers.
//!
//! Beginning and ending a snapshot takes file locks and costs as much as a small read. So a snapshot is kept
//! for the next job if that job was queued before the snapshot was taken: the job then sees everything that was
//! committed when it was queued. A later job gets a later snapshot, and an idle thread holds none.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::Connection;
use super::snapshots::Snapshots;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::job::{ReadJob, ReadWorker};
use crate::session::Session;
use crate::tx::ReadTx;

/// Runs jobs until the queue is closed.
pub(super) fn run(mut connection: Connection, queue: &ReadWorker, slot: ReaderSlot) -> Connection {
    let mut snapshot = Snapshot { taken: None, slot };
    loop {
        let waiting = queue.try_next();
        if waiting.is_none() {
            snapshot.end(&connection);
        }
        let Some((mut job, turn)) = waiting.or_else(|| queue.next()) else { return connection };
        if !job.caller().is_gone() {
            let began = Instant::now();
            let failure = serve(&mut connection, &mut snapshot, job.as_mut()).err();
            turn.end(began.elapsed());
            job.answer(failure);
        }
    }
}

/// The snapshot that a thread holds, if any.
struct Snapshot {
    /// The time just before the snapshot began.
    taken: Option<Instant>,
    slot: ReaderSlot,
}

/// One reader's number, and the snapshots of all readers.
pub(super) struct ReaderSlot {
    pub(super) number: usize,
    pub(super) snapshots: Arc<Snapshots>,
}

impl Snapshot {
    /// Ensures a snapshot that includes everything committed before `queued`.
    fn cover(&mut self, connection: &Connection, queued: Instant, caller: &Caller) -> Result<()> {
        let ReaderSlot { number, snapshots } = &self.slot;
        // A storage error in the previous job may have ended the transaction.
        if self.taken.is_some_and(|taken| queued <= taken)
            && !connection.is_autocommit()
            && snapshots.reuse(*number, caller)
        {
            return Ok(());
        }
        self.end(connection);
        self.slot.snapshots.begin(self.slot.number, caller)?;
        self.taken = Some(Instant::now());
        connection.control("BEGIN")
    }

    fn end(&mut self, connection: &Connection) {
        if self.taken.take().is_none() {
            return;
        }
        if !connection.is_autocommit() && connection.control("COMMIT").is_err() {
            // If this fails, the next BEGIN fails too, and the next job reports it.
            let _ = connection.control("ROLLBACK");
        }
        self.slot.snapshots.end(self.slot.number);
    }
}

fn serve(
    connection: &mut Connection,
    snapshot: &mut Snapshot,
    job: &mut dyn ReadJob,
) -> Result<()> {
    let caller = job.caller().clone();
    caller.ensure_waits()?;
    snapshot.cover(connection, job.queued(), &caller)?;
    connection.set_caller(Some(caller.clone()));
    let mut tx = ReadTx::new(Session::Sqlite(connection), caller);
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
    // Ending the snapshot must not be cancelled by the deadline that ended the work.
    connection.set_caller(None);
    outcome.map(drop).map_err(|_| Error::Panicked)
}
