//! Keeping a transaction, and what became of one whose COMMIT was not answered.
//!
//! A transaction that has written has a number, which the server remembers long after. So when a
//! connection breaks between COMMIT and its answer, the server is asked over a new one. That the server
//! is the same, or holds everything that the old one confirmed, is for whoever runs it: a standby that
//! takes over must be synchronous.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::Connection;
use super::connection::row;
use super::error::Failure;
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
            Some(number) => self.find_out(&number, &failure),
            // There was nothing to keep.
            None => Ok(()),
        }
    }

    /// Asks until it is known whether a transaction was kept, or until the job's deadline.
    fn find_out(&mut self, number: &str, lost: &Failure) -> Result<(), Failure> {
        loop {
            match self.fate(number).as_deref() {
                Ok("committed") => return Ok(()),
                Ok("aborted") => {
                    return Err(Failure::Lost(format!("the write was not kept: {lost}")));
                }
                // The server has yet to notice that the old connection is gone.
                Ok("in progress") => {}
                // The server cannot be reached yet.
                Err(failure) if failure.is_lost() => {}
                Ok(_) | Err(_) => return Err(Failure::Unknown(lost.to_string())),
            }
            let left = self.work.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::Unknown(lost.to_string()));
            }
            std::thread::sleep(left.min(ASK_AGAIN));
        }
    }

    /// What the server says became of a transaction; nothing if it is too long ago.
    fn fate(&mut self, number: &str) -> Result<String, Failure> {
        let deadline = self.work.deadline;
        self.open(deadline)?;
        let rows = self.script(&format!("SELECT pg_xact_status('{number}')"), Some(deadline))?;
        Ok(rows.first().and_then(|row| row.get(0)).unwrap_or_default().to_owned())
    }
}

/// The running transaction's number, once it has one.
pub(super) async fn number(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let answers = client.simple_query("SELECT pg_current_xact_id_if_assigned()").await?;
    let row = answers.into_iter().find_map(row);
    Ok(row.and_then(|row| row.get(0).map(str::to_owned)))
}
