//! [`ByteBudget`]: how many bytes the process holds for its callers at once, and how many of them for one
//! of them.
//!
//! A budget only counts: whoever takes bytes keeps the [`HeldBytes`] beside them, and drops both together.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// Bytes that may be held at once. One owner may hold a part of them at most, so that it cannot use up
/// what the others need.
pub(crate) struct ByteBudget<K: Eq + Hash> {
    all: Arc<Semaphore>,
    /// The bytes of all owners.
    total: u32,
    /// The bytes of one owner.
    share: u32,
    owners: Owners<K>,
}

/// The room of each owner that holds bytes or waits for some.
type Owners<K> = Arc<Mutex<HashMap<K, Arc<Semaphore>>>>;

/// Bytes of a budget. Dropping them gives them back.
pub(crate) struct HeldBytes<K: Eq + Hash> {
    _of_all: OwnedSemaphorePermit,
    _of_owner: OwnedSemaphorePermit,
    // Dropped last: an owner without bytes is forgotten.
    _owner: Owner<K>,
}

/// An owner while it holds bytes or waits for them.
struct Owner<K: Eq + Hash> {
    key: K,
    owners: Owners<K>,
}

impl<K: Eq + Hash + Clone> ByteBudget<K> {
    /// A budget of `total` bytes, of which one owner may hold `share`.
    pub(crate) fn new(total: u32, share: u32) -> Self {
        Self {
            all: Arc::new(Semaphore::new(total as usize)),
            total,
            share: share.min(total),
            owners: Owners::default(),
        }
    }

    /// Waits until there is room for `bytes`, first the owner's, then everybody's: an owner that waits
    /// for its own bytes stands in nobody's way. Those who wait are served in turn. More bytes than an
    /// owner may hold count as all that it may hold.
    ///
    /// Dropping the future gives up the wait.
    pub(crate) async fn hold(&self, key: K, bytes: usize) -> Result<HeldBytes<K>, AcquireError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.share);
        let (owner, room) = self.enter(key);
        let of_owner = room.acquire_many_owned(bytes).await?;
        let of_all = self.all.clone().acquire_many_owned(bytes).await?;
        Ok(HeldBytes { _of_all: of_all, _of_owner: of_owner, _owner: owner })
    }

    /// The bytes held now.
    pub(crate) fn held(&self) -> usize {
        (self.total as usize).saturating_sub(self.all.available_permits())
    }

    fn enter(&self, key: K) -> (Owner<K>, Arc<Semaphore>) {
        let mut owners = locked(&self.owners);
        let room = owners
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.share as usize)));
        (Owner { key, owners: self.owners.clone() }, room.clone())
    }
}

impl<K: Eq + Hash> Drop for Owner<K> {
    fn drop(&mut self) {
        let mut owners = locked(&self.owners);
        // Whoever holds bytes of this owner or waits for them has the room too. It is entered only
        // under this lock.
        if owners.get(&self.key).is_some_and(|room| Arc::strong_count(room) == 1) {
            owners.remove(&self.key);
        }
    }
}

fn locked<K: Eq + Hash>(owners: &Owners<K>) -> MutexGuard<'_, HashMap<K, Arc<Semaphore>>> {
    owners.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What is held at once, or nothing if it has to wait.
    fn now<K: Eq + Hash + Clone>(
        budget: &ByteBudget<K>,
        key: K,
        bytes: usize,
    ) -> Option<HeldBytes<K>> {
        let mut wait = pin!(budget.hold(key, bytes));
        match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(held) => Some(held.unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn an_owner_holds_its_share_at_most_and_all_hold_the_total_at_most() {
        let budget = ByteBudget::new(100, 40);
        let first = now(&budget, 'a', 30).unwrap();
        assert!(now(&budget, 'a', 11).is_none(), "more than its share");
        let _more = now(&budget, 'a', 10).unwrap();
        let _other = now(&budget, 'b', 40).unwrap();
        assert!(now(&budget, 'c', 21).is_none(), "more than is left");
        assert_eq!(budget.held(), 80);
        drop(first);
        assert_eq!(budget.held(), 50);
        assert!(now(&budget, 'c', 21).is_some());
    }

    #[test]
    fn who_waits_for_its_own_bytes_stands_in_nobodys_way() {
        let budget = ByteBudget::new(100, 40);
        let _all_of_it = now(&budget, 'a', 40).unwrap();
        let mut wait = pin!(budget.hold('a', 40));
        let mut context = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        assert!(now(&budget, 'b', 40).is_some());
    }

    #[test]
    fn more_than_a_share_counts_as_a_share() {
        let budget = ByteBudget::new(100, 40);
        let held = now(&budget, 'a', 1_000).unwrap();
        assert_eq!(budget.held(), 40);
        drop(held);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn an_owner_without_bytes_is_forgotten() {
        let budget = ByteBudget::new(100, 40);
        let held = now(&budget, 'a', 40);
        assert!(now(&budget, 'a', 1).is_none());
        assert_eq!(locked(&budget.owners).len(), 1);
        drop(held);
        assert_eq!(locked(&budget.owners).len(), 0);
    }
}
