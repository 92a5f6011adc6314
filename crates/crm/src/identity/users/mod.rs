//! Users: people, and their memberships in tenants with a role each.
//!
//! A person stands above tenants and is known by the e-mail address; what they may do and what they are
//! called is their membership's. A tenant keeps at least one owner. Rights are read from memberships and
//! nowhere else; a membership that waits stands in a table of its own.

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
use crate::identity::sign_in::person::{Initiator, Person};
use crate::values::clock::Environment;
use crate::values::email;
use crate::values::id::{Id, kinds};

/// A person's membership as the history keeps it.
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

/// What became of a person who was added to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// They are a member.
    Member,
    /// They are a member as soon as they have shown that the mailbox is theirs.
    Waiting,
}

impl Joined {
    /// What has to happen before the membership counts, for whoever added the person.
    pub(crate) fn notice(self) -> Option<String> {
        (self == Self::Waiting).then(|| {
            "This e-mail address is in use in another business, and nobody has shown that the mailbox \
             is theirs: the membership waits until the person follows a link from their mail, signs in \
             with a verified company account, or you run `zoop user set-password`."
                .to_owned()
        })
    }
}

/// Makes a person a member of the tenant that the transaction is bound to, by the name that is given.
///
/// A person above tenants is an e-mail address, and whoever held the link of the first invitation may
/// have chosen its password. So a person with a password whom another tenant knows, and who has never
/// shown that the mailbox is theirs, waits: a waiting membership is no membership, and nothing that
/// reads rights knows of it.
pub(crate) fn join(
    ctx: &mut WriteCtx<'_, '_>,
    name: &str,
    address: &str,
    role: Role,
) -> Result<(Id<kinds::User>, Joined)> {
    let person = meet(ctx.tx, ctx.environment, name, address)?;
    if store::is_trusted(ctx.tx, person.id)? {
        enlist(ctx, &person, name, role)?;
        return Ok((person.id, Joined::Member));
    }
    refuse_known(ctx, person.id)?;
    if store::waiting_one(ctx.tx, person.id)?.is_some() {
        return Err(Error::conflict(
            "This e-mail address waits to be a member already: change the role with set-role instead.",
        ));
    }
    store::wait(ctx.tx, person.id, role, name, ctx.now)?;
    let waiting = Value::from(role.word());
    ctx.changed("user", person.id.uuid(), "waiting_role", Value::Null, waiting);
    Ok((person.id, Joined::Waiting))
}

/// The person with this e-mail address, who may be new.
pub(crate) fn meet(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    name: &str,
    address: &str,
) -> Result<Person> {
    if let Some(known) = store::by_email(tx, address)? {
        return Ok(known);
    }
    let key = email::key(address);
    store::free_key(tx, &key)?;
    let now = environment.clock.now();
    let id = next_global_id(tx, environment, now, store::GREATEST)?;
    store::insert(tx, id, name, address, &key)?;
    Ok(Person { id, name: name.to_owned(), email: address.to_owned() })
}

fn refuse_known(ctx: &mut WriteCtx<'_, '_>, person: Id<kinds::User>) -> Result<()> {
    if store::role(ctx.tx, person)?.is_some() {
        return Err(Error::conflict(
            "This e-mail address is a member already: change the role with set-role instead.",
        ));
    }
    Ok(())
}

/// Makes a known person a member of the tenant that the transaction is bound to.
pub(crate) fn enlist(
    ctx: &mut WriteCtx<'_, '_>,
    person: &Person,
    name: &str,
    role: Role,
) -> Result<()> {
    refuse_known(ctx, person.id)?;
    // Only a former member has keys here: earlier versions did not revoke them on removal.
    keys::end_of_member(ctx, person.id)?;
    store::stop_waiting(ctx.tx, person.id)?;
    store::enlist(ctx.tx, person.id, role, name, ctx.now)?;
    ctx.added(&Member { id: person.id, name: name.to_owned(), email: person.email.clone(), role })
}

/// Whether a person waits to be a member somewhere.
pub(crate) fn waits(tx: &mut ReadTx<'_>, person: Id<kinds::User>) -> Result<bool> {
    Ok(!store::waiting_places(tx, person)?.is_empty())
}

/// Makes a person who has shown that the mailbox is theirs a member of each tenant in which they wait.
pub(crate) fn end_waiting(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    person: &Person,
    by: Initiator,
) -> Result<()> {
    // In the order of their numbers, so that two who bind several tenants never wait for each other.
    for place in store::waiting_places(tx, person.id)? {
        let access = by.access(person.id, place.account, place.role);
        history::event(tx, &access, environment, "membership_confirmed", |ctx| {
            // Read again behind the tenant's lock: they may have been removed or given another role, or be
            // a member by a process of the previous version.
            let waiting = store::waiting_one(ctx.tx, person.id)?;
            let is_member = store::role(ctx.tx, person.id)?.is_some();
            match waiting {
                Some(Member { name, role, .. }) if !is_member => enlist(ctx, person, &name, role),
                _ => {
                    ctx.leave_no_history();
                    store::stop_waiting(ctx.tx, person.id)
                }
            }
        })?;
    }
    Ok(())
}
