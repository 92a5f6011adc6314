//! How a server takes a job and gives it back. `steps` has what it does for the job. Everything here blocks, so a server
//! gives it a thread of its own.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use zoop_db::{Db, Timestamp};

use super::super::{DEADLINE, Importer};
use super::steps::{At, Failure};
use super::store::{self, JobRow};
use super::{Due, Stage};
use crate::call::access::{Credential, Source as CallSource};
use crate::call::error::Result;
use crate::identity::sign_in::ActingMember;
use crate::values::clock::Environment;

/// How long a server has a job to itself without saying that it still works on it, in microseconds.
const CLAIMED: i64 = 120 * 1_000_000;

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
    /// The job for which something is to be done the longest, claimed for this server. `None` if there is none.
    ///
    /// # Errors
    /// If the database fails.
    pub fn claim_next(&self) -> Result<Option<Due>> {
        let now = self.environment.clock.now();
        loop {
            let next = self.db.read(deadline(), move |tx| store::next_due(tx, now)).wait()?;
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
        Timestamp(self.environment.clock.now().0 + CLAIMED)
    }

    /// Gives back a job that was not done, so that another server goes on with it at once.
    ///
    /// # Errors
    /// If the database fails.
    pub fn give_back(&self, due: Due) -> Result<()> {
        let now = self.environment.clock.now();
        let Due { number, job, .. } = due;
        self.db.write(deadline(), move |tx| store::postpone(tx, number, job, now)).wait()
    }

    /// Does what is to be done for a job that this server has claimed.
    ///
    /// # Errors
    /// If it could not be done now. It is due again when this server's claim has ended.
    pub fn work(&self, due: Due) -> Result<()> {
        steps(&At { worker: self, due })
    }

    /// Ends work that ended with a bug: the job waits for a decision again, or is taken back.
    ///
    /// # Errors
    /// If the database fails.
    pub fn fail(&self, due: Due) -> Result<()> {
        const SAID: &str = "Something went wrong with this file. The server's log says more.";
        let at = At { worker: self, due };
        let Some(job) = at.job()? else { return Ok(()) };
        let next = match (job.stage, job.import_id) {
            (Stage::Adding, Some(_)) => Stage::Undoing,
            (Stage::Undoing, _) => Stage::Ended,
            _ => Stage::Ready,
        };
        at.finish(job.stage, move |job| {
            (job.stage, job.problem) = (next, SAID.to_owned());
            Ok(())
        })
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

/// Does one step after another: a person may give the job something else to do meanwhile.
fn steps(at: &At<'_>) -> Result<()> {
    while let Some(job) = at.job()? {
        let stage = job.stage;
        let done = match stage {
            Stage::Removed => return at.delete(),
            Stage::LookingUp => at.look_up(&job),
            Stage::Adding => at.add(&job),
            Stage::Undoing => at.take_back(&job),
            // It was kept long enough.
            Stage::Arriving | Stage::Ready | Stage::Ended => at.expire(stage),
        };
        match done {
            Ok(()) => {}
            Err(Failure::Said(problem)) => at.stop(stage, problem)?,
            Err(Failure::Failed(error)) => return Err(error),
        }
        if !at.job()?.is_some_and(|job| job.stage.is_work() || job.stage == Stage::Removed) {
            break;
        }
    }
    Ok(())
}

/// When a step of the database has to be done.
pub(super) fn deadline() -> Instant {
    Instant::now() + DEADLINE
}
