//! [`WriteHealth`]: whether the storage accepts writes, judged by the last write.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// Only changes are logged, so that a thousand writes refused for one cause are two lines.
#[derive(Default)]
pub(crate) struct WriteHealth {
    is_refusing: AtomicBool,
}

impl WriteHealth {
    pub(crate) fn is_good(&self) -> bool {
        !self.is_refusing.load(Ordering::Relaxed)
    }

    /// A write was committed.
    pub(crate) fn kept(&self) {
        // The storage is nearly always healthy. Reading first avoids a write to memory that the threads share.
        if !self.is_good() && self.is_refusing.swap(false, Ordering::Relaxed) {
            tracing::warn!("the storage accepts writes again");
        }
    }

    /// A write failed. Only the first storage failure is logged.
    pub(crate) fn failed(&self, failure: &Error) {
        if failure.is_the_storages() && !self.is_refusing.swap(true, Ordering::Relaxed) {
            tracing::error!(%failure, "the storage refuses writes");
        }
    }
}
