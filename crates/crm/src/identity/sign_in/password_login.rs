//! Sign-in with a password, in three steps: [`begin`] counts the attempt and reads the stored hash,
//! [`super::password::compare`] compares the password with the hash, and [`finish`] or [`refuse`] writes the outcome.
//! The comparison is slow, so it runs outside any transaction.
//!
//! Neither these steps nor the answer may reveal whether an e-mail address is known.

use std::net::IpAddr;

use zoop_db::WriteTx;

use super::attempts::{self, Limit, RecordedAttempt};
use super::sessions::{self, Method, Origin};
use super::{devices, second_factor, store, user};
use crate::call::error::{Error, Result};
use crate::identity::users;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

/// Limit on wrong passwords and codes for one e-mail address.
const PER_EMAIL_ADDRESS: Limit = Limit { action: "sign_in_account", times: 10, seconds: 15 * 60 };
/// Limit on wrong passwords and codes from one IP address.
const PER_IP_ADDRESS: Limit = Limit { action: "sign_in_address", times: 20, seconds: 15 * 60 };
/// Limit on wrong passwords and codes from a browser that the user has signed in with before.
const PER_KNOWN_BROWSER: Limit = Limit { action: "sign_in_device", times: 10, seconds: 15 * 60 };

/// A counted attempt to sign in.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The user with the typed e-mail address, if there is one.
    pub user: Option<Id<kinds::User>>,
    /// The stored hash, if the user has a password.
    pub hash: Option<String>,
    counted: Vec<RecordedAttempt>,
}

/// The result of entering the right password.
#[derive(Debug)]
pub enum PasswordSignIn {
    /// The user is signed in, with the secret of the new session.
    In(Secret),
    /// The second factor is required, with the secret of the pending sign-in.
    NeedsCode(Secret),
    /// The password was changed in the meantime.
    Wrong,
}

/// Counts an attempt, and reads the user and their password hash. Attempts from a browser that the
/// user has signed in with before are counted separately.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait after too many attempts.
pub fn begin(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    from: Option<IpAddr>,
    device: Option<&Secret>,
) -> Result<Attempt> {
    let user = users::store::by_email(tx, address)?.map(|user| user.id);
    let counted = record_attempt(tx, environment, address, user, from, device)?;
    let hash = match user {
        Some(user) => store::password(tx, user)?,
        None => None,
    };
    Ok(Attempt { user, hash, counted })
}

/// Counts an attempt for a known browser, or else for the e-mail address and the IP address.
pub(super) fn record_attempt(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    user: Option<Id<kinds::User>>,
    from: Option<IpAddr>,
    device: Option<&Secret>,
) -> Result<Vec<RecordedAttempt>> {
    let now = environment.clock.now();
    if let (Some(user), Some(device)) = (user, device)
        && devices::is_known(tx, device, user, now)?
    {
        let subject = data_encoding::HEXLOWER.encode(&device.hash());
        return Ok(vec![attempts::record(tx, PER_KNOWN_BROWSER, &subject, now)?]);
    }
    Ok(vec![
        attempts::record(tx, PER_EMAIL_ADDRESS, &attempts::email_subject(address), now)?,
        attempts::record(tx, PER_IP_ADDRESS, &ip_subject(from), now)?,
    ])
}

/// The subject under which attempts from an IP address are counted.
pub(super) fn ip_subject(from: Option<IpAddr>) -> String {
    match from {
        Some(from) => attempts::client_prefix(from).to_string(),
        None => "unknown".to_owned(),
    }
}

/// Resets the attempts for an e-mail address, because the user has a new password.
pub(super) fn reset_attempts(tx: &mut WriteTx<'_>, address: &str) -> Result<()> {
    attempts::reset(tx, PER_EMAIL_ADDRESS, &attempts::email_subject(address))
}

/// Removes the counts of a successful attempt.
pub(super) fn undo_counts(tx: &mut WriteTx<'_>, counted: &[RecordedAttempt]) -> Result<()> {
    counted.iter().try_for_each(|counted| attempts::undo(tx, counted))
}

/// Signs in a user who entered the right password, or asks for the second factor. The browser's previous session
/// ends, in case someone planted it (session fixation).
///
/// # Errors
/// If the database fails.
pub fn finish(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    attempt: &Attempt,
    renewed: Option<&str>,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<PasswordSignIn> {
    let Some(user) = confirm(tx, attempt, renewed)? else {
        return Ok(PasswordSignIn::Wrong);
    };
    if second_factor::is_on(tx, user)? {
        return Ok(PasswordSignIn::NeedsCode(second_factor::begin(tx, environment, user)?));
    }
    sessions::end_previous(tx, environment, before, origin)?;
    let secret = sessions::start(tx, environment, user, Method::Password, origin)?;
    Ok(PasswordSignIn::In(secret))
}

/// Confirms that the right password is still the stored one, and undoes the counts of the attempt. Also used when a
/// signed-in user was asked for the password again. `None` if the password was changed in the meantime.
///
/// # Errors
/// If the database fails.
pub fn confirm(
    tx: &mut WriteTx<'_>,
    attempt: &Attempt,
    renewed: Option<&str>,
) -> Result<Option<Id<kinds::User>>> {
    let (Some(user), Some(hash)) = (attempt.user, &attempt.hash) else { return Ok(None) };
    // This locks the row: a concurrent password change waits, and then revokes the session that `finish` starts.
    if !store::confirm_password(tx, user, hash, renewed)? {
        return Ok(None);
    }
    undo_counts(tx, &attempt.counted)?;
    Ok(Some(user))
}

/// Does what a signed-in user was asked for the password for. A refusal by `work` is a value, so that the transaction
/// is committed: otherwise the right password would count as a wrong one. `work` must refuse before it writes. `None` if
/// the password was changed in the meantime.
///
/// # Errors
/// If the database fails.
pub fn confirm_then<T>(
    tx: &mut WriteTx<'_>,
    attempt: &Attempt,
    renewed: Option<&str>,
    work: impl FnOnce(&mut WriteTx<'_>, Id<kinds::User>) -> Result<T>,
) -> Result<Option<Result<T>>> {
    let Some(user) = confirm(tx, attempt, renewed)? else { return Ok(None) };
    match work(tx, user) {
        Err(refusal @ (Error::InvalidInput { .. } | Error::Conflict { .. })) => {
            Ok(Some(Err(refusal)))
        }
        done => done.map(|done| Some(Ok(done))),
    }
}

/// Records a wrong password in the history of every tenant that the user belongs to.
///
/// # Errors
/// If the database fails.
pub fn refuse(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    attempt: &Attempt,
    from: Option<IpAddr>,
) -> Result<()> {
    match attempt.user {
        Some(user) => user::record_refused_sign_in(tx, environment, user, from, "wrong password"),
        None => Ok(()),
    }
}
