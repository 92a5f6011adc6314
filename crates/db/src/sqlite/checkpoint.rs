//! The checkpoint thread: moves the write-ahead log into the database file outside every caller's
//! way, passively while there is work, completely when there is none or the log has grown large.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Connection;

/// Below this size the log is left alone while writes come in.
const PASSIVE_BYTES: u64 = 4 << 20;
/// Above this size the writer is made to wait for a complete checkpoint, or the log would grow
/// without end under writes that never pause.
const FORCED_BYTES: u64 = 256 << 20;
/// How long without a write counts as idle.
const IDLE: Duration = Duration::from_secs(2);

/// Serves until the writer is gone.
pub(super) fn run(
    connection: &Connection,
    log: &Path,
    committed: &Receiver<()>,
    stopping: &AtomicBool,
) {
    let mut dirty = false;
    let mut is_failing = false;
    let mut checkpoint = |mode| checkpoint(connection, mode, &mut is_failing);
    loop {
        match committed.recv_timeout(IDLE) {
            Ok(()) => {
                dirty = true;
                let size = std::fs::metadata(log).map_or(0, |file| file.len());
                if size > FORCED_BYTES {
                    checkpoint("TRUNCATE");
                } else if size > PASSIVE_BYTES {
                    checkpoint("PASSIVE");
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

/// A checkpoint that cannot finish now is tried again after the next write; of failures in a row the
/// first is told.
fn checkpoint(connection: &Connection, mode: &str, is_failing: &mut bool) {
    let outcome =
        connection
            .raw()
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(0));
    let was_failing = std::mem::replace(is_failing, outcome.is_err());
    if let (Err(error), false) = (outcome, was_failing) {
        tracing::warn!(%error, mode, "checkpoints fail; they are tried again after each write");
    }
}
