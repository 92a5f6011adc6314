//! Looks up and accepts an invitation by its link.

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

/// Limit on invitation mails from one tenant.
const MAILS_PER_TENANT: Limit =
    Limit { action: "invitation_mail", times: 100, seconds: 24 * 60 * 60 };
/// Limit on invitation mails from all tenants to one address.
const MAILS_PER_ADDRESS: Limit =
    Limit { action: "invitation_mail_to", times: 5, seconds: 24 * 60 * 60 };

/// The error for a user who must first prove that the mailbox is theirs.
const UNPROVED: &str = "First confirm that this e-mail address is yours: choose \"Forgot password?\" on the \
                        sign-in page and follow the link from the mail, or ask your administrator for a \
                        new password.";

/// An invitation whose link was followed.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The invitation.
    pub record: InvitationRecord,
    /// The tenant.
    pub account: Id<kinds::Tenant>,
    /// The tenant's name.
    pub business: String,
    /// Whether the invitation can be accepted.
    pub status: Status,
}

/// Whether an invitation can be accepted. Reveals nothing about the invited user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The invitation can be accepted.
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
/// [`Error::NotFound`] if there is no such invitation.
pub fn find(tx: &mut ReadTx<'_>, secret: &Secret, now: Timestamp) -> Result<Invited> {
    let found = look_up(tx, secret)?;
    let status = status(&found, Moment(now));
    let store::LinkedInvitation { record, account, business, .. } = found;
    Ok(Invited { record, account: account.id, business, status })
}

fn look_up(tx: &mut ReadTx<'_>, secret: &Secret) -> Result<store::LinkedInvitation> {
    store::by_hash(tx, &secret.hash())?.ok_or(Error::not_found("invitation"))
}

/// Looks up the invitation after binding its tenant, so that no one can accept it concurrently.
fn bind_and_look_up(tx: &mut WriteTx<'_>, secret: &Secret) -> Result<store::LinkedInvitation> {
    let account = look_up(tx, secret)?.account;
    tx.bind(account.number);
    look_up(tx, secret)
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

/// Counts an invitation mail against the limits, and returns whether it may be sent.
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
    // Check the tenant's limit first, so that a tenant over its limit does not use up the address's limit.
    Ok(attempts::admit(tx, MAILS_PER_TENANT, &tenant.to_string(), now)?
        && attempts::admit(tx, MAILS_PER_ADDRESS, &attempts::email_subject(address), now)?)
}

/// Records that an invitation's link was sent by mail and is shown to no one else.
///
/// # Errors
/// If the database fails.
pub fn record_mailed(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    id: Id<kinds::Invitation>,
) -> Result<()> {
    store::record_mailed(tx, id, environment.clock.now())
}

/// What happens to the second factor if a visitor who is not signed in chooses a password. `None` if they must
/// sign in instead. They may choose a password only if the invited user can neither sign in nor has a membership,
/// pending or not, or if the link was only sent by mail and the mailbox was never proved.
fn factor_if_password_chosen(
    tx: &mut ReadTx<'_>,
    found: &store::LinkedInvitation,
) -> Result<Option<Factor>> {
    let Some(known) = users::store::by_email(tx, &found.record.email)? else {
        return Ok(Some(Factor::Ends));
    };
    let is_pending = users::has_pending_membership(tx, known.id)?;
    let is_unused = !user::can_sign_in(tx, known.id)?
        && user::memberships(tx, known.id)?.is_empty()
        && !is_pending;
    if is_unused {
        return Ok(Some(Factor::Ends));
    }
    let is_reclaimed = found.is_mailed && !user::is_proved(tx, known.id)?;
    let factor = if is_pending { Factor::Ends } else { Factor::Stays };
    Ok(is_reclaimed.then_some(factor))
}

/// Accepts an invitation for a visitor who is not signed in and has chosen a password. `None` if they must sign
/// in instead.
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
    let found = bind_and_look_up(tx, secret)?;
    if status(&found, Moment(environment.clock.now())) != Status::Open {
        return Err(no_longer_valid());
    }
    let Some(factor) = factor_if_password_chosen(tx, &found)? else { return Ok(None) };
    let InvitationRecord { name, email, .. } = &found.record;
    let user = users::find_or_create(tx, environment, name, email)?;
    let by = Initiator::Unproved(origin.address);
    // If a pending membership remained, the restart could turn it into a membership, and `accept` would then fail.
    users::store::remove_pending(tx, user.id)?;
    let mailbox = if found.is_mailed { Mailbox::Proved } else { Mailbox::Unproved };
    let restart = Restart { password: Some(password_hash), mailbox, factor };
    // Revokes everything that someone else may have set up for this user before.
    restart.run(tx, environment, user.id, by)?;
    accept(tx, environment, &found, &user, by)?;
    links::enter(tx, environment, user.id, Method::Invitation, origin, before).map(Some)
}

/// Accepts an invitation for a signed-in user.
///
/// # Errors
/// [`Error::Conflict`] if the invitation is for another user or no longer valid, or if the user must first prove
/// that the mailbox is theirs.
pub fn accept_as_member(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    signed_in: &SignedIn,
    origin: &Origin,
) -> Result<Id<kinds::Tenant>> {
    let found = bind_and_look_up(tx, secret)?;
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
    accept(tx, environment, &found, &user, Initiator::Session(session, origin.address))?;
    Ok(found.account.id)
}

/// Marks the invitation as accepted and adds the membership. Both changes are in one history entry.
fn accept(
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
            return Err(no_longer_valid());
        }
        let accepted = InvitationRecord { accepted_at: Some(ctx.moment()), ..found.record.clone() };
        ctx.updated(&found.record, &accepted)?;
        users::add_member(ctx, user, name, role)
    })
}

fn no_longer_valid() -> Error {
    Error::conflict("This invitation is no longer valid: ask for a new one.")
}
