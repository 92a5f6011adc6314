//! How often one person may write notes: counted in a rolling minute and in the write's own
//! transaction, so that calls at the same time cannot pass the limit together, and a refused or
//! failed call does not count.

use zoop_db::{Timestamp, Uuid};

use super::store;
use crate::context::WriteCtx;
use crate::error::{Error, Result};
use crate::id::{self, Id, kinds};

/// How long a write counts, in microseconds.
const WINDOW: i64 = 60 * 1_000_000;

/// Counts a write of the person who acts, or refuses it: the next one fits when the oldest of the
/// last `limit` writes leaves the window. Who that person is.
pub(super) fn count(ctx: &mut WriteCtx<'_, '_>) -> Result<Id<kinds::User>> {
    let Some(user) = ctx.access.actor.user() else {
        return Err(Error::internal("a note is written by no person"));
    };
    let limit = ctx.environment.note_writes_per_minute;
    if limit == 0 {
        return Ok(user);
    }
    // A write that is a minute ahead was made before the clock was set back: it would count until the
    // clock has caught up, which may take hours.
    let from = |at| id::least_at(Timestamp(at));
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
