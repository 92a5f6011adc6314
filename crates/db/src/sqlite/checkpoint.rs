//! The checkpoint thread: moves the write-ahead log into the database file without delaying callers,
//! passively while there is work, completely when there is none.
//!
//! Under continuous writes a passive checkpoint never reaches the end of the log, and this thread never
//! gets the writer's lock between two batches. So when the log has grown large, the writer is asked to
//! finish the work ([`empty`]) before its next batch.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Connection;
use super::connection::LOCK_WAIT;
use crate::error::Result;

/// Below this size no checkpoint runs while writes come in, in bytes.
const PASSIVE_BYTES: u64 = 4 << 20;
/// Above this size the writer empties the log, in bytes.
const MAX_BYTES: u64 = 256 << 20;
/// How much the log grows before a writer that could not empty it is asked again, in bytes.
const ASK_AGAIN_BYTES: u64 = 64 << 20;
/// How long the writer waits for readers when it empties the log. A longer read, perhaps by another
/// program, must not block the writes.
const READERS_WAIT: Duration = Duration::from_millis(250);
/// How long without a write counts as idle.
const IDLE: Duration = Duration::from_secs(2);

/// Runs until the writer is gone; `is_too_long` asks the writer to empty the log.
pub(super) fn run(
    connection: &Connection,
    log: &Path,
    committed: &Receiver<()>,
    is_too_long: &AtomicBool,
    stopping: &AtomicBool,
) {
    let mut dirty = false;
    let mut is_failing = false;
    // The log's size when the writer was last asked.
    let mut asked = 0;
    let mut checkpoint = |mode| checkpoint(connection, mode, &mut is_failing);
    loop {
        match committed.recv_timeout(IDLE) {
            Ok(()) => {
                dirty = true;
                let size = std::fs::metadata(log).map_or(0, |file| file.len());
                if size > PASSIVE_BYTES {
                    checkpoint("PASSIVE");
                }
                if size <= MAX_BYTES {
                    asked = 0;
                } else if size >= asked + ASK_AGAIN_BYTES {
                    // What is left is what came in during the passive checkpoint.
                    asked = size;
                    is_too_long.store(true, Ordering::Relaxed);
                }
            }
            Err(RecvTimeoutError::Timeout) if dirty => {
                checkpoint("TRUNCATE");
                dirty = false;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if stopping.load(Ordering::Acquire) {
            break;
        }
    }
}

/// Empties the log on the writer's own connection, between two of its transactions.
pub(super) fn empty(writer: &Connection) -> Result<()> {
    writer.raw().busy_timeout(READERS_WAIT)?;
    checkpoint(writer, "TRUNCATE", &mut false);
    Ok(writer.raw().busy_timeout(LOCK_WAIT)?)
}

/// A checkpoint that cannot finish now is retried after the next write. Of consecutive failures only the
/// first is logged.
fn checkpoint(connection: &Connection, mode: &str, is_failing: &mut bool) {
    let outcome =
        connection
            .raw()
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(0));
    let was_failing = std::mem::replace(is_failing, outcome.is_err());
    if let (Err(error), false) = (outcome, was_failing) {
        tracing::warn!(%error, mode, "checkpoints fail; they are retried after each write");
    }
}
