//! The SQL for passwords and sessions. All tenants share these tables, since a user may belong to several tenants.

use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use super::sessions::{
    IDLE_LIFETIME, LiveSession, MAX_LIFETIME, Membership, SessionRecord, SignedIn,
};
use super::user::User;
use crate::call::error::{Error, Result};
use crate::call::sweep::{Sweep, few};
use crate::identity::tenants::store::read_account;
use crate::values::clock::{Moment, SLACK};
use crate::values::id::{Id, kinds};
use crate::values::zone::Zone;

crate::call::table::table! {
    /// The hashes of passwords.
    pub(crate) const PASSWORDS = passwords {
        shared: "belong to a user, in all of the user's tenants",
        key: { user_id: Id },
        columns: { hash: Text, changed_at: Time },
        exported: Secret,
        erased: [WithUser],
    }
}

crate::call::table::table! {
    pub(crate) const SESSIONS = sessions {
        shared: "are looked up by their hash, and belong to a user",
        key: { hash: Bytes },
        columns: {
            id: Id, user_id: Id, method: Text, address: Text, browser: Text, last_used_at: Time,
            expires_at: Time, revoked_at: Time,
        },
        exported: WithUser,
        erased: [WithUser, OnExpiry],
    }
}

zoop_db::global_statements! {
    SESSION = "SELECT s.id, s.user_id, u.name, u.email, s.last_used_at, \
               u.proved_at IS NOT NULL FROM sessions s \
               JOIN users u ON u.id = s.user_id \
               WHERE s.hash = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 \
               AND s.last_used_at > $3";
    IS_LIVE = "SELECT count(*) FROM sessions WHERE id = $1 AND revoked_at IS NULL \
               AND expires_at > $2 AND last_used_at > $3";
    GREATEST_SESSION_ID_BELOW = "SELECT id FROM sessions WHERE id < $1 ORDER BY id DESC LIMIT 1";
    INSERT_SESSION = "INSERT INTO sessions (hash, id, user_id, method, address, browser, \
                      last_used_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIVE_SESSIONS = "SELECT id, user_id, method, address, browser, expires_at, last_used_at \
                     FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 \
                     AND last_used_at > $3 ORDER BY id DESC";
    REVOKE_SESSION_BY_ID = "UPDATE sessions SET revoked_at = $2 \
                            WHERE id = $1 AND revoked_at IS NULL";
    REVOKE_SESSIONS = "UPDATE sessions SET revoked_at = $2 \
                       WHERE user_id = $1 AND revoked_at IS NULL";
    REVOKE_OTHER_SESSIONS = "UPDATE sessions SET revoked_at = $3 \
                             WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL";
    RENEW_SESSION = "UPDATE sessions SET hash = $2 WHERE id = $1";
    TOUCH_SESSION = "UPDATE sessions SET last_used_at = $2 WHERE id = $1";
    /// Caps expiry times that come from a clock running ahead.
    CAP_EXPIRY = (concat!("UPDATE sessions SET expires_at = $1",
               few!("sessions", "hash", "expires_at > $2", "expires_at")));
    SWEEP_SESSIONS = (concat!("DELETE FROM sessions",
                      few!("sessions", "hash", "expires_at < $1", "expires_at")));
    USER = "SELECT id, name, email FROM users WHERE id = $1";
    IS_PROVED = "SELECT proved_at IS NOT NULL FROM users WHERE id = $1";
    SET_PROVED = "UPDATE users SET proved_at = $2 WHERE id = $1";
    PASSWORD = "SELECT hash FROM passwords WHERE user_id = $1";
    SET_PASSWORD = "INSERT INTO passwords (user_id, hash, changed_at) VALUES ($1, $2, $3) \
                    ON CONFLICT (user_id) DO UPDATE SET \
                    hash = excluded.hash, changed_at = excluded.changed_at";
    REMOVE_PASSWORD = "DELETE FROM passwords WHERE user_id = $1";
    /// Also locks the row until the transaction ends, so that the password cannot change.
    CONFIRM_PASSWORD = "UPDATE passwords SET hash = $3 WHERE user_id = $1 AND hash = $2";
    HAS_IDENTITY = "SELECT count(*) FROM identities WHERE user_id = $1";
    DROP_PENDING_OF = "DELETE FROM pending_sign_ins WHERE user_id = $1";
    MEMBERSHIPS_OF_USER = "SELECT t.no, t.id, t.country, t.name, m.role, t.time_zone FROM memberships m \
                  JOIN tenants t ON t.no = m.tenant_no \
                  WHERE m.user_id = $1 AND m.removed_at IS NULL ORDER BY m.tenant_no";
}

pub(super) fn session(
    tx: &mut ReadTx<'_>,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<SignedIn>> {
    let idle = Timestamp(now.0.saturating_sub(IDLE_LIFETIME));
    tx.global_first(SESSION, params![hash, now, idle], |row| {
        Ok(SignedIn {
            session: row.take()?,
            user: row.take()?,
            name: row.take()?,
            email: row.take()?,
            last_used_at: row.take()?,
            is_proved: row.take()?,
        })
    })
}

pub(super) fn is_live(tx: &mut ReadTx<'_>, id: Id<kinds::Session>, now: Timestamp) -> Result<bool> {
    let idle = Timestamp(now.0.saturating_sub(IDLE_LIFETIME));
    let found =
        tx.global_first::<i64, Error>(IS_LIVE, params![id, now, idle], |row| Ok(row.take()?))?;
    Ok(found == Some(1))
}

pub(super) fn insert_session(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    session: &SessionRecord,
    now: Timestamp,
) -> Result<()> {
    let SessionRecord { id, user_id, method, address, browser, expires_at, .. } = session;
    tx.global_execute(
        INSERT_SESSION,
        params![hash, id, user_id, method, address, browser, now, expires_at],
    )?;
    Ok(())
}

pub(super) fn memberships(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Vec<Membership>> {
    tx.global_all(MEMBERSHIPS_OF_USER, params![user], |row| {
        Ok(Membership {
            account: read_account(row)?,
            name: row.take()?,
            role: row.take()?,
            zone: row.take::<Option<Zone>>()?.unwrap_or(Zone::UTC),
        })
    })
}

pub(super) fn live_sessions(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    now: Timestamp,
) -> Result<Vec<LiveSession>> {
    let idle = Timestamp(now.0.saturating_sub(IDLE_LIFETIME));
    tx.global_all(LIVE_SESSIONS, params![user, now, idle], |row| {
        let id: Id<kinds::Session> = row.take()?;
        let record = SessionRecord {
            id,
            user_id: row.take()?,
            method: row.take()?,
            address: row.take()?,
            browser: row.take()?,
            created_at: id.created_at(),
            expires_at: row.take()?,
        };
        Ok(LiveSession { record, last_used_at: Moment(row.take()?) })
    })
}

pub(super) fn revoke_session_by_id(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Session>,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(REVOKE_SESSION_BY_ID, params![id, now])?;
    Ok(())
}

pub(super) fn revoke_sessions(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(REVOKE_SESSIONS, params![user, now])?;
    Ok(())
}

pub(super) fn revoke_other_sessions(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    except: Id<kinds::Session>,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(REVOKE_OTHER_SESSIONS, params![user, except, now])?;
    Ok(())
}

pub(super) fn renew_session(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Session>,
    hash: &[u8; 32],
) -> Result<()> {
    tx.global_execute(RENEW_SESSION, params![id, hash])?;
    Ok(())
}

pub(super) fn touch_session(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Session>,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(TOUCH_SESSION, params![id, now])?;
    Ok(())
}

/// The sweeps of sessions that ended long ago. The first sweep caps expiry times that come from a clock running
/// ahead, so that no session outlives [`MAX_LIFETIME`].
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "sessions from the future",
        step: |tx, now| {
            let latest = Timestamp(now.0 + MAX_LIFETIME);
            Ok(tx.global_execute(CAP_EXPIRY, params![latest, Timestamp(latest.0 + SLACK)])?)
        },
    },
    Sweep {
        rows: "sessions",
        step: |tx, now| {
            Ok(tx.global_execute(SWEEP_SESSIONS, params![Timestamp(now.0 - MAX_LIFETIME)])?)
        },
    },
];

pub(super) fn user(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<Option<User>> {
    tx.global_first(USER, params![id], |row| {
        Ok(User { id: row.take()?, name: row.take()?, email: row.take()? })
    })
}

/// Whether a user has proved that the mailbox is theirs.
pub(super) fn is_proved(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    Ok(tx
        .global_first(IS_PROVED, params![user], |row| Ok::<_, Error>(row.take()?))?
        .unwrap_or(false))
}

pub(super) fn set_proved(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    at: Option<Timestamp>,
) -> Result<()> {
    tx.global_execute(SET_PROVED, params![user, at])?;
    Ok(())
}

pub(super) fn remove_password(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(REMOVE_PASSWORD, params![user])?;
    Ok(())
}

pub(super) fn password(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Option<String>> {
    tx.global_first(PASSWORD, params![user], |row| Ok(row.take()?))
}

pub(super) fn set_password(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    hash: &str,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(SET_PASSWORD, params![user, hash, now])?;
    Ok(())
}

/// Whether `hash` is still the stored hash of a user's password. If so, locks the row until `tx` ends, so that the
/// password cannot change. Stores `renewed`, a new hash of the same password, if there is one.
pub(super) fn confirm_password(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    hash: &str,
    renewed: Option<&str>,
) -> Result<bool> {
    let new = renewed.unwrap_or(hash);
    Ok(tx.global_execute(CONFIRM_PASSWORD, params![user, hash, new])? == 1)
}

pub(super) fn drop_pending_of(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(DROP_PENDING_OF, params![user])?;
    Ok(())
}

pub(super) fn has_identity(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    let found =
        tx.global_first::<i64, crate::call::error::Error>(HAS_IDENTITY, params![user], |row| {
            Ok(row.take()?)
        })?;
    Ok(found.is_some_and(|identities| identities > 0))
}
