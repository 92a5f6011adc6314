//! Seats: how many requests are processed at once, how many wait for that, and for how long.
//!
//! A request waits once its body has arrived, so that slow senders hold no seat. Those who wait are served in
//! turn. One holder has half of the seats at most: its further requests wait behind its own, and in nobody
//! else's way.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::memory::{ByteBudget, HeldBytes};
use crate::network::Holder;

/// For each seat, the requests that have a seat or wait for one; the next is turned away at once.
const PLACES: u32 = 8;
const MOST: u32 = 1 << 20;

/// The seats of one server.
pub(crate) struct Seats {
    /// A budget that counts requests.
    taken: ByteBudget<Holder>,
    places: Arc<Semaphore>,
}

/// A request's seat. Dropping it lets the next one in.
pub(crate) struct Seat {
    _seat: HeldBytes<Holder>,
    _place: OwnedSemaphorePermit,
}

impl Seats {
    /// This many seats; at least one, and a million at most.
    pub(crate) fn new(number: usize) -> Self {
        let number = u32::try_from(number).unwrap_or(MOST).clamp(1, MOST);
        let places = number.saturating_mul(PLACES) as usize;
        Self {
            taken: ByteBudget::new(number, number.div_ceil(2)),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Waits for a seat until a time. None if too many wait already, or the time is up.
    pub(crate) async fn take(&self, holder: Holder, until: Instant) -> Option<Seat> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        let seat = tokio::time::timeout_at(until.into(), self.taken.hold(holder, 1)).await;
        Some(Seat { _seat: seat.ok()?.ok()?, _place: place })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zoop_db::Tenant;

    use super::*;

    const A: Holder = Holder::Tenant(Tenant(1));
    const B: Holder = Holder::Tenant(Tenant(2));

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(test);
    }

    #[test]
    fn one_holder_leaves_half_of_the_seats_to_others_however_many_it_waits_for() {
        run(async {
            let seats = Arc::new(Seats::new(4));
            let later = Instant::now() + Duration::from_secs(60);
            let mut held = Vec::new();
            for _ in 0..2 {
                held.push(seats.take(A, later).await.unwrap());
            }
            let waiting: Vec<_> = (0..10)
                .map(|_| {
                    let seats = seats.clone();
                    tokio::spawn(async move { seats.take(A, later).await.is_some() })
                })
                .collect();
            while seats.places.available_permits() > 4 * PLACES as usize - 12 {
                tokio::task::yield_now().await;
            }
            let _others =
                (seats.take(B, later).await.unwrap(), seats.take(B, later).await.unwrap());
            assert!(seats.take(B, Instant::now()).await.is_none(), "the time is up");
            drop(held);
            for one in waiting {
                assert!(one.await.unwrap(), "each gets a seat in its turn");
            }
        });
    }

    #[test]
    fn past_the_last_place_a_request_is_turned_away_at_once() {
        run(async {
            let seats = Arc::new(Seats::new(1));
            let later = Instant::now() + Duration::from_secs(60);
            let held = seats.take(A, later).await.unwrap();
            let waiting: Vec<_> = (1..PLACES)
                .map(|_| {
                    let seats = seats.clone();
                    tokio::spawn(async move { seats.take(A, later).await.is_some() })
                })
                .collect();
            while seats.places.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            assert!(seats.take(B, later).await.is_none());
            drop(held);
            for one in waiting {
                assert!(one.await.unwrap());
            }
            assert!(seats.take(B, later).await.is_some());
        });
    }
}
