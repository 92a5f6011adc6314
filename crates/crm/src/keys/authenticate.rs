//! A presented key becomes an [`Access`], in the same snapshot as the call's own reads. Nothing is
//! cached, so a revocation, an expiry, a new role or a removal acts on the very next call.

use zoop_db::{ReadTx, Timestamp};

use super::{ActorKind, Secret, store};
use crate::access::{Access, Account, Actor, Channel, Country, Credential};
use crate::error::Result;

/// Last use is kept to the minute.
const LAST_USE_STEP: i64 = 60 * 1_000_000;

/// A caller whose key is good.
#[derive(Debug)]
pub struct Caller {
    /// Who they are and what they may do.
    pub access: Access,
    /// Requests that this key may make in a rolling minute, if it has its own limit.
    pub request_limit: Option<u32>,
    /// The key's hash, if its last use is now to be written down.
    pub touch: Option<[u8; 32]>,
}

/// Why a presented token is no good.
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

/// Looks the key up.
///
/// # Errors
/// Only the database's; a key that is no good is `Ok(Err(_))`.
pub fn authenticate(
    tx: &mut ReadTx<'_>,
    token: &str,
    channel: Channel,
    client: Option<String>,
    now: Timestamp,
) -> Result<Result<Caller, Denied>> {
    let Some(secret) = Secret::parse(token) else { return Ok(Err(Denied::Invalid)) };
    let hash = secret.hash();
    let Some(key) = store::by_hash(tx, &hash)? else { return Ok(Err(Denied::Invalid)) };
    if key.revoked {
        return Ok(Err(Denied::Revoked));
    }
    if key.expires_at.is_some_and(|at| at <= now) {
        return Ok(Err(Denied::Expired));
    }
    let (actor, scopes) = match (key.actor_kind, key.user_id, key.role) {
        (ActorKind::Tenant, ..) => (Actor::Tenant, key.scopes),
        (ActorKind::User, Some(id), Some(role)) => {
            (Actor::User { id, role }, key.scopes.and(role.scopes()))
        }
        (ActorKind::User, ..) => return Ok(Err(Denied::Revoked)),
    };
    let account = Account {
        number: key.tenant,
        id: key.tenant_id,
        country: Country::parse(&key.country).unwrap_or(Country::US),
    };
    let touch = key.last_used_at.is_none_or(|last| minute(last) < minute(now)).then_some(hash);
    let access = Access {
        account: Some(account),
        actor,
        scopes,
        credential: Credential::Key(key.id),
        client,
        channel,
    };
    Ok(Ok(Caller { access, request_limit: key.request_limit, touch }))
}

const fn minute(time: Timestamp) -> i64 {
    time.0.div_euclid(LAST_USE_STEP)
}
