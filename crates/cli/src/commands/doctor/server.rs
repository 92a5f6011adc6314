//! The checks of `zoop doctor` for a PostgreSQL database.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use zoop_crm::values::clock::{Clock, SystemClock};
use zoop_db::{Db, ServerState};

use super::Check;
use crate::database::describe;

/// The time limit for the server's answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum difference between the server's clock and this machine's.
const MAX_CLOCK_SECONDS: f64 = 1.0;
/// How many processes the connection limit must accommodate: during an upgrade, the old and the new one run
/// side by side.
const MIN_PROCESSES: usize = 2;

/// Checks the database's server. An embedded database has no server, so it gets no checks.
pub(super) fn examine(db: &Db) -> Vec<Check> {
    let state = db.read::<_, zoop_db::Error>(Instant::now() + TIMEOUT, |tx| tx.server());
    match state.wait() {
        Ok(None) => Vec::new(),
        Ok(Some(state)) => vec![
            Check::new("server", Ok(format!("PostgreSQL {}", state.version))),
            Check::advice("role", role(&state)),
            Check::advice("server's clock", clock(db)),
            Check::advice("connections", connections(&state, db.connections())),
        ],
        Err(error) => vec![Check::new("server", Err(anyhow!(describe(&error))))],
    }
}

fn role(state: &ServerState) -> Result<String> {
    ensure!(
        !state.bypasses_row_security,
        "the role bypasses row-level security, so only the program's own checks keep tenants apart: run ALTER \
         ROLE … NOSUPERUSER NOBYPASSRLS, or use another role that owns the database"
    );
    Ok("the role is subject to row-level security".to_owned())
}

/// Compares the server's clock with this machine's. Ids start with a timestamp, so processes on different
/// machines must agree on the time.
fn clock(db: &Db) -> Result<String> {
    let Some(server) = db.clock() else { return Ok("unknown".to_owned()) };
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let ahead = (server.0 - SystemClock.now().0) as f64 / 1e6;
    ensure!(
        ahead.abs() <= MAX_CLOCK_SECONDS,
        "{ahead:+.2} s relative to this machine's clock: synchronize both with NTP; at a difference of five \
         seconds, /readyz reports not ready"
    );
    Ok(format!("{ahead:+.2} s relative to this machine's clock"))
}

fn connections(state: &ServerState, per_process: usize) -> Result<String> {
    let processes = state.max_connections / per_process.max(1);
    let facts = format!(
        "each process opens {per_process} connections, and all processes together may open {}: enough for \
         {processes} process(es)",
        state.max_connections
    );
    ensure!(
        processes >= MIN_PROCESSES,
        "{facts}, but an upgrade needs enough for {MIN_PROCESSES}: raise max_connections (or the role's or the database's \
         limit), or lower storage.readers and storage.writers"
    );
    Ok(facts)
}
