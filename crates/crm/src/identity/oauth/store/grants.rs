//! The SQL for grants.

use zoop_db::{ReadTx, Row, Timestamp, Uuid, WriteTx, params};

use crate::call::error::{Error, Result};
use crate::call::scope::ScopeNames;
use crate::call::sweep::{Sweep, few};
use crate::identity::oauth::grants::{Grant, GrantRecord};
use crate::identity::oauth::redirect;
use crate::identity::oauth::store::{clients, tokens};
use crate::values::id::{self, Id, kinds};

macro_rules! grants {
    ($condition:literal) => {
        concat!(
            "SELECT g.id, t.id, t.name, g.user_id, coalesce(m.name, u.name), c.id, c.name, c.kind, c.redirect_uris, g.scopes, g.declined, \
             g.connected_at, g.last_used_at, g.revoked_at, g.tenant_no FROM oauth_grants g \
             JOIN tenants t ON t.no = g.tenant_no JOIN users u ON u.id = g.user_id \
             JOIN oauth_clients c ON c.id = g.client_id \
             LEFT JOIN memberships m ON m.tenant_no = g.tenant_no AND m.user_id = g.user_id WHERE ",
            $condition
        )
    };
}

crate::call::table::table! {
    /// The grants: what users allowed clients to do.
    pub(crate) const OAUTH_GRANTS = oauth_grants {
        shared: "are read with the token, which identifies the tenant",
        key: { id: Id },
        columns: {
            tenant_no: Integer, user_id: Id, client_id: Text, scopes: Text, declined: Text,
            connected_at: Time, last_used_at: Time, revoked_at: Time, ends_at: Time,
        },
        exported: WithTenant,
        erased: [WithUser, WithTenant, OnExpiry],
    }
}

zoop_db::global_statements! {
    TOUCH = "UPDATE oauth_grants SET last_used_at = $2 WHERE id = $1";
    GREATEST_ID_BELOW = "SELECT id FROM oauth_grants WHERE id < $1 ORDER BY id DESC LIMIT 1";
    ADD = "INSERT INTO oauth_grants (id, tenant_no, user_id, client_id, scopes, declined, ends_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7)";
    CONNECT = "UPDATE oauth_grants SET connected_at = $2, last_used_at = $2 \
               WHERE id = $1 AND connected_at IS NULL";
    REVOKE = "UPDATE oauth_grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    TENANT_GRANTS = (grants!(
        "g.tenant_no = $1 AND g.revoked_at IS NULL AND g.connected_at IS NOT NULL \
         AND EXISTS (SELECT 1 FROM oauth_tokens a WHERE a.grant_id = g.id AND a.kind = 'refresh' \
         AND a.expires_at > $2) AND g.id > $3 ORDER BY g.id LIMIT $4"
    ));
    USER_GRANTS = (grants!(
        "g.user_id = $1 AND g.revoked_at IS NULL AND g.connected_at IS NOT NULL \
         AND EXISTS (SELECT 1 FROM oauth_tokens a WHERE a.grant_id = g.id AND a.kind = 'refresh' \
         AND a.expires_at > $2) AND g.id < $3 ORDER BY g.id DESC LIMIT $4"
    ));
    BY_ID = (grants!("g.id = $1"));
    UNREVOKED_IDS = "SELECT id FROM oauth_grants \
                     WHERE user_id = $1 AND tenant_no = $2 AND revoked_at IS NULL ORDER BY id";
    SWEEP_ENDED = (concat!("DELETE FROM oauth_grants", few!("oauth_grants", "id", "id < $1", "id")));
    SWEEP_UNCONNECTED = (concat!("DELETE FROM oauth_grants",
                         few!("oauth_grants", "id", "id < $1 AND connected_at IS NULL", "id")));
}

/// Records that a grant was used.
pub(crate) fn touch(tx: &mut WriteTx<'_>, grant: Id<kinds::Grant>, now: Timestamp) -> Result<()> {
    tx.global_execute(TOUCH, params![grant, now])?;
    Ok(())
}

/// Adds a grant in the bound tenant.
pub(crate) fn add(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Grant>,
    user: Id<kinds::User>,
    client_id: &str,
    scopes: ScopeNames,
    declined: ScopeNames,
    ends_at: Timestamp,
) -> Result<()> {
    let tenant = tx.tenant()?.0;
    let (scopes, declined) = (scopes.list(), declined.list());
    tx.global_execute(ADD, params![id, tenant, user, client_id, scopes, declined, ends_at])?;
    Ok(())
}

/// Records that a grant's client fetched its first tokens.
pub(crate) fn connect(tx: &mut WriteTx<'_>, id: Id<kinds::Grant>, now: Timestamp) -> Result<()> {
    tx.global_execute(CONNECT, params![id, now])?;
    Ok(())
}

/// Revokes a grant. Returns `false` if it was already revoked.
pub(crate) fn revoke(tx: &mut WriteTx<'_>, id: Id<kinds::Grant>, now: Timestamp) -> Result<bool> {
    Ok(tx.global_execute(REVOKE, params![id, now])? > 0)
}

/// Up to `count` connected grants of the bound tenant after the id `after`, oldest first, without revoked and expired
/// ones.
pub(crate) fn tenant_grants(
    tx: &mut ReadTx<'_>,
    now: Timestamp,
    after: Uuid,
    count: usize,
) -> Result<Vec<GrantRecord>> {
    let tenant = tx.tenant()?.0;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.global_all(TENANT_GRANTS, params![tenant, now, after, count], |row| {
        Ok(read_grant(row)?.record)
    })
}

/// Up to `count` connected grants of a user in all tenants before the id `before`, newest first, without revoked and
/// expired ones.
pub(crate) fn user_grants(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    now: Timestamp,
    before: Uuid,
    count: usize,
) -> Result<Vec<GrantRecord>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.global_all(USER_GRANTS, params![user, now, before, count], |row| Ok(read_grant(row)?.record))
}

/// The grant with this id, even if it is revoked or has expired.
///
/// # Errors
/// [`Error::NotFound`] if there is no such grant.
pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: Id<kinds::Grant>) -> Result<Grant> {
    tx.global_first(BY_ID, params![id], read_grant)?.ok_or(Error::not_found("connected program"))
}

/// The ids of a user's grants in the bound tenant, without revoked grants.
pub(crate) fn unrevoked_ids(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
) -> Result<Vec<Id<kinds::Grant>>> {
    let tenant = tx.tenant()?.0;
    tx.global_all(UNREVOKED_IDS, params![user, tenant], |row| Ok(row.take()?))
}

const HOUR: i64 = 3_600 * 1_000_000;

/// The sweeps of grants. They must run after the sweeps of codes and tokens, which refer to grants.
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "ended grants",
        step: |tx, now| Ok(tx.global_execute(SWEEP_ENDED, params![tokens::oldest_kept_grant(now)])?),
    },
    Sweep {
        rows: "grants whose client never redeemed its code",
        step: |tx, now| {
            // The extra hour makes sure that the grant's code has already been removed.
            let before = id::lowest_at(Timestamp(now.0 - tokens::REPLAY_RETENTION - HOUR));
            Ok(tx.global_execute(SWEEP_UNCONNECTED, params![before])?)
        },
    },
];

fn read_grant(row: &mut Row<'_>) -> Result<Grant> {
    let id: Id<kinds::Grant> = row.take()?;
    let (tenant_id, tenant_name) = (row.take()?, row.take()?);
    let (user_id, user_name) = (row.take()?, row.take()?);
    let (client_id, client_name): (String, _) = (row.take()?, row.take()?);
    let address = clients::read_address(row, &client_id)?;
    let redirect::Destination { host, is_local } = redirect::destination(&address);
    let record = GrantRecord {
        id,
        tenant_id,
        tenant_name,
        user_id,
        user_name,
        client_id,
        client_name,
        client_host: host,
        client_is_local: is_local,
        scopes: ScopeNames::parse_known(&row.take::<String>()?),
        declined: ScopeNames::parse_known(&row.take::<String>()?),
        created_at: id.created_at(),
        connected_at: row.take()?,
        last_used_at: row.take()?,
        revoked_at: row.take()?,
    };
    Ok(Grant { record, tenant: zoop_db::Tenant(row.take()?) })
}
