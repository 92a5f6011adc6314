//! Signing in with a password, in three steps, because the middle one is slow and runs outside the
//! transactions: [`begin`] counts the attempt and reads the stored hash, [`super::password::compare`]
//! compares, and [`finish`] or [`refuse`] writes the outcome.
//!
//! Neither the steps nor the answer may reveal whether an e-mail address is known.

use std::net::IpAddr;

use zoop_db::WriteTx;

use super::attempts::{self, Limit, RecordedAttempt};
use super::sessions::{self, Method, Origin};
use super::{devices, second_factor, store, user};
use crate::call::error::Result;
use crate::identity::users;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

/// Wrong passwords and codes for one e-mail address.
const OF_ACCOUNT: Limit = Limit { action: "sign_in_account", times: 10, seconds: 15 * 60 };
/// Wrong passwords and codes from one IP address.
const FROM_ADDRESS: Limit = Limit { action: "sign_in_address", times: 20, seconds: 15 * 60 };
/// Wrong passwords and codes from a browser that the user has signed in with before.
const OF_DEVICE: Limit = Limit { action: "sign_in_device", times: 10, seconds: 15 * 60 };

/// A counted attempt to sign in.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The user with this e-mail address, if there is one.
    pub user: Option<Id<kinds::User>>,
    /// The stored hash, if the user has a password.
    pub hash: Option<String>,
    counted: Vec<RecordedAttempt>,
}

/// What follows the right password.
#[derive(Debug)]
pub enum PasswordSignIn {
    /// The user is signed in: the secret of the new session.
    In(Secret),
    /// The second factor is required: the secret of the pending sign-in.
    NeedsCode(Secret),
    /// The password was changed meanwhile.
    Wrong,
}

/// Counts an attempt, and reads the user and their password hash. Attempts from a browser that the
/// user has signed in with before are counted separately.
///
/// # Errors
/// [`Error::Conflict`](crate::call::error::Error::Conflict) with the seconds to wait after too many attempts.
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

/// Counts an attempt for the e-mail address and the IP address, or only for a known browser.
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
        return Ok(vec![attempts::record(tx, OF_DEVICE, &subject, now)?]);
    }
    Ok(vec![
        attempts::record(tx, OF_ACCOUNT, &attempts::account(address), now)?,
        attempts::record(tx, FROM_ADDRESS, &caller(from), now)?,
    ])
}

/// The key under which attempts from an IP address are counted.
pub(super) fn caller(from: Option<IpAddr>) -> String {
    match from {
        Some(from) => attempts::client_prefix(from).to_string(),
        None => "unknown".to_owned(),
    }
}

/// Resets the attempts for an e-mail address, because the user has a new password.
pub(super) fn reset_attempts(tx: &mut WriteTx<'_>, address: &str) -> Result<()> {
    attempts::reset(tx, OF_ACCOUNT, &attempts::account(address))
}

/// Undoes the counting of a successful attempt.
pub(super) fn undo(tx: &mut WriteTx<'_>, counted: &[RecordedAttempt]) -> Result<()> {
    counted.iter().try_for_each(|counted| attempts::undo(tx, counted))
}

/// The password was right: signs the user in, or asks for the second factor. The browser's previous
/// session ends, in case someone planted it (session fixation).
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
    let Some(user) = confirmed(tx, attempt, renewed)? else {
        return Ok(PasswordSignIn::Wrong);
    };
    if second_factor::is_on(tx, user)? {
        return Ok(PasswordSignIn::NeedsCode(second_factor::begin(tx, environment, user)?));
    }
    sessions::replace(tx, environment, before, origin)?;
    let secret = sessions::start(tx, environment, user, Method::Password, origin)?;
    Ok(PasswordSignIn::In(secret))
}

/// The password was right, from a user who is already signed in and was asked for it again.
///
/// # Errors
/// If the database fails.
pub fn confirmed(
    tx: &mut WriteTx<'_>,
    attempt: &Attempt,
    renewed: Option<&str>,
) -> Result<Option<Id<kinds::User>>> {
    let (Some(user), Some(hash)) = (attempt.user, &attempt.hash) else { return Ok(None) };
    // Row lock: a concurrent password change waits and then revokes the session that begins here.
    if !store::confirm_password(tx, user, hash, renewed)? {
        return Ok(None);
    }
    undo(tx, &attempt.counted)?;
    Ok(Some(user))
}

/// The password was wrong: records it in the history of every tenant that the user belongs to.
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
