//! The SQL for second factors and pending sign-ins.

use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use super::second_factor::PENDING_LIFETIME;
use super::user::User;
use crate::call::error::Result;
use crate::call::sweep::{Sweep, few};
use crate::values::clock::SLACK;
use crate::values::id::{Id, kinds};

crate::call::table::table! {
    pub(crate) const SECOND_FACTORS = second_factors {
        shared: "belong to a user, in all of the user's tenants",
        key: { user_id: Id },
        columns: { secret: Bytes, confirmed_at: Time, last_step: Integer },
        exported: Secret,
        erased: [WithUser],
    }
}

crate::call::table::table! {
    pub(crate) const RECOVERY_CODES = recovery_codes {
        shared: "belong to a user, in all of the user's tenants",
        key: { hash: Bytes },
        columns: { user_id: Id, used_at: Time },
        exported: Secret,
        erased: [WithUser],
    }
}

crate::call::table::table! {
    /// The sign-ins that are pending until the code of the second factor is entered.
    pub(crate) const PENDING_SIGN_INS = pending_sign_ins {
        shared: "are looked up by their hash, and belong to a user",
        key: { hash: Bytes },
        columns: { user_id: Id, failures: Integer, expires_at: Time },
        exported: Secret,
        erased: [WithUser, OnExpiry],
    }
}

zoop_db::global_statements! {
    FACTOR = "SELECT secret, confirmed_at IS NOT NULL, last_step FROM second_factors WHERE user_id = $1";
    SET_FACTOR = "INSERT INTO second_factors (user_id, secret, confirmed_at, last_step) \
                  VALUES ($1, $2, NULL, $3) ON CONFLICT (user_id) DO UPDATE SET \
                  secret = excluded.secret, confirmed_at = NULL, last_step = excluded.last_step";
    CONFIRM = "UPDATE second_factors SET confirmed_at = $2, last_step = $3 WHERE user_id = $1";
    TAKE_STEP = "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 \
                 AND (last_step < $2 OR last_step > $3)";
    FORGET = "DELETE FROM second_factors WHERE user_id = $1";
    ADD_RECOVERY_CODE = "INSERT INTO recovery_codes (hash, user_id) VALUES ($1, $2)";
    TAKE_RECOVERY_CODE = "UPDATE recovery_codes SET used_at = $3 \
                          WHERE hash = $1 AND user_id = $2 AND used_at IS NULL";
    RECOVERY_CODES_LEFT = "SELECT count(*) FROM recovery_codes \
                           WHERE user_id = $1 AND used_at IS NULL";
    FORGET_RECOVERY_CODES = "DELETE FROM recovery_codes WHERE user_id = $1";
    ADD_PENDING = "INSERT INTO pending_sign_ins (hash, user_id, failures, expires_at) \
                   VALUES ($1, $2, 0, $3)";
    PENDING = "SELECT u.id, u.name, u.email FROM pending_sign_ins p \
               JOIN users u ON u.id = p.user_id WHERE p.hash = $1 AND p.expires_at > $2";
    COUNT_FAILURE = "UPDATE pending_sign_ins SET failures = failures + 1 WHERE hash = $1";
    FAILURES = "SELECT failures FROM pending_sign_ins WHERE hash = $1";
    DROP_PENDING = "DELETE FROM pending_sign_ins WHERE hash = $1";
    SHORTEN_PENDING = (concat!("UPDATE pending_sign_ins SET expires_at = $1",
                       few!("pending_sign_ins", "hash", "expires_at > $2", "expires_at")));
    SWEEP_PENDING = (concat!("DELETE FROM pending_sign_ins",
                     few!("pending_sign_ins", "hash", "expires_at <= $1", "expires_at")));
}

/// A second factor as it is stored.
pub(super) struct Factor {
    pub(super) secret: Vec<u8>,
    pub(super) is_confirmed: bool,
    /// The time step of the last accepted code. Before confirmation: the step in which the setup started.
    pub(super) last_step: i64,
}

pub(super) fn factor(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Option<Factor>> {
    tx.global_first(FACTOR, params![user], |row| {
        Ok(Factor { secret: row.take()?, is_confirmed: row.take()?, last_step: row.take()? })
    })
}

pub(super) fn set_factor(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    secret: &[u8],
    step: i64,
) -> Result<()> {
    tx.global_execute(SET_FACTOR, params![user, secret, step])?;
    Ok(())
}

pub(super) fn confirm(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    step: i64,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(CONFIRM, params![user, now, step])?;
    Ok(())
}

/// Marks the code of a time step as used. Returns `false` if the code of this step, or of a later step up to
/// `latest`, was already used.
pub(super) fn take_step(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    step: i64,
    latest: i64,
) -> Result<bool> {
    Ok(tx.global_execute(TAKE_STEP, params![user, step, latest])? == 1)
}

pub(super) fn forget(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(FORGET, params![user])?;
    forget_recovery_codes(tx, user)
}

pub(super) fn forget_recovery_codes(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(FORGET_RECOVERY_CODES, params![user])?;
    Ok(())
}

pub(super) fn add_recovery_code(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    hash: &[u8; 32],
) -> Result<()> {
    tx.global_execute(ADD_RECOVERY_CODE, params![hash, user])?;
    Ok(())
}

/// Marks a recovery code as used. Returns `false` if there is no such code, or if it was already used.
pub(super) fn take_recovery_code(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.global_execute(TAKE_RECOVERY_CODE, params![hash, user, now])? == 1)
}

pub(super) fn recovery_codes_left(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<i64> {
    let left = tx.global_first::<i64, crate::call::error::Error>(
        RECOVERY_CODES_LEFT,
        params![user],
        |row| Ok(row.take()?),
    )?;
    Ok(left.unwrap_or(0))
}

pub(super) fn add_pending(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    user: Id<kinds::User>,
    expires: Timestamp,
) -> Result<()> {
    tx.global_execute(ADD_PENDING, params![hash, user, expires])?;
    Ok(())
}

/// The user of a pending sign-in. `None` if there is no such sign-in, or if it has expired.
pub(super) fn pending(
    tx: &mut ReadTx<'_>,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<User>> {
    tx.global_first(PENDING, params![hash, now], |row| {
        Ok(User { id: row.take()?, name: row.take()?, email: row.take()? })
    })
}

/// Counts a wrong code, and returns the number of wrong codes so far.
pub(super) fn count_failure(tx: &mut WriteTx<'_>, hash: &[u8; 32]) -> Result<i64> {
    tx.global_execute(COUNT_FAILURE, params![hash])?;
    let failures =
        tx.global_first::<i64, crate::call::error::Error>(FAILURES, params![hash], |row| {
            Ok(row.take()?)
        })?;
    Ok(failures.unwrap_or(i64::MAX))
}

/// Removes a pending sign-in. Returns `false` if it was already removed.
pub(super) fn drop_pending(tx: &mut WriteTx<'_>, hash: &[u8; 32]) -> Result<bool> {
    Ok(tx.global_execute(DROP_PENDING, params![hash])? == 1)
}

/// The sweeps of pending sign-ins. The first sweep caps expiry times that come from a clock running ahead.
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "pending sign-ins from the future",
        step: |tx, now| {
            let latest = Timestamp(now.0 + PENDING_LIFETIME);
            Ok(tx.global_execute(SHORTEN_PENDING, params![latest, Timestamp(latest.0 + SLACK)])?)
        },
    },
    Sweep {
        rows: "pending sign-ins",
        step: |tx, now| Ok(tx.global_execute(SWEEP_PENDING, params![now])?),
    },
];
