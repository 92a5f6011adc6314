//! Writes tables again, so that their files have nothing of rows that were deleted or changed.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::server::Server;
use super::{Connection, STARTUP_TIMEOUT};
use crate::error::{Error, Result};

/// How long to wait before a step is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Checks that the role may rewrite these tables. PostgreSQL would leave out those of others, and only warn.
pub(crate) fn check(url: &str, tables: &[&'static str]) -> Result<()> {
    open(url, tables).map(|connection| connection.close())
}

/// Rewrites these tables with their indexes. Each is locked meanwhile.
pub(crate) fn run(url: &str, tables: &[&'static str], patience: Duration) -> Result<()> {
    let mut connection = open(url, tables)?;
    wait_for_older_snapshots(&mut connection, patience)?;
    // A reader of a table must not make all others wait behind this.
    connection.script("SET lock_timeout = '5s'", None)?;
    // The statistics of columns have values too. They are replaced first, and then written again themselves, for which
    // the role must own the database.
    let tables = tables.iter().map(|table| format!("VACUUM (FULL, ANALYZE) {table}"));
    for statement in tables.chain(["VACUUM (FULL) pg_catalog.pg_statistic".to_owned()]) {
        patiently(patience, || match connection.script(&statement, None) {
            Ok(_) => Ok(true),
            Err(failure) if failure.is_lock_timeout() => Ok(false),
            Err(failure) => Err(failure.into()),
        })?;
    }
    connection.close();
    Ok(())
}

/// A connection whose role owns these tables.
fn open(url: &str, tables: &[&'static str]) -> Result<Connection> {
    let server = Arc::new(Server::new(url)?);
    let mut connection = Connection::new(server.clone())?;
    connection
        .open(Instant::now() + STARTUP_TIMEOUT)
        .map_err(|failure| server.unreachable(&failure))?;
    let of_others = format!(
        "SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class \
         WHERE oid = ANY ('{{{}}}'::regclass[]) AND NOT pg_has_role(relowner, 'USAGE')",
        tables.join(",")
    );
    let rows = connection.script(&of_others, None)?;
    match rows.first().and_then(|row| row.get(0)) {
        None => Ok(connection),
        Some(tables) => Err(Error::NotOwner(tables.to_owned())),
    }
}

/// VACUUM keeps what an older snapshot may still read, so it waits until there is none.
fn wait_for_older_snapshots(connection: &mut Connection, patience: Duration) -> Result<()> {
    let rows = connection.script("SELECT pg_current_xact_id()::xid", None)?;
    let own = rows.first().and_then(|row| row.get(0)).unwrap_or("0").to_owned();
    let older = format!(
        "SELECT 1 FROM (SELECT backend_xmin AS xmin FROM pg_stat_activity WHERE datname = current_database() \
         UNION ALL SELECT transaction FROM pg_prepared_xacts UNION ALL SELECT xmin FROM pg_replication_slots) held \
         WHERE xmin IS NOT NULL AND age(xmin) > age('{own}'::xid) LIMIT 1"
    );
    patiently(patience, || Ok(connection.script(&older, None)?.is_empty()))
}

/// Tries a step that other connections prevent until it is done.
fn patiently(patience: Duration, mut step: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + patience;
    while !step()? {
        if Instant::now() > end {
            return Err(Error::Locked);
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
