//! The SQL for codes and tokens.

use zoop_db::{GlobalSql, ReadTx, Row, Timestamp, Uuid, WriteTx, params};

use crate::call::access::{Account, Role};
use crate::call::error::{Error, Result};
use crate::call::scope::{ScopeNames, Scopes};
use crate::call::sweep::{Sweep, few};
use crate::identity::oauth::consent::CODE_LIFETIME;
use crate::identity::oauth::tokens::{IDLE_LIFETIME, MAX_LIFETIME};
use crate::identity::tenants::store::read_account;
use crate::values::clock::SLACK;
use crate::values::id::{self, Id, kinds};

/// The columns of a [`Holder`].
macro_rules! holder {
    () => {
        "g.id, g.tenant_no, t.id, t.country, g.user_id, m.role, g.scopes, c.id, c.name, \
         g.revoked_at IS NOT NULL, g.ends_at"
    };
}
macro_rules! of_grant {
    () => {
        " JOIN oauth_grants g ON g.id = a.grant_id JOIN tenants t ON t.no = g.tenant_no \
         JOIN oauth_clients c ON c.id = g.client_id \
         LEFT JOIN memberships m ON m.tenant_no = g.tenant_no AND m.user_id = g.user_id \
         AND m.removed_at IS NULL WHERE a.hash = $1"
    };
}

crate::call::table::table! {
    /// The codes that clients exchange for tokens.
    pub(crate) const OAUTH_CODES = oauth_codes {
        shared: "are looked up by their hash, which identifies the grant",
        key: { hash: Bytes },
        columns: {
            grant_id: Id, redirect_uri: Text, challenge: Text, expires_at: Time, used_at: Time,
        },
        exported: Secret,
        erased: [WithUser, WithTenant, OnExpiry],
    }
}

crate::call::table::table! {
    pub(crate) const OAUTH_TOKENS = oauth_tokens {
        shared: "are looked up by their hash, which identifies the grant",
        key: { hash: Bytes },
        columns: {
            grant_id: Id, kind: Text, scopes: Text, expires_at: Time, rotated_at: Time,
            revoked_at: Time,
        },
        exported: Secret,
        erased: [WithUser, WithTenant, OnExpiry],
    }
}

crate::call::table::table! {
    /// The salts from which the successors of exchanged refresh tokens are derived.
    pub(crate) const OAUTH_SUCCESSORS = oauth_successors {
        shared: "are looked up by the hash of an exchanged token",
        key: { hash: Bytes },
        columns: { salt: Bytes, expires_at: Time },
        exported: Secret,
        erased: [OnExpiry],
    }
}

zoop_db::global_statements! {
    /// The token, its grant and tenant, and its user's role, in one read.
    BY_ACCESS_TOKEN = "SELECT g.id, g.tenant_no, t.id, t.country, g.user_id, m.role, a.scopes, \
                       g.declined, c.name, a.expires_at, \
                       (a.revoked_at IS NOT NULL OR g.revoked_at IS NOT NULL), g.last_used_at \
                       FROM oauth_tokens a JOIN oauth_grants g ON g.id = a.grant_id \
                       JOIN tenants t ON t.no = g.tenant_no JOIN oauth_clients c ON c.id = g.client_id \
                       LEFT JOIN memberships m ON m.tenant_no = g.tenant_no \
                       AND m.user_id = g.user_id AND m.removed_at IS NULL \
                       WHERE a.hash = $1 AND a.kind = 'access'";
    CODE = (concat!(
        "SELECT ", holder!(), ", a.redirect_uri, a.challenge, a.expires_at, a.used_at IS NOT NULL \
         FROM oauth_codes a", of_grant!()
    ));
    TOKEN = (concat!(
        "SELECT ", holder!(), ", a.kind, a.scopes, a.expires_at, a.rotated_at, \
         a.revoked_at IS NOT NULL FROM oauth_tokens a", of_grant!()
    ));
    ADD_CODE = "INSERT INTO oauth_codes (hash, grant_id, redirect_uri, challenge, expires_at) \
                VALUES ($1, $2, $3, $4, $5)";
    USE_CODE = "UPDATE oauth_codes SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
    ADD_TOKEN = "INSERT INTO oauth_tokens (hash, grant_id, kind, scopes, expires_at) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO NOTHING";
    EXPIRY = "SELECT expires_at FROM oauth_tokens WHERE hash = $1";
    ADD_SUCCESSOR = "INSERT INTO oauth_successors (hash, salt, expires_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (hash) DO NOTHING";
    SUCCESSOR = "SELECT salt FROM oauth_successors WHERE hash = $1";
    SHORTEN_CODES = (concat!("UPDATE oauth_codes SET expires_at = $1",
                     few!("oauth_codes", "hash", "expires_at > $2", "expires_at")));
    SHORTEN_REFRESH = (concat!("UPDATE oauth_tokens SET expires_at = $1",
                       few!("oauth_tokens", "hash", "expires_at > $2", "expires_at")));
    SWEEP_SUCCESSORS = (concat!("DELETE FROM oauth_successors",
                        few!("oauth_successors", "hash", "expires_at <= $1", "expires_at")));
    ROTATE = "UPDATE oauth_tokens SET rotated_at = $2 WHERE hash = $1 AND rotated_at IS NULL";
    REVOKE = "UPDATE oauth_tokens SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL";
    SWEEP_CODES = (concat!("DELETE FROM oauth_codes",
                   few!("oauth_codes", "hash", "expires_at < $1", "expires_at")));
    SWEEP_ACCESS = (concat!("DELETE FROM oauth_tokens", few!("oauth_tokens", "hash",
                    "expires_at < $1 AND kind = 'access'", "expires_at")));
    SWEEP_REFRESH = (concat!("DELETE FROM oauth_tokens",
                     few!("oauth_tokens", "hash", "grant_id < $1", "grant_id")));
}

/// An access token with its grant, tenant and user's role, as authentication reads them.
pub(crate) struct AccessTokenRow {
    pub(crate) grant: Id<kinds::Grant>,
    pub(crate) account: Account,
    pub(crate) user_id: Id<kinds::User>,
    /// The user's current role; `None` if the user is not a member.
    pub(crate) role: Option<Role>,
    pub(crate) scopes: Scopes,
    /// The scopes that the user declined.
    pub(crate) declined: Scopes,
    /// The client's name.
    pub(crate) client: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_revoked: bool,
    pub(crate) last_used_at: Option<Timestamp>,
}

/// The grant of a code or token, with the grant's tenant, user and client.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) grant: Id<kinds::Grant>,
    pub(crate) account: Account,
    pub(crate) user: Id<kinds::User>,
    /// The user's current role; `None` if the user is not a member.
    pub(crate) role: Option<Role>,
    /// The scopes that the user granted.
    pub(crate) scopes: ScopeNames,
    pub(crate) client_id: String,
    pub(crate) client_name: String,
    pub(crate) is_revoked: bool,
    /// The latest time at which the grant ends. `None` if it was not recorded.
    pub(crate) ends_at: Option<Timestamp>,
}

pub(crate) struct Code {
    pub(crate) holder: Holder,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_used: bool,
}

pub(crate) struct Token {
    pub(crate) holder: Holder,
    pub(crate) is_refresh: bool,
    pub(crate) scopes: ScopeNames,
    pub(crate) expires_at: Timestamp,
    pub(crate) rotated_at: Option<Timestamp>,
    pub(crate) is_revoked: bool,
}

pub(crate) fn by_access_token(
    tx: &mut ReadTx<'_>,
    hash: &[u8; 32],
) -> Result<Option<AccessTokenRow>> {
    tx.global_first(BY_ACCESS_TOKEN, params![hash], |row| {
        Ok(AccessTokenRow {
            grant: row.take()?,
            account: read_account(row)?,
            user_id: row.take()?,
            role: row.take()?,
            scopes: ScopeNames::parse_known(&row.take::<String>()?).scopes(),
            declined: ScopeNames::parse_known(&row.take::<String>()?).scopes(),
            client: row.take()?,
            expires_at: row.take()?,
            is_revoked: row.take()?,
            last_used_at: row.take()?,
        })
    })
}

pub(crate) fn code(tx: &mut ReadTx<'_>, hash: &[u8; 32]) -> Result<Option<Code>> {
    tx.global_first(CODE, params![hash], |row| {
        Ok(Code {
            holder: read_holder(row)?,
            redirect_uri: row.take()?,
            challenge: row.take()?,
            expires_at: row.take()?,
            is_used: row.take()?,
        })
    })
}

pub(crate) fn token(tx: &mut ReadTx<'_>, hash: &[u8; 32]) -> Result<Option<Token>> {
    tx.global_first(TOKEN, params![hash], |row| {
        Ok(Token {
            holder: read_holder(row)?,
            is_refresh: row.take::<String>()? == "refresh",
            scopes: ScopeNames::parse_known(&row.take::<String>()?),
            expires_at: row.take()?,
            rotated_at: row.take()?,
            is_revoked: row.take()?,
        })
    })
}

fn read_holder(row: &mut Row<'_>) -> Result<Holder> {
    Ok(Holder {
        grant: row.take()?,
        account: read_account(row)?,
        user: row.take()?,
        role: row.take()?,
        scopes: ScopeNames::parse_known(&row.take::<String>()?),
        client_id: row.take()?,
        client_name: row.take()?,
        is_revoked: row.take()?,
        ends_at: row.take()?,
    })
}

pub(crate) fn add_code(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    grant: Id<kinds::Grant>,
    redirect_uri: &str,
    challenge: &str,
    expires_at: Timestamp,
) -> Result<()> {
    tx.global_execute(ADD_CODE, params![hash, grant, redirect_uri, challenge, expires_at])?;
    Ok(())
}

/// Marks a code as used. Returns `false` if it was already used.
pub(crate) fn use_code(tx: &mut WriteTx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<bool> {
    Ok(tx.global_execute(USE_CODE, params![hash, now])? > 0)
}

/// Adds a token unless it already exists, and returns the expiry time of the stored token.
pub(crate) fn add_token(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    grant: Id<kinds::Grant>,
    kind: &str,
    scopes: ScopeNames,
    expires_at: Timestamp,
) -> Result<Timestamp> {
    let scopes = scopes.list();
    if tx.global_execute(ADD_TOKEN, params![hash, grant, kind, scopes, expires_at])? == 1 {
        return Ok(expires_at);
    }
    let found = tx.global_first::<_, Error>(EXPIRY, params![hash], |row| Ok(row.take()?))?;
    Ok(found.unwrap_or(expires_at))
}

/// The salt from which the successors of an exchanged refresh token are derived. Stores `fresh` as
/// the salt if the token has none yet.
pub(crate) fn successor_salt(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    fresh: &[u8; 32],
    until: Timestamp,
) -> Result<Vec<u8>> {
    tx.global_execute(ADD_SUCCESSOR, params![hash, fresh, until])?;
    tx.global_first::<_, Error>(SUCCESSOR, params![hash], |row| Ok(row.take()?))?
        .ok_or_else(|| zoop_db::Error::NoRow.into())
}

/// Marks a refresh token as exchanged, unless it already is.
pub(crate) fn rotate(tx: &mut WriteTx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<()> {
    tx.global_execute(ROTATE, params![hash, now])?;
    Ok(())
}

/// Revokes one token. Returns `false` if it was already revoked.
pub(crate) fn revoke(tx: &mut WriteTx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<bool> {
    Ok(tx.global_execute(REVOKE, params![hash, now])? > 0)
}

/// How long codes and access tokens are kept after they expire, and refresh tokens after the latest end of their
/// grant, in microseconds. The reuse of a stolen copy can be detected only while the row is kept.
pub(crate) const REPLAY_RETENTION: i64 = 24 * 3_600 * 1_000_000;

/// The lowest id of a grant that is kept. Grants with lower ids and their tokens are removed.
pub(crate) fn oldest_kept_grant(now: Timestamp) -> Uuid {
    id::lowest_at(Timestamp(now.0 - MAX_LIFETIME - REPLAY_RETENTION))
}

/// The sweeps of codes and tokens. The first two sweeps cap expiry times that come from a clock running ahead, so
/// that no code or refresh token lasts longer than its lifetime from now.
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "authorization codes from the future",
        step: |tx, now| shorten(tx, SHORTEN_CODES, now.0 + CODE_LIFETIME),
    },
    Sweep {
        rows: "tokens from the future",
        step: |tx, now| shorten(tx, SHORTEN_REFRESH, now.0 + IDLE_LIFETIME),
    },
    Sweep {
        rows: "successors of refresh tokens",
        step: |tx, now| Ok(tx.global_execute(SWEEP_SUCCESSORS, params![now])?),
    },
    Sweep {
        rows: "authorization codes",
        step: |tx, now| {
            Ok(tx.global_execute(SWEEP_CODES, params![Timestamp(now.0 - REPLAY_RETENTION)])?)
        },
    },
    Sweep {
        rows: "access tokens",
        step: |tx, now| {
            Ok(tx.global_execute(SWEEP_ACCESS, params![Timestamp(now.0 - REPLAY_RETENTION)])?)
        },
    },
    Sweep {
        rows: "refresh tokens",
        step: |tx, now| Ok(tx.global_execute(SWEEP_REFRESH, params![oldest_kept_grant(now)])?),
    },
];

/// Caps expiry times at `latest`, if they are more than [`SLACK`] later.
fn shorten(tx: &mut WriteTx<'_>, sql: GlobalSql, latest: i64) -> Result<usize> {
    Ok(tx.global_execute(sql, params![Timestamp(latest), Timestamp(latest + SLACK)])?)
}
