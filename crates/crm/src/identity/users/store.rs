//! The SQL for users and memberships.

use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx, params};

use super::Member;
use crate::call::access::{Account, Role};
use crate::call::error::{Error, Result};
use crate::identity::sign_in::user::User;
use crate::identity::tenants::store::read_account;
use crate::values::email;
use crate::values::id::{Id, kinds};

crate::call::table::table! {
    pub(crate) const USERS = users {
        shared: "may be members of several tenants",
        key: { n: Integer as numbered },
        columns: { id: Id, name: Text, email: Text, email_key: Text, proved_at: Time },
        exported: WithUser,
        erased: [WithUser],
    }
}

crate::call::table::table! {
    /// The memberships of users in tenants.
    pub(crate) const MEMBERSHIPS = memberships {
        shared: "are read with the credential, to determine what its user may do in the tenant",
        key: { tenant_no: Integer, user_id: Id },
        columns: { role: Text, updated_at: Time, removed_at: Time, name: Text },
        exported: WithTenant,
        erased: [WithUser, WithTenant],
    }
}

crate::call::table::table! {
    /// The pending memberships, which give no rights yet.
    pub(crate) const WAITING_MEMBERSHIPS = waiting_memberships {
        shared: "become memberships once their user has proved the mailbox",
        key: { tenant_no: Integer, user_id: Id },
        columns: { role: Text, name: Text, since: Time },
        exported: WithTenant,
        erased: [WithUser, WithTenant],
    }
}

zoop_db::global_statements! {
    GREATEST_ID_BELOW = "SELECT id FROM users WHERE id < $1 ORDER BY id DESC LIMIT 1";
    BY_KEY = "SELECT id, name, email FROM users WHERE email_key = $1";
    SET_KEY = "UPDATE users SET email_key = $2 WHERE id = $1";
    RENAME = "UPDATE users SET name = $2 WHERE id = $1";
    SET_EMAIL = "UPDATE users SET email = $2, email_key = $3, proved_at = $4 WHERE id = $1";
    /// Also locks the row until the transaction ends, so that the address cannot change.
    HOLD_EMAIL = "UPDATE users SET email = $2 WHERE id = $1 AND email = $2";
    INSERT = "INSERT INTO users (id, name, email, email_key) VALUES ($1, $2, $3, $4)";
    /// Whether a new membership of a user in the tenant `$2` takes effect immediately: see [`super::join`].
    IS_TRUSTED = "SELECT u.proved_at IS NOT NULL \
                  OR NOT EXISTS (SELECT 1 FROM passwords p WHERE p.user_id = u.id) \
                  OR NOT EXISTS (SELECT 1 FROM memberships m \
                  WHERE m.user_id = u.id AND m.tenant_no <> $2) FROM users u WHERE u.id = $1";
    PENDING_TENANTS = "SELECT t.no, t.id, t.country, w.role FROM waiting_memberships w \
                      JOIN tenants t ON t.no = w.tenant_no WHERE w.user_id = $1 ORDER BY w.tenant_no";
    NUMBER = "SELECT n FROM users WHERE id = $1";
}

zoop_db::statements! {
    ROLE = "SELECT role FROM memberships \
            WHERE tenant_no = $1 AND user_id = $2 AND removed_at IS NULL";
    ADD_MEMBER = "INSERT INTO memberships (tenant_no, user_id, role, updated_at, name, removed_at) \
              VALUES ($1, $2, $3, $4, $5, NULL) \
              ON CONFLICT (tenant_no, user_id) DO UPDATE SET role = excluded.role, \
              updated_at = excluded.updated_at, name = excluded.name, removed_at = NULL";
    SET_ROLE = "UPDATE memberships SET role = $3, updated_at = $4 \
                WHERE tenant_no = $1 AND user_id = $2 AND removed_at IS NULL";
    RENAME_MEMBER = "UPDATE memberships SET name = $3, updated_at = $4 \
                     WHERE tenant_no = $1 AND user_id = $2 AND removed_at IS NULL";
    ADD_PENDING = "INSERT INTO waiting_memberships (tenant_no, user_id, role, name, since) \
            VALUES ($1, $2, $3, $4, $5)";
    SET_PENDING_ROLE = "UPDATE waiting_memberships SET role = $3 WHERE tenant_no = $1 AND user_id = $2";
    REMOVE_PENDING = "DELETE FROM waiting_memberships WHERE tenant_no = $1 AND user_id = $2";
    PENDING_MEMBERSHIPS = "SELECT u.id, w.name, u.email, w.role FROM waiting_memberships w \
               JOIN users u ON u.id = w.user_id \
               WHERE w.tenant_no = $1 AND w.user_id > $2 ORDER BY w.user_id LIMIT $3";
    PENDING_MEMBERSHIP = "SELECT u.id, w.name, u.email, w.role FROM waiting_memberships w \
                   JOIN users u ON u.id = w.user_id WHERE w.tenant_no = $1 AND w.user_id = $2";
    REMOVE = "UPDATE memberships SET removed_at = $3, updated_at = $3 \
              WHERE tenant_no = $1 AND user_id = $2 AND removed_at IS NULL";
    MEMBERS = "SELECT u.id, coalesce(m.name, u.name), u.email, m.role FROM memberships m \
               JOIN users u ON u.id = m.user_id \
               WHERE m.tenant_no = $1 AND m.removed_at IS NULL AND m.user_id > $2 \
               ORDER BY m.user_id LIMIT $3";
    MEMBER = "SELECT u.id, coalesce(m.name, u.name), u.email, m.role FROM memberships m \
              JOIN users u ON u.id = m.user_id \
              WHERE m.tenant_no = $1 AND m.user_id = $2 AND m.removed_at IS NULL";
}

fn by_key(tx: &mut ReadTx<'_>, key: &str) -> Result<Option<User>> {
    tx.global_first(BY_KEY, params![key], |row| {
        Ok(User { id: row.take()?, name: row.take()?, email: row.take()? })
    })
}

/// The user with this e-mail address. The previous version stored users under a former key, which more addresses
/// share. So this also looks up the former key, and ignores a user whose own address has another current key.
pub(crate) fn by_email(tx: &mut ReadTx<'_>, address: &str) -> Result<Option<User>> {
    let key = email::key(address);
    let matches = |user: &User| email::key(&user.email) == key;
    if let Some(user) = by_key(tx, &key)?.filter(matches) {
        return Ok(Some(user));
    }
    let former = email::former_key(address);
    if former == key { Ok(None) } else { Ok(by_key(tx, &former)?.filter(matches)) }
}

/// Frees a key for a new user. If the previous version stored a user with another address under this key, that user
/// gets the current key of their own address.
pub(crate) fn free_key(tx: &mut WriteTx<'_>, key: &str) -> Result<()> {
    if let Some(other) = by_key(tx, key)? {
        set_key(tx, other.id, &email::key(&other.email))?;
    }
    Ok(())
}

pub(super) fn set_key(tx: &mut WriteTx<'_>, id: Id<kinds::User>, key: &str) -> Result<()> {
    tx.global_execute(SET_KEY, params![id, key])?;
    Ok(())
}

/// The answer to a user who wants the address of another one.
pub(crate) const TAKEN: &str =
    "Another account has this e-mail address. Your own address was not changed.";

/// Changes a user's e-mail address to another proved one, which no other user may have.
///
/// # Errors
/// [`Error::Conflict`] if another user has it, also one that a concurrent transaction has just given it to.
pub(crate) fn set_email(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    address: &str,
    now: Timestamp,
) -> Result<()> {
    let key = email::key(address);
    free_key(tx, &key)?;
    match tx.global_execute(SET_EMAIL, params![id, address, key, now]) {
        Ok(_) => Ok(()),
        Err(zoop_db::Error::Unique(_)) => Err(Error::conflict(TAKEN)),
        Err(error) => Err(error.into()),
    }
}

/// Whether a user still has this e-mail address. If so, locks the row until `tx` ends, so that the address cannot
/// change.
pub(crate) fn hold_email(tx: &mut WriteTx<'_>, id: Id<kinds::User>, address: &str) -> Result<bool> {
    Ok(tx.global_execute(HOLD_EMAIL, params![id, address])? == 1)
}

pub(crate) fn rename(tx: &mut WriteTx<'_>, id: Id<kinds::User>, name: &str) -> Result<()> {
    tx.global_execute(RENAME, params![id, name])?;
    Ok(())
}

/// Changes the name by which the bound tenant calls a member.
pub(crate) fn rename_member(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(RENAME_MEMBER, params![id, name, now])?;
    Ok(())
}

/// Adds a user.
pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    name: &str,
    email: &str,
    key: &str,
) -> Result<()> {
    tx.global_execute(INSERT, params![id, name, email, key])?;
    Ok(())
}

/// The user's number in the search index. `None` if there is no such user.
pub(crate) fn number(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<Option<i64>> {
    tx.global_first(NUMBER, params![id], |row| Ok(row.take()?))
}

/// The user's role in the bound tenant. `None` if the user is not a member.
pub(crate) fn role(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<Option<Role>> {
    tx.first(ROLE, params![id], |row| Ok(row.take()?))
}

/// Makes a user a member of the bound tenant, with this name.
pub(super) fn add_member(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    role: Role,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(ADD_MEMBER, params![id, role, now, name])?;
    Ok(())
}

pub(super) fn set_role(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    role: Role,
    now: Timestamp,
) -> Result<()> {
    tx.execute(SET_ROLE, params![id, role, now])?;
    Ok(())
}

/// Whether a new membership of a user in the bound tenant takes effect immediately, without being pending.
pub(crate) fn is_trusted(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<bool> {
    let tenant = tx.tenant()?.0;
    let found =
        tx.global_first::<bool, Error>(IS_TRUSTED, params![id, tenant], |row| Ok(row.take()?))?;
    Ok(found.unwrap_or(false))
}

/// Adds a pending membership in the bound tenant.
pub(crate) fn add_pending(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    role: Role,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(ADD_PENDING, params![id, role, name, now])?;
    Ok(())
}

pub(super) fn set_pending_role(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    role: Role,
) -> Result<()> {
    tx.execute(SET_PENDING_ROLE, params![id, role])?;
    Ok(())
}

pub(crate) fn remove_pending(tx: &mut WriteTx<'_>, id: Id<kinds::User>) -> Result<()> {
    tx.execute(REMOVE_PENDING, params![id])?;
    Ok(())
}

/// Up to `count` pending memberships in the bound tenant, in the order of user ids, after the id `after`.
pub(crate) fn pending_memberships(
    tx: &mut ReadTx<'_>,
    after: Uuid,
    count: usize,
) -> Result<Vec<Member>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(PENDING_MEMBERSHIPS, params![after, count], read_member)
}

/// A user's pending membership in the bound tenant.
pub(crate) fn pending_membership(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::User>,
) -> Result<Option<Member>> {
    tx.first(PENDING_MEMBERSHIP, params![id], read_member)
}

/// A tenant in which a user has a pending membership, and the role there.
pub(super) struct PendingTenant {
    pub(super) account: Account,
    pub(super) role: Role,
}

/// A user's pending memberships, in ascending tenant number.
pub(super) fn pending_tenants(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::User>,
) -> Result<Vec<PendingTenant>> {
    tx.global_all(PENDING_TENANTS, params![id], |row| {
        Ok(PendingTenant { account: read_account(row)?, role: row.take()? })
    })
}

pub(super) fn remove(tx: &mut WriteTx<'_>, id: Id<kinds::User>, now: Timestamp) -> Result<()> {
    tx.execute(REMOVE, params![id, now])?;
    Ok(())
}

/// All members of the bound tenant, in the order of user ids.
pub(crate) fn members(tx: &mut ReadTx<'_>) -> Result<Vec<Member>> {
    members_after(tx, Uuid::nil(), usize::MAX)
}

/// Up to `count` members of the bound tenant, in the order of user ids, after the id `after`.
pub(super) fn members_after(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<Member>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(MEMBERS, params![after, count], read_member)
}

fn read_member(row: &mut zoop_db::Row<'_>) -> Result<Member> {
    Ok(Member { id: row.take()?, name: row.take()?, email: row.take()?, role: row.take()? })
}

/// A member of the bound tenant.
///
/// # Errors
/// [`Error::NotFound`] if the user is not a member, [`Error::Conflict`] if the membership is pending.
pub(crate) fn member(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<Member> {
    if let Some(member) = tx.first::<_, Error>(MEMBER, params![id], read_member)? {
        return Ok(member);
    }
    match pending_membership(tx, id)? {
        Some(_) => Err(Error::conflict(
            "This membership is pending until the person confirms their e-mail address.",
        )),
        None => Err(Error::not_found("team member")),
    }
}
