//! Writes tables again, so that their files have nothing of rows that were deleted or changed.

use std::sync::Arc;
use std::time::Instant;

use super::server::Server;
use super::{Connection, STARTUP_TIMEOUT};
use crate::error::Result;

/// Rewrites these tables with their indexes. Each is locked meanwhile.
pub(crate) fn run(url: &str, tables: &[&'static str]) -> Result<()> {
    let server = Arc::new(Server::new(url)?);
    let mut connection = Connection::new(server.clone())?;
    connection
        .open(Instant::now() + STARTUP_TIMEOUT)
        .map_err(|failure| server.unreachable(&failure))?;
    // The statistics of columns have values too. They are replaced first, and then written again themselves, for which
    // the role must own the database.
    let tables = tables.iter().map(|table| format!("VACUUM (FULL, ANALYZE) {table}"));
    for statement in tables.chain(["VACUUM (FULL) pg_catalog.pg_statistic".to_owned()]) {
        connection.script(&statement, None)?;
    }
    connection.close();
    Ok(())
}
