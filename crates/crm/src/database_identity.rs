//! Which database this is. A copy and a restored backup get an id of their own, so that what belongs to a database can
//! name it.

use std::fmt;

use zoop_db::{ReadTx, Uuid, WriteTx, params};

use crate::call::error::{Error, Result};
use crate::values::clock::Entropy;

/// The number of the only row.
const ONLY: i64 = 1;

zoop_db::global_statements! {
    GET = "SELECT id FROM database_identity WHERE no = $1";
    RENEW = "UPDATE database_identity SET id = $2 WHERE no = $1";
}

/// The random id of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseId(Uuid);

impl DatabaseId {
    /// The id that this text is, as [`fmt::Display`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for DatabaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The database's id.
///
/// # Errors
/// If the database fails.
pub fn get(tx: &mut ReadTx<'_>) -> Result<DatabaseId> {
    let id = tx.global_first::<_, Error>(GET, params![ONLY], |row| Ok(row.take()?))?;
    id.map(DatabaseId).ok_or_else(|| zoop_db::Error::NoRow.into())
}

/// Gives the database another id, and returns it.
///
/// # Errors
/// If the database fails.
pub fn renew(tx: &mut WriteTx<'_>, entropy: &Entropy) -> Result<DatabaseId> {
    let id = Uuid::from_u128(entropy.bits());
    tx.global_execute(RENEW, params![ONLY, id])?;
    Ok(DatabaseId(id))
}
