//! Whether a server and a role are fit to be used, looked at once at the start.

use super::Connection;
use crate::error::{Error, Result};

/// The first version that tells what became of a transaction.
const OLDEST: u32 = 13;

/// Refuses a server that is too old and a database that cannot hold every text, and warns of a role
/// for which row-level security does not hold.
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
    if version < OLDEST {
        return Err(Error::Schema(format!(
            "the server is PostgreSQL {version}: version {OLDEST} or a newer one is needed"
        )));
    }
    if encoding != "UTF8" {
        return Err(Error::Schema(format!(
            "the database's encoding is {encoding}: make one with CREATE DATABASE … ENCODING 'UTF8' \
             TEMPLATE template0"
        )));
    }
    if row.get(2) == Some("1") {
        tracing::warn!(
            "the database's role may pass by row-level security: use one that is neither a superuser \
             nor has BYPASSRLS"
        );
    }
    Ok(())
}
