//! Writes tables again, so that their files have nothing of rows that were deleted or changed.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::server::Server;
use super::{Connection, STARTUP_TIMEOUT};
use crate::error::{Error, Result};

/// How long a step is tried that other connections prevent.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long to wait before a step is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Rewrites these tables with their indexes. Each is locked meanwhile.
pub(crate) fn run(url: &str, tables: &[&'static str]) -> Result<()> {
    let server = Arc::new(Server::new(url)?);
    let mut connection = Connection::new(server.clone())?;
    connection
        .open(Instant::now() + STARTUP_TIMEOUT)
        .map_err(|failure| server.unreachable(&failure))?;
    wait_for_older_snapshots(&mut connection)?;
    // A reader of a table must not make all others wait behind this.
    connection.script("SET lock_timeout = '5s'", None)?;
    // The statistics of columns have values too. They are replaced first, and then written again themselves, for which
    // the role must own the database.
    let tables = tables.iter().map(|table| format!("VACUUM (FULL, ANALYZE) {table}"));
    for statement in tables.chain(["VACUUM (FULL) pg_catalog.pg_statistic".to_owned()]) {
        patiently(|| match connection.script(&statement, None) {
            Ok(_) => Ok(true),
            Err(failure) if failure.is_lock_timeout() => Ok(false),
            Err(failure) => Err(failure.into()),
        })?;
    }
    connection.close();
    Ok(())
}

/// VACUUM keeps what an older snapshot may still read, so it waits until there is none.
fn wait_for_older_snapshots(connection: &mut Connection) -> Result<()> {
    let rows = connection.script("SELECT pg_current_xact_id()::xid", None)?;
    let own = rows.first().and_then(|row| row.get(0)).unwrap_or("0").to_owned();
    let older = format!(
        "SELECT 1 FROM (SELECT backend_xmin AS xmin FROM pg_stat_activity WHERE datname = current_database() \
         UNION ALL SELECT transaction FROM pg_prepared_xacts UNION ALL SELECT xmin FROM pg_replication_slots) held \
         WHERE xmin IS NOT NULL AND age(xmin) > age('{own}'::xid) LIMIT 1"
    );
    patiently(|| Ok(connection.script(&older, None)?.is_empty()))
}

/// Tries a step until it is done.
fn patiently(mut step: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !step()? {
        if Instant::now() > end {
            return Err(Error::Locked);
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
