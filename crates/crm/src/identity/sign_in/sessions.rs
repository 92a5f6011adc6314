//! Sessions: the browsers in which a user is signed in.
//!
//! A session ends after 12 hours without use, and after 30 days at the latest.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx};

use super::store;
use super::user::{self, Initiator};
use crate::call::access::{Access, Account, Actor, Credential, Rights, Role, Source};
use crate::call::caller::{Denied, Refusal, Used, should_record_use};
use crate::call::context::{Recorded, next_global_id};
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::proof::Proof;
use crate::call::scope::Scopes;
use crate::values::clock::{Environment, Moment};
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};
use crate::values::zone::Zone;

/// Lifetime of a session that is not used, in microseconds.
pub(super) const IDLE_LIFETIME: i64 = 12 * 60 * 60 * 1_000_000;
/// Maximum lifetime of a session, in microseconds.
pub const MAX_LIFETIME: i64 = 30 * 24 * 60 * 60 * 1_000_000;
/// Maximum number of live sessions of a user. A further sign-in ends the oldest.
const MAX_SESSIONS: usize = 100;
/// Maximum stored length of the `User-Agent`, in characters.
const MAX_BROWSER_CHARACTERS: usize = 200;

/// A user with a valid session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Id<kinds::Session>,
    /// The user.
    pub user: Id<kinds::User>,
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// When the session was last used, recorded at most once a minute.
    pub last_used_at: Timestamp,
    /// Whether the user has proved that the mailbox is theirs.
    pub is_proved: bool,
}

/// A user's membership, as the user sees it: the tenant and the user's role there.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The tenant.
    pub account: Account,
    /// The tenant's name.
    pub name: String,
    /// The user's current role there.
    pub role: Role,
    /// The tenant's time zone; UTC if none is set.
    pub zone: Zone,
}

/// How a user signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By password.
    Password,
    /// By password and a code of the second factor.
    SecondFactor,
    /// By following an invitation's link and choosing a password.
    Invitation,
    /// By following a link for a new password.
    PasswordLink,
    /// By the company's identity provider.
    Company,
}

impl Method {
    /// Its name in the database and the history.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::SecondFactor => "second_factor",
            Self::Invitation => "invitation",
            Self::PasswordLink => "password_link",
            Self::Company => "company",
        }
    }
}

/// Where a sign-in comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The IP address, as the server saw it.
    pub address: Option<IpAddr>,
    /// The `User-Agent`: only shown to the user, never trusted.
    pub browser: String,
}

/// A session as its user and the history see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SessionRecord {
    /// The session's id.
    pub id: Id<kinds::Session>,
    /// The user.
    pub user_id: Id<kinds::User>,
    /// The name of the [`Method`] by which the user signed in.
    pub method: String,
    /// The IP address.
    pub address: String,
    /// The `User-Agent` of the browser.
    pub browser: String,
    /// When the user signed in.
    pub created_at: Moment,
    /// When the session ends at the latest.
    pub expires_at: Moment,
}

impl Recorded for SessionRecord {
    const TYPE: &'static str = "session";

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

/// Signs a user in: starts a session, records the sign-in in the history of each of the user's tenants, and returns
/// the session's secret for the browser's cookie.
///
/// # Errors
/// If the database fails.
pub fn start(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    method: Method,
    origin: &Origin,
) -> Result<Secret> {
    let now = environment.clock.now();
    let secret = Secret::generate(SecretKind::Session, &environment.entropy);
    let id =
        next_global_id::<kinds::Session>(tx, environment, now, store::GREATEST_SESSION_ID_BELOW)?;
    let record = SessionRecord {
        id,
        user_id: user,
        method: method.name().to_owned(),
        address: origin.address.map_or_else(String::new, |address| address.to_string()),
        browser: origin.browser.chars().take(MAX_BROWSER_CHARACTERS).collect(),
        created_at: id.created_at(),
        expires_at: Moment(Timestamp(now.0 + MAX_LIFETIME)),
    };
    store::insert_session(tx, &secret.hash(), &record, now)?;
    // Tenants are bound by ascending number, so that transactions that bind several tenants cannot deadlock.
    for membership in store::memberships(tx, user)? {
        let by = Initiator::Session(id, origin.address);
        let access = by.access(user, membership.account, membership.role);
        history::event(tx, &access, environment, "sign_in", |ctx| ctx.added(&record))?;
    }
    for oldest in live_sessions(tx, user, now)?.into_iter().skip(MAX_SESSIONS) {
        end(
            tx,
            environment,
            user,
            oldest.record.id,
            "session_ended",
            Initiator::Session(id, origin.address),
        )?;
    }
    Ok(secret)
}

/// Looks up a session by its cookie. `None` if it has ended or never existed.
///
/// # Errors
/// If the database fails.
pub fn find(tx: &mut ReadTx<'_>, secret: &Secret, now: Timestamp) -> Result<Option<SignedIn>> {
    store::session(tx, &secret.hash(), now)
}

/// A session that has not ended, as its user sees it.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// The session.
    pub record: SessionRecord,
    /// When the session was last used, recorded at most once a minute.
    pub last_used_at: Moment,
}

/// The sessions of a user that have not ended, newest first.
///
/// # Errors
/// If the database fails.
pub fn live_sessions(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    now: Timestamp,
) -> Result<Vec<LiveSession>> {
    store::live_sessions(tx, user, now)
}

/// Signs a user out: ends the session with this secret.
///
/// # Errors
/// If the database fails.
pub fn sign_out(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    address: Option<IpAddr>,
) -> Result<()> {
    let now = environment.clock.now();
    let Some(signed_in) = store::session(tx, &secret.hash(), now)? else { return Ok(()) };
    signed_in.end(tx, environment, signed_in.session, "sign_out", address)
}

/// Ends the session that the browser had before this sign-in, if any.
pub(crate) fn end_previous(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    before: Option<&Secret>,
    origin: &Origin,
) -> Result<()> {
    let Some(secret) = before else { return Ok(()) };
    let Some(signed_in) = find(tx, secret, environment.clock.now())? else { return Ok(()) };
    signed_in.end(tx, environment, signed_in.session, "session_ended", origin.address)
}

/// Gives a session a new secret. The old secret no longer works.
pub(super) fn renew(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    session: Id<kinds::Session>,
) -> Result<Secret> {
    let secret = Secret::generate(SecretKind::Session, &environment.entropy);
    store::renew_session(tx, session, &secret.hash())?;
    Ok(secret)
}

/// Records that a session was used.
pub(crate) fn touch(tx: &mut WriteTx<'_>, id: Id<kinds::Session>, now: Timestamp) -> Result<()> {
    store::touch_session(tx, id, now)
}

/// Ends one of a user's sessions, and records the end in the history of each of the user's tenants.
fn end(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    id: Id<kinds::Session>,
    name: &'static str,
    by: Initiator,
) -> Result<()> {
    store::revoke_session_by_id(tx, id, environment.clock.now())?;
    user::record_event(tx, environment, user, by, name, ("session", json!(id), Value::Null))
}

impl SignedIn {
    /// This use of the session, to be recorded. `None` if a use is already recorded for the current minute.
    pub fn use_to_record(&self, now: Timestamp) -> Option<Used> {
        should_record_use(Some(self.last_used_at), now).then_some(Used::Session(self.session))
    }

    /// Ends one of the user's own sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the session is not the user's or has ended.
    pub fn end_session(
        &self,
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        id: Id<kinds::Session>,
        address: Option<IpAddr>,
    ) -> Result<()> {
        let live = live_sessions(tx, self.user, environment.clock.now())?;
        if !live.iter().any(|session| session.record.id == id) {
            return Err(Error::not_found("session"));
        }
        self.end(tx, environment, id, "session_ended", address)
    }

    /// Ends all other sessions of the user, and returns their number.
    ///
    /// # Errors
    /// If the database fails.
    pub fn end_other_sessions(
        &self,
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        address: Option<IpAddr>,
    ) -> Result<usize> {
        let now = environment.clock.now();
        let others: Vec<_> = live_sessions(tx, self.user, now)?
            .into_iter()
            .map(|session| session.record.id)
            .filter(|id| *id != self.session)
            .collect();
        for id in &others {
            self.end(tx, environment, *id, "session_ended", address)?;
        }
        Ok(others.len())
    }

    fn end(
        &self,
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        id: Id<kinds::Session>,
        name: &'static str,
        address: Option<IpAddr>,
    ) -> Result<()> {
        end(tx, environment, self.user, id, name, Initiator::Session(self.session, address))
    }

    /// The user's memberships, in ascending tenant number.
    ///
    /// # Errors
    /// If the database fails.
    pub fn memberships(&self, tx: &mut ReadTx<'_>) -> Result<Vec<Membership>> {
        store::memberships(tx, self.user)
    }

    /// The user's membership in a tenant. `None` if they are not a member.
    ///
    /// # Errors
    /// If the database fails.
    pub fn membership(
        &self,
        tx: &mut ReadTx<'_>,
        tenant: Id<kinds::Tenant>,
    ) -> Result<Option<Membership>> {
        Ok(self.memberships(tx)?.into_iter().find(|membership| membership.account.id == tenant))
    }

    /// The proof that the session's user is calling, in one of the user's tenants.
    pub fn in_tenant(&self, tenant: Id<kinds::Tenant>, source: Source) -> InTenant {
        InTenant { session: self.session, user: self.user, tenant, source }
    }
}

/// The proof that a session's user is calling, in one of the user's tenants.
#[derive(Debug, Clone)]
pub struct InTenant {
    session: Id<kinds::Session>,
    user: Id<kinds::User>,
    tenant: Id<kinds::Tenant>,
    source: Source,
}

impl Proof for InTenant {
    type Refusal = Refusal;

    /// [`Denied::Expired`] if the session has ended, [`Error::NotFound`] if its user is not a member of
    /// the tenant.
    fn access(&self, tx: &mut ReadTx<'_>, environment: &Environment) -> Result<Access, Refusal> {
        if !store::is_live(tx, self.session, environment.clock.now())? {
            return Err(Denied::Expired.into());
        }
        let memberships = store::memberships(tx, self.user)?;
        let membership =
            memberships.into_iter().find(|membership| membership.account.id == self.tenant);
        let Membership { account, role, .. } = membership.ok_or(Error::not_found("tenant"))?;
        let rights = Rights {
            account: Some(account),
            actor: Actor::User { id: self.user, role },
            scopes: role.session_scopes(),
            attainable: Scopes::NONE,
            credential: Credential::Session(self.session),
        };
        Ok(Access::new(rights, self.source.clone()))
    }
}
