//! Reads the whole body of a request, up to a size limit and until a deadline.

use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;

/// The size limit of a body, in bytes. The longest valid note fits, even with every character escaped.
pub(super) const LIMIT: usize = 2 * 1024 * 1024;

/// How many bytes beyond the limit are read and discarded. A client whose connection is closed while it is
/// still sending often never sees the answer. With an even longer body that may happen.
const DISCARDED: usize = 4 * LIMIT;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// Longer than [`LIMIT`].
    TooLarge,
    /// It had not arrived by the deadline.
    Late,
    /// The client disconnected, or the transfer coding is invalid.
    Broken,
}

/// Reads a body until `deadline`.
pub(super) async fn read(body: Body, deadline: Instant) -> Result<Bytes, BodyFault> {
    tokio::time::timeout_at(deadline.into(), collect(body)).await.unwrap_or(Err(BodyFault::Late))
}

async fn collect(mut body: Body) -> Result<Bytes, BodyFault> {
    let announced = body.size_hint().lower();
    if announced > u64::try_from(LIMIT + DISCARDED).unwrap_or(u64::MAX) {
        return Err(BodyFault::TooLarge);
    }
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() && first.len() <= LIMIT {
        // Nearly every body arrives in one piece, which needs no copy.
        return Ok(first);
    }
    let announced = usize::try_from(announced).unwrap_or(LIMIT).min(LIMIT);
    let mut whole = Vec::with_capacity(announced.max(first.len()));
    whole.extend_from_slice(&first);
    while whole.len() <= LIMIT {
        let Some(piece) = next(&mut body).await? else { return Ok(whole.into()) };
        whole.extend_from_slice(&piece);
    }
    let mut discarded = 0;
    while discarded < DISCARDED {
        let Some(piece) = next(&mut body).await? else { break };
        discarded += piece.len();
    }
    Err(BodyFault::TooLarge)
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
