//! Reads the whole body of a request, up to a size limit and until a deadline.
//!
//! A body that arrives in one piece needs no room: the connection holds it in any case. Any other body needs room
//! before more of it is read. Its sender waits until there is room, and the room is in use until the request is
//! answered. The room is limited for all bodies together and for those of one holder.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use tokio::time::{timeout, timeout_at};

use crate::memory::{ByteBudget, HeldBytes};
use crate::network::Holder;
use crate::seats::halfway;

/// Bodies up to this size have room of their own, so that they never wait for long ones.
const SHORT: usize = 64 * 1024;
/// The room that a body needs at first, in bytes.
const FIRST: usize = 8 * 1024;
/// The room for short bodies, in bytes, and one holder's share of it.
const SHORT_ROOM: (u32, u32) = (16 * MIB, 4 * MIB);
/// The room for long bodies, in bytes, and one holder's share of it.
const LONG_ROOM: (u32, u32) = (48 * MIB, 12 * MIB);
const MIB: u32 = 1024 * 1024;
/// If a body is too large, up to this many times its limit is read and discarded: a client that is still sending
/// when its connection is closed often never sees the answer.
const DISCARD_FACTOR: usize = 4;
/// How many bytes of an unneeded body are read, so that its sender sees the answer and the connection stays usable.
const MAX_UNNEEDED: usize = 64 * 1024;
/// How long that may take.
const UNNEEDED_TIMEOUT: Duration = Duration::from_secs(1);

/// The room for bodies in this process.
pub(crate) struct Bodies {
    short: ByteBudget<Holder>,
    long: ByteBudget<Holder>,
}

/// The limits for reading a body.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Maximum size in bytes.
    pub(crate) limit: usize,
    /// The holder whose share of the room the body uses.
    pub(crate) holder: Holder,
    /// The time by which the body must have arrived. A wait for room may last halfway to it.
    pub(crate) deadline: Instant,
}

/// A whole body. Dropping it frees its room.
pub(crate) struct WholeBody {
    pub(crate) bytes: Bytes,
    _room: Option<Room>,
}

/// Why a body could not be read.
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
        let budget = |(total, share)| ByteBudget::new(total, share);
        Self { short: budget(SHORT_ROOM), long: budget(LONG_ROOM) }
    }
}

impl Bodies {
    pub(crate) async fn read(&self, body: Body, terms: Terms) -> Result<WholeBody, BodyFault> {
        let whole = timeout_at(terms.deadline.into(), self.collect(body, terms));
        whole.await.unwrap_or(Err(BodyFault::Late))
    }

    /// The bytes of room in use.
    pub(crate) fn held(&self) -> usize {
        self.short.held() + self.long.held()
    }

    async fn collect(&self, mut body: Body, terms: Terms) -> Result<WholeBody, BodyFault> {
        let limit = terms.limit;
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit.saturating_mul(1 + DISCARD_FACTOR) {
            return Err(BodyFault::TooLarge);
        }
        let Some(first) = next(&mut body).await? else {
            return Ok(WholeBody::without_room(Bytes::new()));
        };
        if body.is_end_stream() && first.len() <= limit {
            // Nearly every body arrives in one piece, which needs no copy.
            return Ok(WholeBody::without_room(first));
        }
        let length = if announced == 0 { limit } else { announced.min(limit) };
        let (mut whole, mut room, mut has_room_for) = (Vec::new(), None, 0);
        let mut piece = Some(first);
        while let Some(bytes) = piece {
            let needed = whole.len() + bytes.len();
            if needed > limit {
                drop((whole, room));
                discard(&mut body, limit.saturating_mul(DISCARD_FACTOR)).await;
                return Err(BodyFault::TooLarge);
            }
            if needed > has_room_for {
                // A body gives up its room before it waits for more, so that no two bodies wait for each other.
                drop(room.take());
                has_room_for = room_for(needed, length);
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

/// The room for a body of this length when `needed` bytes have arrived. It grows in steps, so that slow senders
/// use little room.
fn room_for(needed: usize, length: usize) -> usize {
    let step = [FIRST, SHORT].into_iter().find(|step| needed <= *step);
    step.unwrap_or(length).min(length).max(needed)
}

impl WholeBody {
    const fn without_room(bytes: Bytes) -> Self {
        Self { bytes, _room: None }
    }
}

/// Discards an unneeded body, after reading the part that the client has probably sent already. Returns whether the
/// body was read to its end. If not, the connection must be closed.
pub(crate) async fn let_go(mut body: Body) -> bool {
    let rest = timeout(UNNEEDED_TIMEOUT, discard(&mut body, MAX_UNNEEDED));
    rest.await.unwrap_or(false)
}

/// Reads and drops pieces until they are `enough` bytes. Returns whether the body has ended.
async fn discard(body: &mut Body, enough: usize) -> bool {
    let mut discarded = 0;
    while discarded < enough {
        match next(body).await {
            Ok(Some(piece)) => discarded += piece.len(),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    body.is_end_stream()
}

/// Reads the next piece of data, and skips trailers.
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
            assert_eq!(room_for(needed, length), room, "{needed} of {length}");
        }
    }
}
