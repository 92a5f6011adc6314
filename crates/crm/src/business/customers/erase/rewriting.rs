//! Which erasures wait until the files of the database are written again, and which process does it: rows that were
//! deleted or changed leave their values there.
//!
//! A process that claims erasures postpones them by a day, so that no other process claims them, and so that they are due
//! again if this one fails or is stopped.

use zoop_db::{ReadTx, Tenant, Timestamp, WriteTx};

use super::erasure;
use crate::call::error::Result;
use crate::identity::tenants::store as tenants;

/// What a claim postpones erasures by, in microseconds.
const DAY: i64 = 24 * 3_600 * 1_000_000;
/// How much earlier than it is due an erasure is claimed together with one that is due, in microseconds: it is night in
/// the next time zones too, and the files of all businesses are the same.
const TOGETHER: i64 = 4 * 3_600 * 1_000_000;

/// The businesses whose erasures wait.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    /// The businesses.
    pub tenants: Vec<Tenant>,
    /// When the first erasure is due.
    pub due_at: Option<Timestamp>,
}

/// Finds the erasures that wait, of all businesses.
///
/// # Errors
/// If the database fails.
pub fn waiting(tx: &mut ReadTx<'_>) -> Result<Waiting> {
    let mut waiting = Waiting::default();
    for tenant in tenants::numbers(tx)? {
        tx.ensure_time()?;
        tx.bind(tenant);
        if let Some(due_at) = erasure::next_due(tx)? {
            waiting.tenants.push(tenant);
            waiting.due_at = Some(waiting.due_at.map_or(due_at, |first| first.min(due_at)));
        }
    }
    Ok(waiting)
}

/// To when a claim at this time postpones erasures, by which the claim is known.
#[must_use]
pub const fn postponed(now: Timestamp) -> Timestamp {
    Timestamp(now.0 + DAY)
}

/// Claims the erasures of a business that are due, or soon. Returns whether there are any.
///
/// # Errors
/// If the database fails.
pub fn claim_due(tx: &mut WriteTx<'_>, tenant: Tenant, now: Timestamp) -> Result<bool> {
    tx.bind(tenant);
    erasure::postpone(tx, Timestamp(now.0 + TOGETHER), postponed(now))
}

/// Claims all erasures of a business that wait, also those that another process has claimed. Returns whether there are
/// any.
///
/// # Errors
/// If the database fails.
pub fn claim_all(tx: &mut WriteTx<'_>, tenant: Tenant, now: Timestamp) -> Result<bool> {
    tx.bind(tenant);
    // Nothing is due more than a day and the change of a clock from now.
    erasure::postpone(tx, Timestamp(now.0 + 2 * DAY), postponed(now))
}

/// Stores for a business that the files were written again, which began after the claim.
///
/// # Errors
/// If the database fails.
pub fn rewritten(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    claimed: Timestamp,
    now: Timestamp,
) -> Result<()> {
    tx.bind(tenant);
    erasure::rewritten(tx, claimed, now)
}
