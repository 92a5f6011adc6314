//! The SQL of users and memberships.

use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx, params};

use super::Member;
use crate::access::Role;
use crate::error::{Error, Result};
use crate::id::{Id, kinds};
use crate::sign_in::person::Person;

zoop_db::global_statements! {
    GREATEST = "SELECT id FROM users ORDER BY id DESC LIMIT 1";
    BY_EMAIL = "SELECT id, name, email FROM users WHERE email_key = $1";
    INSERT = "INSERT INTO users (id, name, email, email_key) VALUES ($1, $2, $3, $4)";
    /// The number that stands for a person in the search index.
    NUMBER = "SELECT n FROM users WHERE id = $1";
}

zoop_db::statements! {
    ROLE = "SELECT role FROM memberships \
            WHERE tenant_no = $1 AND user_id = $2 AND removed_at IS NULL";
    SET_ROLE = "INSERT INTO memberships (tenant_no, user_id, role, updated_at, removed_at) \
                VALUES ($1, $2, $3, $4, NULL) \
                ON CONFLICT (tenant_no, user_id) DO UPDATE SET \
                role = excluded.role, updated_at = excluded.updated_at, removed_at = NULL";
    REMOVE = "UPDATE memberships SET removed_at = $3, updated_at = $3 \
              WHERE tenant_no = $1 AND user_id = $2 AND removed_at IS NULL";
    MEMBERS = "SELECT u.id, u.name, u.email, m.role FROM memberships m \
               JOIN users u ON u.id = m.user_id \
               WHERE m.tenant_no = $1 AND m.removed_at IS NULL ORDER BY m.user_id";
    MEMBER = "SELECT u.id, u.name, u.email, m.role FROM memberships m \
              JOIN users u ON u.id = m.user_id \
              WHERE m.tenant_no = $1 AND m.user_id = $2 AND m.removed_at IS NULL";
}

pub(super) fn greatest(tx: &mut ReadTx<'_>) -> Result<Option<Uuid>> {
    tx.global_first(GREATEST, &[], |row| Ok(row.take()?))
}

pub(super) fn by_email(tx: &mut ReadTx<'_>, key: &str) -> Result<Option<Person>> {
    tx.global_first(BY_EMAIL, params![key], |row| {
        Ok(Person { id: row.take()?, name: row.take()?, email: row.take()? })
    })
}

pub(super) fn insert(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::User>,
    name: &str,
    email: &str,
    key: &str,
) -> Result<()> {
    tx.global_execute(INSERT, params![id, name, email, key])?;
    Ok(())
}

/// The number that stands for a person in the search index, if there is such a person.
pub(crate) fn number(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<Option<i64>> {
    tx.global_first(NUMBER, params![id], |row| Ok(row.take()?))
}

/// The person's role in the bound tenant, if they are a member of it.
pub(super) fn role(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<Option<Role>> {
    tx.first(ROLE, params![id], |row| Ok(row.take()?))
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

pub(super) fn remove(tx: &mut WriteTx<'_>, id: Id<kinds::User>, now: Timestamp) -> Result<()> {
    tx.execute(REMOVE, params![id, now])?;
    Ok(())
}

pub(crate) fn members(tx: &mut ReadTx<'_>) -> Result<Vec<Member>> {
    tx.all(MEMBERS, &[], |row| {
        Ok(Member { id: row.take()?, name: row.take()?, email: row.take()?, role: row.take()? })
    })
}

/// A member of the bound tenant.
///
/// # Errors
/// [`Error::NotFound`] when the person is none.
pub(crate) fn member(tx: &mut ReadTx<'_>, id: Id<kinds::User>) -> Result<Member> {
    tx.first::<_, Error>(MEMBER, params![id], |row| {
        Ok(Member { id: row.take()?, name: row.take()?, email: row.take()?, role: row.take()? })
    })?
    .ok_or(Error::not_found("team member"))
}
