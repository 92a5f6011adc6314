//! Checks at startup whether a server and a role can be used.

use super::Connection;
use crate::error::{Error, Result};

/// The first version with the functions that report a transaction's outcome.
const MIN_VERSION: u32 = 13;

/// Rejects a server that is too old and a database that cannot store all Unicode text. Warns of a role that
/// bypasses row-level security.
pub(super) fn check(connection: &mut Connection) -> Result<()> {
    let rows = connection.script(
        "SELECT current_setting('server_version_num')::integer / 10000, \
         current_setting('server_encoding'), (rolsuper OR rolbypassrls)::integer \
         FROM pg_roles WHERE rolname = current_user",
        None,
    )?;
    let row = rows.first().ok_or(Error::NoRow)?;
    let version: u32 = row.get(0).and_then(|version| version.parse().ok()).unwrap_or(0);
    let encoding = row.get(1).unwrap_or_default();
    if version < MIN_VERSION {
        return Err(Error::Schema(format!(
            "the server is PostgreSQL {version}: version {MIN_VERSION} or newer is required"
        )));
    }
    if encoding != "UTF8" {
        return Err(Error::Schema(format!(
            "the database's encoding is {encoding}: create another database with CREATE DATABASE … \
             ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    if row.get(2) == Some("1") {
        tracing::warn!(
            "the database's role bypasses row-level security: use one that is neither a superuser \
             nor has BYPASSRLS"
        );
    }
    Ok(())
}
