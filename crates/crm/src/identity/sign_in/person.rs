//! A person above all businesses, and what the history of their businesses is told about them.

use std::net::IpAddr;

use serde_json::{Value, json};
use zoop_db::{ReadTx, WriteTx};

use super::sessions::Workplace;
use super::store;
use crate::call::access::{Access, Account, Actor, Credential, Rights, Role, Source};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::scope::Scopes;
use crate::identity::users;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// The person.
    pub id: Id<kinds::User>,
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
}

/// Who does something to a person's sign-in.
#[derive(Debug, Clone, Copy)]
pub enum Initiator {
    /// The person, at a browser with this session.
    Session(Id<kinds::Session>, Option<IpAddr>),
    /// Somebody who says that they are the person.
    Unproved(Option<IpAddr>),
    /// Whoever runs the installation.
    Operator,
}

/// The person with this id or e-mail address.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn find(tx: &mut ReadTx<'_>, id_or_email: &str) -> Result<Person> {
    let found = match Id::parse(id_or_email) {
        Some(id) => store::person(tx, id)?,
        None => users::store::by_email(tx, id_or_email)?,
    };
    found.ok_or(Error::not_found("person"))
}

/// The businesses that a person works in, oldest first.
///
/// # Errors
/// The database's.
pub fn workplaces(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Vec<Workplace>> {
    store::workplaces(tx, user)
}

/// Whether a person can sign in: by a password, or by the company's account.
pub(crate) fn can_sign_in(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    Ok(store::password(tx, user)?.is_some() || store::has_identity(tx, user)?)
}

/// Whether a person has shown that the mailbox is theirs.
///
/// # Errors
/// The database's.
pub fn is_proved(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    store::is_proved(tx, user)
}

/// Tells the history of every business that a person works in what was done about them: `name`, and a
/// change of `field` that shows nothing secret.
pub(crate) fn tell(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: Initiator,
    name: &'static str,
    (field, old, new): (&str, Value, Value),
) -> Result<()> {
    tell_with(tx, environment, user, by, name, |ctx| {
        ctx.changed("user", user.uuid(), field, old.clone(), new.clone());
        Ok(())
    })
}

/// Does the same work in every business that a person works in, as one entry each.
pub(crate) fn tell_with(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: Initiator,
    name: &'static str,
    work: impl Fn(&mut WriteCtx<'_, '_>) -> Result<()>,
) -> Result<()> {
    // In the order of their numbers, so that two who bind several tenants never wait for each other.
    for workplace in store::workplaces(tx, user)? {
        let access = by.access(user, workplace.account, workplace.role);
        history::event(tx, &access, environment, name, |ctx: &mut WriteCtx<'_, '_>| work(ctx))?;
    }
    Ok(())
}

/// Tells that somebody tried to sign in as a person and could not.
pub(crate) fn tell_refused(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    address: Option<IpAddr>,
    reason: &str,
) -> Result<()> {
    let change = ("sign_in", Value::Null, json!(reason));
    tell(tx, environment, user, Initiator::Unproved(address), "sign_in_refused", change)
}

impl Initiator {
    /// Who acts in a business, as its history knows them.
    pub(crate) fn access(self, user: Id<kinds::User>, account: Account, role: Role) -> Access {
        let (credential, address) = match self {
            Self::Operator => {
                return Access::new(Rights::operator(Some(account)), Source::default());
            }
            Self::Session(id, address) => (Credential::Session(id), address),
            Self::Unproved(address) => (Credential::Nothing, address),
        };
        let rights = Rights {
            account: Some(account),
            actor: Actor::User { id: user, role },
            scopes: role.session_scopes(),
            attainable: Scopes::NONE,
            credential,
        };
        Access::new(rights, Source { client: None, address })
    }
}
