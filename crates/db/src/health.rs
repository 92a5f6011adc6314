//! [`WriteHealth`]: whether the storage takes writes, as the last one found.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// Logged when it changes, so that a thousand refused writes with one cause are two lines.
#[derive(Default)]
pub(crate) struct WriteHealth {
    is_refusing: AtomicBool,
}

impl WriteHealth {
    pub(crate) fn is_good(&self) -> bool {
        !self.is_refusing.load(Ordering::Relaxed)
    }

    /// A write was kept.
    pub(crate) fn kept(&self) {
        // Nearly always it was good before; then nothing is written that the threads share.
        if !self.is_good() && self.is_refusing.swap(false, Ordering::Relaxed) {
            tracing::warn!("the storage takes writes again");
        }
    }

    /// A write failed. Only the first storage failure is logged.
    pub(crate) fn failed(&self, failure: &Error) {
        if failure.is_the_storages() && !self.is_refusing.swap(true, Ordering::Relaxed) {
            tracing::error!(%failure, "the storage refuses writes");
        }
    }
}
