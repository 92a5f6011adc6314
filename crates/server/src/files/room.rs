//! [`Room`]: the memory that one upload uses. It is counted as the upload fills it, so that slow ones use little.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::timeout_at;

use super::receive::Unreceived;
use crate::app::Shared;
use crate::memory::HeldBytes;
use crate::network::Holder;
use crate::seats::halfway;

/// In what steps the memory is counted, in bytes.
const STEP: usize = 256 * 1024;

/// The memory that one upload uses.
pub(crate) struct Room {
    shared: Arc<Shared>,
    /// Who it is counted for.
    holder: Holder,
    held: Vec<HeldBytes<Holder>>,
}

impl Room {
    pub(crate) fn of(shared: &Arc<Shared>, holder: Holder) -> Self {
        Self { shared: shared.clone(), holder, held: Vec::new() }
    }

    /// Waits until there is room for so many bytes, and gives up what is more.
    pub(crate) async fn fit(&mut self, bytes: usize) -> Result<(), Unreceived> {
        let steps = bytes.div_ceil(STEP);
        self.held.truncate(steps);
        let until = halfway(Instant::now() + self.shared.settings.request_deadline);
        while self.held.len() < steps {
            let held = timeout_at(until.into(), self.shared.receiving.room.hold(self.holder, STEP));
            self.held.push(held.await.ok().and_then(Result::ok).ok_or(Unreceived::NoRoom)?);
        }
        Ok(())
    }
}
