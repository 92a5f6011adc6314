//! Reads the whole body of a request, up to a size limit and until a deadline. The bytes of all bodies that
//! arrive or wait are bounded, and so are those of one holder.
//!
//! A body that arrives in one piece needs no room: the connection holds it in any case. Any other needs room
//! before more of it is read, while its sender waits, and keeps it until its request is answered.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use tokio::time::{timeout, timeout_at};

use crate::memory::{ByteBudget, HeldBytes};
use crate::network::Holder;
use crate::seats::halfway;

/// Bodies up to this size have room of their own, so that they never wait for long ones.
const SHORT: usize = 64 * 1024;
/// The room that a body takes at first.
const FIRST: usize = 8 * 1024;
/// The room for short bodies, in bytes, and one holder's share of it.
const SHORT_ROOM: (u32, u32) = (16 * MIB, 4 * MIB);
/// The room for long bodies, in bytes, and one holder's share of it.
const LONG_ROOM: (u32, u32) = (48 * MIB, 12 * MIB);
const MIB: u32 = 1024 * 1024;
/// For each byte of a limit, the bytes beyond it that are read and discarded. A client whose connection is
/// closed while it is still sending often never sees the answer. With an even longer body that may happen.
const DISCARDED: usize = 4;
/// How much of a body that nobody needs is read, so that its sender sees the answer and the connection
/// stays usable, and for how long.
const UNNEEDED: usize = 64 * 1024;
const UNNEEDED_WITHIN: Duration = Duration::from_secs(1);

/// The room for bodies in this process.
pub(crate) struct Bodies {
    short: ByteBudget<Holder>,
    long: ByteBudget<Holder>,
}

/// How a body is read.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Its size limit in bytes.
    pub(crate) limit: usize,
    /// Whose share of the room it takes.
    pub(crate) holder: Holder,
    /// Until when it must have arrived. It may wait for room for half of the time that is left.
    pub(crate) deadline: Instant,
}

/// A whole body. Its room is free again when it is dropped.
pub(crate) struct WholeBody {
    pub(crate) bytes: Bytes,
    _room: Option<Room>,
}

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// Longer than the limit.
    TooLarge,
    /// It had not arrived by the deadline.
    Late,
    /// The client disconnected, or the transfer coding is invalid.
    Broken,
    /// There was no room for it in time.
    NoRoom,
}

type Room = HeldBytes<Holder>;

impl Default for Bodies {
    fn default() -> Self {
        let of = |(total, share)| ByteBudget::new(total, share);
        Self { short: of(SHORT_ROOM), long: of(LONG_ROOM) }
    }
}

impl Bodies {
    /// Reads a body.
    pub(crate) async fn read(&self, body: Body, terms: Terms) -> Result<WholeBody, BodyFault> {
        let whole = timeout_at(terms.deadline.into(), self.collect(body, terms));
        whole.await.unwrap_or(Err(BodyFault::Late))
    }

    /// The bytes of the room that are taken.
    pub(crate) fn held(&self) -> usize {
        self.short.held() + self.long.held()
    }

    async fn collect(&self, mut body: Body, terms: Terms) -> Result<WholeBody, BodyFault> {
        let limit = terms.limit;
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit.saturating_mul(1 + DISCARDED) {
            return Err(BodyFault::TooLarge);
        }
        let Some(first) = next(&mut body).await? else { return Ok(WholeBody::of(Bytes::new())) };
        if body.is_end_stream() && first.len() <= limit {
            // Nearly every body arrives in one piece, which needs no copy.
            return Ok(WholeBody::of(first));
        }
        let length = if announced == 0 { limit } else { announced.min(limit) };
        let (mut whole, mut room, mut has_room_for) = (Vec::new(), None, 0);
        let mut piece = Some(first);
        while let Some(bytes) = piece {
            let needed = whole.len() + bytes.len();
            if needed > limit {
                drop((whole, room));
                discard(&mut body, limit.saturating_mul(DISCARDED)).await;
                return Err(BodyFault::TooLarge);
            }
            if needed > has_room_for {
                // Whoever waits for more room gives up what it has, so that no two wait for each other.
                drop(room.take());
                has_room_for = step(needed, length);
                room = Some(self.room(has_room_for, terms).await?);
                whole.reserve_exact(has_room_for - whole.len());
            }
            whole.extend_from_slice(&bytes);
            drop(bytes);
            piece = next(&mut body).await?;
        }
        Ok(WholeBody { bytes: whole.into(), _room: room })
    }

    async fn room(&self, bytes: usize, terms: Terms) -> Result<Room, BodyFault> {
        let budget = if bytes <= SHORT { &self.short } else { &self.long };
        let until = halfway(terms.deadline).into();
        let room = timeout_at(until, budget.hold(terms.holder, bytes)).await;
        room.ok().and_then(Result::ok).ok_or(BodyFault::NoRoom)
    }
}

/// How much room to take for a body of this length, once this much of it is needed: little while little has
/// arrived, so that slow senders take little, and at last all of it.
fn step(needed: usize, length: usize) -> usize {
    let step = [FIRST, SHORT].into_iter().find(|step| needed <= *step);
    step.unwrap_or(length).min(length).max(needed)
}

impl WholeBody {
    const fn of(bytes: Bytes) -> Self {
        Self { bytes, _room: None }
    }
}

/// Lets go of a body that is not needed, after reading what is likely to have been sent already. Returns
/// whether it was read to its end: otherwise the connection must be closed.
pub(crate) async fn let_go(mut body: Body) -> bool {
    let rest = timeout(UNNEEDED_WITHIN, discard(&mut body, UNNEEDED));
    rest.await.unwrap_or(false)
}

/// Reads up to `most` bytes and drops them. Returns whether the body has ended.
async fn discard(body: &mut Body, most: usize) -> bool {
    let mut discarded = 0;
    while discarded < most {
        match next(body).await {
            Ok(Some(piece)) => discarded += piece.len(),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    body.is_end_stream()
}

/// The next piece of data; trailers are skipped.
async fn next(body: &mut Body) -> Result<Option<Bytes>, BodyFault> {
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.map_err(|_| BodyFault::Broken)?.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_with_what_has_arrived() {
        let long = 2 * 1024 * 1024;
        for (needed, length, room) in [
            (1, long, FIRST),
            (FIRST + 1, long, SHORT),
            (SHORT + 1, long, long),
            (1, 100, 100),
            (FIRST + 1, 20_000, 20_000),
        ] {
            assert_eq!(step(needed, length), room, "{needed} of {length}");
        }
    }
}
