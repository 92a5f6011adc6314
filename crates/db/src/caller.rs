//! [`Caller`]: until when somebody waits for a job, and whether somebody still does.

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
    leaves: Notify,
}

impl Caller {
    pub(crate) fn new(deadline: Instant) -> Self {
        let (is_gone, has_begun) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(State { deadline, is_gone, has_begun, leaves: Notify::new() }))
    }

    /// When the caller stops waiting.
    pub(crate) fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// The latest time at which the caller is told that there is no answer. The engines give up at the deadline; the
    /// time after it is for their own words.
    pub(crate) fn gives_up(&self) -> Instant {
        self.0.deadline.checked_add(GRACE).unwrap_or(self.0.deadline)
    }

    /// A write begins, if its caller still waits. From now on its outcome may be unknown.
    pub(crate) fn begin_write(&self) -> Result<()> {
        // First, so that a caller who gave up either sees it, or gave up so early that nothing begins.
        self.0.has_begun.store(true, Ordering::SeqCst);
        self.ensure_waits()
    }

    /// The error for a caller that has given up.
    pub(crate) fn late(&self) -> Error {
        if self.0.has_begun.load(Ordering::SeqCst) {
            return Error::Unknown("the write began, and there was no answer in time".into());
        }
        Error::Deadline
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
