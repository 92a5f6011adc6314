//! Users and their memberships in tenants.
//!
//! A user is independent of any tenant, and is identified by the e-mail address. A membership has the user's role
//! and name in one tenant. A tenant always has at least one owner. Pending memberships give no rights, so they are
//! in a separate table (`waiting_memberships`), which code that reads rights does not use.

pub mod links;
pub(crate) mod store;
pub mod team;
#[cfg(test)]
mod tests;
pub mod tools;

pub use tools::GROUP;

pub(crate) use store::{GLOBAL_STATEMENTS, STATEMENTS};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zoop_db::{ReadTx, Uuid, WriteTx};

use crate::call::access::Role;
use crate::call::context::{Recorded, WriteCtx, next_global_id};
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::identity::keys;
use crate::identity::sign_in::user::{Initiator, User};
use crate::values::clock::Environment;
use crate::values::email;
use crate::values::id::{Id, kinds};

/// A member of a tenant, with the name and role of their membership.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Member {
    /// The person's id.
    pub id: Id<kinds::User>,
    /// The person's name in this account.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// What they may do.
    pub role: Role,
}

impl Recorded for Member {
    const TYPE: &'static str = "user";

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

/// The result of adding a user to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// The user is a member.
    Member,
    /// The membership is pending until the user has proved that the mailbox is theirs.
    Pending,
}

impl Joined {
    /// The message for the caller if the membership is pending.
    pub(crate) fn notice(self) -> Option<String> {
        (self == Self::Pending).then(|| {
            "This e-mail address is in use in another business, but nobody has confirmed it there: the \
             membership is pending until the person follows a link from their mail, signs in with a \
             verified company account, or you run `zoop user set-password`."
                .to_owned()
        })
    }
}

/// Adds a user to the bound tenant, with this name and role.
///
/// Anyone who had the link of the user's first invitation may have chosen the password. So the membership is
/// pending if the user has a password, has been a member of another tenant, and has never proved that the mailbox
/// is theirs.
pub(crate) fn join(
    ctx: &mut WriteCtx<'_, '_>,
    name: &str,
    address: &str,
    role: Role,
) -> Result<(Id<kinds::User>, Joined)> {
    let user = find_or_create(ctx.tx, ctx.environment, name, address)?;
    if store::is_trusted(ctx.tx, user.id)? {
        add_member(ctx, &user, name, role)?;
        return Ok((user.id, Joined::Member));
    }
    refuse_member(ctx, user.id)?;
    if store::pending_membership(ctx.tx, user.id)?.is_some() {
        return Err(Error::conflict(
            "This e-mail address already has a pending membership: change the role with set-role instead.",
        ));
    }
    store::add_pending(ctx.tx, user.id, role, name, ctx.now)?;
    let role = Value::from(role.word());
    ctx.changed("user", user.id.uuid(), "waiting_role", Value::Null, role);
    Ok((user.id, Joined::Pending))
}

/// The user with this e-mail address. Creates the user if there is none.
pub(crate) fn find_or_create(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    name: &str,
    address: &str,
) -> Result<User> {
    if let Some(known) = store::by_email(tx, address)? {
        return Ok(known);
    }
    let key = email::key(address);
    store::free_key(tx, &key)?;
    let now = environment.clock.now();
    let id = next_global_id(tx, environment, now, store::GREATEST_ID_BELOW)?;
    store::insert(tx, id, name, address, &key)?;
    Ok(User { id, name: name.to_owned(), email: address.to_owned() })
}

fn refuse_member(ctx: &mut WriteCtx<'_, '_>, user: Id<kinds::User>) -> Result<()> {
    if store::role(ctx.tx, user)?.is_some() {
        return Err(Error::conflict(
            "This e-mail address already belongs to a member: change the role with set-role instead.",
        ));
    }
    Ok(())
}

/// Makes an existing user a member of the bound tenant.
pub(crate) fn add_member(
    ctx: &mut WriteCtx<'_, '_>,
    user: &User,
    name: &str,
    role: Role,
) -> Result<()> {
    refuse_member(ctx, user.id)?;
    // Earlier versions did not revoke the keys of a removed member, so the user may still have unrevoked keys.
    keys::revoke_for_former_member(ctx, user.id)?;
    store::remove_pending(ctx.tx, user.id)?;
    store::add_member(ctx.tx, user.id, role, name, ctx.now)?;
    ctx.added(&Member { id: user.id, name: name.to_owned(), email: user.email.clone(), role })
}

/// Whether a user has a pending membership in any tenant.
pub(crate) fn has_pending_membership(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    Ok(!store::pending_tenants(tx, user)?.is_empty())
}

/// Turns all pending memberships of a user into memberships, after the user has proved the mailbox.
pub(crate) fn confirm_pending_memberships(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: &User,
    by: Initiator,
) -> Result<()> {
    // Tenants are bound by ascending number, so that transactions that bind several tenants cannot deadlock.
    for pending in store::pending_tenants(tx, user.id)? {
        let access = by.access(user.id, pending.account, pending.role);
        history::event(tx, &access, environment, "membership_confirmed", |ctx| {
            // Read again under the tenant lock: in the meantime the membership may have been removed or given
            // another role, or a process of the previous version may have made the user a member.
            let current = store::pending_membership(ctx.tx, user.id)?;
            let is_member = store::role(ctx.tx, user.id)?.is_some();
            match current {
                Some(Member { name, role, .. }) if !is_member => add_member(ctx, user, &name, role),
                _ => {
                    ctx.leave_no_history();
                    store::remove_pending(ctx.tx, user.id)
                }
            }
        })?;
    }
    Ok(())
}
