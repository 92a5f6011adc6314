//! Users: people, and their memberships in tenants with a role each.
//!
//! A person stands above tenants and is known by the e-mail address; what they may do is their
//! membership's. A tenant keeps at least one owner.

pub(crate) mod store;
pub mod tools;

pub use tools::GROUP;

pub(crate) use store::{GLOBAL_STATEMENTS, STATEMENTS};

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::{Uuid, WriteTx};

use crate::access::Role;
use crate::clock::Environment;
use crate::context::{Recorded, WriteCtx};
use crate::email;
use crate::error::{Error, Result};
use crate::id::{self, Id, kinds};
use crate::sign_in::person::Person;

/// A person's membership as the history keeps it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Member {
    /// The person's id.
    pub id: Id<kinds::User>,
    /// The person's name.
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

/// Makes a person a member of the tenant that the transaction is bound to. A person whose e-mail
/// address is known joins with the name that is known.
pub(crate) fn join(
    ctx: &mut WriteCtx<'_, '_>,
    name: &str,
    address: &str,
    role: Role,
) -> Result<Id<kinds::User>> {
    let person = meet(ctx.tx, ctx.environment, name, address)?;
    enlist(ctx, &person, role)?;
    Ok(person.id)
}

/// The person with this e-mail address, who may be new.
pub(crate) fn meet(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    name: &str,
    address: &str,
) -> Result<Person> {
    let key = email::key(address);
    if let Some(known) = store::by_email(tx, &key)? {
        return Ok(known);
    }
    let greatest = store::greatest(tx)?;
    let random = environment.entropy.bits();
    let id = Id::new(id::following(greatest, environment.clock.now(), random));
    store::insert(tx, id, name, address, &key)?;
    Ok(Person { id, name: name.to_owned(), email: address.to_owned() })
}

/// Makes a known person a member of the tenant that the transaction is bound to.
pub(crate) fn enlist(ctx: &mut WriteCtx<'_, '_>, person: &Person, role: Role) -> Result<()> {
    if store::role(ctx.tx, person.id)?.is_some() {
        return Err(Error::conflict(
            "This e-mail address is a member already: change the role with set-role instead.",
        ));
    }
    store::set_role(ctx.tx, person.id, role, ctx.now)?;
    ctx.added(&Member {
        id: person.id,
        name: person.name.clone(),
        email: person.email.clone(),
        role,
    })
}
