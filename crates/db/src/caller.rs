//! [`Caller`]: until when somebody waits for a job, and whether somebody still does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

use crate::error::{Error, Result};

/// The caller of a job. A clone is the same caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Arc<State>);

#[derive(Debug)]
struct State {
    deadline: Instant,
    is_gone: AtomicBool,
    leaves: Notify,
}

impl Caller {
    pub(crate) fn new(deadline: Instant) -> Self {
        Self(Arc::new(State { deadline, is_gone: AtomicBool::new(false), leaves: Notify::new() }))
    }

    /// When the caller stops waiting.
    pub(crate) fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// The caller waits no longer.
    pub(crate) fn leave(&self) {
        self.0.is_gone.store(true, Ordering::Release);
        self.0.leaves.notify_one();
    }

    /// Whether the caller has gone before its deadline.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.is_gone.load(Ordering::Acquire)
    }

    /// [`Error::Deadline`] if nobody waits any longer.
    pub(crate) fn ensure_waits(&self) -> Result<()> {
        if self.is_gone() || Instant::now() >= self.0.deadline {
            return Err(Error::Deadline);
        }
        Ok(())
    }

    /// Ends when the caller has gone. Only the thread that runs the job waits for this.
    pub(crate) async fn gone(&self) {
        // A caller that leaves between the two leaves a permit, with which the wait ends at once.
        if !self.is_gone() {
            self.0.leaves.notified().await;
        }
    }
}
