//! Request counts that processes share, so that a limit holds for all of them together.
//!
//! Each process keeps exact counts of the requests that it admits. Once a second it publishes them, and fetches
//! the counts of the other processes. The server decides what the limits are and enforces them.

use zoop_db::{ReadTx, Tenant, Timestamp, Uuid, WriteTx, params};

use crate::call::error::Result;
use crate::call::sweep::{Sweep, few};

crate::call::table::table! {
    /// Requests that each process admitted.
    pub(crate) const REQUEST_COUNTS = request_counts {
        shared: "share between processes how many requests each has admitted, for all tenants",
        key: { n: Integer as numbered },
        columns: {
            process_id: Id, credential_id: Id, tenant_no: Integer, admitted_at: Time,
            requests: Integer,
        },
        exported: Internal,
        erased: [OnExpiry],
    }
}

zoop_db::global_statements! {
    PUBLISH = "INSERT INTO request_counts \
            (process_id, credential_id, tenant_no, admitted_at, requests) \
            VALUES ($1, $2, $3, $4, $5)";
    /// The counts that other processes published after row number `$1`.
    FETCH = "SELECT n, credential_id, tenant_no, admitted_at, requests FROM request_counts \
            WHERE n > $1 AND process_id <> $2 ORDER BY n";
    FORGET = (concat!("DELETE FROM request_counts",
              few!("request_counts", "n", "admitted_at <= $1", "admitted_at")));
}

/// Requests of one credential that one process admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCount {
    /// The credential.
    pub credential: Uuid,
    /// The credential's tenant.
    pub tenant: Tenant,
    /// When the requests count as admitted.
    pub admitted_at: Timestamp,
    /// The number of requests.
    pub requests: u32,
}

/// How long a count matters to the limits, in microseconds.
pub const WINDOW: i64 = 60 * 1_000_000;

/// The sweep of counts that no longer matter.
pub(crate) const SWEEPS: &[Sweep] = &[Sweep {
    rows: "request counts",
    step: |tx, now| Ok(tx.global_execute(FORGET, params![Timestamp(now.0 - WINDOW)])?),
}];

/// Publishes the counts of a process.
///
/// # Errors
/// If the database fails.
pub fn publish(tx: &mut WriteTx<'_>, process: Uuid, counts: &[RequestCount]) -> Result<()> {
    for count in counts {
        let RequestCount { credential, tenant, admitted_at, requests } = *count;
        tx.global_execute(PUBLISH, params![process, credential, tenant.0, admitted_at, requests])?;
    }
    Ok(())
}

/// Returns the counts that other processes published after row number `after`, and the last row's number.
///
/// # Errors
/// If the database fails.
pub fn fetch(tx: &mut ReadTx<'_>, process: Uuid, after: i64) -> Result<(Vec<RequestCount>, i64)> {
    let mut last = after;
    let counts = tx.global_all(FETCH, params![after, process], |row| {
        last = row.take()?;
        Ok(RequestCount {
            credential: row.take()?,
            tenant: Tenant(row.take()?),
            admitted_at: row.take()?,
            requests: row.take()?,
        })
    });
    counts.map(|counts| (counts, last))
}
