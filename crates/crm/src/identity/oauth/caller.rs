//! Authenticates an OAuth access token.

use zoop_db::ReadTx;

use super::store::tokens as store;
use super::tokens;
use crate::call::access::{Actor, Credential, Rights};
use crate::call::caller::{Caller, Denied, Used, should_record_use};
use crate::call::error::Result;
use crate::values::clock::Clock;
use crate::values::secret::Secret;

/// Looks up an access token.
///
/// # Errors
/// Only if the database fails; a rejected token is `Ok(Err(_))`.
pub(crate) fn caller(
    tx: &mut ReadTx<'_>,
    secret: &Secret,
    clock: &dyn Clock,
) -> Result<Result<Caller, Denied>> {
    let Some(token) = store::by_access_token(tx, &secret.hash())? else {
        return Ok(Err(Denied::Invalid));
    };
    // Read the clock after the lookup, which may have waited for another write.
    let now = clock.now();
    let Some(role) = token.role else { return Ok(Err(Denied::Revoked)) };
    if token.is_revoked {
        return Ok(Err(Denied::Revoked));
    }
    if !tokens::is_current(token.expires_at, now) {
        return Ok(Err(Denied::Expired));
    }
    let scopes = token.scopes.and(role.scopes());
    let rights = Rights {
        account: Some(token.account),
        actor: Actor::User { id: token.user_id, role },
        scopes,
        attainable: role.scopes().without(scopes).without(token.declined),
        credential: Credential::Grant(token.grant),
    };
    let used = should_record_use(token.last_used_at, now).then_some(Used::Grant(token.grant));
    let client = Some(token.client);
    Ok(Ok(Caller { rights, client, request_limit: None, used }))
}
