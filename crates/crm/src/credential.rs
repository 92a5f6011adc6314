//! A presented credential becomes an [`Access`], in the same snapshot as the call's own reads. Nothing
//! is cached, so a revocation, an expiry, a new role or a removal acts on the very next call.

use zoop_db::{Earlier, ReadTx, Timestamp, WriteTx};

use crate::access::{Access, Channel};
use crate::clock::Clock;
use crate::error::Result;
use crate::id::{Id, kinds};
use crate::secret::{Secret, SecretKind};
use crate::sign_in::{SLACK, sessions};
use crate::{keys, oauth};

/// Last use is kept to the minute.
const LAST_USE_STEP: i64 = 60 * 1_000_000;

/// A caller whose credential is good.
#[derive(Debug)]
pub struct Caller {
    /// Who they are and what they may do.
    pub access: Access,
    /// Requests that this credential may make in a rolling minute, if it has its own limit.
    pub request_limit: Option<u32>,
    /// What was used, if that is now to be written down.
    pub used: Option<Used>,
}

/// A credential whose last use is to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Used {
    /// The API key with this hash.
    Key([u8; 32]),
    /// A program that a person connected.
    Grant(Id<kinds::Grant>),
    /// A browser's session.
    Session(Id<kinds::Session>),
}

/// Why a presented credential is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Unknown or damaged.
    Invalid,
    /// Revoked, or its member was removed.
    Revoked,
    /// Past its time.
    Expired,
}

impl Denied {
    /// The reason's name on the wire.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_token",
            Self::Revoked => "key_revoked",
            Self::Expired => "expired",
        }
    }
}

/// Looks a bearer token up: an API key or an OAuth access token.
///
/// # Errors
/// Only the database's; a token that is no good is `Ok(Err(_))`.
pub fn authenticate(
    tx: &mut ReadTx<'_>,
    token: &str,
    channel: Channel,
    client: Option<String>,
    clock: &dyn Clock,
) -> Result<Result<Caller, Denied>> {
    let Some(secret) = Secret::parse(token) else { return Ok(Err(Denied::Invalid)) };
    match secret.kind() {
        SecretKind::UserKey | SecretKind::TenantKey => {
            keys::caller(tx, &secret, channel, client, clock)
        }
        SecretKind::AccessToken => oauth::caller(tx, &secret, channel, clock),
        _ => Ok(Err(Denied::Invalid)),
    }
}

/// Reads a caller's rights for a write, with `read`, and binds the transaction to their tenant. A write
/// may wait there behind one that takes these rights away, so after a wait they are read again.
///
/// # Errors
/// What `read` refuses, before the wait or after it.
pub fn for_write<E>(
    tx: &mut WriteTx<'_>,
    mut read: impl FnMut(&mut ReadTx<'_>) -> std::result::Result<Access, E>,
) -> std::result::Result<Access, E> {
    let access = read(tx)?;
    match access.account.map(|account| tx.bind(account.number)) {
        Some(Earlier::MayBeStale) => read(tx),
        Some(Earlier::Holds) | None => Ok(access),
    }
}

/// Writes down that a credential was used.
///
/// # Errors
/// The database's.
pub fn touch(tx: &mut WriteTx<'_>, used: Used, now: Timestamp) -> Result<()> {
    match used {
        Used::Key(hash) => keys::touch(tx, &hash, now),
        Used::Grant(id) => oauth::touch(tx, id, now),
        Used::Session(id) => sessions::touch(tx, id, now),
    }
}

/// Whether a use now is news to somebody who knows of one at `last`.
pub(crate) fn is_news(last: Option<Timestamp>, now: Timestamp) -> bool {
    // A time in the future is that of a clock that was ahead.
    last.is_none_or(|last| minute(last) < minute(now) || last.0 > now.0 + SLACK)
}

const fn minute(time: Timestamp) -> i64 {
    time.0.div_euclid(LAST_USE_STEP)
}
