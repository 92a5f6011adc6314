//! Keeping a transaction, and what became of one whose COMMIT was not answered.
//!
//! A transaction that has written has a number, which the server remembers long after. So when a
//! connection breaks between COMMIT and its answer, the server is asked over a new one. That the server
//! is the same, or holds everything that the old one confirmed, is for whoever runs it: a standby that
//! takes over must be synchronous.
//!
//! A server that crashes forgets the numbers of transactions of which nothing is on its disk, and gives
//! them out again. So after a crash a transaction that was kept may be another's, and only of one that
//! was not is anything known.

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
    /// Keeps what the job wrote, or says why it is not kept.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        if self.work.stage == Stage::Idle {
            return Ok(());
        }
        self.work.drop_ahead();
        let life = self.life().cloned();
        let Err(failure) = self.flight(async |client| client.batch_execute("COMMIT").await) else {
            self.work.stage = Stage::Idle;
            return Ok(());
        };
        // A connection that still stands has brought the server's refusal, or no COMMIT at all.
        if self.is_linked() {
            return Err(failure);
        }
        // The transaction is over, whatever came of it.
        self.work.stage = Stage::Idle;
        match self.work.number.take() {
            Some(number) => self.find_out(&number, life.as_ref(), &failure),
            // There was nothing to keep.
            None => Ok(()),
        }
    }

    /// Asks until it is known whether a transaction was kept, or until the job's deadline.
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
                // A server that crashed has not got as far again.
                Err(failure) if failure.is_of_the_future() => Some(false),
                // The server has yet to notice that the old connection is gone.
                Ok("in progress") => None,
                // The server cannot be reached yet.
                Err(failure) if failure.is_lost() => None,
                Ok(_) | Err(_) => return Err(Failure::Unknown(lost.to_string())),
            };
            match is_kept {
                Some(true) => return Ok(()),
                Some(false) => {
                    return Err(Failure::Lost(format!("the write was not kept: {lost}")));
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

    /// What the server says became of a transaction; nothing if it is too long ago. A standby does not
    /// know yet all that its server knew.
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
