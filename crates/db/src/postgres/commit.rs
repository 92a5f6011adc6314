//! Commits a transaction, and finds out the outcome of one whose COMMIT was not answered.
//!
//! A transaction that has written has a number, which the server remembers for a long time. So when a
//! connection breaks between COMMIT and its answer, the server is asked over a new one. The operator must
//! ensure that the server is the same, or has everything that the old one confirmed: a standby that takes
//! over must be synchronous.
//!
//! A server that crashes forgets the numbers of transactions of which nothing is on its disk, and reuses
//! them. So after a crash a number that the server calls committed may be another transaction's, and only a
//! lost one is certain.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::Connection;
use super::connection::row;
use super::error::Failure;
use super::server::Life;
use super::work::Stage;

/// How long to wait before the server is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(20);

impl Connection {
    /// Commits what the job wrote, or says why it is not committed.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        if self.work.stage == Stage::Idle {
            return Ok(());
        }
        // Whoever leaves from now on does not stop what may be under way.
        if let Some(caller) = self.caller.take() {
            caller.ensure_waits().map_err(|_| Failure::Deadline)?;
        }
        self.work.drop_queued();
        let life = self.life().cloned();
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
            Some(number) => self.find_out(&number, life.as_ref(), &failure),
            // There was nothing to commit.
            None => Ok(()),
        }
    }

    /// Asks until the outcome of a transaction is known, or until the job's deadline.
    fn find_out(
        &mut self,
        number: &str,
        life: Option<&Life>,
        lost: &Failure,
    ) -> Result<(), Failure> {
        loop {
            let is_kept = match self.fate(number).as_deref() {
                Ok("committed") if self.life() == life => Some(true),
                Ok("aborted") => Some(false),
                // The server crashed, and has not yet reassigned this number.
                Err(failure) if failure.is_of_the_future() => Some(false),
                // The server has not yet noticed that the old connection is gone.
                Ok("in progress") => None,
                // The server cannot be reached yet.
                Err(failure) if failure.is_lost() => None,
                Ok(_) | Err(_) => return Err(Failure::Unknown(lost.to_string())),
            };
            match is_kept {
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
            std::thread::sleep(left.min(ASK_AGAIN));
        }
    }

    /// The server's status of a transaction; empty if the transaction was too long ago. A standby may not yet
    /// know everything that its primary knew.
    fn fate(&mut self, number: &str) -> Result<String, Failure> {
        let deadline = self.work.deadline;
        self.open(deadline)?;
        let ask = format!(
            "SELECT CASE WHEN pg_is_in_recovery() THEN 'in progress' \
             ELSE pg_xact_status('{number}') END"
        );
        let rows = self.script(&ask, Some(deadline))?;
        Ok(rows.first().and_then(|row| row.get(0)).unwrap_or_default().to_owned())
    }
}

/// The running transaction's number, once it has one.
pub(super) async fn number(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let answers = client.simple_query("SELECT pg_current_xact_id_if_assigned()").await?;
    let row = answers.into_iter().find_map(row);
    Ok(row.and_then(|row| row.get(0).map(str::to_owned)))
}
