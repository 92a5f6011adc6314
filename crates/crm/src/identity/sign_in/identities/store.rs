//! The SQL for identities. All tenants share the table, as they share the table of users.

use zoop_db::{ReadTx, WriteTx, params};

use super::Identity;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

crate::call::table::table! {
    pub(crate) const IDENTITIES = identities {
        shared: "identify users",
        key: { issuer: Text, subject: Text },
        columns: { user_id: Id, linked_at: Time },
        exported: WithUser,
        erased: [WithUser],
    }
}

zoop_db::global_statements! {
    IDENTITY = "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2";
    /// Whether a user, found by the e-mail address of a new subject, already has another identity at the issuer.
    /// Then the address may belong to somebody else now: companies reuse the addresses of people who have left.
    HAS_IDENTITY_AT = "SELECT 1 FROM identities WHERE user_id = $1 AND issuer = $2";
    INSERT_IDENTITY = "INSERT INTO identities (issuer, subject, user_id, linked_at) \
                       VALUES ($1, $2, $3, $4) ON CONFLICT (issuer, subject) DO NOTHING";
}

/// The user that an identity is linked to, if any.
pub(super) fn user(
    tx: &mut ReadTx<'_>,
    issuer: &str,
    subject: &str,
) -> Result<Option<Id<kinds::User>>> {
    tx.global_first(IDENTITY, params![issuer, subject], |row| Ok(row.take()?))
}

pub(super) fn has_identity_at(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    issuer: &str,
) -> Result<bool> {
    let found = tx.global_first::<i64, Error>(HAS_IDENTITY_AT, params![user, issuer], |row| {
        Ok(row.take()?)
    })?;
    Ok(found.is_some())
}

/// Adds an identity. Returns `false` if the identity already exists. It then stays linked to its user.
pub(super) fn insert(tx: &mut WriteTx<'_>, identity: &Identity) -> Result<bool> {
    let Identity { user_id, issuer, subject, linked_at } = identity;
    let rows = tx.global_execute(INSERT_IDENTITY, params![issuer, subject, user_id, linked_at])?;
    Ok(rows == 1)
}
