//! Identities: users' accounts at the company's identity provider (OpenID Connect Core 1.0).
//!
//! Only the issuer and the subject identify an identity. The e-mail address is used only at the first sign-in, to
//! find the user, and only if the provider says that it has verified the address. Callers must check the provider's
//! claims before they call this module.

mod store;

pub(crate) use store::{GLOBAL_STATEMENTS, IDENTITIES};

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::{ReadTx, Uuid, WriteTx};

use super::links::Factor;
use super::restart::{self, Mailbox, Restart};
use super::sessions::{self, Method, Origin};
use super::user::{self, Initiator};
use crate::call::context::Recorded;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::identity::users;
use crate::values::clock::{Environment, Moment};
use crate::values::email;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

/// Maximum length of a subject, in characters (OpenID Connect Core 1.0, 2).
const MAX_SUBJECT_LENGTH: usize = 255;

/// What the provider claims about the user who signs in.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The provider's issuer.
    pub issuer: String,
    /// The user's id at the provider, which never changes.
    pub subject: String,
    /// The user's e-mail address, if the provider says that it has verified it.
    pub verified_email: Option<String>,
}

/// The result of a sign-in at the provider.
#[derive(Debug)]
pub enum ProviderSignIn {
    /// The user is signed in, with the secret of the new session.
    In(Secret),
    /// No user matches, or the matching user belongs to no tenant.
    Nobody,
    /// The address belongs to a user with a password and a proved mailbox, who must sign in with the password
    /// before the identity can be linked.
    HasPassword,
}

/// An identity as the history records it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Identity {
    /// The user.
    pub user_id: Id<kinds::User>,
    /// The provider's issuer.
    pub issuer: String,
    /// The user's id at the provider.
    pub subject: String,
    /// When the identity was linked to the user.
    pub linked_at: Moment,
}

impl Recorded for Identity {
    const TYPE: &'static str = "identity";

    fn record_id(&self) -> Uuid {
        self.user_id.uuid()
    }
}

/// Signs in the user whom the provider's claims identify.
///
/// The first sign-in links the identity to the user, and records the link in the history of each of the user's
/// tenants. A user without a membership or a pending membership cannot sign in. The browser's previous session,
/// `before`, ends.
///
/// If the user has a password and has proved the mailbox, the first sign-in must happen in one of the
/// user's sessions. If the mailbox was never proved, anyone with an invitation's link may have chosen the password.
/// So if the provider has verified the mailbox, the password is removed with everything that was set up with it. The
/// password is kept if the identity is already linked or the browser is signed in as the user, and no membership is
/// pending.
///
/// # Errors
/// If the database fails.
pub fn sign_in(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    claimed: &Claimed,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<ProviderSignIn> {
    let known = store::user(tx, &claimed.issuer, &claimed.subject)?;
    let matching = match known {
        Some(user) => Some(user),
        None => by_email(tx, claimed)?,
    };
    let Some(user) = matching else { return Ok(ProviderSignIn::Nobody) };
    if super::store::memberships(tx, user)?.is_empty() && !users::has_pending_membership(tx, user)?
    {
        return Ok(ProviderSignIn::Nobody);
    }
    let is_own_session = is_users_session(tx, environment, user, before)?;
    let has_password = super::store::password(tx, user)?.is_some();
    let is_proved = super::store::is_proved(tx, user)?;
    if known.is_none() && has_password && is_proved && !is_own_session {
        let reason = "company's account not connected";
        user::record_refused_sign_in(tx, environment, user, origin.address, reason)?;
        return Ok(ProviderSignIn::HasPassword);
    }
    let by = Initiator::Unproved(origin.address);
    if !is_proved && is_address_verified(tx, claimed, user)? {
        let is_new_to_browser = known.is_none() && !is_own_session;
        if !has_password {
            restart::prove(tx, environment, user, by)?;
        } else if is_new_to_browser || users::has_pending_membership(tx, user)? {
            let restart =
                Restart { password: None, mailbox: Mailbox::Proved, factor: Factor::Ends };
            restart.run(tx, environment, user, by)?;
        }
    }
    sessions::end_previous(tx, environment, before, origin)?;
    let secret = sessions::start(tx, environment, user, Method::Company, origin)?;
    if known.is_none() {
        link(tx, environment, claimed, &secret, origin)?;
    }
    Ok(ProviderSignIn::In(secret))
}

/// Whether the browser's session belongs to this user.
fn is_users_session(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    before: Option<&Secret>,
) -> Result<bool> {
    let Some(secret) = before else { return Ok(false) };
    let session = sessions::find(tx, secret, environment.clock.now())?;
    Ok(session.is_some_and(|signed_in| signed_in.user == user))
}

/// Whether the provider has verified the user's e-mail address.
fn is_address_verified(
    tx: &mut ReadTx<'_>,
    claimed: &Claimed,
    user: Id<kinds::User>,
) -> Result<bool> {
    let Some(address) = &claimed.verified_email else { return Ok(false) };
    let user = super::store::user(tx, user)?;
    Ok(user.is_some_and(|user| email::key(&user.email) == email::key(address)))
}

/// Whether a user has an identity at a provider.
///
/// # Errors
/// If the database fails.
pub fn is_linked(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    super::store::has_identity(tx, user)
}

/// The user with the e-mail address that the provider has verified, unless the user already has an identity
/// at this provider.
fn by_email(tx: &mut ReadTx<'_>, claimed: &Claimed) -> Result<Option<Id<kinds::User>>> {
    let length = claimed.subject.chars().count();
    match &claimed.verified_email {
        Some(address) if (1..=MAX_SUBJECT_LENGTH).contains(&length) => {
            let Some(user) = users::store::by_email(tx, address)? else { return Ok(None) };
            let has_identity = store::has_identity_at(tx, user.id, &claimed.issuer)?;
            Ok((!has_identity).then_some(user.id))
        }
        _ => Ok(None),
    }
}

/// Links the identity to the user of a new session.
fn link(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    claimed: &Claimed,
    session: &Secret,
    origin: &Origin,
) -> Result<()> {
    let now = environment.clock.now();
    let signed_in = sessions::find(tx, session, now)?;
    let signed_in =
        signed_in.ok_or_else(|| Error::internal("a session that was just started is missing"))?;
    let identity = Identity {
        user_id: signed_in.user,
        issuer: claimed.issuer.clone(),
        subject: claimed.subject.clone(),
        linked_at: Moment(now),
    };
    if !store::insert(tx, &identity)? {
        // Another process has just linked this identity, possibly to another user.
        return Err(Error::conflict(
            "This company account has just been used elsewhere: sign in again.",
        ));
    }
    for membership in signed_in.memberships(tx)? {
        let by = Initiator::Session(signed_in.session, origin.address);
        let access = by.access(signed_in.user, membership.account, membership.role);
        history::event(tx, &access, environment, "identity_linked", |ctx| ctx.added(&identity))?;
    }
    Ok(())
}
