//! Stored passwords: one hash per user. Hashing is in [`super::password`].

use serde_json::{Value, json};
use zoop_db::{ReadTx, WriteTx};

use super::links::{self, Factor};
use super::restart::{Mailbox, Restart};
use super::user::{self, Initiator};
use super::{sessions, store};
use crate::call::error::Result;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

/// The stored hash of a user's password, if there is one.
///
/// # Errors
/// If the database fails.
pub fn stored_hash(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Option<String>> {
    store::password(tx, user)
}

/// Sets a user's password. The other effects depend on who sets the password:
///
/// - the user: their other sessions, pending sign-ins and links end, and the current session gets a new secret,
///   which is returned.
/// - the operator: the user's sign-in starts over. Sessions, grants and the second factor end, and the operator
///   vouches for the mailbox.
/// - the holder of a link that someone else has seen: the same, but the second factor stays, and the
///   mailbox counts as unproved.
///
/// # Errors
/// If the database fails.
pub fn set(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    hash: &str,
    by: Initiator,
) -> Result<Option<Secret>> {
    let (mailbox, factor) = match by {
        Initiator::Session(session, _) => {
            return change(tx, environment, user, hash, session, by).map(Some);
        }
        Initiator::Operator => (Mailbox::Proved, Factor::Ends),
        Initiator::Unproved(_) => (Mailbox::Unproved, Factor::Stays),
    };
    Restart { password: Some(hash), mailbox, factor }.run(tx, environment, user, by)?;
    Ok(None)
}

fn change(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    hash: &str,
    session: Id<kinds::Session>,
    by: Initiator,
) -> Result<Secret> {
    let now = environment.clock.now();
    store::set_password(tx, user, hash, now)?;
    store::drop_pending_of(tx, user)?;
    links::revoke_all_of_user(tx, user)?;
    store::revoke_other_sessions(tx, user, session, now)?;
    let fresh = sessions::renew(tx, environment, session)?;
    let change = ("password", Value::Null, json!("set"));
    user::record_event(tx, environment, user, by, "password_set", change)?;
    Ok(fresh)
}
