//! Reads the whole body of a request, up to a size limit and until a deadline. The bytes of all bodies that
//! arrive or wait are bounded, and so are those of one holder.
//!
//! A body that arrives in one piece needs no room: the connection holds it in any case. Any other needs room
//! before more of it is read, and keeps it until its request is answered. Meanwhile its sender waits.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;

use crate::memory::{ByteBudget, HeldBytes};
use crate::network::Holder;

/// Bodies up to this size have room of their own, so that they never wait for long ones.
const SHORT: usize = 64 * 1024;
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
    /// Until when it may wait for room.
    pub(crate) room_until: Instant,
    /// Until when it must have arrived.
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
        let whole = tokio::time::timeout_at(terms.deadline.into(), self.collect(body, terms));
        whole.await.unwrap_or(Err(BodyFault::Late))
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
        let mut length = announced.max(first.len()).min(limit);
        let mut room = self.room(length, terms).await?;
        let mut whole = Vec::with_capacity(length);
        whole.extend_from_slice(&first);
        drop(first);
        while whole.len() <= limit {
            let Some(piece) = next(&mut body).await? else {
                return Ok(WholeBody { bytes: whole.into(), _room: Some(room) });
            };
            if length <= SHORT && whole.len() + piece.len() > SHORT && limit > SHORT {
                // Its length was not announced. It must not wait for what it holds itself.
                drop(room);
                length = limit;
                room = self.room(length, terms).await?;
            }
            whole.extend_from_slice(&piece);
        }
        drop((whole, room));
        discard(&mut body, limit.saturating_mul(DISCARDED)).await;
        Err(BodyFault::TooLarge)
    }

    async fn room(&self, length: usize, terms: Terms) -> Result<Room, BodyFault> {
        // A short body whose length was not announced may become this long.
        let (budget, length) =
            if length <= SHORT { (&self.short, SHORT) } else { (&self.long, length) };
        let room =
            tokio::time::timeout_at(terms.room_until.into(), budget.hold(terms.holder, length));
        room.await.ok().and_then(Result::ok).ok_or(BodyFault::NoRoom)
    }
}

impl WholeBody {
    const fn of(bytes: Bytes) -> Self {
        Self { bytes, _room: None }
    }
}

/// Lets go of a body that is not needed, after reading what is likely to have been sent already. Returns
/// whether it was read to its end: otherwise the connection must be closed.
pub(crate) async fn let_go(mut body: Body) -> bool {
    let rest = tokio::time::timeout(UNNEEDED_WITHIN, discard(&mut body, UNNEEDED));
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
