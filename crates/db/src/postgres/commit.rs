//! Commits a transaction, and determines its outcome if the COMMIT was not answered.
//!
//! A transaction that has written has a number, which the server remembers for a long time. If the connection
//! breaks between COMMIT and its answer, the server is asked about that number over a new connection. The
//! operator must ensure that the new connection leads to the same server, or to one with everything that the old
//! server confirmed: a standby that takes over must be synchronous.
//!
//! A server that crashes forgets the numbers of transactions that have left nothing on its disk, and reuses
//! them. So after a crash a number that the server calls committed may belong to another transaction, and
//! only "aborted" is certain.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::Connection;
use super::connection::row;
use super::error::Failure;
use super::server::Incarnation;
use super::work::Stage;

/// The pause before the server is asked again about a transaction's outcome.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

impl Connection {
    /// Commits the job's transaction. The error says why this failed, or that the outcome is unknown.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        if self.work.stage == Stage::Idle {
            return Ok(());
        }
        // A caller that leaves from now on does not cancel the job, because its COMMIT may be under way.
        if let Some(caller) = self.caller.take() {
            caller.ensure_waits().map_err(|_| Failure::Deadline)?;
        }
        self.work.drop_queued();
        let incarnation = self.incarnation().cloned();
        let Err(failure) = self.round_trip(async |client| client.batch_execute("COMMIT").await)
        else {
            self.work.stage = Stage::Idle;
            return Ok(());
        };
        // If the connection still works, the server has answered with an error, or no COMMIT was sent.
        if self.is_linked() {
            return Err(failure);
        }
        // The transaction has ended, whatever the outcome.
        self.work.stage = Stage::Idle;
        match self.work.number.take() {
            Some(number) => self.determine_outcome(&number, incarnation.as_ref(), &failure),
            // There was nothing to commit.
            None => Ok(()),
        }
    }

    /// Asks until the outcome of a transaction is known, or until the job's deadline.
    fn determine_outcome(
        &mut self,
        number: &str,
        incarnation: Option<&Incarnation>,
        lost: &Failure,
    ) -> Result<(), Failure> {
        loop {
            let is_committed = match self.status(number).as_deref() {
                Ok("committed") if self.incarnation() == incarnation => Some(true),
                Ok("aborted") => Some(false),
                // The server crashed, and has not yet reassigned this number.
                Err(failure) if failure.is_unassigned_transaction() => Some(false),
                // The server has not yet noticed that the old connection is gone.
                Ok("in progress") => None,
                // The server cannot be reached yet.
                Err(failure) if failure.is_lost() => None,
                Ok(_) | Err(_) => return Err(Failure::Unknown(lost.to_string())),
            };
            match is_committed {
                Some(true) => return Ok(()),
                Some(false) => {
                    return Err(Failure::Lost(format!("the write was not committed: {lost}")));
                }
                None => {}
            }
            let left = self.work.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::Unknown(lost.to_string()));
            }
            std::thread::sleep(left.min(RETRY_INTERVAL));
        }
    }

    /// The status of a transaction; empty if it ended too long ago. A standby may lack its primary's last
    /// transactions, so before its promotion it reports each transaction as in progress.
    fn status(&mut self, number: &str) -> Result<String, Failure> {
        let deadline = self.work.deadline;
        self.open(deadline)?;
        let query = format!(
            "SELECT CASE WHEN pg_is_in_recovery() THEN 'in progress' \
             ELSE pg_xact_status('{number}') END"
        );
        let rows = self.script(&query, Some(deadline))?;
        Ok(rows.first().and_then(|row| row.get(0)).unwrap_or_default().to_owned())
    }
}

/// The running transaction's number, if it has one yet.
pub(super) async fn number(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let answers = client.simple_query("SELECT pg_current_xact_id_if_assigned()").await?;
    let row = answers.into_iter().find_map(row);
    Ok(row.and_then(|row| row.get(0).map(str::to_owned)))
}
