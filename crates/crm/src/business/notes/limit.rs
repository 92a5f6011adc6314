//! The limit on a user's note writes per rolling minute. Writes are counted in their own transaction, so
//! that concurrent calls cannot exceed the limit together, and a rejected or failed call does not count.

use zoop_db::{Timestamp, Uuid};

use super::store;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{self, Id, kinds};

/// How long a write counts, in microseconds.
const WINDOW: i64 = 60 * 1_000_000;

/// Counts a write of the acting user, or rejects it: the next one fits when the oldest of the last
/// `limit` writes leaves the window. Returns the user.
pub(super) fn count(ctx: &mut WriteCtx<'_, '_>) -> Result<Id<kinds::User>> {
    let Some(user) = ctx.access.actor.user() else {
        return Err(Error::internal("a note's author must be a user"));
    };
    let limit = ctx.environment.note_writes_per_minute;
    if limit == 0 {
        return Ok(user);
    }
    // A write more than a minute ahead was made before the clock was set back. It would count until the
    // clock catches up, which may take hours.
    let from = |at| id::lowest_at(Timestamp(at));
    let counted = from(ctx.now.0 - WINDOW + 1)..from(ctx.now.0 + WINDOW);
    store::forget_writes(ctx.tx, user, counted.clone())?;
    if let Some(filling) = store::nth_write(ctx.tx, user, counted.start, limit)? {
        return Err(Error::Conflict {
            message: format!(
                "This person has made {limit} note writes in the last minute, which is the most: \
                 wait, then try again."
            ),
            retry_after_s: Some(seconds_until_free(filling, ctx.now)),
        });
    }
    let last = store::last_write(ctx.tx, user, ctx.now)?;
    let id = id::following(last, ctx.now, ctx.environment.entropy.bits());
    store::insert_write(ctx.tx, user, id)?;
    Ok(user)
}

/// Whole seconds, at least one, until a counted write leaves the window.
fn seconds_until_free(write: Uuid, now: Timestamp) -> u64 {
    let leaves = Id::<kinds::Note>::new(write).created_at().0.0 + WINDOW;
    u64::try_from(leaves - now.0).unwrap_or(0).div_ceil(1_000_000).max(1)
}
