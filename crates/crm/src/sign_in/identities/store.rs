//! The SQL of identities. It stands above tenants, as people do.

use zoop_db::{ReadTx, WriteTx, params};

use super::Identity;
use crate::error::Result;
use crate::id::{Id, kinds};

zoop_db::global_statements! {
    IDENTITY = "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2";
    USER = "SELECT id FROM users WHERE email_key = $1";
    INSERT_IDENTITY = "INSERT INTO identities (issuer, subject, user_id, linked_at) \
                       VALUES ($1, $2, $3, $4) ON CONFLICT (issuer, subject) DO NOTHING";
}

/// Whom an identity is known to be.
pub(super) fn user(
    tx: &mut ReadTx<'_>,
    issuer: &str,
    subject: &str,
) -> Result<Option<Id<kinds::User>>> {
    tx.global_first(IDENTITY, params![issuer, subject], |row| Ok(row.take()?))
}

/// Whose e-mail address this is.
pub(super) fn user_by_email(tx: &mut ReadTx<'_>, key: &str) -> Result<Option<Id<kinds::User>>> {
    tx.global_first(USER, params![key], |row| Ok(row.take()?))
}

/// Keeps an identity; whether it was not there before, in which case it is this person's now.
pub(super) fn insert(tx: &mut WriteTx<'_>, identity: &Identity) -> Result<bool> {
    let Identity { user_id, issuer, subject, linked_at } = identity;
    let rows = tx.global_execute(INSERT_IDENTITY, params![issuer, subject, user_id, linked_at])?;
    Ok(rows == 1)
}
