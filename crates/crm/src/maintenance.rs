//! What is removed in time, in every tenant: nothing here is needed for an answer to be right,
//! only for the database not to grow. What is out of date is already invisible before it is swept.

use zoop_db::WriteTx;

use crate::clock::Environment;
use crate::error::Result;
use crate::{idempotency, invitations, notes, oauth, sign_in};

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
