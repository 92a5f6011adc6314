//! Seats: how many requests are processed at once, how many wait for that, and for how long.
//!
//! A request waits once its body has arrived, so that slow senders hold no seat. Those who wait are served in
//! turn. One holder has half of the seats and half of the places to wait at most: its further requests wait
//! behind its own, and in nobody else's way.

use std::time::Instant;

use tokio::time::timeout_at;

use crate::memory::{ByteBudget, HeldBytes};
use crate::network::Holder;

/// For each seat, the requests that have a seat or wait for one; the next is turned away at once.
const PLACES: u32 = 8;
/// The number of seats at most.
const MOST: u32 = 1 << 20;

/// The time until which a request may wait for room: the other half of what is left to it is for its work.
pub(crate) fn halfway(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}

/// The seats of one server. Both budgets count requests.
pub(crate) struct Seats {
    taken: ByteBudget<Holder>,
    places: ByteBudget<Holder>,
}

/// A request's seat. Dropping it lets the next one in.
pub(crate) struct Seat {
    _seat: HeldBytes<Holder>,
    _place: HeldBytes<Holder>,
}

impl Seats {
    /// This many seats; at least one, and a million at most.
    pub(crate) fn new(number: usize) -> Self {
        let number = u32::try_from(number).unwrap_or(MOST).clamp(1, MOST);
        let half_for_one = |number: u32| ByteBudget::new(number, number.div_ceil(2));
        Self { taken: half_for_one(number), places: half_for_one(number * PLACES) }
    }

    /// Waits for a seat until a time. None if too many wait already, or the time is up.
    pub(crate) async fn take(&self, holder: Holder, until: Instant) -> Option<Seat> {
        let now = Instant::now();
        let place = timeout_at(now.into(), self.places.hold(holder, 1)).await.ok()?.ok()?;
        let seat = timeout_at(until.into(), self.taken.hold(holder, 1)).await.ok()?.ok()?;
        Some(Seat { _seat: seat, _place: place })
    }

    /// The requests that wait for a seat.
    pub(crate) fn waiting(&self) -> usize {
        self.places.held().saturating_sub(self.taken.held())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
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
    fn one_holder_leaves_half_of_the_seats_and_places_to_others() {
        run(async {
            let seats = Arc::new(Seats::new(4));
            let later = Instant::now() + Duration::from_secs(60);
            let held = (seats.take(A, later).await.unwrap(), seats.take(A, later).await.unwrap());
            let waiting: Vec<_> = (2..16)
                .map(|_| {
                    let seats = seats.clone();
                    tokio::spawn(async move { seats.take(A, later).await.is_some() })
                })
                .collect();
            while seats.waiting() < waiting.len() {
                tokio::task::yield_now().await;
            }
            assert!(seats.take(A, later).await.is_none(), "it is turned away at once");
            let others = (seats.take(B, later).await.unwrap(), seats.take(B, later).await.unwrap());
            assert!(seats.take(B, Instant::now()).await.is_none(), "the time is up");
            drop((held, others));
            for one in waiting {
                assert!(one.await.unwrap(), "each has a seat in its turn");
            }
            assert_eq!(seats.waiting(), 0);
        });
    }
}
