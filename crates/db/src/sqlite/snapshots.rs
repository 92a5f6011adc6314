//! [`Snapshots`]: which readers hold a snapshot, and whether new snapshots may begin.
//!
//! The write-ahead log can be emptied only while nobody reads from it. Overlapping reads could prevent this
//! forever, so the writer holds new snapshots back for a moment.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::caller::Caller;
use crate::error::{Error, Result};

/// The snapshots of an engine's reader threads, by the number of the thread.
pub(super) struct Snapshots {
    state: Mutex<State>,
    /// Notified when a snapshot has ended, and when snapshots may begin again.
    changed: Condvar,
}

struct State {
    /// For each reader that holds a snapshot, the caller of its job.
    held: Vec<Option<Caller>>,
    are_held_back: bool,
}

impl Snapshots {
    pub(super) fn new(readers: usize) -> Self {
        let state = State { held: vec![None; readers], are_held_back: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits until a reader may begin a snapshot, at most until its caller's deadline.
    pub(super) fn begin(&self, reader: usize, caller: &Caller) -> Result<()> {
        let left = caller.deadline().saturating_duration_since(Instant::now());
        let state = self.lock();
        let are_held_back = |state: &mut State| state.are_held_back;
        let waited = self.changed.wait_timeout_while(state, left, are_held_back);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.are_held_back {
            return Err(Error::Deadline);
        }
        state.held[reader] = Some(caller.clone());
        Ok(())
    }

    /// Reuses a reader's snapshot for another caller; returns false if snapshots are held back.
    pub(super) fn reuse(&self, reader: usize, caller: &Caller) -> bool {
        let mut state = self.lock();
        if state.are_held_back {
            return false;
        }
        state.held[reader] = Some(caller.clone());
        true
    }

    /// Records that a reader has ended its snapshot.
    pub(super) fn end(&self, reader: usize) {
        self.lock().held[reader] = None;
        self.changed.notify_all();
    }

    /// Lets no snapshot begin until the guard is dropped.
    pub(super) fn hold_back(&self) -> HeldBack<'_> {
        self.lock().are_held_back = true;
        HeldBack(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Snapshots are held back until this is dropped.
pub(super) struct HeldBack<'s>(&'s Snapshots);

impl HeldBack<'_> {
    /// Waits at most this long until no reader holds a snapshot; returns whether none does.
    pub(super) fn wait(&self, wait: Duration) -> bool {
        let is_any_held = |state: &mut State| state.held.iter().any(Option::is_some);
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), wait, is_any_held);
        let (_state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }

    /// Cancels the reads that hold a snapshot.
    pub(super) fn cancel_reads(&self) {
        for caller in self.0.lock().held.iter().flatten() {
            caller.leave();
        }
    }
}

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        self.0.lock().are_held_back = false;
        self.0.changed.notify_all();
    }
}
