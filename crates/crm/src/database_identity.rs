//! Which database this is, so that what belongs to a database can name it. A copy, a backup and a restored backup get an
//! id of their own. Copies that are made without zoop keep the id, but they are in another place.

use std::fmt;

use zoop_db::{ReadTx, Uuid, WriteTx, params};

use crate::call::error::{Error, Result};
use crate::values::clock::Entropy;

/// The table with the id.
pub const TABLE: &str = "database_identity";
/// Gives the database in an SQLite file another id, in a schema that this program may not know.
pub const RENEW_IN_FILE: &str = "UPDATE database_identity SET id = randomblob(16)";
/// The number of the only row.
const ONLY: i64 = 1;

zoop_db::global_statements! {
    GET = "SELECT id FROM database_identity WHERE no = $1";
    RENEW = "UPDATE database_identity SET id = $2 WHERE no = $1";
}

/// The random id of a database, and the place where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseId {
    id: Uuid,
    place: String,
}

impl DatabaseId {
    /// What this text says, as [`fmt::Display`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, place) = text.split_once(' ')?;
        Some(Self { id: id.parse().ok()?, place: place.to_owned() })
    }
}

impl fmt::Display for DatabaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.id, self.place)
    }
}

/// The database's id and place.
///
/// # Errors
/// If the database fails.
pub fn get(tx: &mut ReadTx<'_>) -> Result<DatabaseId> {
    let id = tx.global_first::<_, Error>(GET, params![ONLY], |row| Ok(row.take()?))?;
    let id = id.ok_or(zoop_db::Error::NoRow)?;
    Ok(DatabaseId { id, place: tx.place(TABLE)? })
}

/// Gives the database another id, and returns it.
///
/// # Errors
/// If the database fails.
pub fn renew(tx: &mut WriteTx<'_>, entropy: &Entropy) -> Result<DatabaseId> {
    let id = Uuid::from_u128(entropy.bits());
    tx.global_execute(RENEW, params![ONLY, id])?;
    get(tx)
}
