//! The limits on a user's note writes per rolling minute. A write is counted in the transaction that makes it,
//! so concurrent calls cannot exceed the limit together, and a rejected or failed call does not count.
//!
//! Saving a draft again does not count as a write, because clients save often while the author types. Its bytes
//! are counted instead, in one row for each second, so a user has hardly more than sixty rows.

use std::ops::Range;

use zoop_db::{Timestamp, Uuid};

use super::store;
use crate::call::access::RateLimit;
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::storage;
use crate::values::id::{self, Id, kinds};

/// How long a write counts, in microseconds.
const WINDOW: i64 = 60 * SECOND;
const SECOND: i64 = 1_000_000;
/// Maximum bytes of drafts that a user may save in the window.
const MAX_DRAFT_BYTES: i64 = 4 * 1024 * 1024;

/// Counts a write by the acting user, and returns the user. Rejects the write if the window already contains as
/// many as the limit allows: the next one fits when the oldest of the last `limit` writes leaves the window.
pub(in crate::business) fn count(ctx: &mut WriteCtx<'_, '_>) -> Result<Id<kinds::User>> {
    let Some(user) = ctx.access.actor.user() else {
        return Err(Error::internal("a note's author must be a user"));
    };
    let limit = ctx.environment.note_writes_per_minute;
    if limit == 0 {
        return Ok(user);
    }
    let counted = counted_at(ctx.now);
    store::forget_writes(ctx.tx, user, counted.clone())?;
    if let Some(oldest) = store::nth_write(ctx.tx, user, counted.start, limit)? {
        return Err(Error::Conflict {
            message: format!(
                "This person has made {limit} note writes in the last minute, the maximum: \
                 wait, then try again."
            ),
            retry_after_s: Some(seconds_until_free(oldest, ctx.now)),
        });
    }
    let last = store::last_write(ctx.tx, user, ctx.now)?;
    let id = id::following(last, ctx.now, ctx.environment.entropy.bits());
    store::insert_write(ctx.tx, user, id)?;
    Ok(user)
}

/// The ids of the writes that count at `now`. A write a minute or more ahead was made before the clock was set
/// back. It does not count, because it would count until the clock catches up, which may take hours.
fn counted_at(now: Timestamp) -> Range<Uuid> {
    let lowest_id = |at| id::lowest_at(Timestamp(at));
    lowest_id(now.0 - WINDOW + 1)..lowest_id(now.0 + WINDOW)
}

/// The limit on the acting user's note writes, and what is left of it. `None` if there is no limit, or if the caller
/// is not a user.
pub(crate) fn remaining_writes(ctx: &mut ReadCtx<'_, '_>) -> Result<Option<RateLimit>> {
    let limit = ctx.environment.note_writes_per_minute;
    let (Some(user), 1..) = (ctx.access.actor.user(), limit) else { return Ok(None) };
    let made = store::count_writes(ctx.tx, user, counted_at(ctx.now))?;
    Ok(Some(RateLimit { limit, left: limit.saturating_sub(made) }))
}

/// Counts the bytes of a draft that the acting user saves again, or rejects the call. Without a limit on writes,
/// these bytes are not limited either.
pub(super) fn count_draft(ctx: &mut WriteCtx<'_, '_>, body: &str) -> Result<()> {
    let (Some(user), 1..) = (ctx.access.actor.user(), ctx.environment.note_writes_per_minute)
    else {
        return Ok(());
    };
    let bytes = storage::length(body);
    // A second counts until its last moment leaves the window. A second that is a minute or more ahead is from a
    // wrong clock.
    let counted = Timestamp(ctx.now.0 - WINDOW - SECOND)..Timestamp(ctx.now.0 + WINDOW);
    store::forget_draft_bytes(ctx.tx, user, counted)?;
    let saved = store::draft_bytes(ctx.tx, user)?;
    let mut excess = saved.iter().map(|(_, bytes)| bytes).sum::<i64>() + bytes - MAX_DRAFT_BYTES;
    if excess > 0 {
        let freeing = saved.iter().find(|(_, bytes)| {
            excess -= bytes;
            excess <= 0
        });
        let free_at = freeing.map_or(ctx.now.0, |(second, _)| second.0 + SECOND) + WINDOW;
        return Err(Error::Conflict {
            message: "This person has saved 4 MiB of drafts in the last minute, the maximum: \
                      wait, then try again."
                .to_owned(),
            retry_after_s: Some(seconds_until(free_at, ctx.now)),
        });
    }
    let second = Timestamp(ctx.now.0.div_euclid(SECOND) * SECOND);
    store::add_draft_bytes(ctx.tx, user, second, bytes)
}

/// Whole seconds until a counted write leaves the window, at least one.
fn seconds_until_free(write: Uuid, now: Timestamp) -> u64 {
    seconds_until(Id::<kinds::Note>::new(write).created_at().0.0 + WINDOW, now)
}

/// Whole seconds until `time`, at least one.
fn seconds_until(time: i64, now: Timestamp) -> u64 {
    u64::try_from(time - now.0).unwrap_or(0).div_ceil(1_000_000).max(1)
}
