//! What `zoop doctor` looks at where the database has a server.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use zoop_crm::clock::{Clock, SystemClock};
use zoop_db::{Db, ServerState};

use super::Check;
use crate::database::told;

/// How long the server has to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than this must not lie between the server's clock and this machine's.
const MOST_CLOCK_SECONDS: f64 = 1.0;
/// An upgrade runs the old process and the new one side by side.
const PROCESSES: usize = 2;

/// Looks at the server; nothing where there is none.
pub(super) fn examine(db: &Db) -> Vec<Check> {
    let state = db.read::<_, zoop_db::Error>(Instant::now() + PATIENCE, |tx| tx.server());
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
        "row-level security does not hold for it, so one belt of two is missing: ALTER ROLE … NOSUPERUSER \
         NOBYPASSRLS, or use another role that owns the database"
    );
    Ok("row-level security holds for it".to_owned())
}

/// How far the clocks are apart. Ids begin with the time, and processes on several machines must agree
/// on it.
fn clock(db: &Db) -> Result<String> {
    let Some(there) = db.clock() else { return Ok("unknown".to_owned()) };
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let ahead = (there.0 - SystemClock.now().0) as f64 / 1e6;
    ensure!(
        ahead.abs() <= MOST_CLOCK_SECONDS,
        "it is {ahead:+.2} s off this machine's: let NTP set both; a process that is five seconds off is \
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
