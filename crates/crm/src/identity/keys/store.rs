//! The SQL for keys. All tenants share the table, because a key is looked up before its tenant is known.

use zoop_db::{ReadTx, Row, Timestamp, Uuid, WriteTx, params};

use super::{ActorKind, KeyRecord};
use crate::call::access::{Account, Role};
use crate::call::error::{Error, Result};
use crate::call::scope::{ScopeNames, Scopes};
use crate::identity::tenants::store::read_account;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

macro_rules! columns {
    () => {
        "id, name, actor_kind, user_id, hint, scopes, request_limit, expires_at, revoked_at, \
         last_used_at"
    };
}

crate::call::table::table! {
    pub(crate) const API_KEYS = api_keys {
        shared: "are looked up by their hash, which identifies the tenant",
        key: { hash: Bytes },
        columns: {
            id: Id, tenant_no: Integer, user_id: Id, actor_kind: Text, scopes: Text, name: Text,
            hint: Text, request_limit: Integer, expires_at: Time, revoked_at: Time,
            last_used_at: Time,
        },
        exported: WithTenant,
        erased: [WithUser, WithTenant],
    }
}

zoop_db::global_statements! {
    /// The key, its tenant and its user's role, in one read.
    BY_HASH = "SELECT k.id, k.tenant_no, t.id, t.country, k.actor_kind, k.user_id, m.role, \
               k.scopes, k.request_limit, k.expires_at, k.revoked_at IS NOT NULL, k.last_used_at \
               FROM api_keys k JOIN tenants t ON t.no = k.tenant_no \
               LEFT JOIN memberships m ON m.tenant_no = k.tenant_no AND m.user_id = k.user_id \
               AND m.removed_at IS NULL WHERE k.hash = $1";
    GREATEST_ID_BELOW = "SELECT id FROM api_keys WHERE id < $1 ORDER BY id DESC LIMIT 1";
    INSERT = "INSERT INTO api_keys (hash, id, tenant_no, user_id, actor_kind, scopes, name, hint, \
              request_limit, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    LIST = (concat!("SELECT ", columns!(), " FROM api_keys \
            WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    BY_ID = (concat!("SELECT ", columns!(), ", tenant_no FROM api_keys WHERE id = $1"));
    UNREVOKED_KEYS = (concat!("SELECT ", columns!(), " FROM api_keys \
                      WHERE tenant_no = $1 AND user_id = $2 AND revoked_at IS NULL ORDER BY id"));
    EXPIRE = "UPDATE api_keys SET expires_at = $2 WHERE id = $1";
    REVOKE = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1";
    TOUCH = "UPDATE api_keys SET last_used_at = $2 WHERE hash = $1";
}

/// A key with its tenant and its user's role, as authentication reads them.
pub(super) struct KeyRow {
    pub(super) id: Id<kinds::Key>,
    pub(super) account: Account,
    pub(super) actor_kind: ActorKind,
    pub(super) user_id: Option<Id<kinds::User>>,
    /// The user's current role; `None` if the user is not a member.
    pub(super) role: Option<Role>,
    pub(super) scopes: Scopes,
    pub(super) request_limit: Option<u32>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) is_revoked: bool,
    pub(super) last_used_at: Option<Timestamp>,
}

pub(super) fn by_hash(tx: &mut ReadTx<'_>, hash: &[u8; 32]) -> Result<Option<KeyRow>> {
    tx.global_first(BY_HASH, params![hash], |row| {
        Ok(KeyRow {
            id: row.take()?,
            account: read_account(row)?,
            actor_kind: row.take()?,
            user_id: row.take()?,
            role: row.take()?,
            scopes: ScopeNames::parse_known(&row.take::<String>()?).scopes(),
            request_limit: row.take()?,
            expires_at: row.take()?,
            is_revoked: row.take()?,
            last_used_at: row.take()?,
        })
    })
}

/// Adds a key to the bound tenant.
pub(super) fn insert(tx: &mut WriteTx<'_>, secret: &Secret, key: &KeyRecord) -> Result<()> {
    let tenant = tx.tenant()?.0;
    let scopes = key.scopes.list();
    tx.global_execute(
        INSERT,
        params![
            secret.hash(),
            key.id,
            tenant,
            key.user_id,
            key.actor_kind,
            scopes,
            key.name,
            key.hint,
            key.limit,
            key.expires_at
        ],
    )?;
    Ok(())
}

/// Up to `count` keys of the bound tenant after the id `after`, in creation order.
pub(super) fn list(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<KeyRecord>> {
    let tenant = tx.tenant()?.0;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.global_all(LIST, params![tenant, after, count], read_key)
}

/// A user's keys in the bound tenant, without revoked keys.
pub(super) fn unrevoked_keys(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Vec<KeyRecord>> {
    let tenant = tx.tenant()?.0;
    tx.global_all(UNREVOKED_KEYS, params![tenant, user], read_key)
}

/// The key with this id, and the number of its tenant.
///
/// # Errors
/// [`Error::NotFound`] if there is no such key.
pub(super) fn by_id(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::Key>,
) -> Result<(KeyRecord, zoop_db::Tenant)> {
    tx.global_first::<_, Error>(BY_ID, params![id], |row| {
        Ok((read_key(row)?, zoop_db::Tenant(row.take()?)))
    })?
    .ok_or(Error::not_found("key"))
}

pub(super) fn revoke(tx: &mut WriteTx<'_>, id: Id<kinds::Key>, now: Timestamp) -> Result<()> {
    tx.global_execute(REVOKE, params![id, now])?;
    Ok(())
}

pub(super) fn expire(tx: &mut WriteTx<'_>, id: Id<kinds::Key>, at: Timestamp) -> Result<()> {
    tx.global_execute(EXPIRE, params![id, at])?;
    Ok(())
}

/// Records that a key was used.
pub(crate) fn touch(tx: &mut WriteTx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<()> {
    tx.global_execute(TOUCH, params![hash, now])?;
    Ok(())
}

fn read_key(row: &mut Row<'_>) -> Result<KeyRecord> {
    let id: Id<kinds::Key> = row.take()?;
    Ok(KeyRecord {
        id,
        created_at: id.created_at(),
        name: row.take()?,
        actor_kind: row.take()?,
        user_id: row.take()?,
        hint: row.take()?,
        scopes: ScopeNames::parse_known(&row.take::<String>()?),
        limit: row.take()?,
        expires_at: row.take()?,
        revoked_at: row.take()?,
        last_used_at: row.take()?,
    })
}

/// The number of steps that the engine takes to look up a key, for a test.
#[cfg(test)]
pub(super) fn steps(tx: &mut ReadTx<'_>, hash: &[u8; 32]) -> Result<i32> {
    Ok(tx.global_steps(BY_HASH, params![hash])?)
}
