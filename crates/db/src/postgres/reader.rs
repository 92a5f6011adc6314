//! A reader thread: takes a job, gives it one snapshot, answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crossbeam_channel::Receiver;

use super::Connection;
use crate::error::{Error, Result};
use crate::job::ReadJob;
use crate::session::Session;
use crate::tx::ReadTx;

/// Serves jobs until the queue's senders are gone.
pub(super) fn run(mut connection: Connection, queue: &Receiver<Box<dyn ReadJob>>) {
    while let Ok(mut job) = queue.recv() {
        if job.is_abandoned() {
            continue;
        }
        let failure = serve(&mut connection, job.as_mut()).err();
        // The caller has what was read; how the snapshot ends changes nothing of it.
        job.answer(failure);
        connection.end();
    }
    connection.close();
}

fn serve(connection: &mut Connection, job: &mut dyn ReadJob) -> Result<()> {
    if Instant::now() >= job.deadline() {
        return Err(Error::Deadline);
    }
    connection.begin_read(job.deadline());
    let mut tx = ReadTx::new(Session::Postgres(connection));
    catch_unwind(AssertUnwindSafe(|| job.run(&mut tx))).map_err(|_| Error::Panicked)
}
