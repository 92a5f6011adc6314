//! A user's own e-mail address, with which they sign in. A new one takes effect when the user follows a link that only
//! a mail to it carries.
//!
//! Whether another account has the address is told only to somebody who read that mail, so that nobody finds out who
//! has an account by typing addresses.

use std::net::IpAddr;

use serde_json::Value;
use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use super::attempts::{self, Limit};
use super::user::{self, Initiator};
use super::{SignedIn, links, sessions, store};
use crate::call::argument::{Email, Json, Parse, ParseContext, ParseError};
use crate::call::error::{Error, Result};
use crate::call::sweep::{Sweep, few};
use crate::identity::users;
use crate::values::clock::{Environment, SLACK};
use crate::values::country::Country;
use crate::values::email;
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

/// Lifetime of a link, in microseconds.
pub const LIFETIME: i64 = 30 * 60 * 1_000_000;
/// Limit on mails to one e-mail address.
const MAILS_PER_ADDRESS: Limit = Limit { action: "email_link_to", times: 3, seconds: 3_600 };
/// Limit on the addresses that one user tries.
const REQUESTS_PER_USER: Limit = Limit { action: "email_link_of", times: 5, seconds: 3_600 };
/// The answer to a user who has not proved the present address.
const UNPROVED: &str = "Confirm your present address first: sign out, choose “Forgot password?” and follow \
                        the link in the mail. Your address was not changed.";

crate::call::table::table! {
    pub(crate) const EMAIL_LINKS = email_links {
        shared: "are looked up by their hash, and belong to a user",
        key: { hash: Bytes },
        columns: { user_id: Id, email: Text, expires_at: Time },
        exported: Secret,
        erased: [WithUser, OnExpiry],
    }
}

zoop_db::global_statements! {
    ADD = "INSERT INTO email_links (hash, user_id, email, expires_at) VALUES ($1, $2, $3, $4)";
    GET = "SELECT email FROM email_links WHERE hash = $1 AND user_id = $2 AND expires_at > $3 \
           AND expires_at <= $4";
    TAKE = "DELETE FROM email_links WHERE hash = $1";
    REVOKE_ALL_OF_USER = "DELETE FROM email_links WHERE user_id = $1";
    SWEEP = (concat!("DELETE FROM email_links",
             few!("email_links", "hash", "expires_at <= $1", "expires_at")));
}

/// Parses the address that a user typed, and checks that they may change to it, before a password is checked.
///
/// # Errors
/// [`Error::InvalidInput`] with a sentence for the user.
pub fn parse(typed: &str, signed_in: &SignedIn) -> Result<Email> {
    // An address does not depend on the country.
    let context = ParseContext { country: Country::US };
    let parsed = Email::parse(Json::Text(typed.to_owned()), context);
    let new = parsed.map_err(|error| match error {
        ParseError::Invalid(problem) => Error::invalid(format!("The e-mail address {problem}.")),
        ParseError::Empty | ParseError::Inside(_) => Error::invalid("Enter an e-mail address."),
    })?;
    check(&new, &signed_in.email, signed_in.is_proved)?;
    Ok(new)
}

fn check(Email(new): &Email, present: &str, is_proved: bool) -> Result<()> {
    if email::key(new) == email::key(present) {
        return Err(Error::invalid("That is your e-mail address already."));
    }
    if is_proved { Ok(()) } else { Err(Error::invalid(UNPROVED)) }
}

/// The path of a link on this server.
pub fn path(secret: &Secret) -> String {
    format!("/account/email/{}", secret.expose())
}

/// Makes the link that is mailed to the new address; it ends the user's earlier one. `None` if too many mails went to
/// the address, whoever asked for them.
///
/// # Errors
/// [`Error::InvalidInput`] if it is the user's address already or the user has not proved that one, [`Error::Conflict`]
/// with the seconds to wait after too many requests of the user.
pub fn request(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    new: &Email,
) -> Result<Option<Secret>> {
    let now = environment.clock.now();
    // It may have changed since the form was checked.
    let present = user::find(tx, &user.to_string())?.email;
    check(new, &present, store::is_proved(tx, user)?)?;
    let Email(address) = new;
    attempts::record(tx, REQUESTS_PER_USER, &user.to_string(), now)?;
    if !attempts::admit(tx, MAILS_PER_ADDRESS, &attempts::email_subject(address), now)? {
        return Ok(None);
    }
    revoke_all_of_user(tx, user)?;
    let secret = Secret::generate(SecretKind::EmailLink, &environment.entropy);
    let expires_at = Timestamp(now.0 + LIFETIME);
    tx.global_execute(ADD, params![secret.hash(), user, address, expires_at])?;
    Ok(Some(secret))
}

/// The address that a link confirms for this user. `None` if it is another user's, was used or has expired.
///
/// # Errors
/// If the database fails.
pub fn find(
    tx: &mut ReadTx<'_>,
    secret: &Secret,
    user: Id<kinds::User>,
    now: Timestamp,
) -> Result<Option<String>> {
    let latest = Timestamp(now.0 + LIFETIME + SLACK);
    tx.global_first(GET, params![secret.hash(), user, now, latest], |row| Ok(row.take()?))
}

/// What following a link did. Whatever it is, the link is used up.
#[derive(Debug)]
pub enum Followed {
    /// The address is changed.
    Changed {
        /// The address before.
        old: String,
        /// The new secret of the user's session.
        session: Secret,
    },
    /// Nothing was changed, for this reason.
    Refused(&'static str),
    /// The link no longer works.
    Gone,
}

/// Changes the address of the user who follows the link. The user's other sessions, pending sign-ins and links end.
///
/// Refused if another account has the address, or the user has not proved the former one: otherwise whoever accepted an
/// invitation meant for another mailbox could move the account out of its owner's reach.
///
/// # Errors
/// [`Error::Conflict`] if another account gets the address at the same time.
pub fn follow(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    signed_in: &SignedIn,
    from: Option<IpAddr>,
) -> Result<Followed> {
    let now = environment.clock.now();
    let SignedIn { user, session, .. } = *signed_in;
    let Some(new) = find(tx, secret, user, now)? else { return Ok(Followed::Gone) };
    // Of several concurrent requests, only the one that deletes the row continues. Whatever else ends the link waits
    // for it.
    if tx.global_execute(TAKE, params![secret.hash()])? == 0 || !store::is_live(tx, session, now)? {
        return Ok(Followed::Gone);
    }
    if !store::is_proved(tx, user)? {
        return Ok(Followed::Refused(UNPROVED));
    }
    let old = user::find(tx, &user.to_string())?.email;
    if users::store::by_email(tx, &new)?.is_some_and(|other| other.id != user) {
        return Ok(Followed::Refused(users::store::TAKEN));
    }
    let by = Initiator::Session(session, from);
    users::store::set_email(tx, user, &new, now)?;
    store::drop_pending_of(tx, user)?;
    links::revoke_all_of_user(tx, user)?;
    store::revoke_other_sessions(tx, user, session, now)?;
    let fresh = sessions::renew(tx, environment, session)?;
    let change = ("email", Value::from(&*old), Value::from(new));
    user::record_event(tx, environment, user, by, "email_changed", change)?;
    Ok(Followed::Changed { old, session: fresh })
}

/// Ends the links that a user asked for: somebody else may have, in a stolen session.
pub(super) fn revoke_all_of_user(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(REVOKE_ALL_OF_USER, params![user])?;
    Ok(())
}

/// The sweep of expired links.
pub(crate) const SWEEPS: &[Sweep] =
    &[Sweep { rows: "e-mail links", step: |tx, now| Ok(tx.global_execute(SWEEP, params![now])?) }];
