//! A person's sign-in starts over: whoever knew the password before, sat in a session or had connected a
//! program is out.

use serde_json::{Value, json};
use zoop_db::WriteTx;

use super::links::{self, Factor};
use super::person::{self, By};
use super::{devices, second_factor, store};
use crate::clock::Environment;
use crate::error::Result;
use crate::id::{Id, kinds};
use crate::{oauth, users};

/// Whether the person has shown that the mailbox is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mailbox {
    /// Yes, by what starts the sign-in over; or the operator vouches for it.
    Proved,
    /// No: somebody else has seen the link, and may be the one who follows it.
    Unproved,
}

/// How a sign-in starts over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Restart<'a> {
    /// The hash of the new password; without one the person has none.
    pub(crate) password: Option<&'a str>,
    /// Whether the mailbox is proved from now on.
    pub(crate) mailbox: Mailbox,
    /// What becomes of the second factor.
    pub(crate) factor: Factor,
}

impl Restart<'_> {
    /// Ends every session, half-done sign-in, link, remembered browser and connected program of the
    /// person.
    pub(crate) fn run(
        self,
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        user: Id<kinds::User>,
        by: By,
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
        links::forget_of(tx, user)?;
        devices::forget_of(tx, user)?;
        if self.factor == Factor::Ends {
            second_factor::turn_off(tx, environment, user, by)?;
        }
        match self.mailbox {
            Mailbox::Proved => prove(tx, environment, user, by)?,
            Mailbox::Unproved => store::set_proved(tx, user, None)?,
        }
        person::tell_with(tx, environment, user, by, name, |ctx| {
            ctx.changed("user", user.uuid(), "password", old.clone(), new.clone());
            oauth::grants::end_of_member(ctx, user)
        })
    }
}

/// Writes down that the person has shown that the mailbox is theirs; what waited for that counts now.
pub(crate) fn prove(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: By,
) -> Result<()> {
    store::set_proved(tx, user, Some(environment.clock.now()))?;
    let person = person::find(tx, &user.to_string())?;
    users::end_waiting(tx, environment, &person, by)
}
