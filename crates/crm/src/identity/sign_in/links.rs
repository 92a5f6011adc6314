//! Links with which a user chooses a new password: sent by mail on request, or created by an owner or the
//! operator and handed over.
//!
//! A link that was only sent by mail proves that its holder can read the mailbox. A link that someone else has
//! seen proves nothing.

use std::net::IpAddr;

use serde_json::{Value, json};
use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use super::attempts::{self, Limit};
use super::restart::{Mailbox, Restart};
use super::sessions::{self, Method, Origin};
use super::user::{self, Initiator, User};
use super::{own_email, password_login, second_factor, store};
use crate::call::access::Role;
use crate::call::argument::choices;
use crate::call::error::{Error, Result};
use crate::call::sweep::{Sweep, few};
use crate::identity::users;
use crate::values::clock::{Environment, Moment};
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

const MINUTE: i64 = 60 * 1_000_000;
/// Lifetime of a link that was sent by mail, in microseconds.
pub const MAILED_LIFETIME: i64 = 30 * MINUTE;
/// Lifetime of a link that is handed over, in microseconds.
pub const HANDED_LIFETIME: i64 = 24 * 60 * MINUTE;
/// Limit on mails to one e-mail address.
const MAILS_PER_ADDRESS: Limit = Limit { action: "password_link_to", times: 3, seconds: 3_600 };
/// Limit on requests from one IP address.
const REQUESTS_PER_IP_ADDRESS: Limit =
    Limit { action: "password_link_from", times: 10, seconds: 3_600 };

crate::call::table::table! {
    pub(crate) const PASSWORD_LINKS = password_links {
        shared: "are looked up by their hash, and belong to a user",
        key: { hash: Bytes },
        columns: { user_id: Id, origin: Text, made_by: Id, ends_factor: Boolean, expires_at: Time },
        exported: Secret,
        erased: [WithUser, OnExpiry],
    }
}

zoop_db::global_statements! {
    ADD = "INSERT INTO password_links (hash, user_id, origin, made_by, ends_factor, expires_at) \
           VALUES ($1, $2, $3, $4, $5, $6)";
    GET = "SELECT u.id, u.name, u.email, l.origin, l.made_by, l.ends_factor FROM password_links l \
           JOIN users u ON u.id = l.user_id WHERE l.hash = $1 AND l.expires_at > $2 \
           AND l.expires_at <= $3";
    TAKE = "DELETE FROM password_links WHERE hash = $1";
    REVOKE_ALL_OF_USER = "DELETE FROM password_links WHERE user_id = $1";
    REVOKE_MADE_BY = "DELETE FROM password_links WHERE made_by = $1";
    REVOKE_HANDED = "DELETE FROM password_links WHERE user_id = $1 AND origin <> 'mail'";
    SWEEP = (concat!("DELETE FROM password_links",
             few!("password_links", "hash", "expires_at <= $1", "expires_at")));
}

choices! {
    /// How a link reaches its holder, which determines who else has seen it.
    pub enum Delivery {
        /// By mail, so that no one else has seen it.
        Mail = "mail",
        /// The owner who created it hands it over.
        Owner = "owner",
        /// The operator who created it hands it over.
        Operator = "operator",
    }
}

/// The creator of a link that is handed over.
#[derive(Debug, Clone, Copy)]
pub enum Maker {
    /// An owner of each of the user's tenants.
    Owner(Id<kinds::User>),
    /// The operator.
    Operator,
}

/// What happens to a user's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// The second factor stays on, if it is on.
    Stays,
    /// The second factor is turned off.
    Ends,
}

/// A new link.
#[derive(Debug)]
pub struct NewLink {
    secret: Secret,
    /// When the link stops working.
    pub expires_at: Moment,
}

impl NewLink {
    /// The path of the link on this server.
    pub fn path(&self) -> String {
        format!("/password/{}", self.secret.expose())
    }
}

/// A link that was followed and is still valid.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The user whose password the link resets.
    pub user: User,
    /// How the link reached its holder.
    pub delivery: Delivery,
    /// What happens to the second factor.
    pub factor: Factor,
}

/// The result of choosing a new password.
#[derive(Debug)]
pub enum LinkSignIn {
    /// The user is signed in, with the secret of the new session.
    In(Secret),
    /// The second factor is required, with the secret of the pending sign-in.
    NeedsCode(Secret),
}

/// Counts a request for a link by mail, and returns whether a link may be sent to the address. Known and unknown
/// addresses are counted alike.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait after too many requests from this IP address.
pub fn admit_request(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    from: Option<IpAddr>,
) -> Result<bool> {
    let now = environment.clock.now();
    attempts::record(tx, REQUESTS_PER_IP_ADDRESS, &password_login::ip_subject(from), now)?;
    attempts::admit(tx, MAILS_PER_ADDRESS, &attempts::email_subject(address), now)
}

/// Creates a link for the user with this e-mail address, to be sent there and shown to no one else. `None` if there
/// is no such user.
///
/// # Errors
/// If the database fails.
pub fn create_for_mail(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    from: Option<IpAddr>,
) -> Result<Option<(User, NewLink)>> {
    let Some(user) = users::store::by_email(tx, address)? else { return Ok(None) };
    // A concurrent change of the address waits, and then ends the link.
    if !users::store::hold_email(tx, user.id, &user.email)? {
        return Ok(None);
    }
    let link = add(tx, environment, user.id, Delivery::Mail, None, Factor::Stays)?;
    let change = ("password_link", Value::Null, json!("mail"));
    user::record_event(
        tx,
        environment,
        user.id,
        Initiator::Unproved(from),
        "password_link_sent",
        change,
    )?;
    Ok(Some((user, link)))
}

/// Creates a link to hand over, and revokes the user's previous links that were not mailed. The caller must check
/// that the maker may create the link.
///
/// # Errors
/// If the database fails.
pub fn create(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    maker: Maker,
    factor: Factor,
) -> Result<NewLink> {
    tx.global_execute(REVOKE_HANDED, params![user])?;
    let (delivery, made_by) = match maker {
        Maker::Owner(owner) => (Delivery::Owner, Some(owner)),
        Maker::Operator => (Delivery::Operator, None),
    };
    add(tx, environment, user, delivery, made_by, factor)
}

fn add(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    delivery: Delivery,
    made_by: Option<Id<kinds::User>>,
    factor: Factor,
) -> Result<NewLink> {
    let lifetime = if delivery == Delivery::Mail { MAILED_LIFETIME } else { HANDED_LIFETIME };
    let secret = Secret::generate(SecretKind::PasswordLink, &environment.entropy);
    let expires_at = Moment(Timestamp(environment.clock.now().0 + lifetime));
    let ends_factor = factor == Factor::Ends;
    tx.global_execute(
        ADD,
        params![secret.hash(), user, delivery, made_by, ends_factor, expires_at],
    )?;
    Ok(NewLink { secret, expires_at })
}

/// Whether `owner` is an owner of every tenant that `user` is a member of. False if `user` is not a member of any
/// tenant.
///
/// # Errors
/// If the database fails.
pub fn is_owner_everywhere(
    tx: &mut ReadTx<'_>,
    owner: Id<kinds::User>,
    user: Id<kinds::User>,
) -> Result<bool> {
    let owner_memberships = store::memberships(tx, owner)?;
    let owns = |tenant| {
        owner_memberships
            .iter()
            .any(|membership| membership.account.id == tenant && membership.role == Role::Owner)
    };
    let memberships = store::memberships(tx, user)?;
    Ok(!memberships.is_empty() && memberships.iter().all(|membership| owns(membership.account.id)))
}

/// Looks up a link. `None` if the link was used or has expired, or if the owner who created it no longer owns all of
/// the user's tenants.
///
/// # Errors
/// If the database fails.
pub fn find(tx: &mut ReadTx<'_>, secret: &Secret, now: Timestamp) -> Result<Option<Followed>> {
    let latest = Timestamp(now.0 + HANDED_LIFETIME + crate::values::clock::SLACK);
    let found = tx.global_first::<_, Error>(GET, params![secret.hash(), now, latest], |row| {
        let user = User { id: row.take()?, name: row.take()?, email: row.take()? };
        let delivery = row.take()?;
        let made_by: Option<Id<kinds::User>> = row.take()?;
        let factor = if row.take()? { Factor::Ends } else { Factor::Stays };
        Ok((Followed { user, delivery, factor }, made_by))
    })?;
    match found {
        Some((link, Some(owner))) if !is_owner_everywhere(tx, owner, link.user.id)? => Ok(None),
        Some((link, _)) => {
            let factor = if clears_factor(tx, &link)? { Factor::Ends } else { link.factor };
            Ok(Some(Followed { factor, ..link }))
        }
        None => Ok(None),
    }
}

/// Whether a mailed link turns the second factor off. It does if the user never proved the mailbox and has a pending
/// membership, since someone else may have set up the factor. Otherwise the factor stays on, since a mailbox can be
/// stolen.
fn clears_factor(tx: &mut ReadTx<'_>, link: &Followed) -> Result<bool> {
    let user = link.user.id;
    Ok(link.delivery == Delivery::Mail
        && !store::is_proved(tx, user)?
        && users::has_pending_membership(tx, user)?)
}

/// Sets the password that the holder of a link chose, and starts the user's sign-in over: all sessions,
/// links, remembered browsers and grants end. The browser's previous session also ends, even if it is another user's.
///
/// # Errors
/// [`Error::Conflict`] if the link is no longer valid.
pub fn follow(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    password_hash: &str,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<LinkSignIn> {
    let now = environment.clock.now();
    let no_longer_valid = || Error::conflict("This link no longer works: ask for a new one.");
    let link = find(tx, secret, now)?.ok_or_else(no_longer_valid)?;
    // Of several concurrent requests, only the one that deletes the row continues.
    if tx.global_execute(TAKE, params![secret.hash()])? == 0 {
        return Err(no_longer_valid());
    }
    let user = link.user.id;
    let mailbox = if link.delivery == Delivery::Mail { Mailbox::Proved } else { Mailbox::Unproved };
    let factor = link.factor;
    let by = Initiator::Unproved(origin.address);
    Restart { password: Some(password_hash), mailbox, factor }.run(tx, environment, user, by)?;
    password_login::reset_attempts(tx, &link.user.email)?;
    enter(tx, environment, user, Method::PasswordLink, origin, before)
}

/// Signs in a user who has just chosen a password with a link, or asks for the second factor.
pub(crate) fn enter(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    method: Method,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<LinkSignIn> {
    if second_factor::is_on(tx, user)? {
        return Ok(LinkSignIn::NeedsCode(second_factor::begin(tx, environment, user)?));
    }
    sessions::end_previous(tx, environment, before, origin)?;
    Ok(LinkSignIn::In(sessions::start(tx, environment, user, method, origin)?))
}

/// Revokes every link for a user, for a new e-mail address too, and every link that the user created for others, since someone else may have
/// created those in a stolen session.
pub(super) fn revoke_all_of_user(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(REVOKE_ALL_OF_USER, params![user])?;
    tx.global_execute(REVOKE_MADE_BY, params![user])?;
    own_email::revoke_all_of_user(tx, user)
}

/// The sweep of expired links.
pub(crate) const SWEEPS: &[Sweep] = &[Sweep {
    rows: "password links",
    step: |tx, now| Ok(tx.global_execute(SWEEP, params![now])?),
}];
