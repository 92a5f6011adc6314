//! [`ByteBudget`]: limits the bytes that the process holds for all callers at once, and for each of them.
//!
//! A budget only counts. Code that stores counted bytes keeps their [`HeldBytes`] too, and drops both together.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// A number of bytes that may be held at once. One owner may hold only a part of them, so that others find room.
pub(crate) struct ByteBudget<K: Eq + Hash> {
    all: Arc<Semaphore>,
    /// Maximum bytes of all owners together.
    total: u32,
    /// Maximum bytes of one owner.
    share: u32,
    owners: Owners<K>,
}

/// For each owner that holds or waits for bytes, a semaphore with the bytes that it may still take.
type Owners<K> = Arc<Mutex<HashMap<K, Arc<Semaphore>>>>;

/// Bytes taken from a budget. Dropping this returns them.
pub(crate) struct HeldBytes<K: Eq + Hash> {
    _of_all: OwnedSemaphorePermit,
    _of_owner: OwnedSemaphorePermit,
    // Dropped last, because an owner is forgotten only when it holds no bytes.
    _owner: Owner<K>,
}

/// An owner that holds or waits for bytes. Dropping the last one for a key forgets the owner.
struct Owner<K: Eq + Hash> {
    key: K,
    owners: Owners<K>,
}

impl<K: Eq + Hash + Clone> ByteBudget<K> {
    /// Creates a budget of `total` bytes, of which one owner may hold `share`.
    pub(crate) fn new(total: u32, share: u32) -> Self {
        Self {
            all: Arc::new(Semaphore::new(total as usize)),
            total,
            share: share.min(total),
            owners: Owners::default(),
        }
    }

    /// Waits until there is room for `bytes`, first in the owner's share and then in the total. So an owner that
    /// waits for its share delays nobody else. Waiting calls are served in order. More bytes than the share count as
    /// the whole share. Dropping the future ends the wait.
    pub(crate) async fn hold(&self, key: K, bytes: usize) -> Result<HeldBytes<K>, AcquireError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.share);
        let (owner, room) = self.register(key);
        let of_owner = room.acquire_many_owned(bytes).await?;
        let of_all = self.all.clone().acquire_many_owned(bytes).await?;
        Ok(HeldBytes { _of_all: of_all, _of_owner: of_owner, _owner: owner })
    }

    /// The number of bytes that are held.
    pub(crate) fn held(&self) -> usize {
        (self.total as usize).saturating_sub(self.all.available_permits())
    }

    fn register(&self, key: K) -> (Owner<K>, Arc<Semaphore>) {
        let mut owners = lock(&self.owners);
        let room = owners
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.share as usize)));
        (Owner { key, owners: self.owners.clone() }, room.clone())
    }
}

impl<K: Eq + Hash> Drop for Owner<K> {
    fn drop(&mut self) {
        let mut owners = lock(&self.owners);
        // Each call that holds or waits for this owner's bytes has a reference to the semaphore. The map's own
        // reference is cloned only under this lock.
        if owners.get(&self.key).is_some_and(|room| Arc::strong_count(room) == 1) {
            owners.remove(&self.key);
        }
    }
}

fn lock<K: Eq + Hash>(owners: &Owners<K>) -> MutexGuard<'_, HashMap<K, Arc<Semaphore>>> {
    owners.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Takes bytes. Returns `None` if they are not free now.
    fn try_hold<K: Eq + Hash + Clone>(
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
        let first = try_hold(&budget, 'a', 30).unwrap();
        assert!(try_hold(&budget, 'a', 11).is_none(), "more than its share");
        let _more = try_hold(&budget, 'a', 10).unwrap();
        let _other = try_hold(&budget, 'b', 40).unwrap();
        assert!(try_hold(&budget, 'c', 21).is_none(), "more than is left");
        assert_eq!(budget.held(), 80);
        drop(first);
        assert_eq!(budget.held(), 50);
        assert!(try_hold(&budget, 'c', 21).is_some());
    }

    #[test]
    fn an_owner_that_waits_for_its_share_delays_nobody_else() {
        let budget = ByteBudget::new(100, 40);
        let _all_of_it = try_hold(&budget, 'a', 40).unwrap();
        let mut wait = pin!(budget.hold('a', 40));
        let mut context = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        assert!(try_hold(&budget, 'b', 40).is_some());
    }

    #[test]
    fn more_than_a_share_counts_as_a_share() {
        let budget = ByteBudget::new(100, 40);
        let held = try_hold(&budget, 'a', 1_000).unwrap();
        assert_eq!(budget.held(), 40);
        drop(held);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn an_owner_without_bytes_is_forgotten() {
        let budget = ByteBudget::new(100, 40);
        let held = try_hold(&budget, 'a', 40);
        assert!(try_hold(&budget, 'a', 1).is_none());
        assert_eq!(lock(&budget.owners).len(), 1);
        drop(held);
        assert_eq!(lock(&budget.owners).len(), 0);
    }
}
