//! A reader thread: takes a job, gives it one snapshot, answers.
//!
//! Beginning and ending a snapshot takes file locks and costs as much as a small read. So a snapshot is kept
//! for the next job if that job was queued before the snapshot was taken: it then sees everything that was
//! committed when its caller asked. A later job gets a later snapshot, and an idle thread holds none.

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
pub(super) fn run(mut connection: Connection, queue: &ReadWorker, place: Place) -> Connection {
    let mut snapshot = Snapshot { taken: None, place };
    loop {
        let waiting = queue.try_next();
        if waiting.is_none() {
            snapshot.end(&connection);
        }
        let Some((mut job, turn)) = waiting.or_else(|| queue.next()) else { return connection };
        if !job.caller().is_gone() {
            let began = Instant::now();
            let failure = serve(&mut connection, &mut snapshot, job.as_mut()).err();
            turn.charge(began.elapsed());
            drop(turn);
            job.answer(failure);
        }
    }
}

/// The snapshot that a thread holds, if any.
struct Snapshot {
    /// A time at or before the snapshot.
    taken: Option<Instant>,
    place: Place,
}

/// The reader among all.
pub(super) struct Place {
    pub(super) number: usize,
    pub(super) snapshots: Arc<Snapshots>,
}

impl Snapshot {
    /// Ensures a snapshot that includes everything committed by `asked`.
    fn cover(&mut self, connection: &Connection, asked: Instant, caller: &Caller) -> Result<()> {
        let Place { number, snapshots } = &self.place;
        // A storage error in the previous job may have ended the transaction.
        if self.taken.is_some_and(|taken| asked <= taken)
            && !connection.is_autocommit()
            && snapshots.hand_on(*number, caller)
        {
            return Ok(());
        }
        self.end(connection);
        self.place.snapshots.begin(self.place.number, caller)?;
        self.taken = Some(Instant::now());
        connection.control("BEGIN")
    }

    fn end(&mut self, connection: &Connection) {
        if self.taken.take().is_none() {
            return;
        }
        if !connection.is_autocommit() && connection.control("COMMIT").is_err() {
            // If this fails, the next BEGIN fails too, and with it the job that needs it.
            let _ = connection.control("ROLLBACK");
        }
        self.place.snapshots.end(self.place.number);
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
