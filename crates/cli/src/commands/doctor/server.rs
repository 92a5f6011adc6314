//! The checks of `zoop doctor` for a database on a server.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use zoop_crm::values::clock::{Clock, SystemClock};
use zoop_db::{Db, ServerState};

use super::Check;
use crate::database::told;

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest allowed difference between the server's clock and this machine's.
const MAX_CLOCK_SECONDS: f64 = 1.0;
/// The number of processes there must be room for: an upgrade runs the old and the new one side by side.
const PROCESSES: usize = 2;

/// Checks the server; no checks if there is none.
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
        Err(error) => vec![Check::new("server", Err(anyhow!(told(&error))))],
    }
}

fn role(state: &ServerState) -> Result<String> {
    ensure!(
        !state.passes_policies,
        "row-level security does not apply to it, so one of two safeguards is missing: ALTER ROLE … NOSUPERUSER \
         NOBYPASSRLS, or use another role that owns the database"
    );
    Ok("row-level security applies to it".to_owned())
}

/// The difference between the clocks. Ids begin with the time, and processes on several machines must agree
/// on it.
fn clock(db: &Db) -> Result<String> {
    let Some(there) = db.clock() else { return Ok("unknown".to_owned()) };
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let ahead = (there.0 - SystemClock.now().0) as f64 / 1e6;
    ensure!(
        ahead.abs() <= MAX_CLOCK_SECONDS,
        "it is {ahead:+.2} s off this machine's: synchronize both with NTP; a process that is five seconds off is \
         not ready"
    );
    Ok(format!("{ahead:+.2} s off this machine's"))
}

fn connections(state: &ServerState, of_a_process: usize) -> Result<String> {
    let processes = state.connections / of_a_process.max(1);
    let facts = format!(
        "a process opens {of_a_process} of the {} that its role may have: room for {processes}",
        state.connections
    );
    ensure!(
        processes >= PROCESSES,
        "{facts}, and an upgrade needs {PROCESSES}: raise max_connections (or the limit of the role or \
         the database), or lower storage.readers and storage.writers"
    );
    Ok(facts)
}
