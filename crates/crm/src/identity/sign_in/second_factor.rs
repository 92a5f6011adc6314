//! The second factor: an authenticator app, and ten recovery codes in case the app is lost.
//!
//! The user enters a code after the password. No code is accepted twice, wrong codes count like wrong passwords, and
//! a pending sign-in ends after ten minutes or five wrong codes.

use data_encoding::BASE32_NOPAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::sessions::{self, Method, Origin};
use super::user::{self, Initiator};
use super::{devices, factor_store as store, password_login, totp};
use crate::call::error::{Error, Result};
use crate::values::clock::{Entropy, Environment};
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

/// How long a sign-in waits for its code, and a setup for its first code, in microseconds.
pub const PENDING_LIFETIME: i64 = 10 * 60 * 1_000_000;
/// Number of wrong codes after which a sign-in must start over.
const MAX_FAILURES: i64 = 5;
/// Length of a secret in bytes: 160 bits (RFC 4226, 4).
const SECRET_BYTES: usize = 20;
const RECOVERY_CODE_COUNT: usize = 10;
/// Length of a recovery code in bytes: 80 bits, or 16 characters.
const RECOVERY_CODE_BYTES: usize = 10;

/// The new secret, to be typed into an authenticator app or scanned with it.
#[derive(Debug, Clone)]
pub struct Enrollment {
    /// The secret in base32, in groups of four characters.
    pub base32: String,
    /// The same secret as an `otpauth:` link, to be shown as a QR code.
    pub link: String,
}

/// The result of trying a code.
#[derive(Debug)]
pub enum CodeSignIn {
    /// The user is signed in.
    In(Entered),
    /// The code was wrong. The user may try again.
    Wrong,
    /// The sign-in must start over: it expired, or there were too many wrong codes.
    StartOver,
}

/// The secrets for the browser of a user who has signed in.
#[derive(Debug)]
pub struct Entered {
    /// The secret of the new session.
    pub session: Secret,
    /// The secret by which the browser is recognized at the next sign-in.
    pub device: Secret,
}

/// Whether a user's sign-in requires a code.
///
/// # Errors
/// If the database fails.
pub fn is_on(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    Ok(store::factor(tx, user)?.is_some_and(|factor| factor.is_confirmed))
}

/// The number of recovery codes that a user has left.
///
/// # Errors
/// If the database fails.
pub fn recovery_codes_left(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<i64> {
    store::recovery_codes_left(tx, user)
}

/// Starts the setup with a new secret, which takes effect when the user confirms it with a code.
///
/// # Errors
/// [`Error::Conflict`] if the second factor is already on.
pub fn enroll(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    email: &str,
) -> Result<Enrollment> {
    if is_on(tx, user)? {
        return Err(Error::conflict("The second factor is already on: turn it off first."));
    }
    let mut secret = [0; SECRET_BYTES];
    environment.entropy.fill(&mut secret);
    store::set_factor(tx, user, &secret, totp::step(environment.clock.now()))?;
    Ok(Enrollment::of(&secret, email))
}

/// The unconfirmed setup of a user, to be shown again.
///
/// # Errors
/// If the database fails.
pub fn unconfirmed_setup(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    email: &str,
) -> Result<Option<Enrollment>> {
    let factor = recent_unconfirmed(tx, user, environment.clock.now())?;
    Ok(factor.map(|factor| Enrollment::of(&factor.secret, email)))
}

/// The unconfirmed factor of a user, if its setup started recently. Later, someone other than the user who typed the
/// password may be at the browser.
fn recent_unconfirmed(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    now: Timestamp,
) -> Result<Option<store::Factor>> {
    let oldest = totp::step(Timestamp(now.0 - PENDING_LIFETIME));
    let recent_steps = oldest..=totp::step(now) + 1;
    let is_pending =
        |factor: &store::Factor| !factor.is_confirmed && recent_steps.contains(&factor.last_step);
    Ok(store::factor(tx, user)?.filter(is_pending))
}

impl Enrollment {
    fn of(secret: &[u8], email: &str) -> Self {
        let base32 = BASE32_NOPAD.encode(secret);
        let groups: Vec<&str> =
            (0..base32.len()).step_by(4).filter_map(|at| base32.get(at..at + 4)).collect();
        let label: String = email.bytes().map(percent_encoded).collect();
        Self {
            base32: groups.join(" "),
            link: format!("otpauth://totp/Zoop:{label}?secret={base32}&issuer=Zoop"),
        }
    }
}

fn percent_encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    }
}

/// Turns the second factor on with the first code. Returns the recovery codes, which are shown only now,
/// or `None` if the code is wrong.
///
/// # Errors
/// [`Error::Conflict`] if no setup was started in the last ten minutes.
pub fn confirm(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    typed: &str,
    by: Initiator,
) -> Result<Option<Vec<String>>> {
    let now = environment.clock.now();
    let Some(factor) = recent_unconfirmed(tx, user, now)? else {
        return Err(Error::conflict("The setup took too long: start again."));
    };
    let Some(step) = totp::step_of(&factor.secret, typed, now) else { return Ok(None) };
    store::confirm(tx, user, step, now)?;
    let codes = new_recovery_codes(tx, environment, user)?;
    let change = ("second_factor", json!(false), json!(true));
    user::record_event(tx, environment, user, by, "second_factor_on", change)?;
    Ok(Some(codes))
}

/// Turns the second factor off and deletes its secret and recovery codes.
///
/// # Errors
/// If the database fails.
pub fn turn_off(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: Initiator,
) -> Result<()> {
    let was_on = is_on(tx, user)?;
    store::forget(tx, user)?;
    if was_on {
        let change = ("second_factor", json!(true), json!(false));
        user::record_event(tx, environment, user, by, "second_factor_off", change)?;
    }
    Ok(())
}

/// Replaces a user's recovery codes. Returns the new ones, which are shown only now.
///
/// # Errors
/// [`Error::Conflict`] if the second factor is off.
pub fn renew_recovery_codes(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: Initiator,
) -> Result<Vec<String>> {
    if !is_on(tx, user)? {
        return Err(Error::conflict("The second factor is off, so there are no recovery codes."));
    }
    let left = store::recovery_codes_left(tx, user)?;
    let codes = new_recovery_codes(tx, environment, user)?;
    let change = ("recovery_codes", json!(left), json!(codes.len()));
    user::record_event(tx, environment, user, by, "recovery_codes_renewed", change)?;
    Ok(codes)
}

fn new_recovery_codes(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
) -> Result<Vec<String>> {
    store::forget_recovery_codes(tx, user)?;
    let codes: Vec<_> =
        (0..RECOVERY_CODE_COUNT).map(|_| recovery_code(&environment.entropy)).collect();
    for code in &codes {
        store::add_recovery_code(tx, user, &recovery_hash(code))?;
    }
    Ok(codes)
}

fn recovery_code(entropy: &Entropy) -> String {
    let mut bytes = [0; RECOVERY_CODE_BYTES];
    entropy.fill(&mut bytes);
    let letters = BASE32_NOPAD.encode(&bytes).to_lowercase();
    let groups: Vec<&str> =
        (0..letters.len()).step_by(4).filter_map(|at| letters.get(at..at + 4)).collect();
    groups.join("-")
}

/// The hash of a recovery code, which may be typed in either case and with any separators.
fn recovery_hash(typed: &str) -> [u8; 32] {
    let letters: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
    Sha256::digest(letters.to_ascii_lowercase().as_bytes()).into()
}

/// Starts a pending sign-in after the right password, and returns its secret.
pub(super) fn begin(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
) -> Result<Secret> {
    let secret = Secret::generate(SecretKind::PendingSignIn, &environment.entropy);
    let expires = Timestamp(environment.clock.now().0 + PENDING_LIFETIME);
    store::add_pending(tx, &secret.hash(), user, expires)?;
    Ok(secret)
}

/// Tries a code or recovery code for a pending sign-in.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait after too many attempts.
pub fn try_code(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    pending: &Secret,
    typed: &str,
    origin: &Origin,
    before: Option<&Secret>,
    device: Option<&Secret>,
) -> Result<CodeSignIn> {
    let now = environment.clock.now();
    let Some(user) = store::pending(tx, &pending.hash(), now)? else {
        return Ok(CodeSignIn::StartOver);
    };
    let counted = password_login::record_attempt(
        tx,
        environment,
        &user.email,
        Some(user.id),
        origin.address,
        device,
    )?;
    if !take_code(tx, user.id, typed, now)? {
        let failures = store::count_failure(tx, &pending.hash())?;
        user::record_refused_sign_in(tx, environment, user.id, origin.address, "wrong code")?;
        if failures < MAX_FAILURES {
            return Ok(CodeSignIn::Wrong);
        }
        store::drop_pending(tx, &pending.hash())?;
        return Ok(CodeSignIn::StartOver);
    }
    // Of several concurrent requests, only the one that deletes the row signs in.
    if !store::drop_pending(tx, &pending.hash())? {
        return Ok(CodeSignIn::StartOver);
    }
    password_login::undo_counts(tx, &counted)?;
    sessions::end_previous(tx, environment, before, origin)?;
    let session = sessions::start(tx, environment, user.id, Method::SecondFactor, origin)?;
    let device = devices::remember(tx, environment, user.id, device)?;
    Ok(CodeSignIn::In(Entered { session, device }))
}

/// Whether a sign-in is still pending.
///
/// # Errors
/// If the database fails.
pub fn is_pending(tx: &mut ReadTx<'_>, pending: &Secret, now: Timestamp) -> Result<bool> {
    Ok(store::pending(tx, &pending.hash(), now)?.is_some())
}

/// Whether this is a valid, unused code. If so, marks it as used.
fn take_code(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    typed: &str,
    now: Timestamp,
) -> Result<bool> {
    let Some(factor) = store::factor(tx, user)?.filter(|factor| factor.is_confirmed) else {
        return Ok(false);
    };
    match totp::step_of(&factor.secret, typed, now) {
        // A clock running ahead may have recorded a step after the next one. It must not lock the user out.
        Some(step) => store::take_step(tx, user, step, totp::step(now) + 1),
        None => store::take_recovery_code(tx, user, &recovery_hash(typed), now),
    }
}

/// The code that a user's authenticator shows now, for tests.
///
/// # Errors
/// [`Error::Internal`] if the user has no second factor.
#[cfg(any(test, feature = "testing"))]
pub fn shown_code(tx: &mut ReadTx<'_>, user: Id<kinds::User>, now: Timestamp) -> Result<String> {
    let factor = store::factor(tx, user)?.ok_or_else(|| Error::internal("no second factor"))?;
    totp::code(&factor.secret, totp::step(now)).ok_or_else(|| Error::internal("no code"))
}

/// The code that an authenticator with the secret in [`Enrollment::base32`] shows, for tests.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn code_from_base32(base32: &str, now: Timestamp) -> Option<String> {
    let secret = BASE32_NOPAD.decode(base32.replace(' ', "").as_bytes()).ok()?;
    totp::code(&secret, totp::step(now))
}
