//! Users, and their memberships in tenants.
//!
//! A user is above all tenants and is known by the e-mail address. A membership holds the user's role and name
//! in one tenant. A tenant always keeps at least one owner. Rights are read only from memberships, so waiting
//! memberships, which give none, are in a table of their own.

pub mod links;
pub(crate) mod store;
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

/// A member of a tenant: a user, with the name and role of their membership.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Member {
    /// The person's id.
    pub id: Id<kinds::User>,
    /// What the business calls them.
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
    /// The membership waits until the user has proved that the mailbox is theirs.
    Waiting,
}

impl Joined {
    /// What has to happen before the membership counts, if anything, for the caller.
    pub(crate) fn notice(self) -> Option<String> {
        (self == Self::Waiting).then(|| {
            "This e-mail address is in use in another business, and nobody has shown that the mailbox \
             is theirs: the membership waits until the person follows a link from their mail, signs in \
             with a verified company account, or you run `zoop user set-password`."
                .to_owned()
        })
    }
}

/// Adds a user to the bound tenant, with this name.
///
/// The password of a user may have been chosen by anyone who had the link of the first invitation. So the
/// membership waits if the user has a password, another tenant knows the user, and the user has never proved
/// that the mailbox is theirs. A waiting membership gives no rights: code that reads rights does not see it.
pub(crate) fn join(
    ctx: &mut WriteCtx<'_, '_>,
    name: &str,
    address: &str,
    role: Role,
) -> Result<(Id<kinds::User>, Joined)> {
    let user = meet(ctx.tx, ctx.environment, name, address)?;
    if store::is_trusted(ctx.tx, user.id)? {
        enlist(ctx, &user, name, role)?;
        return Ok((user.id, Joined::Member));
    }
    refuse_known(ctx, user.id)?;
    if store::waiting_one(ctx.tx, user.id)?.is_some() {
        return Err(Error::conflict(
            "This e-mail address already has a waiting membership: change the role with set-role instead.",
        ));
    }
    store::wait(ctx.tx, user.id, role, name, ctx.now)?;
    let waiting = Value::from(role.word());
    ctx.changed("user", user.id.uuid(), "waiting_role", Value::Null, waiting);
    Ok((user.id, Joined::Waiting))
}

/// The user with this e-mail address, who is created if unknown.
pub(crate) fn meet(
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
    let id = next_global_id(tx, environment, now, store::GREATEST)?;
    store::insert(tx, id, name, address, &key)?;
    Ok(User { id, name: name.to_owned(), email: address.to_owned() })
}

fn refuse_known(ctx: &mut WriteCtx<'_, '_>, user: Id<kinds::User>) -> Result<()> {
    if store::role(ctx.tx, user)?.is_some() {
        return Err(Error::conflict(
            "This e-mail address already belongs to a member: change the role with set-role instead.",
        ));
    }
    Ok(())
}

/// Makes an existing user a member of the bound tenant.
pub(crate) fn enlist(
    ctx: &mut WriteCtx<'_, '_>,
    user: &User,
    name: &str,
    role: Role,
) -> Result<()> {
    refuse_known(ctx, user.id)?;
    // Earlier versions did not revoke a member's keys on removal, so a former member may still have some.
    keys::end_of_member(ctx, user.id)?;
    store::stop_waiting(ctx.tx, user.id)?;
    store::enlist(ctx.tx, user.id, role, name, ctx.now)?;
    ctx.added(&Member { id: user.id, name: name.to_owned(), email: user.email.clone(), role })
}

/// Whether a user has a waiting membership in any tenant.
pub(crate) fn waits(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    Ok(!store::waiting_memberships(tx, user)?.is_empty())
}

/// Turns all waiting memberships of a user into memberships, once the user has proved the mailbox.
pub(crate) fn end_waiting(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: &User,
    by: Initiator,
) -> Result<()> {
    // In ascending tenant number, so that transactions that bind several tenants cannot deadlock.
    for membership in store::waiting_memberships(tx, user.id)? {
        let access = by.access(user.id, membership.account, membership.role);
        history::event(tx, &access, environment, "membership_confirmed", |ctx| {
            // Read again under the tenant lock: the user may have been removed or given another role, or a
            // process of the previous version may have made them a member.
            let waiting = store::waiting_one(ctx.tx, user.id)?;
            let is_member = store::role(ctx.tx, user.id)?.is_some();
            match waiting {
                Some(Member { name, role, .. }) if !is_member => enlist(ctx, user, &name, role),
                _ => {
                    ctx.leave_no_history();
                    store::stop_waiting(ctx.tx, user.id)
                }
            }
        })?;
    }
    Ok(())
}
