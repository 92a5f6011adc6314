//! Links by which a person chooses a new password: sent by mail to whoever asks for one, or made by an
//! owner or the operator and handed over.
//!
//! A link that only the mail carried shows that its holder reads the mailbox. One that somebody else has
//! seen shows nothing, and the password that is chosen with it proves nothing about the mailbox.

use std::net::IpAddr;

use serde_json::{Value, json};
use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use super::attempts::{self, Limit};
use super::person::{self, Initiator, Person};
use super::restart::{Mailbox, Restart};
use super::sessions::{self, Method, Origin};
use super::{password_login, second_factor, store};
use crate::call::access::Role;
use crate::call::argument::choices;
use crate::call::error::{Error, Result};
use crate::identity::users;
use crate::values::clock::{Environment, Moment};
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

const MINUTE: i64 = 60 * 1_000_000;
/// How long a link that was sent by mail works, in microseconds.
pub const MAILED_LIFETIME: i64 = 30 * MINUTE;
/// How long a link that is handed over works, in microseconds.
pub const HANDED_LIFETIME: i64 = 24 * 60 * MINUTE;
/// Mails to one address.
const TO_ADDRESS: Limit = Limit { action: "password_link_to", times: 3, seconds: 3_600 };
/// Requests of one caller.
const FROM_CALLER: Limit = Limit { action: "password_link_from", times: 10, seconds: 3_600 };

crate::call::table::table! {
    /// The links by which users choose a new password.
    pub(crate) const PASSWORD_LINKS = password_links {
        above_tenants: "are looked up by their hash, and are a user's",
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
    FORGET_OF = "DELETE FROM password_links WHERE user_id = $1";
    FORGET_BY = "DELETE FROM password_links WHERE made_by = $1";
    FORGET_HANDED = "DELETE FROM password_links WHERE user_id = $1 AND origin <> 'mail'";
    SWEEP = "DELETE FROM password_links WHERE expires_at <= $1";
}

choices! {
    /// Who has seen a link beside its holder.
    pub enum Carrier {
        /// Nobody: only the mail carried it.
        Mail = "mail",
        /// The owner who made it.
        Owner = "owner",
        /// The operator who made it.
        Operator = "operator",
    }
}

/// Who makes a link to hand it over.
#[derive(Debug, Clone, Copy)]
pub enum Maker {
    /// An owner of every business that the person works in.
    Owner(Id<kinds::User>),
    /// Whoever runs the installation.
    Operator,
}

/// What becomes of the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// It is asked for as before.
    Stays,
    /// It is turned off.
    Ends,
}

/// A link that was just made.
#[derive(Debug)]
pub struct Made {
    secret: Secret,
    /// When it stops working.
    pub expires_at: Moment,
}

impl Made {
    /// The path of the link on this server.
    pub fn path(&self) -> String {
        format!("/password/{}", self.secret.expose())
    }
}

/// A link that was followed, and still works.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Whose password it is about.
    pub person: Person,
    /// Who has seen it.
    pub carrier: Carrier,
    /// What becomes of the second factor.
    pub factor: Factor,
}

/// How choosing a new password ended.
#[derive(Debug)]
pub enum Outcome {
    /// The person is in: the secret of the new session.
    In(Secret),
    /// The second factor stays: the secret of the sign-in that waits for its code.
    NeedsCode(Secret),
}

/// Counts that somebody asked for a link by mail; whether one may go to the address. Known and unknown
/// addresses are counted alike.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait where this caller asked too often.
pub fn asked(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    from: Option<IpAddr>,
) -> Result<bool> {
    let now = environment.clock.now();
    attempts::count(tx, FROM_CALLER, &password_login::caller(from), now)?;
    attempts::admit(tx, TO_ADDRESS, &attempts::account(address), now)
}

/// Makes a link for the person with this e-mail address, to be sent there and shown to no one; none
/// where there is no such person.
///
/// # Errors
/// The database's.
pub fn make_for_mail(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    from: Option<IpAddr>,
) -> Result<Option<(Person, Made)>> {
    let Some(person) = users::store::by_email(tx, address)? else { return Ok(None) };
    let made = add(tx, environment, person.id, Carrier::Mail, None, Factor::Stays)?;
    let change = ("password_link", Value::Null, json!("mail"));
    person::tell(
        tx,
        environment,
        person.id,
        Initiator::Unproved(from),
        "password_link_sent",
        change,
    )?;
    Ok(Some((person, made)))
}

/// Makes a link that is handed over; the one before of that kind ends. The caller has checked that the
/// maker may.
///
/// # Errors
/// The database's.
pub fn make(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    maker: Maker,
    factor: Factor,
) -> Result<Made> {
    tx.global_execute(FORGET_HANDED, params![user])?;
    let (carrier, made_by) = match maker {
        Maker::Owner(owner) => (Carrier::Owner, Some(owner)),
        Maker::Operator => (Carrier::Operator, None),
    };
    add(tx, environment, user, carrier, made_by, factor)
}

fn add(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    carrier: Carrier,
    made_by: Option<Id<kinds::User>>,
    factor: Factor,
) -> Result<Made> {
    let lifetime = if carrier == Carrier::Mail { MAILED_LIFETIME } else { HANDED_LIFETIME };
    let secret = Secret::generate(SecretKind::PasswordLink, &environment.entropy);
    let expires_at = Moment(Timestamp(environment.clock.now().0 + lifetime));
    let ends_factor = factor == Factor::Ends;
    tx.global_execute(
        ADD,
        params![secret.hash(), user, carrier, made_by, ends_factor, expires_at],
    )?;
    Ok(Made { secret, expires_at })
}

/// Whether somebody is an owner of every business that a person works in, of which there is one.
///
/// # Errors
/// The database's.
pub fn is_owner_everywhere(
    tx: &mut ReadTx<'_>,
    owner: Id<kinds::User>,
    person: Id<kinds::User>,
) -> Result<bool> {
    let theirs = store::workplaces(tx, owner)?;
    let owns =
        |tenant| theirs.iter().any(|place| place.account.id == tenant && place.role == Role::Owner);
    let places = store::workplaces(tx, person)?;
    Ok(!places.is_empty() && places.iter().all(|place| owns(place.account.id)))
}

/// Looks a link up; none where it was used, is too old, or its maker may no longer make it.
///
/// # Errors
/// The database's.
pub fn find(tx: &mut ReadTx<'_>, secret: &Secret, now: Timestamp) -> Result<Option<Followed>> {
    let latest = Timestamp(now.0 + HANDED_LIFETIME + crate::values::clock::SLACK);
    let found = tx.global_first::<_, Error>(GET, params![secret.hash(), now, latest], |row| {
        let person = Person { id: row.take()?, name: row.take()?, email: row.take()? };
        let carrier = row.take()?;
        let made_by: Option<Id<kinds::User>> = row.take()?;
        let factor = if row.take()? { Factor::Ends } else { Factor::Stays };
        Ok((Followed { person, carrier, factor }, made_by))
    })?;
    match found {
        Some((link, Some(owner))) if !is_owner_everywhere(tx, owner, link.person.id)? => Ok(None),
        Some((link, _)) => {
            let factor = if clears_factor(tx, &link)? { Factor::Ends } else { link.factor };
            Ok(Some(Followed { factor, ..link }))
        }
        None => Ok(None),
    }
}

/// Whether a link from the mail ends the second factor too. It does where another business waits for the
/// person to confirm the address: until then anyone may have set the factor up. A person for whom nothing
/// waits keeps it, since a mailbox can be stolen.
fn clears_factor(tx: &mut ReadTx<'_>, link: &Followed) -> Result<bool> {
    let user = link.person.id;
    Ok(link.carrier == Carrier::Mail && !store::is_proved(tx, user)? && users::waits(tx, user)?)
}

/// The holder of a link has chosen a password: all that could be used to sign in as the person before
/// ends. The session that the browser had before ends too.
///
/// # Errors
/// [`Error::Conflict`] where the link works no longer.
pub fn follow(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    secret: &Secret,
    password_hash: &str,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<Outcome> {
    let now = environment.clock.now();
    let over = || Error::conflict("This link no longer works: ask for a new one.");
    let link = find(tx, secret, now)?.ok_or_else(over)?;
    // Of several at once the first takes it.
    if tx.global_execute(TAKE, params![secret.hash()])? == 0 {
        return Err(over());
    }
    let user = link.person.id;
    let mailbox = if link.carrier == Carrier::Mail { Mailbox::Proved } else { Mailbox::Unproved };
    let factor = link.factor;
    let by = Initiator::Unproved(origin.address);
    Restart { password: Some(password_hash), mailbox, factor }.run(tx, environment, user, by)?;
    password_login::forget_tries(tx, &link.person.email)?;
    enter(tx, environment, user, Method::PasswordLink, origin, before)
}

/// Signs a person in who has just chosen a password by a link, or asks for the second factor.
pub(crate) fn enter(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    method: Method,
    origin: &Origin,
    before: Option<&Secret>,
) -> Result<Outcome> {
    if second_factor::is_on(tx, user)? {
        return Ok(Outcome::NeedsCode(second_factor::park(tx, environment, user)?));
    }
    sessions::replace(tx, environment, before, origin)?;
    Ok(Outcome::In(sessions::start(tx, environment, user, method, origin)?))
}

/// Ends every link for a person, and every link that they made for others: a session that was stolen
/// may have made those.
pub(super) fn forget_of(tx: &mut WriteTx<'_>, user: Id<kinds::User>) -> Result<()> {
    tx.global_execute(FORGET_OF, params![user])?;
    tx.global_execute(FORGET_BY, params![user])?;
    Ok(())
}

/// Removes links that are too old; how many.
pub(super) fn sweep(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<usize> {
    Ok(tx.global_execute(SWEEP, params![now])?)
}
