//! Checkpoints, which copy the write-ahead log into the database file.
//!
//! A thread runs them without delaying callers: passive checkpoints while writes come in, complete ones when none
//! do. Under continuous writes, a passive checkpoint never reaches the end of the log. Under overlapping reads,
//! SQLite cannot restart the log from its beginning. So if the log is too long, the writer empties it before its
//! next batch ([`Log::bound`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Connection;
use super::connection::LogLength;
use super::snapshots::Snapshots;
use crate::error::Result;

/// While writes come in, a checkpoint runs only if the log is longer than this, in bytes.
const PASSIVE_BYTES: u64 = 4 << 20;
/// How long a checkpoint waits for readers. Writes wait meanwhile, so a longer read, perhaps by another program,
/// makes the checkpoint give up.
const READERS_WAIT: Duration = Duration::from_millis(250);
/// After this time without a write, a complete checkpoint runs.
const IDLE: Duration = Duration::from_secs(2);

/// The write-ahead log of the writer's transactions.
pub(super) struct Log {
    pub(super) length: LogLength,
    /// Above this length in bytes, the writer empties the log. If readers prevent it, the writer tries again each
    /// time the log has grown by a quarter of this. Above one and a half times this, it cancels the reads.
    pub(super) bound: u64,
    /// Locked during a checkpoint: SQLite would fail a second one instead of letting it wait.
    pub(super) one_at_a_time: Mutex<()>,
}

/// Runs checkpoints until the writer has ended.
pub(super) fn run(
    connection: &Connection,
    log: &Log,
    committed: &Receiver<()>,
    stopping: &AtomicBool,
) {
    let mut dirty = false;
    let mut is_failing = false;
    // A complete checkpoint blocks the writer while it waits for readers, so it must not wait for long.
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

/// The writer's state between two calls of [`Log::bound`].
pub(super) struct Bounding {
    /// The length at which the log is emptied next, in bytes.
    next: u64,
    is_failing: bool,
}

impl Log {
    /// The writer's initial state.
    pub(super) fn bounding(&self) -> Bounding {
        Bounding { next: self.bound, is_failing: false }
    }

    /// If the log is too long, empties it on the writer's own connection, between two transactions.
    pub(super) fn bound(
        &self,
        writer: &mut Connection,
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
        // Locked before readers are held back, so that they do not also wait for a checkpoint of the thread.
        let _guard = self.lock();
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
        if self.checkpoint_locked(writer, "TRUNCATE", &mut bounding.is_failing) {
            bounding.next = self.bound;
        }
        writer.wait_for_lock()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checkpoint(&self, connection: &Connection, mode: &str, is_failing: &mut bool) -> bool {
        let _guard = self.lock();
        self.checkpoint_locked(connection, mode, is_failing)
    }

    /// Runs a checkpoint while the caller has the lock, and returns whether it was complete. Of consecutive failures,
    /// only the first is logged.
    fn checkpoint_locked(
        &self,
        connection: &Connection,
        mode: &str,
        is_failing: &mut bool,
    ) -> bool {
        let pragma = format!("PRAGMA wal_checkpoint({mode})");
        // If something blocks the checkpoint, SQLite reports it in the first column, not as an error.
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
