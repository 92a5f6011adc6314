//! Passwords as the database holds them: one hash a person.

use serde_json::{Value, json};
use zoop_db::{ReadTx, WriteTx};

use super::links::{self, Factor};
use super::person::{self, By};
use super::restart::{Mailbox, Restart};
use super::{sessions, store};
use crate::clock::Environment;
use crate::error::Result;
use crate::id::{Id, kinds};
use crate::secret::Secret;

/// The stored hash of a person's password, if there is one.
///
/// # Errors
/// The database's.
pub fn stored(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Option<String>> {
    store::password(tx, user)
}

/// Gives a person a password. Where they do it themselves, their other sessions and half-done sign-ins
/// end, and theirs gets a new secret. Where the operator does it, everything starts over: sessions,
/// connected programs and the second factor end, and the operator vouches for the mailbox. Where the
/// holder of a link does it that somebody else has seen, the same ends but for the second factor, and the
/// mailbox counts as unproved.
///
/// # Errors
/// The database's.
pub fn set(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    hash: &str,
    by: By,
) -> Result<Option<Secret>> {
    let (mailbox, factor) = match by {
        By::Session(session, _) => {
            return change(tx, environment, user, hash, session, by).map(Some);
        }
        By::Operator => (Mailbox::Proved, Factor::Ends),
        By::Unproved(_) => (Mailbox::Unproved, Factor::Stays),
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
    by: By,
) -> Result<Secret> {
    let now = environment.clock.now();
    store::set_password(tx, user, hash, now)?;
    store::drop_pending_of(tx, user)?;
    links::forget_of(tx, user)?;
    store::revoke_other_sessions(tx, user, session, now)?;
    let fresh = sessions::renew(tx, environment, session)?;
    let change = ("password", Value::Null, json!("set"));
    person::tell(tx, environment, user, by, "password_set", change)?;
    Ok(fresh)
}
