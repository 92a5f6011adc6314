//! The SQL of identities. It stands above tenants, as people do.

use zoop_db::{ReadTx, WriteTx, params};

use super::Identity;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

crate::call::table::table! {
    /// Who users are to providers of identities.
    pub(crate) const IDENTITIES = identities {
        above_tenants: "tell which user somebody is",
        key: { issuer: Text, subject: Text },
        columns: { user_id: Id, linked_at: Time },
        exported: WithUser,
        erased: [WithUser],
    }
}

zoop_db::global_statements! {
    IDENTITY = "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2";
    /// Whoever is known to the issuer already is somebody else there than the one who is met: companies
    /// give the address of who has left to who comes.
    IS_MET = "SELECT 1 FROM identities WHERE user_id = $1 AND issuer = $2";
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

/// Whether a person was met at the issuer before.
pub(super) fn is_met(tx: &mut ReadTx<'_>, user: Id<kinds::User>, issuer: &str) -> Result<bool> {
    let found =
        tx.global_first::<i64, Error>(IS_MET, params![user, issuer], |row| Ok(row.take()?))?;
    Ok(found.is_some())
}

/// Keeps an identity; whether it was not there before, in which case it is this person's now.
pub(super) fn insert(tx: &mut WriteTx<'_>, identity: &Identity) -> Result<bool> {
    let Identity { user_id, issuer, subject, linked_at } = identity;
    let rows = tx.global_execute(INSERT_IDENTITY, params![issuer, subject, user_id, linked_at])?;
    Ok(rows == 1)
}
