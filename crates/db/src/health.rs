//! [`WriteHealth`]: whether the storage accepts writes, judged by the last write.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// Only changes are logged, so a thousand writes that fail for one cause add only two lines to the log.
#[derive(Default)]
pub(crate) struct WriteHealth {
    is_refusing: AtomicBool,
}

impl WriteHealth {
    pub(crate) fn is_good(&self) -> bool {
        !self.is_refusing.load(Ordering::Relaxed)
    }

    /// Records that a write was committed.
    pub(crate) fn kept(&self) {
        // The storage is nearly always healthy. Reading first avoids a write to memory that the threads share.
        if !self.is_good() && self.is_refusing.swap(false, Ordering::Relaxed) {
            tracing::warn!("the storage accepts writes again");
        }
    }

    /// Records that a write failed. Of consecutive storage failures only the first is logged.
    pub(crate) fn failed(&self, failure: &Error) {
        if failure.is_storage_failure() && !self.is_refusing.swap(true, Ordering::Relaxed) {
            tracing::error!(%failure, "the storage refuses writes");
        }
    }
}
