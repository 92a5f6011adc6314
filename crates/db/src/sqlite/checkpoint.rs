//! Checkpoints: the write-ahead log moves into the database file.
//!
//! A thread does so without delaying callers, passively while there is work, completely when there is none.
//! Under continuous writes a passive checkpoint never reaches the end of the log, and under overlapping reads
//! the log cannot be begun anew. So the writer itself empties a log that has become too long before its next
//! batch ([`Log::bound`]): it is bounded whenever the thread or the readers are scheduled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Connection;
use super::connection::{LOCK_WAIT, LogLength};
use super::snapshots::Snapshots;
use crate::error::Result;

/// Below this length no checkpoint runs while writes come in, in bytes.
const PASSIVE_BYTES: u64 = 4 << 20;
/// How long a checkpoint waits for readers, while writes wait for it. A longer read, perhaps by another
/// program, must not block the writes.
const READERS_WAIT: Duration = Duration::from_millis(250);
/// How long without a write counts as idle.
const IDLE: Duration = Duration::from_secs(2);

/// The write-ahead log of the writer's transactions.
pub(super) struct Log {
    pub(super) length: LogLength,
    /// Above this length the writer empties it, in bytes. It tries again after each quarter more; after two, it
    /// cancels the reads in its way.
    pub(super) bound: u64,
    /// Two checkpoints at a time are not possible, and SQLite does not wait for the other one.
    pub(super) one_at_a_time: Mutex<()>,
}

/// Runs until the writer is gone.
pub(super) fn run(
    connection: &Connection,
    log: &Log,
    committed: &Receiver<()>,
    stopping: &AtomicBool,
) {
    let mut dirty = false;
    let mut is_failing = false;
    // Nothing else waits so long for a reader while it blocks the writer.
    let _ = connection.raw().busy_timeout(READERS_WAIT);
    loop {
        match committed.recv_timeout(IDLE) {
            Ok(()) => {
                dirty = true;
                if log.length.bytes() > PASSIVE_BYTES {
                    log.checkpoint(connection, "PASSIVE", &mut is_failing);
                }
            }
            Err(RecvTimeoutError::Timeout) if dirty => {
                dirty = !log.checkpoint(connection, "TRUNCATE", &mut is_failing);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if stopping.load(Ordering::Acquire) {
            break;
        }
    }
}

/// The writer's part.
pub(super) struct Bounding {
    /// The length at which the log is emptied next, in bytes.
    next: u64,
    is_failing: bool,
}

impl Log {
    /// The writer has not yet found the log too long.
    pub(super) fn bounding(&self) -> Bounding {
        Bounding { next: self.bound, is_failing: false }
    }

    /// Empties the log on the writer's own connection, between two of its transactions, if it is too long.
    pub(super) fn bound(
        &self,
        writer: &Connection,
        snapshots: &Snapshots,
        bounding: &mut Bounding,
    ) -> Result<()> {
        let bytes = self.length.bytes();
        if bytes <= self.bound {
            bounding.next = self.bound;
        }
        if bytes <= bounding.next {
            return Ok(());
        }
        bounding.next = bytes + self.bound / 4;
        // First, so that no reader waits for the other checkpoint too.
        let _alone = self.alone();
        let held_back = snapshots.hold_back();
        let is_much_too_long = bytes > self.bound + self.bound / 2;
        let mut is_free = held_back.wait(READERS_WAIT);
        if !is_free && is_much_too_long {
            held_back.cancel_reads();
            is_free = held_back.wait(READERS_WAIT);
        }
        if !is_free {
            return Ok(());
        }
        writer.raw().busy_timeout(READERS_WAIT)?;
        if self.checkpoint_alone(writer, "TRUNCATE", &mut bounding.is_failing) {
            bounding.next = self.bound;
        }
        Ok(writer.raw().busy_timeout(LOCK_WAIT)?)
    }

    fn alone(&self) -> MutexGuard<'_, ()> {
        self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checkpoint(&self, connection: &Connection, mode: &str, is_failing: &mut bool) -> bool {
        let _alone = self.alone();
        self.checkpoint_alone(connection, mode, is_failing)
    }

    /// Whether a checkpoint has finished. One that has not is tried again after the next write. Of consecutive
    /// failures only the first is logged.
    fn checkpoint_alone(&self, connection: &Connection, mode: &str, is_failing: &mut bool) -> bool {
        let pragma = format!("PRAGMA wal_checkpoint({mode})");
        // What is in the way is no error, but an answer.
        let outcome = connection.raw().query_row(&pragma, [], |row| row.get::<_, bool>(0));
        let was_failing = std::mem::replace(is_failing, outcome.is_err());
        match outcome {
            Ok(is_blocked) => {
                if mode == "TRUNCATE" && !is_blocked {
                    self.length.emptied();
                }
                !is_blocked
            }
            Err(error) => {
                if !was_failing {
                    tracing::warn!(%error, mode, "checkpoints fail; they are retried after each write");
                }
                false
            }
        }
    }
}
