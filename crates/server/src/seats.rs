//! Seats: how many requests are processed at once, how many wait for a seat, and for how long.
//!
//! A request waits after its body has arrived, so that slow senders hold no seat. Waiting requests are served in
//! turn. One holder has at most half of the seats and half of the places in the queue, and so do all strangers
//! together. Their further requests wait behind their own requests, and delay nobody else.

use std::time::Instant;

use tokio::task::unconstrained;
use tokio::time::timeout_at;

use crate::memory::{ByteBudget, HeldBytes};
use crate::network::Holder;

/// For each seat, the number of requests that have a seat or wait for one. Further requests are rejected at once.
const PLACES_PER_SEAT: u32 = 8;
/// Maximum number of seats.
const MAX_SEATS: u32 = 1 << 20;

/// Halfway from now to the deadline. A request may wait for room until then, and has the other half for its work.
pub(crate) fn halfway(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}

/// The seats of one server.
pub(crate) struct Seats {
    all: Room,
    /// A stranger needs a seat in this room first, so that strangers use at most half of all seats.
    strangers: Room,
}

/// Seats and places in the queue for them. Both budgets count requests.
struct Room {
    seats: ByteBudget<Holder>,
    places: ByteBudget<Holder>,
}

/// A request's seat. Dropping it frees the seat for the next request.
pub(crate) struct Seat {
    _of_all: Held,
    _of_strangers: Option<Held>,
}

/// A seat and a place in one room.
struct Held {
    _seat: HeldBytes<Holder>,
    _place: HeldBytes<Holder>,
}

impl Room {
    fn new(seats: u32) -> Self {
        let half_for_one = |number: u32| ByteBudget::new(number, number.div_ceil(2));
        Self { seats: half_for_one(seats), places: half_for_one(seats * PLACES_PER_SEAT) }
    }

    async fn take(&self, holder: Holder, until: Instant) -> Option<Held> {
        // Without `unconstrained`, tokio lets a task that has done much work wait, as if there were no free place.
        let place = unconstrained(self.places.hold(holder, 1));
        let place = timeout_at(Instant::now().into(), place).await.ok()?.ok()?;
        let seat = timeout_at(until.into(), self.seats.hold(holder, 1)).await.ok()?.ok()?;
        Some(Held { _seat: seat, _place: place })
    }

    /// The number of requests that wait for a seat.
    fn waiting(&self) -> usize {
        self.places.held().saturating_sub(self.seats.held())
    }
}

impl Seats {
    /// Creates this many seats, at least 1 and at most [`MAX_SEATS`].
    pub(crate) fn new(number: usize) -> Self {
        let number = u32::try_from(number).unwrap_or(MAX_SEATS).clamp(1, MAX_SEATS);
        Self { all: Room::new(number), strangers: Room::new(number.div_ceil(2)) }
    }

    /// Waits for a seat, at most until `until`. Returns `None` if too many requests wait already or the time is up.
    pub(crate) async fn take(&self, holder: Holder, until: Instant) -> Option<Seat> {
        let of_strangers = match holder {
            Holder::Tenant(_) => None,
            Holder::Strangers(_) | Holder::UnknownAddress => {
                Some(self.strangers.take(holder, until).await?)
            }
        };
        Some(Seat { _of_all: self.all.take(holder, until).await?, _of_strangers: of_strangers })
    }

    /// The number of requests that wait for a seat.
    pub(crate) fn waiting(&self) -> usize {
        self.all.waiting() + self.strangers.waiting()
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
            assert!(seats.take(A, later).await.is_none(), "all of its places are taken");
            let others = (seats.take(B, later).await.unwrap(), seats.take(B, later).await.unwrap());
            assert!(seats.take(B, Instant::now()).await.is_none(), "the time is up");
            drop((held, others));
            for request in waiting {
                assert!(request.await.unwrap(), "each request gets a seat in its turn");
            }
            assert_eq!(seats.waiting(), 0);
        });
    }

    #[test]
    fn strangers_leave_half_of_the_seats_to_tenants_however_many_networks_they_have() {
        run(async {
            let seats = Seats::new(8);
            let soon = || Instant::now() + Duration::from_millis(10);
            let mut held = Vec::new();
            for network in 0..8 {
                let stranger = Holder::stranger(Some([203, network, 0, 1].into()));
                held.extend(seats.take(stranger, soon()).await);
            }
            assert_eq!(held.len(), 4);
            for tenant in 1..5 {
                let tenant = Holder::Tenant(Tenant(tenant));
                held.push(seats.take(tenant, soon()).await.expect("a seat that is free"));
            }
        });
    }

    #[test]
    fn a_task_that_has_worked_long_still_gets_a_free_seat() {
        run(async {
            let seats = Seats::new(4);
            // After a number of operations, tokio reports further ones as pending, so that the task yields.
            while tokio::task::coop::has_budget_remaining() {
                tokio::task::coop::consume_budget().await;
            }
            assert!(seats.take(A, Instant::now() + Duration::from_secs(60)).await.is_some());
        });
    }
}
