//! The SQL of programs, grants, codes and tokens. All of it stands above tenants, because a token is
//! looked up before the tenant is known.

use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use crate::access::{Role, Scopes};
use crate::error::Result;
use crate::id::{Id, kinds};

zoop_db::global_statements! {
    /// All that a call needs to know of its token, its tenant and its member, in one read.
    BY_ACCESS_TOKEN = "SELECT g.id, g.tenant_no, t.id, t.country, g.user_id, m.role, a.scopes, \
                       g.declined, c.name, a.expires_at, \
                       (a.revoked_at IS NOT NULL OR g.revoked_at IS NOT NULL), g.last_used_at \
                       FROM oauth_tokens a JOIN oauth_grants g ON g.id = a.grant_id \
                       JOIN tenants t ON t.no = g.tenant_no JOIN oauth_clients c ON c.id = g.client_id \
                       LEFT JOIN memberships m ON m.tenant_no = g.tenant_no \
                       AND m.user_id = g.user_id AND m.removed_at IS NULL \
                       WHERE a.hash = $1 AND a.kind = 'access'";
    TOUCH = "UPDATE oauth_grants SET last_used_at = $2 WHERE id = $1";
}

/// What a call needs to know of its access token.
pub(super) struct Found {
    pub(super) grant: Id<kinds::Grant>,
    pub(super) tenant: zoop_db::Tenant,
    pub(super) tenant_id: Id<kinds::Tenant>,
    pub(super) country: String,
    pub(super) user_id: Id<kinds::User>,
    /// The member's role now; none when the member was removed.
    pub(super) role: Option<Role>,
    pub(super) scopes: Scopes,
    /// Scopes that the person did not give.
    pub(super) declined: Scopes,
    /// The program's name.
    pub(super) client: String,
    pub(super) expires_at: Timestamp,
    pub(super) revoked: bool,
    pub(super) last_used_at: Option<Timestamp>,
}

pub(super) fn by_access_token(tx: &mut ReadTx<'_>, hash: &[u8; 32]) -> Result<Option<Found>> {
    tx.global_first(BY_ACCESS_TOKEN, params![hash], |row| {
        Ok(Found {
            grant: row.take()?,
            tenant: zoop_db::Tenant(row.take()?),
            tenant_id: row.take()?,
            country: row.take()?,
            user_id: row.take()?,
            role: row.take()?,
            scopes: Scopes::parse(&row.take::<String>()?),
            declined: Scopes::parse(&row.take::<String>()?),
            client: row.take()?,
            expires_at: row.take()?,
            revoked: row.take()?,
            last_used_at: row.take()?,
        })
    })
}

/// Writes down that a connected program was used.
pub(crate) fn touch(tx: &mut WriteTx<'_>, grant: Id<kinds::Grant>, now: Timestamp) -> Result<()> {
    tx.global_execute(TOUCH, params![grant, now])?;
    Ok(())
}
