//! Which erasures wait until the files of the database are written again, and which process does it: rows that were
//! deleted or changed leave their values there.
//!
//! A process that claims erasures postpones them to another night, so that no other process claims them, and so that
//! they are due again if this one fails or is stopped.

use zoop_db::{ReadTx, Tenant, Timestamp, WriteTx};

use super::erasure::{self, HOUR};
use crate::call::error::Result;
use crate::identity::tenants::store as tenants;
use crate::values::zone::Zone;

const SECOND: i64 = 1_000_000;
const HOURS: i64 = 3_600 * SECOND;
/// How much earlier than it is due an erasure is claimed together with one that is due: it is night in the next time
/// zones too, and the files of all businesses are the same.
const TOGETHER: i64 = 4 * HOURS;
/// How long a claim lasts at least. It is longer than [`TOGETHER`], so that no other process claims the same night's
/// erasures while this one writes the files.
const CLAIMED: i64 = 8 * HOURS;
/// Nothing is due later than this from now: a claim, the rest of a day, and the change of a clock.
const LATEST: i64 = 48 * HOURS;
/// How many businesses are looked at in one read.
const TENANTS: i64 = 500;

/// A business whose erasures wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The business.
    pub tenant: Tenant,
    /// When the first erasure is due.
    pub due_at: Timestamp,
}

/// The businesses whose erasures wait, among some.
#[derive(Debug)]
pub struct Search {
    /// In the order of their numbers.
    pub waiting: Vec<Waiting>,
    /// The business to go on with, if there may be more.
    pub next: Option<Tenant>,
}

/// Finds the erasures that wait, of a few businesses from one on.
///
/// # Errors
/// If the database fails.
pub fn search(tx: &mut ReadTx<'_>, from: Tenant) -> Result<Search> {
    let mut waiting = Vec::new();
    let some = tenants::numbers_from(tx, from, TENANTS)?;
    for tenant in &some {
        tx.bind(*tenant);
        if let Some(due_at) = erasure::next_due(tx)? {
            waiting.push(Waiting { tenant: *tenant, due_at });
        }
    }
    Ok(Search { waiting, next: some.last().map(|last| Tenant(last.0 + 1)) })
}

/// Erasures of a business that this process has claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    tenant: Tenant,
    /// To when they are postponed, by which they are found again.
    due_at: Timestamp,
}

/// Claims the erasures of these businesses that are due, or soon, all in one transaction. If another process has
/// claimed some since they were found, it writes the files of this night, and nothing more is claimed.
///
/// # Errors
/// If the database fails.
pub fn claim_due(tx: &mut WriteTx<'_>, waiting: &[Waiting], now: Timestamp) -> Result<Vec<Claim>> {
    let soon = Timestamp(now.0 + TOGETHER);
    let mut claims = Vec::new();
    for it in waiting.iter().filter(|it| it.due_at <= soon) {
        let Some(claim) = claim(tx, it.tenant, soon, now)? else { break };
        claims.push(claim);
    }
    Ok(claims)
}

/// Claims all erasures of these businesses that wait, also those that another process has claimed.
///
/// # Errors
/// If the database fails.
pub fn claim_all(tx: &mut WriteTx<'_>, waiting: &[Waiting], now: Timestamp) -> Result<Vec<Claim>> {
    let mut claims = Vec::new();
    for it in waiting {
        claims.extend(claim(tx, it.tenant, Timestamp(now.0 + LATEST), now)?);
    }
    Ok(claims)
}

/// Claims the erasures of a business that are due by a time, if there are any.
fn claim(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    due_by: Timestamp,
    now: Timestamp,
) -> Result<Option<Claim>> {
    tx.bind(tenant);
    let due_at = postponed(tenants::tenant(tx)?.time_zone, now);
    Ok(erasure::postpone(tx, due_by, due_at)?.then_some(Claim { tenant, due_at }))
}

/// To when a claim postpones erasures: to a night of the business. The part of a second tells the claim from others and
/// from new erasures, which are due on the full hour.
fn postponed(zone: Zone, now: Timestamp) -> Timestamp {
    let night = zone.next_hour(HOUR, Timestamp(now.0 + CLAIMED));
    Timestamp(night.0 + 1 + now.0.rem_euclid(SECOND - 1))
}

/// Stores that the files were written again, which began after these claims.
///
/// # Errors
/// If the database fails.
pub fn rewritten(tx: &mut WriteTx<'_>, claims: &[Claim], now: Timestamp) -> Result<()> {
    for claim in claims {
        tx.bind(claim.tenant);
        erasure::rewritten(tx, claim.due_at, now)?;
    }
    Ok(())
}
