//! Starts a user's sign-in over: the old password, all sessions and all grants stop working.

use serde_json::{Value, json};
use zoop_db::WriteTx;

use super::links::{self, Factor};
use super::user::{self, Initiator};
use super::{devices, second_factor, store};
use crate::call::error::Result;
use crate::identity::oauth;
use crate::identity::users;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

/// Whether the user has proved that the mailbox is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mailbox {
    /// Yes: the user followed a mailed link, the identity provider verified the address, or the operator vouches for
    /// the mailbox.
    Proved,
    /// No: someone else has seen the link and may have followed it.
    Unproved,
}

/// How a sign-in starts over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Restart<'a> {
    /// The hash of the new password. `None` removes the password.
    pub(crate) password: Option<&'a str>,
    /// Whether the mailbox counts as proved from now on.
    pub(crate) mailbox: Mailbox,
    /// What happens to the second factor.
    pub(crate) factor: Factor,
}

impl Restart<'_> {
    /// Sets or removes the password, and ends every session, pending sign-in, link, remembered browser and grant of
    /// the user.
    pub(crate) fn run(
        self,
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        user: Id<kinds::User>,
        by: Initiator,
    ) -> Result<()> {
        let now = environment.clock.now();
        let (name, old, new) = if let Some(hash) = self.password {
            store::set_password(tx, user, hash, now)?;
            ("password_set", Value::Null, json!("set"))
        } else {
            store::remove_password(tx, user)?;
            ("password_removed", json!("set"), Value::Null)
        };
        store::drop_pending_of(tx, user)?;
        store::revoke_sessions(tx, user, now)?;
        links::revoke_all_of_user(tx, user)?;
        devices::forget_all_of_user(tx, user)?;
        if self.factor == Factor::Ends {
            second_factor::turn_off(tx, environment, user, by)?;
        }
        match self.mailbox {
            Mailbox::Proved => prove(tx, environment, user, by)?,
            Mailbox::Unproved => store::set_proved(tx, user, None)?,
        }
        user::record_event_with(tx, environment, user, by, name, |ctx| {
            ctx.changed("user", user.uuid(), "password", old.clone(), new.clone());
            oauth::grants::revoke_all_of_user(ctx, user)
        })
    }
}

/// Records that the user has proved that the mailbox is theirs. The user's pending memberships take effect.
pub(crate) fn prove(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: Initiator,
) -> Result<()> {
    store::set_proved(tx, user, Some(environment.clock.now()))?;
    let user = user::find(tx, &user.to_string())?;
    users::confirm_pending_memberships(tx, environment, &user, by)
}
