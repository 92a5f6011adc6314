//! Following an invitation's link: looking it up and accepting it.

use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::{InvitationRecord, store};
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::identity::sign_in::SignedIn;
use crate::identity::sign_in::attempts::{self, Limit};
use crate::identity::sign_in::links::{self, Factor, LinkSignIn};
use crate::identity::sign_in::restart::{Mailbox, Restart};
use crate::identity::sign_in::sessions::{Method, Origin};
use crate::identity::sign_in::user::{self, Initiator, User};
use crate::identity::users;
use crate::values::clock::{Environment, Moment};
use crate::values::email;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

/// Invitation mails sent by one tenant.
const MAILS_OF_TENANT: Limit =
    Limit { action: "invitation_mail", times: 100, seconds: 24 * 60 * 60 };
/// Invitation mails sent to one address by all tenants.
const MAILS_TO_ADDRESS: Limit =
    Limit { action: "invitation_mail_to", times: 5, seconds: 24 * 60 * 60 };

/// The error for a user who must first prove that the mailbox is theirs.
const UNPROVED: &str = "Confirm first that this e-mail address is yours: choose \"Forgot password?\" on the \
                        sign-in page and follow the link from the mail, or ask your administrator for a \
                        new password.";

/// An invitation whose link was followed.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The invitation.
    pub record: InvitationRecord,
    /// The tenant's name.
    pub business: String,
    /// Whether it can be accepted.
    pub status: Status,
}

/// Whether an invitation can be accepted. Reveals nothing about the invited user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can be accepted.
    Open,
    /// No longer valid: already accepted.
    Accepted,
    /// No longer valid: revoked, or the inviter is no longer an owner.
    Revoked,
    /// No longer valid: too old.
    Expired,
}

/// Looks up an invitation by its link.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub fn find(tx: &mut ReadTx<'_>, secret: &Secret, now: Timestamp) -> Result<Invited> {
    let found = found(tx, secret)?;
    let status = status(&found, Moment(now));
    let store::LinkedInvitation { record, business, .. } = found;
    Ok(Invited { record, business, status })
}

fn found(tx: &mut ReadTx<'_>, secret: &Secret) -> Result<store::LinkedInvitation> {
    store::by_hash(tx, &secret.hash())?.ok_or(Error::not_found("invitation"))
}

/// The invitation, read after its tenant is bound, so that no one can accept it concurrently.
fn bound(tx: &mut WriteTx<'_>, secret: &Secret) -> Result<store::LinkedInvitation> {
    let account = found(tx, secret)?.account;
    tx.bind(account.number);
    found(tx, secret)
}

fn status(found: &store::LinkedInvitation, now: Moment) -> Status {
    let record = &found.record;
    if record.accepted_at.is_some() {
        Status::Accepted
    } else if record.revoked_at.is_some() || !found.is_backed {
        Status::Revoked
    } else if record.expires_at <= now {
        Status::Expired
    } else {
        Status::Open
    }
}

/// Counts an invitation mail and returns whether it may be sent.
///
/// # Errors
/// If the database fails.
pub fn may_be_mailed(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    tenant: Id<kinds::Tenant>,
    address: &str,
) -> Result<bool> {
    let now = environment.clock.now();
    // The tenant first, so that a tenant over its limit does not use up the address's limit.
    Ok(attempts::admit(tx, MAILS_OF_TENANT, &tenant.to_string(), now)?
        && attempts::admit(tx, MAILS_TO_ADDRESS, &attempts::account(address), now)?)
}

/// Records that an invitation's link was sent by mail and is shown to no one else.
///
/// # Errors
/// If the database fails.
pub fn mailed(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    id: Id<kinds::Invitation>,
) -> Result<()> {
    store::mailed(tx, id, environment.clock.now())
}

/// Whether a visitor who is not signed in may choose a password, and whether the second factor then stays.
/// They may if the user is new, or if the link was only sent by mail and the mailbox was never proved. `None`
/// if they must sign in.
fn factor_of_choice(
    tx: &mut ReadTx<'_>,
    found: &store::LinkedInvitation,
) -> Result<Option<Factor>> {
    let Some(known) = users::store::by_email(tx, &found.record.email)? else {
        return Ok(Some(Factor::Ends));
    };
    let waits = users::waits(tx, known.id)?;
    let is_nobody =
        !user::can_sign_in(tx, known.id)? && user::memberships(tx, known.id)?.is_empty() && !waits;
    if is_nobody {
        return Ok(Some(Factor::Ends));
    }
    let is_reclaimed = found.is_mailed && !user::is_proved(tx, known.id)?;
    let factor = if waits { Factor::Ends } else { Factor::Stays };
    Ok(is_reclaimed.then_some(factor))
}

/// Accepts an invitation for a visitor who is not signed in, by choosing a password. `None` if they must
/// sign in instead.
///
/// # Errors
/// [`Error::Conflict`] if the invitation is no longer valid.
pub fn accept_by_password(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    password_hash: &str,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<Option<LinkSignIn>> {
    let found = bound(tx, secret)?;
    if status(&found, Moment(environment.clock.now())) != Status::Open {
        return Err(over());
    }
    let Some(factor) = factor_of_choice(tx, &found)? else { return Ok(None) };
    let InvitationRecord { name, email, .. } = &found.record;
    let user = users::meet(tx, environment, name, email)?;
    let by = Initiator::Unproved(origin.address);
    // End what someone else may have set up before, so that it has no effect on the new membership.
    users::store::stop_waiting(tx, user.id)?;
    let mailbox = if found.is_mailed { Mailbox::Proved } else { Mailbox::Unproved };
    let restart = Restart { password: Some(password_hash), mailbox, factor };
    restart.run(tx, environment, user.id, by)?;
    take(tx, environment, &found, &user, by)?;
    links::enter(tx, environment, user.id, Method::Invitation, origin, before).map(Some)
}

/// Accepts an invitation for a signed-in user.
///
/// # Errors
/// [`Error::Conflict`] if the invitation is for another user or no longer valid.
pub fn accept_as_member(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    signed_in: &SignedIn,
    origin: &Origin,
) -> Result<Id<kinds::Tenant>> {
    let found = bound(tx, secret)?;
    if email::key(&found.record.email) != email::key(&signed_in.email) {
        return Err(Error::conflict(
            "This invitation is for another person: sign out, and sign in as that person.",
        ));
    }
    if !users::store::is_trusted(tx, signed_in.user)? {
        return Err(Error::conflict(UNPROVED));
    }
    let SignedIn { user, name, email, session, .. } = signed_in.clone();
    let user = User { id: user, name, email };
    take(tx, environment, &found, &user, Initiator::Session(session, origin.address))?;
    Ok(found.account.id)
}

/// Marks the invitation as accepted and adds the membership, as one history entry.
fn take(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    found: &store::LinkedInvitation,
    user: &User,
    by: Initiator,
) -> Result<()> {
    let InvitationRecord { id, role, ref name, .. } = found.record;
    let access = by.access(user.id, found.account, role);
    history::event(tx, &access, environment, "invitation_accepted", |ctx| {
        if !store::accept(ctx.tx, id, ctx.now)? {
            return Err(over());
        }
        let accepted = InvitationRecord { accepted_at: Some(ctx.moment()), ..found.record.clone() };
        ctx.updated(&found.record, &accepted)?;
        users::enlist(ctx, user, name, role)
    })
}

fn over() -> Error {
    Error::conflict("This invitation is no longer valid: ask for a new one.")
}
