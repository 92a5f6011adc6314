//! An invitation's link is followed.

use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::{InvitationRecord, store};
use crate::access::Role;
use crate::clock::{Environment, Moment};
use crate::error::{Error, Result};
use crate::id::{Id, kinds};
use crate::secret::Secret;
use crate::sign_in::person::{By, Person};
use crate::sign_in::sessions::{self, Method, Origin, Workplace};
use crate::sign_in::{SignedIn, passwords, person};
use crate::{email, history, users};

/// An invitation whose link was followed.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The invitation.
    pub record: InvitationRecord,
    /// The name of the business.
    pub business: String,
    /// How its holder can accept it.
    pub standing: Standing,
}

/// How an invitation can be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// By choosing a password: the person is new here.
    ChoosePassword,
    /// By signing in as the person whom it is for.
    SignIn,
    /// Not yet: the person works elsewhere and has no password, which no invitation may give them.
    NeedsPassword,
    /// No longer: it was accepted.
    Accepted,
    /// No longer: it was revoked, or whoever invited is no owner any more.
    Revoked,
    /// No longer: it is too old.
    Expired,
}

/// Looks an invitation up by its link.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn find(tx: &mut ReadTx<'_>, secret: &Secret, now: Timestamp) -> Result<Invited> {
    let found = found(tx, secret)?;
    let standing = standing(tx, &found, Moment(now))?;
    Ok(Invited { record: found.record, business: found.business, standing })
}

fn found(tx: &mut ReadTx<'_>, secret: &Secret) -> Result<store::Found> {
    store::by_hash(tx, &secret.hash())?.ok_or(Error::not_found("invitation"))
}

fn standing(tx: &mut ReadTx<'_>, found: &store::Found, now: Moment) -> Result<Standing> {
    let record = &found.record;
    if record.accepted_at.is_some() {
        return Ok(Standing::Accepted);
    }
    if record.revoked_at.is_some() || !found.is_backed {
        return Ok(Standing::Revoked);
    }
    if record.expires_at <= now {
        return Ok(Standing::Expired);
    }
    let known = match person::find(tx, &record.email) {
        Ok(person) => person,
        Err(Error::NotFound { .. }) => return Ok(Standing::ChoosePassword),
        Err(error) => return Err(error),
    };
    if person::can_sign_in(tx, known.id)? {
        return Ok(Standing::SignIn);
    }
    let works_nowhere = person::workplaces(tx, known.id)?.is_empty();
    Ok(if works_nowhere { Standing::ChoosePassword } else { Standing::NeedsPassword })
}

/// A new person accepts with a password, and is signed in: the secret of the session.
///
/// # Errors
/// [`Error::Conflict`] where it can no longer be accepted so.
pub fn accept_as_new(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    password_hash: &str,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<Secret> {
    let found = found(tx, secret)?;
    tx.bind(found.account.number);
    let now = Moment(environment.clock.now());
    if standing(tx, &found, now)? != Standing::ChoosePassword {
        return Err(over());
    }
    let InvitationRecord { name, email, .. } = &found.record;
    let person = users::meet(tx, environment, name, email)?;
    take(tx, environment, &found, &person, By::Unproved(origin.address))?;
    passwords::set(tx, environment, person.id, password_hash, By::Unproved(origin.address))?;
    sessions::replace(tx, environment, before, origin)?;
    sessions::start(tx, environment, person.id, Method::Invitation, origin)
}

/// A person who is signed in accepts.
///
/// # Errors
/// [`Error::Conflict`] where it is for somebody else, or can no longer be accepted.
pub fn accept_as_member(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    signed_in: &SignedIn,
    origin: &Origin,
) -> Result<Id<kinds::Tenant>> {
    let found = found(tx, secret)?;
    tx.bind(found.account.number);
    if email::key(&found.record.email) != email::key(&signed_in.email) {
        return Err(Error::conflict(
            "This invitation is for another person: sign out, and sign in as that person.",
        ));
    }
    let SignedIn { user, name, email, session, .. } = signed_in.clone();
    let person = Person { id: user, name, email };
    take(tx, environment, &found, &person, By::Session(session, origin.address))?;
    Ok(found.account.id)
}

/// Takes the invitation and makes the person a member, as one entry of the history.
fn take(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    found: &store::Found,
    person: &Person,
    by: By,
) -> Result<()> {
    let InvitationRecord { id, role, .. } = found.record;
    let place = workplace(found, role);
    let access = by.access(person.id, &place);
    history::event(tx, &access, environment, "invitation_accepted", |ctx| {
        if !store::accept(ctx.tx, id, ctx.now)? {
            return Err(over());
        }
        let accepted = InvitationRecord { accepted_at: Some(ctx.moment()), ..found.record.clone() };
        ctx.updated(&found.record, &accepted)?;
        users::enlist(ctx, person, role)
    })
}

fn workplace(found: &store::Found, role: Role) -> Workplace {
    Workplace { account: found.account, name: found.business.clone(), role }
}

fn over() -> Error {
    Error::conflict("This invitation cannot be accepted any more: ask for a new one.")
}
