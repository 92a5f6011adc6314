//! Signing in with a password. Three steps, because the middle one takes long and is done elsewhere:
//! [`begin`] counts the attempt and reads what is known, [`super::password::compare`] compares, and
//! [`finish`] or [`refuse`] writes the outcome.
//!
//! Whether an e-mail address is known changes neither the steps nor what is answered.

use std::net::IpAddr;

use zoop_db::WriteTx;

use super::attempts::{self, Counted, Limit};
use super::sessions::{self, Method, Origin};
use super::{devices, person, second_factor, store};
use crate::clock::Environment;
use crate::error::Result;
use crate::id::{Id, kinds};
use crate::secret::Secret;
use crate::users;

/// Wrong passwords and codes of one account.
const OF_ACCOUNT: Limit = Limit { action: "sign_in_account", times: 10, seconds: 15 * 60 };
/// Wrong passwords and codes from one address.
const FROM_ADDRESS: Limit = Limit { action: "sign_in_address", times: 20, seconds: 15 * 60 };
/// Wrong passwords and codes from a browser that the person has signed in with before.
const OF_DEVICE: Limit = Limit { action: "sign_in_device", times: 10, seconds: 15 * 60 };

/// An attempt that was counted.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The person, if there is one with this e-mail address.
    pub user: Option<Id<kinds::User>>,
    /// The stored hash, if they have a password.
    pub hash: Option<String>,
    counted: Vec<Counted>,
}

/// How an attempt with the right password goes on.
#[derive(Debug)]
pub enum Outcome {
    /// The person is in: the secret of the new session.
    In(Secret),
    /// A code has to follow: the secret of the sign-in that waits for it.
    NeedsCode(Secret),
    /// The password was changed meanwhile.
    Wrong,
}

/// Counts an attempt for an account and an address, and reads what is known of the account. A browser
/// that the person has signed in with before is counted alone.
///
/// # Errors
/// [`Error::Conflict`](crate::error::Error::Conflict) with the seconds to wait after too many.
pub fn begin(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    from: Option<IpAddr>,
    device: Option<&Secret>,
) -> Result<Attempt> {
    let user = users::store::by_email(tx, address)?.map(|person| person.id);
    let counted = count(tx, environment, address, user, from, device)?;
    let hash = match user {
        Some(user) => store::password(tx, user)?,
        None => None,
    };
    Ok(Attempt { user, hash, counted })
}

/// Counts one try for an account and from an address, or for a browser that is known.
pub(super) fn count(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    user: Option<Id<kinds::User>>,
    from: Option<IpAddr>,
    device: Option<&Secret>,
) -> Result<Vec<Counted>> {
    let now = environment.clock.now();
    if let (Some(user), Some(device)) = (user, device)
        && devices::is_known(tx, device, user, now)?
    {
        let subject = data_encoding::HEXLOWER.encode(&device.hash());
        return Ok(vec![attempts::count(tx, OF_DEVICE, &subject, now)?]);
    }
    Ok(vec![
        attempts::count(tx, OF_ACCOUNT, &attempts::account(address), now)?,
        attempts::count(tx, FROM_ADDRESS, &caller(from), now)?,
    ])
}

/// What a caller is counted as.
pub(super) fn caller(from: Option<IpAddr>) -> String {
    match from {
        Some(from) => attempts::neighbourhood(from).to_string(),
        None => "unknown".to_owned(),
    }
}

/// Forgets the tries of an account: whoever they were, the person has a new password.
pub(super) fn forget_tries(tx: &mut WriteTx<'_>, address: &str) -> Result<()> {
    attempts::forget(tx, OF_ACCOUNT, &attempts::account(address))
}

/// Takes the counting of a try back: it was right.
pub(super) fn forgive(tx: &mut WriteTx<'_>, counted: &[Counted]) -> Result<()> {
    counted.iter().try_for_each(|counted| attempts::take_back(tx, counted))
}

/// The password was right: signs the person in, or asks for the second factor. The session that the
/// browser had before ends, so that nobody goes on with one that was planted.
///
/// # Errors
/// The database's.
pub fn finish(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    attempt: &Attempt,
    renewed: Option<&str>,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<Outcome> {
    let Some(user) = confirmed(tx, attempt, renewed)? else {
        return Ok(Outcome::Wrong);
    };
    if second_factor::is_on(tx, user)? {
        return Ok(Outcome::NeedsCode(second_factor::park(tx, environment, user)?));
    }
    sessions::replace(tx, environment, before, origin)?;
    let secret = sessions::start(tx, environment, user, Method::Password, origin)?;
    Ok(Outcome::In(secret))
}

/// The password was right, of somebody who is signed in already and is asked once more.
///
/// # Errors
/// The database's.
pub fn confirmed(
    tx: &mut WriteTx<'_>,
    attempt: &Attempt,
    renewed: Option<&str>,
) -> Result<Option<Id<kinds::User>>> {
    let (Some(user), Some(hash)) = (attempt.user, &attempt.hash) else { return Ok(None) };
    // Held to the end: whoever changes the password meanwhile waits, and then ends what begins here.
    if !store::confirm_password(tx, user, hash, renewed)? {
        return Ok(None);
    }
    forgive(tx, &attempt.counted)?;
    Ok(Some(user))
}

/// The password was wrong: tells the businesses of the person whose account it was.
///
/// # Errors
/// The database's.
pub fn refuse(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    attempt: &Attempt,
    from: Option<IpAddr>,
) -> Result<()> {
    match attempt.user {
        Some(user) => person::tell_refused(tx, environment, user, from, "wrong password"),
        None => Ok(()),
    }
}
