//! What is removed in time, in every tenant: nothing here is needed for an answer to be right,
//! only for the database not to grow. What is out of date is already invisible before it is swept.
//! And what a wrong clock has left, which nobody can repair, but which must be known.

use zoop_db::{ReadTx, Timestamp, WriteTx};

use crate::clock::{Environment, Moment};
use crate::error::Result;
use crate::history::store as history;
use crate::tenants::store as tenants;
use crate::{idempotency, invitations, notes, oauth, sign_in};

/// Records that lie in the future: a clock was wrong when they were made, or is wrong now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// The tenants that have some.
    pub tenants: usize,
    /// When the last of them says that it was made.
    pub latest: Moment,
}

/// The records that lie in the future, by the history of every tenant, which knows of all changes.
///
/// # Errors
/// The database's.
pub fn ahead(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Option<Ahead>> {
    let mut ahead: Option<Ahead> = None;
    for tenant in tenants::numbers(tx)? {
        tx.bind(tenant);
        if let Some(latest) = history::ahead(tx, now)? {
            let known = ahead.unwrap_or(Ahead { tenants: 0, latest });
            ahead = Some(Ahead { tenants: known.tenants + 1, latest: known.latest.max(latest) });
        }
    }
    Ok(ahead)
}

/// Removes what is out of date; how many rows that were.
///
/// # Errors
/// The database's.
pub fn sweep(tx: &mut WriteTx<'_>, environment: &Environment) -> Result<usize> {
    let now = environment.clock.now();
    Ok(idempotency::sweep(tx, now)?
        + notes::sweep(tx, now)?
        + sign_in::sweep(tx, now)?
        + invitations::sweep(tx, now)?
        + oauth::sweep(tx, now)?)
}
