//! Browsers that a user has signed in with before. Attempts from these browsers are counted separately, so that
//! wrong passwords from elsewhere do not lock the user out.
//!
//! Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies.

use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use crate::call::error::Result;
use crate::call::sweep::{Sweep, few};
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

/// How long a browser is remembered after a sign-in, in microseconds.
pub const LIFETIME: i64 = 180 * 24 * 60 * 60 * 1_000_000;
/// Maximum number of remembered browsers of a user.
const MAX_DEVICES: i64 = 20;

crate::call::table::table! {
    pub(crate) const DEVICES = devices {
        shared: "are looked up by their hash, and belong to a user",
        key: { hash: Bytes },
        columns: { user_id: Id, expires_at: Time },
        exported: Secret,
        erased: [WithUser, OnExpiry],
    }
}

zoop_db::global_statements! {
    IS_KNOWN = "SELECT 1 FROM devices WHERE hash = $1 AND user_id = $2 AND expires_at > $3";
    REMEMBER = "INSERT INTO devices (hash, user_id, expires_at) VALUES ($1, $2, $3)";
    FORGET = "DELETE FROM devices WHERE hash = $1 AND user_id = $2";
    FORGET_ALL = "DELETE FROM devices WHERE user_id = $1";
    /// Deletes all browsers of a user except the newest `$2`.
    FORGET_OLDEST = "DELETE FROM devices WHERE hash IN (SELECT hash FROM devices \
                     WHERE user_id = $1 ORDER BY expires_at DESC LIMIT 1000 OFFSET $2)";
    SWEEP = (concat!("DELETE FROM devices",
             few!("devices", "hash", "expires_at <= $1", "expires_at")));
}

/// Whether a user has signed in with this browser before.
pub(super) fn is_known(
    tx: &mut ReadTx<'_>,
    device: &Secret,
    user: Id<kinds::User>,
    now: Timestamp,
) -> Result<bool> {
    let found = tx.global_first::<i64, crate::call::error::Error>(
        IS_KNOWN,
        params![device.hash(), user, now],
        |row| Ok(row.take()?),
    )?;
    Ok(found.is_some())
}

/// Remembers the browser of a user who has just signed in, and returns the browser's new secret. The browser's
/// previous secret, `before`, becomes invalid.
///
/// # Errors
/// If the database fails.
pub fn remember(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    before: Option<&Secret>,
) -> Result<Secret> {
    if let Some(before) = before {
        tx.global_execute(FORGET, params![before.hash(), user])?;
    }
    let secret = Secret::generate(SecretKind::Device, &environment.entropy);
    let expires = Timestamp(environment.clock.now().0 + LIFETIME);
    tx.global_execute(REMEMBER, params![secret.hash(), user, expires])?;
    tx.global_execute(FORGET_OLDEST, params![user, MAX_DEVICES])?;
    Ok(secret)
}

/// Forgets every browser of a user.
pub(super) fn forget_all_of_user(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(FORGET_ALL, params![user])?;
    Ok(())
}

/// The sweep of expired browsers.
pub(crate) const SWEEPS: &[Sweep] =
    &[Sweep { rows: "browsers", step: |tx, now| Ok(tx.global_execute(SWEEP, params![now])?) }];
