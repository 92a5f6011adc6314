//! The addresses of the servers that run on this database. Each server stores its address when it starts and
//! removes the address when it stops. Commands on the same database use the address to print links.

use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx, params};

use crate::call::error::Result;
use crate::call::sweep::{Sweep, few};

/// How long the address of a server is kept if the server never reports that it stopped, in microseconds.
const RETENTION: i64 = 30 * 86_400 * 1_000_000;

crate::call::table::table! {
    /// The running servers.
    pub(crate) const SERVERS = servers {
        shared: "hold the address of each server, which serves all tenants",
        key: { process_id: Id },
        columns: { url: Text, started_at: Time },
        exported: Internal,
        erased: [OnExpiry],
    }
}

zoop_db::global_statements! {
    FORGET_OLD = (concat!("DELETE FROM servers",
                  few!("servers", "process_id", "started_at < $1", "started_at")));
    INSERT = "INSERT INTO servers (process_id, url, started_at) VALUES ($1, $2, $3)";
    FORGET = "DELETE FROM servers WHERE process_id = $1";
    NEWEST = "SELECT url, started_at FROM servers WHERE started_at > $1 \
              ORDER BY started_at DESC LIMIT 1";
}

/// A server that started on this database and has not reported that it stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningServer {
    /// The address that clients use.
    pub url: String,
    /// When it started.
    pub started_at: Timestamp,
}

/// The sweep of servers that did not report that they stopped.
pub(crate) const SWEEPS: &[Sweep] = &[Sweep {
    rows: "addresses of servers",
    step: |tx, now| Ok(tx.global_execute(FORGET_OLD, params![Timestamp(now.0 - RETENTION)])?),
}];

/// Records that a server has started.
///
/// # Errors
/// If the database fails.
pub fn record_start(tx: &mut WriteTx<'_>, process: Uuid, url: &str, now: Timestamp) -> Result<()> {
    tx.global_execute(FORGET, params![process])?;
    tx.global_execute(INSERT, params![process, url, now])?;
    Ok(())
}

/// Records that a server has stopped.
///
/// # Errors
/// If the database fails.
pub fn record_stop(tx: &mut WriteTx<'_>, process: Uuid) -> Result<()> {
    tx.global_execute(FORGET, params![process])?;
    Ok(())
}

/// The server that started last and has not reported that it stopped.
///
/// # Errors
/// If the database fails.
pub fn newest(tx: &mut ReadTx<'_>) -> Result<Option<RunningServer>> {
    tx.global_first(NEWEST, params![Timestamp(0)], |row| {
        Ok(RunningServer { url: row.take()?, started_at: row.take()? })
    })
}
