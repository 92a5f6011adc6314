//! [`Caller`]: how long a job's caller waits, and whether it still does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::error::{Error, Result};

/// How long after its deadline a caller waits for the engine's own answer.
const GRACE: Duration = Duration::from_millis(100);

/// The caller of a job. A clone is the same caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Arc<State>);

#[derive(Debug)]
struct State {
    deadline: Instant,
    is_gone: AtomicBool,
    has_begun: AtomicBool,
    on_leave: Notify,
}

impl Caller {
    pub(crate) fn new(deadline: Instant) -> Self {
        let (is_gone, has_begun) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(State { deadline, is_gone, has_begun, on_leave: Notify::new() }))
    }

    /// The time by which the job must be answered.
    pub(crate) fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// When the caller stops waiting: soon after the deadline, so that the engine's own error can still arrive.
    pub(crate) fn gives_up(&self) -> Instant {
        self.0.deadline.checked_add(GRACE).unwrap_or(self.0.deadline)
    }

    /// Marks the write as begun, after which its outcome may be unknown. Fails if the caller no longer waits.
    pub(crate) fn begin_write(&self) -> Result<()> {
        // Set before the check, so that a caller that gives up after the check sees it.
        self.0.has_begun.store(true, Ordering::SeqCst);
        let waits = self.ensure_waits();
        if waits.is_err() {
            // It will not run, but its answer may have to wait for the end of the batch.
            self.0.has_begun.store(false, Ordering::SeqCst);
        }
        waits
    }

    /// The error for a caller that has given up.
    pub(crate) fn late(&self) -> Error {
        if self.0.has_begun.load(Ordering::SeqCst) {
            return Error::Unknown("the write began, and there was no answer in time".into());
        }
        Error::Deadline
    }

    /// Marks the caller as gone.
    pub(crate) fn leave(&self) {
        self.0.is_gone.store(true, Ordering::Release);
        self.0.on_leave.notify_one();
    }

    /// Whether the caller has gone before its deadline.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.is_gone.load(Ordering::Acquire)
    }

    /// Fails with [`Error::Deadline`] if the caller has gone or the deadline has passed.
    pub(crate) fn ensure_waits(&self) -> Result<()> {
        if self.is_gone() || Instant::now() >= self.0.deadline {
            return Err(Error::Deadline);
        }
        Ok(())
    }

    /// Waits until the caller has gone. Only the thread that runs the job may call this.
    pub(crate) async fn gone(&self) {
        // If the caller leaves between the check and the wait, `Notify` stores that, and the wait ends at once.
        if !self.is_gone() {
            self.0.on_leave.notified().await;
        }
    }
}
