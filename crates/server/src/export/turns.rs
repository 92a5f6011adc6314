//! [`Turns`]: how many exports are prepared and sent at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};
use zoop_db::Tenant;

/// How many exports are prepared at once: each keeps a database thread and the disk busy.
const PREPARED_AT_ONCE: usize = 2;

/// The exports of this process.
pub(crate) struct Turns {
    preparing: Semaphore,
    /// The businesses whose export is prepared or sent. Each has a temporary folder, however slowly it is read.
    under_way: Arc<Mutex<HashSet<Tenant>>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { preparing: Semaphore::new(PREPARED_AT_ONCE), under_way: Arc::default() }
    }
}

/// A business's export is under way until this is dropped.
pub(super) struct UnderWay {
    tenant: Tenant,
    all: Arc<Mutex<HashSet<Tenant>>>,
}

impl Turns {
    /// Begins an export of the business, unless one is under way.
    pub(super) fn begin(&self, tenant: Tenant) -> Option<UnderWay> {
        let is_first = locked(&self.under_way).insert(tenant);
        is_first.then(|| UnderWay { tenant, all: self.under_way.clone() })
    }

    /// The right to prepare an export, unless enough others are prepared.
    pub(super) fn prepare(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.preparing.try_acquire()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        locked(&self.all).remove(&self.tenant);
    }
}

/// A panic while the lock was held cannot have left the set in an invalid state.
fn locked(all: &Mutex<HashSet<Tenant>>) -> std::sync::MutexGuard<'_, HashSet<Tenant>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_business_has_one_export_at_a_time_and_the_server_prepares_few() {
        let turns = Turns::default();
        let first = turns.begin(Tenant(1)).expect("the first");
        assert!(turns.begin(Tenant(1)).is_none());
        assert!(turns.begin(Tenant(2)).is_some(), "another business");
        drop(first);
        assert!(turns.begin(Tenant(1)).is_some());
        let permits: Vec<_> =
            (0..PREPARED_AT_ONCE).map(|_| turns.prepare().expect("room")).collect();
        assert!(turns.prepare().is_err());
        drop(permits);
        assert!(turns.prepare().is_ok());
    }
}
