//! Authenticates an API key.

use zoop_db::ReadTx;

use super::{ActorKind, store};
use crate::call::access::{Actor, Credential, Rights};
use crate::call::caller::{Caller, Denied, Used, should_record_use};
use crate::call::error::Result;
use crate::call::scope::Scopes;
use crate::values::clock::Clock;
use crate::values::secret::Secret;

/// Looks up a key.
///
/// # Errors
/// Only if the database fails; a rejected key is `Ok(Err(_))`.
pub(crate) fn caller(
    tx: &mut ReadTx<'_>,
    secret: &Secret,
    clock: &dyn Clock,
) -> Result<Result<Caller, Denied>> {
    let hash = secret.hash();
    let Some(key) = store::by_hash(tx, &hash)? else { return Ok(Err(Denied::Invalid)) };
    // Read the clock after the lookup, which may have waited for another write.
    let now = clock.now();
    if key.is_revoked {
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
    let rights = Rights {
        account: Some(key.account),
        actor,
        scopes,
        attainable: Scopes::NONE,
        credential: Credential::Key(key.id),
    };
    let used = should_record_use(key.last_used_at, now).then_some(Used::Key(hash));
    Ok(Ok(Caller { rights, client: None, request_limit: key.request_limit, used }))
}
