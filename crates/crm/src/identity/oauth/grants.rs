//! Grants: what a person allowed a program to do in one tenant, and its end.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::store::grants as store;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::scope::ScopeNames;
use crate::identity::sign_in::SignedIn;
use crate::identity::sign_in::person::Initiator;
use crate::values::clock::{Environment, Moment, rfc3339};
use crate::values::id::{Id, kinds};

/// A program that a person connected, as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GrantRecord {
    /// Its id.
    pub id: Id<kinds::Grant>,
    /// The account that it works in.
    pub tenant_id: Id<kinds::Tenant>,
    /// The account's name.
    pub tenant_name: String,
    /// The person who connected it, and for whom it acts.
    pub user_id: Id<kinds::User>,
    /// The person's name.
    pub user_name: String,
    /// The program's id.
    pub client_id: String,
    /// What the program calls itself.
    pub client_name: String,
    /// What it may do.
    #[schemars(with = "Vec<String>")]
    pub scopes: ScopeNames,
    /// What it asked for and was not given.
    #[schemars(with = "Vec<String>")]
    pub declined: ScopeNames,
    /// When the person consented.
    pub created_at: Moment,
    /// When the program fetched its first tokens.
    pub connected_at: Option<Moment>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Moment>,
    /// When it was ended.
    pub revoked_at: Option<Moment>,
}

/// A grant and its tenant's number.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) record: GrantRecord,
    pub(crate) tenant: zoop_db::Tenant,
}

/// The programs that a person has connected, in every business, oldest first.
///
/// # Errors
/// The database's.
pub fn of_person(
    tx: &mut ReadTx<'_>,
    person: &SignedIn,
    now: Timestamp,
) -> Result<Vec<GrantRecord>> {
    store::of_person(tx, person.user, now)
}

/// Ends a program that the person connected themselves, in whatever business; any role may.
///
/// # Errors
/// [`Error::NotFound`] where it is not theirs, [`Error::Conflict`] where it has ended already.
pub fn revoke_own(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    person: &SignedIn,
    id: Id<kinds::Grant>,
    address: Option<IpAddr>,
) -> Result<()> {
    let Grant { record, .. } = store::by_id(tx, id)?;
    if record.user_id != person.user {
        return Err(Error::not_found("connected program"));
    }
    let by = Initiator::Session(person.session, address);
    let workplace = person.workplace(tx, record.tenant_id)?.ok_or(Error::not_found("tenant"))?;
    let access = by.access(person.user, workplace.account, workplace.role);
    history::event(tx, &access, environment, "grant_revoked", |ctx| revoke(ctx, &record))
}

/// Ends a grant that is alive, and tells the history of it.
pub(super) fn revoke(ctx: &mut WriteCtx<'_, '_>, record: &GrantRecord) -> Result<()> {
    if record.revoked_at.is_some() {
        return Err(Error::conflict(
            "This program is disconnected already: there is nothing to do.",
        ));
    }
    end(ctx, record.id)
}

/// Ends a grant; where another request was faster, the history knows already.
pub(super) fn end(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::Grant>) -> Result<()> {
    if store::revoke(ctx.tx, id, ctx.now)? {
        let at = Value::from(rfc3339(ctx.now));
        ctx.changed("grant", id.uuid(), "revoked_at", Value::Null, at);
    } else {
        ctx.leave_no_history();
    }
    Ok(())
}

/// Ends every grant of somebody who is no member of the bound tenant any more, so that none wakes if
/// they come back.
pub(crate) fn end_of_member(ctx: &mut WriteCtx<'_, '_>, user: Id<kinds::User>) -> Result<()> {
    for id in store::of_member(ctx.tx, user)? {
        if store::revoke(ctx.tx, id, ctx.now)? {
            let at = Value::from(rfc3339(ctx.now));
            ctx.changed("grant", id.uuid(), "revoked_at", Value::Null, at);
        }
    }
    Ok(())
}
