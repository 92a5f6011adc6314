//! How a server takes a job, and what becomes of it if the work fails. Everything here blocks, so a server gives it a thread
//! of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use zoop_db::{Db, Tenant, Timestamp};

use super::super::{DEADLINE, Importer};
use super::Due;
use super::holding::Held;
use super::store::{self, JobRow};
use crate::call::access::{Credential, Source as CallSource};
use crate::call::error::{Error, Result};
use crate::identity::sign_in::ActingMember;
use crate::values::clock::Environment;

/// How long a server has a job to itself without saying that it still works on it, in microseconds.
const CLAIMED: i64 = 120 * 1_000_000;
/// Within how many microseconds the ends of claims differ by chance, so that no two are the same.
const CHANCE: i64 = 1_000_000;

/// What is said of a job whose work has ended with a bug.
pub(super) const FAILED: &str = "Something went wrong with this file. The server's log says more.";

/// What a server needs to work on jobs.
#[derive(Clone)]
pub struct Worker {
    /// The database.
    pub db: Db,
    /// Clock, randomness and limits.
    pub environment: Environment,
    /// Whether the server stops: then a job ends where it is, and another server goes on.
    pub is_stopping: Arc<AtomicBool>,
}

impl Worker {
    /// The job for which something is to be done the longest, claimed for this server, but none of one tenant. `None` if
    /// there is none.
    ///
    /// # Errors
    /// If the database fails.
    pub fn claim_next(&self, except: Option<Tenant>) -> Result<Option<Due>> {
        let now = self.environment.clock.now();
        loop {
            let next =
                self.db.read(deadline(), move |tx| store::next_due(tx, now, except)).wait()?;
            let Some(due) = next else { return Ok(None) };
            if let Some(claimed) = self.claim(due)? {
                return Ok(Some(claimed));
            }
        }
    }

    /// Claims a job. `None` if another server did before.
    fn claim(&self, due: Due) -> Result<Option<Due>> {
        let until = self.claimed_until();
        let write = self.db.write(deadline(), move |tx| store::claim(tx, &due, until));
        Ok(write.wait()?.then_some(Due { due_at: until, ..due }))
    }

    /// Until when a server that works on a job now has it to itself.
    pub(super) fn claimed_until(&self) -> Timestamp {
        let chance = i64::try_from(self.environment.entropy.bits() >> 66).unwrap_or_default();
        Timestamp(self.environment.clock.now().0 + CLAIMED + chance % CHANCE)
    }

    /// Does what is to be done for a job that this server has claimed. A panic counts as an internal error: the job waits
    /// for a decision again, or is taken back.
    ///
    /// # Errors
    /// If it could not be done. If the database was not available, the job is due again when the claim has ended.
    pub fn work(&self, due: Due) -> Result<()> {
        let held = Held::new(self, due);
        let ended = catch_unwind(AssertUnwindSafe(|| held.steps()));
        let ended =
            ended.unwrap_or_else(|_| Err(Error::internal("the work on an import panicked")));
        match ended {
            Err(_) if held.is_lost() => Ok(()),
            Err(_) if self.is_stopping.load(Ordering::Relaxed) => held.give_back(),
            Err(error) if !matches!(error, Error::Unavailable { .. }) => {
                held.fail()?;
                Err(error)
            }
            ended => ended,
        }
    }

    pub(super) fn importer(&self, due: Due, job: &JobRow) -> Importer {
        let member = ActingMember {
            tenant: due.tenant,
            user: job.user_id,
            credential: Credential::Session(job.session_id),
            source: CallSource::default(),
        };
        let Self { db, environment, .. } = self.clone();
        Importer { db, environment, member }
    }
}

impl Held<'_> {
    /// Ends work that ended with a bug. Another try would end the same.
    pub(super) fn fail(&self) -> Result<()> {
        let Some(job) = self.job()? else { return Ok(()) };
        self.stop(job.stage, FAILED)?;
        if self.job()?.is_some_and(|job| job.stage.is_work()) {
            return self.give_back();
        }
        self.let_go()
    }
}

/// When a step of the database has to be done.
pub(super) fn deadline() -> Instant {
    Instant::now() + DEADLINE
}
