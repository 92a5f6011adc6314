//! Identities: who a person is to the company's own provider (OpenID Connect Core 1.0).
//!
//! A person is known by the provider's issuer and the subject there, and by nothing else; an e-mail
//! address only finds them the first time, and only one that the provider says it has verified. What
//! the provider says has been checked by whoever calls.

mod store;

pub(crate) use store::{GLOBAL_STATEMENTS, IDENTITIES};

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::{ReadTx, Uuid, WriteTx};

use super::links::Factor;
use super::person::{self, Initiator};
use super::restart::{self, Mailbox, Restart};
use super::sessions::{self, Method, Origin};
use crate::call::context::Recorded;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::identity::users;
use crate::values::clock::{Environment, Moment};
use crate::values::email;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

/// Characters that a subject may have (OpenID Connect Core 1.0, 2).
const SUBJECT_CHARACTERS: usize = 255;

/// Somebody as the provider names them.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The provider.
    pub issuer: String,
    /// Who they are there, for ever.
    pub subject: String,
    /// Their e-mail address, if the provider says that it has verified it.
    pub verified_email: Option<String>,
}

/// How a sign-in at the provider ended.
#[derive(Debug)]
pub enum Outcome {
    /// The person is in: the secret of the new session.
    In(Secret),
    /// Nobody here is meant.
    Nobody,
    /// The address is that of somebody whose password here is proved, and who is not signed in with it.
    HasPassword,
}

/// An identity as the history keeps it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Identity {
    /// The person.
    pub user_id: Id<kinds::User>,
    /// The provider.
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
    /// When they were first recognised.
    pub linked_at: Moment,
}

impl Recorded for Identity {
    const TYPE: &'static str = "identity";

    fn record_id(&self) -> Uuid {
        self.user_id.uuid()
    }
}

/// Signs somebody in whom the provider named.
///
/// Whoever is met for the first time is known from then on by issuer and subject, and the history of
/// every business that they work in is told. Who works in none is nobody's to sign in. The session that
/// the browser had `before` ends.
///
/// A password whose mailbox was proved is met in a session of its person only. One that was never proved
/// may be anybody's, since whoever held an invitation's link chose it: the mailbox that the provider has
/// verified wins over it, and what was set up with it ends.
///
/// # Errors
/// The database's.
pub fn sign_in(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    claimed: &Claimed,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<Outcome> {
    let known = store::user(tx, &claimed.issuer, &claimed.subject)?;
    let met = match known {
        Some(user) => Some(user),
        None => by_email(tx, claimed)?,
    };
    let Some(user) = met else { return Ok(Outcome::Nobody) };
    if super::store::workplaces(tx, user)?.is_empty() && !users::waits(tx, user)? {
        return Ok(Outcome::Nobody);
    }
    let is_own_session = is_own(tx, environment, user, before)?;
    let has_password = super::store::password(tx, user)?.is_some();
    let is_proved = super::store::is_proved(tx, user)?;
    if known.is_none() && has_password && is_proved && !is_own_session {
        let reason = "company's account not connected";
        person::tell_refused(tx, environment, user, origin.address, reason)?;
        return Ok(Outcome::HasPassword);
    }
    let by = Initiator::Unproved(origin.address);
    if !is_proved && verifies(tx, claimed, user)? {
        let meets_a_stranger = known.is_none() && !is_own_session;
        if !has_password {
            restart::prove(tx, environment, user, by)?;
        } else if meets_a_stranger || users::waits(tx, user)? {
            let restart =
                Restart { password: None, mailbox: Mailbox::Proved, factor: Factor::Ends };
            restart.run(tx, environment, user, by)?;
        }
    }
    sessions::replace(tx, environment, before, origin)?;
    let secret = sessions::start(tx, environment, user, Method::Company, origin)?;
    if known.is_none() {
        link(tx, environment, claimed, &secret, origin)?;
    }
    Ok(Outcome::In(secret))
}

/// Whether the browser comes in a session of this very person.
fn is_own(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    before: Option<&Secret>,
) -> Result<bool> {
    let Some(secret) = before else { return Ok(false) };
    let here = sessions::find(tx, secret, environment.clock.now())?;
    Ok(here.is_some_and(|signed_in| signed_in.user == user))
}

/// Whether the mailbox that the provider has verified is the person's.
fn verifies(tx: &mut ReadTx<'_>, claimed: &Claimed, user: Id<kinds::User>) -> Result<bool> {
    let Some(address) = &claimed.verified_email else { return Ok(false) };
    let person = super::store::person(tx, user)?;
    Ok(person.is_some_and(|person| email::key(&person.email) == email::key(address)))
}

/// Whether a person is known to a provider.
///
/// # Errors
/// The database's.
pub fn is_linked(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<bool> {
    super::store::has_identity(tx, user)
}

/// The person whose e-mail address the provider has verified, and whom it has not named before.
fn by_email(tx: &mut ReadTx<'_>, claimed: &Claimed) -> Result<Option<Id<kinds::User>>> {
    let subject = claimed.subject.chars().count();
    match &claimed.verified_email {
        Some(address) if (1..=SUBJECT_CHARACTERS).contains(&subject) => {
            let Some(person) = users::store::by_email(tx, address)? else { return Ok(None) };
            let is_met = store::is_met(tx, person.id, &claimed.issuer)?;
            Ok(Some(person.id).filter(|_| !is_met))
        }
        _ => Ok(None),
    }
}

/// Keeps who the person of a new session is to the provider.
fn link(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    claimed: &Claimed,
    session: &Secret,
    origin: &Origin,
) -> Result<()> {
    let now = environment.clock.now();
    let signed_in = sessions::find(tx, session, now)?;
    let signed_in = signed_in.ok_or_else(|| Error::internal("a session that was just started"))?;
    let identity = Identity {
        user_id: signed_in.user,
        issuer: claimed.issuer.clone(),
        subject: claimed.subject.clone(),
        linked_at: Moment(now),
    };
    if !store::insert(tx, &identity)? {
        // Whom another process has just met here need not be the person of this session.
        return Err(Error::conflict("You were just signed in elsewhere: sign in once more."));
    }
    for workplace in signed_in.workplaces(tx)? {
        let by = Initiator::Session(signed_in.session, origin.address);
        let access = by.access(signed_in.user, workplace.account, workplace.role);
        history::event(tx, &access, environment, "identity_linked", |ctx| ctx.added(&identity))?;
    }
    Ok(())
}
