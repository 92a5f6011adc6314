//! Brings back people, without rights, and API keys, which open nothing.

use std::collections::HashMap;

use zoop_db::{Timestamp, Uuid, WriteTx, params};

use super::lines::{Lines, ReadRow};
use super::{BRING_FORMER_MEMBER, BRING_KEY, OpenForReading, USER};
use crate::call::access::Role;
use crate::call::error::{Error, Result};
use crate::export::people::{KEYS_FILE, MEMBERS_FILE};
use crate::identity::users::store as users;
use crate::values::clock::{Environment, Moment};
use crate::values::email;
use crate::values::id::{Id, kinds};

/// The people of an export, in the target.
#[derive(Debug, Default)]
pub(super) struct People {
    /// The ids of people whom the target knows by another id.
    known_as: HashMap<Uuid, Uuid>,
    /// How many became pending members.
    pub(super) pending: u64,
}

impl People {
    /// The id by which the target knows a person.
    pub(super) fn id(&self, exported: Uuid) -> Uuid {
        self.known_as.get(&exported).copied().unwrap_or(exported)
    }
}

/// Brings back the people and the API keys.
pub(super) fn bring(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    open: &OpenForReading,
) -> Result<People> {
    let now = environment.clock.now();
    let mut people = People::default();
    let mut lines = Lines::open(open, MEMBERS_FILE)?;
    while let Some(row) = lines.next()? {
        bring_person(tx, now, row, &mut people)?;
    }
    let mut lines = Lines::open(open, KEYS_FILE)?;
    while let Some(row) = lines.next()? {
        bring_key(tx, environment, now, row, &people)?;
    }
    Ok(people)
}

/// Brings back a person: someone whom the database knows by the id or the e-mail address, or else a new user, without
/// password.
fn bring_person(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    mut row: ReadRow,
    people: &mut People,
) -> Result<()> {
    let exported: Id<kinds::User> = row.value("user_id")?;
    let (name, address): (String, String) = (row.value("name")?, row.value("email")?);
    let (role, removed_at): (Role, _) = (row.value("role")?, row.any::<Moment>("removed_at")?);
    row.end()?;
    email::check(&address).map_err(|_| row.invalid("email"))?;
    let known = tx.global_first::<String, Error>(USER, params![exported], |row| Ok(row.take()?))?;
    let known = match known {
        // Otherwise a made-up file could make someone a member by an id that it has seen.
        Some(there) if email::key(&there) != email::key(&address) => {
            return Err(row.refused(
                "has the id of a person who has another e-mail address in this database: let the person change the \
                 address back, or bring the account back into another database",
            ));
        }
        Some(_) => Some(exported),
        None => users::by_email(tx, &address)?.map(|user| user.id),
    };
    let id = if let Some(id) = known {
        id
    } else {
        let key = email::key(&address);
        users::free_key(tx, &key)?;
        users::insert(tx, exported, &name, &address, &key)?;
        exported
    };
    if id != exported {
        people.known_as.insert(exported.uuid(), id.uuid());
    }
    if let Some(removed_at) = removed_at {
        let tenant = tx.tenant()?.0;
        tx.global_execute(BRING_FORMER_MEMBER, params![tenant, id, role, removed_at, name])?;
    } else if users::role(tx, id)?.is_none() && users::pending_membership(tx, id)?.is_none() {
        users::add_pending(tx, id, role, &name, now)?;
        people.pending += 1;
    }
    Ok(())
}

/// Brings back an API key for the names in the history: revoked, and with a hash that no key has.
fn bring_key(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    now: Timestamp,
    mut row: ReadRow,
    people: &People,
) -> Result<()> {
    let mut hash = [0; 32];
    environment.entropy.fill(&mut hash);
    let user = row.any::<Uuid>("user_id")?.map(|user| people.id(user));
    let tenant = tx.tenant()?.0;
    let (id, actor_kind): (Uuid, String) = (row.value("id")?, row.value("actor_kind")?);
    let (scopes, name, hint): (String, String, String) =
        (row.value("scopes")?, row.value("name")?, row.value("hint")?);
    let limit: Option<i64> = row.any("request_limit")?;
    let expires_at: Option<Timestamp> = row.any("expires_at")?;
    row.end()?;
    let key =
        params![hash, id, tenant, user, actor_kind, scopes, name, hint, limit, expires_at, now];
    tx.global_execute(BRING_KEY, key)?;
    Ok(())
}
