//! A user independent of any tenant, and the recording of sign-in events in the histories of the user's tenants.

use std::net::IpAddr;

use serde_json::{Value, json};
use zoop_db::{ReadTx, WriteTx};

use super::sessions::Membership;
use super::store;
use crate::call::access::{Access, Account, Actor, Credential, Rights, Role, Source};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::scope::Scopes;
use crate::identity::users;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

/// A user, independent of any tenant.
#[derive(Debug, Clone)]
pub struct User {
    /// The user's id.
    pub id: Id<kinds::User>,
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
}

/// Who causes an event in a user's sign-in.
#[derive(Debug, Clone, Copy)]
pub enum Initiator {
    /// The user, in this session and from this IP address.
    Session(Id<kinds::Session>, Option<IpAddr>),
    /// Someone at this IP address who has not proved to be the user.
    Unproved(Option<IpAddr>),
    /// The operator.
    Operator,
}

/// The user with this id or e-mail address.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub fn find(tx: &mut ReadTx<'_>, id_or_email: &str) -> Result<User> {
    let found = match Id::parse(id_or_email) {
        Some(id) => store::user(tx, id)?,
        None => users::store::by_email(tx, id_or_email)?,
    };
    found.ok_or(Error::not_found("person"))
}

/// A user's memberships, in ascending tenant number.
///
/// # Errors
/// If the database fails.
pub fn memberships(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Vec<Membership>> {
    store::memberships(tx, user)
}

/// Whether a user can sign in: with a password, or through an identity provider.
pub(crate) fn can_sign_in(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    Ok(store::password(tx, user)?.is_some() || store::has_identity(tx, user)?)
}

/// Whether a user has proved that the mailbox is theirs.
///
/// # Errors
/// If the database fails.
pub fn is_proved(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    store::is_proved(tx, user)
}

/// Records an event in the history of each of a user's tenants, as a change of `field`. The values must not be
/// secret.
pub(crate) fn record_event(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: Initiator,
    name: &'static str,
    (field, old, new): (&str, Value, Value),
) -> Result<()> {
    record_event_with(tx, environment, user, by, name, |ctx| {
        ctx.changed("user", user.uuid(), field, old.clone(), new.clone());
        Ok(())
    })
}

/// Does the same work in each of a user's tenants, with one history entry called `name` in each.
pub(crate) fn record_event_with(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    by: Initiator,
    name: &'static str,
    work: impl Fn(&mut WriteCtx<'_, '_>) -> Result<()>,
) -> Result<()> {
    // Tenants are bound by ascending number, so that transactions that bind several tenants cannot deadlock.
    for membership in store::memberships(tx, user)? {
        let access = by.access(user, membership.account, membership.role);
        history::event(tx, &access, environment, name, |ctx: &mut WriteCtx<'_, '_>| work(ctx))?;
    }
    Ok(())
}

/// Records a failed attempt to sign in as a user in the history of each of the user's tenants.
pub(crate) fn record_refused_sign_in(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    address: Option<IpAddr>,
    reason: &str,
) -> Result<()> {
    let change = ("sign_in", Value::Null, json!(reason));
    record_event(tx, environment, user, Initiator::Unproved(address), "sign_in_refused", change)
}

impl Initiator {
    /// The access of the initiator in one tenant, as the tenant's history records it.
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
