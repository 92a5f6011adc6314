//! Passwords as the database holds them: one hash a person.

use serde_json::{Value, json};
use zoop_db::{ReadTx, WriteTx};

use super::person::{self, By};
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

/// Gives a person a password: every session and half-done sign-in of theirs ends, but for the one in
/// which they do it themselves, which gets a new secret.
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
    let now = environment.clock.now();
    store::set_password(tx, user, hash, now)?;
    store::drop_pending_of(tx, user)?;
    let fresh = match by {
        By::Session(session, _) => {
            store::revoke_other_sessions(tx, user, session, now)?;
            Some(sessions::renew(tx, environment, session)?)
        }
        By::Unproved(_) | By::Operator => {
            store::revoke_sessions(tx, user, now)?;
            None
        }
    };
    let change = ("password", Value::Null, json!("set"));
    person::tell(tx, environment, user, by, "password_set", change)?;
    Ok(fresh)
}
