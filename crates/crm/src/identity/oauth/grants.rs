//! Lists and revokes grants. A grant is what a user allowed a client to do in one tenant.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx};

use super::store::grants as store;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::scope::ScopeNames;
use crate::identity::sign_in::SignedIn;
use crate::identity::sign_in::user::Initiator;
use crate::values::clock::{Environment, Moment, rfc3339};
use crate::values::id::{Id, kinds};

/// A program's connection to an account, as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GrantRecord {
    /// The connection's id.
    pub id: Id<kinds::Grant>,
    /// The account in which the program works.
    pub tenant_id: Id<kinds::Tenant>,
    /// The account's name.
    pub tenant_name: String,
    /// The person who connected the program, and for whom it acts.
    pub user_id: Id<kinds::User>,
    /// The person's name.
    pub user_name: String,
    /// The program's id.
    pub client_id: String,
    /// What the program calls itself.
    pub client_name: String,
    /// The host of the program's document, or of its first redirect URI.
    pub client_host: String,
    /// Whether the program is on the person's own device.
    pub client_is_local: bool,
    /// The scopes that the program was granted.
    #[schemars(with = "Vec<String>")]
    pub scopes: ScopeNames,
    /// The scopes that the program requested and the person declined.
    #[schemars(with = "Vec<String>")]
    pub declined: ScopeNames,
    /// When the person consented.
    pub created_at: Moment,
    /// When the program fetched its first tokens.
    pub connected_at: Option<Moment>,
    /// When it was last used, recorded at most once a minute.
    pub last_used_at: Option<Moment>,
    /// When it was disconnected.
    pub revoked_at: Option<Moment>,
}

/// A grant and its tenant's number.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) record: GrantRecord,
    pub(crate) tenant: zoop_db::Tenant,
}

/// Up to `count` of a user's connected grants in all tenants, newest first, without revoked and expired ones. With
/// `before`, only grants that are older than the grant with this id.
///
/// # Errors
/// If the database fails.
pub fn of_user(
    tx: &mut ReadTx<'_>,
    signed_in: &SignedIn,
    now: Timestamp,
    before: Option<Id<kinds::Grant>>,
    count: usize,
) -> Result<Vec<GrantRecord>> {
    let before = before.map_or(Uuid::max(), Id::uuid);
    store::user_grants(tx, signed_in.user, now, before, count)
}

/// One of the user's own grants.
///
/// # Errors
/// [`Error::NotFound`] if the grant is not the user's or is revoked.
pub fn own(tx: &mut ReadTx<'_>, signed_in: &SignedIn, id: Id<kinds::Grant>) -> Result<GrantRecord> {
    let Grant { record, .. } = store::by_id(tx, id)?;
    if record.user_id == signed_in.user && record.revoked_at.is_none() {
        return Ok(record);
    }
    Err(Error::not_found("connected program"))
}

/// Revokes one of the user's own grants, in any of their tenants and with any role.
///
/// # Errors
/// [`Error::NotFound`] if the grant is not the user's, or the user is no longer a member of its tenant.
/// [`Error::Conflict`] if the grant is already revoked.
pub fn revoke_own(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    signed_in: &SignedIn,
    id: Id<kinds::Grant>,
    address: Option<IpAddr>,
) -> Result<()> {
    let Grant { record, .. } = store::by_id(tx, id)?;
    if record.user_id != signed_in.user {
        return Err(Error::not_found("connected program"));
    }
    let by = Initiator::Session(signed_in.session, address);
    let membership =
        signed_in.membership(tx, record.tenant_id)?.ok_or(Error::not_found("tenant"))?;
    let access = by.access(signed_in.user, membership.account, membership.role);
    history::event(tx, &access, environment, "grant_revoked", |ctx| revoke(ctx, &record))
}

/// Revokes a grant and records the revocation in the history.
///
/// # Errors
/// [`Error::Conflict`] if `record` says that the grant is already revoked.
pub(super) fn revoke(ctx: &mut WriteCtx<'_, '_>, record: &GrantRecord) -> Result<()> {
    if record.revoked_at.is_some() {
        return Err(Error::conflict("This program is already disconnected."));
    }
    revoke_if_unrevoked(ctx, record.id)
}

/// Revokes a grant and records the revocation in the history. Does nothing if a concurrent request has already revoked
/// the grant.
pub(super) fn revoke_if_unrevoked(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::Grant>) -> Result<()> {
    if store::revoke(ctx.tx, id, ctx.now)? {
        let at = Value::from(rfc3339(ctx.now));
        ctx.changed("grant", id.uuid(), "revoked_at", Value::Null, at);
    } else {
        ctx.leave_no_history();
    }
    Ok(())
}

/// Revokes every grant of a user in the bound tenant. Called when the user's sign-in starts over, and when the user is
/// removed from the tenant: if they return, no old grant may become valid again.
pub(crate) fn revoke_all_of_user(ctx: &mut WriteCtx<'_, '_>, user: Id<kinds::User>) -> Result<()> {
    for id in store::unrevoked_ids(ctx.tx, user)? {
        if store::revoke(ctx.tx, id, ctx.now)? {
            let at = Value::from(rfc3339(ctx.now));
            ctx.changed("grant", id.uuid(), "revoked_at", Value::Null, at);
        }
    }
    Ok(())
}
