//! A job that a server holds: each write moves the job's time on, and fails if something else was done with the job. So a
//! server that was too slow, and one whose work a person has stopped, end without a trace.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::super::store::{self as imports, State};
use super::store::{self, JobRow};
use super::work::{Worker, deadline};
use super::{Due, RETENTION, Stage, StoredFile};
use crate::call::error::{Error, Result};

/// How often progress is recorded.
const REPORTED: Duration = Duration::from_millis(500);

/// A job that a server holds.
pub(in crate::business::import) struct Held<'w> {
    pub(super) worker: &'w Worker,
    pub(super) due: Due,
    /// The time that this server has set. No one else sets the same.
    own: Mutex<Timestamp>,
    is_lost: Arc<AtomicBool>,
}

impl<'w> Held<'w> {
    /// A job that the server has claimed.
    pub(super) fn new(worker: &'w Worker, due: Due) -> Self {
        Self { worker, due, own: Mutex::new(due.due_at), is_lost: Arc::default() }
    }

    /// Whether something else was done with the job.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    pub(super) fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut ReadTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let number = self.due.number;
        let read = self.worker.db.read(deadline(), move |tx| {
            tx.bind(number);
            work(tx)
        });
        read.wait()
    }

    /// Writes something, and holds the job for some more time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the job is lost.
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_until(self.worker.claimed_until(), work)
    }

    fn write_until<T: Send + 'static>(
        &self,
        next: Timestamp,
        work: impl Fn(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let due = Due { due_at: *own, ..self.due };
        let write = self.worker.db.write(deadline(), move |tx| {
            tx.bind(due.number);
            tx.take_turn()?;
            if store::claim(tx, &due, next)? { work(tx).map(Some) } else { Ok(None) }
        });
        let Some(done) = write.wait()? else { return Err(self.lost()) };
        *own = next;
        Ok(done)
    }

    fn lost(&self) -> Error {
        self.is_lost.store(true, Ordering::Relaxed);
        Error::from(zoop_db::Error::Closed)
    }

    /// What shows in the next write of the import itself that the job is still held. It holds until [`Held::write`].
    pub(in crate::business::import) fn token(&self) -> Token {
        let own = *self.own.lock().unwrap_or_else(PoisonError::into_inner);
        Token { due: Due { due_at: own, ..self.due }, is_lost: Arc::clone(&self.is_lost) }
    }

    pub(super) fn job(&self) -> Result<Option<JobRow>> {
        let id = self.due.job;
        match self.read(move |tx| store::get(tx, id)) {
            Ok(job) => Ok(Some(job)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Changes the job. It is still held.
    pub(super) fn change(
        &self,
        change: impl Fn(&mut JobRow) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let job = self.due.job;
        self.write(move |tx| {
            let mut job = store::get(tx, job)?;
            (job.done, job.total) = (0, 0);
            change(&mut job)?;
            store::update(tx, &job)
        })
    }

    /// Lets go of a job for which nothing is to be done before it is removed.
    pub(super) fn let_go(&self) -> Result<()> {
        let now = self.worker.environment.clock.now();
        self.write_until(Timestamp(now.0 + RETENTION), |_| Ok(()))
    }

    /// Lets another server go on at once.
    pub(super) fn give_back(&self) -> Result<()> {
        self.write_until(self.worker.environment.clock.now(), |_| Ok(()))
    }

    /// Says why a step was not done, and what is to be done next: what was added is taken back, unless that was done.
    pub(super) fn stop(&self, stage: Stage, problem: &str) -> Result<()> {
        let (job, problem) = (self.due.job, problem.to_owned());
        self.write(move |tx| {
            let mut job = store::get(tx, job)?;
            // What was done is not undone because its files cannot be deleted.
            if stage != Stage::Ended {
                job.problem.clone_from(&problem);
            }
            (job.done, job.total) = (0, 0);
            let import = job.import_id.map(|id| imports::get(tx, id)).transpose()?;
            job.stage = match (stage, import.map(|it| it.state)) {
                (Stage::Undoing | Stage::Ended, _) | (Stage::Adding, Some(State::Done)) => {
                    Stage::Ended
                }
                (Stage::Adding, Some(State::Running | State::Undoing)) => Stage::Undoing,
                (Stage::Adding, Some(State::Stopped | State::Undone)) => {
                    job.import_id = None;
                    Stage::Ready
                }
                (Stage::Adding, None) | (Stage::LookingUp | Stage::Ready, _) => Stage::Ready,
                (Stage::Arriving | Stage::Removed, _) => Stage::Removed,
            };
            store::update(tx, &job)
        })
    }

    /// Records how far a step is, now and then, and that this server still works on it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server stops, or the job is lost.
    pub(super) fn progress(&self) -> impl Fn(usize, usize) -> Result<()> + Send + Sync + '_ {
        let reported = Mutex::new(None::<Instant>);
        move |done, total| {
            if self.worker.is_stopping.load(Ordering::Relaxed) {
                return Err(Error::from(zoop_db::Error::Closed));
            }
            let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
            if reported.is_some_and(|at| at.elapsed() < REPORTED) {
                return Ok(());
            }
            *reported = Some(Instant::now());
            let job = self.due.job;
            self.write(move |tx| store::set_progress(tx, job, done, total))
        }
    }

    pub(super) fn delete_file(&self, file: StoredFile) -> Result<()> {
        let job = self.due.job;
        while self.write(move |tx| store::delete_last_parts(tx, job, file))? {}
        Ok(())
    }
}

/// Shows in a write of an import that its server still holds the job.
#[derive(Debug, Clone)]
pub(in crate::business::import) struct Token {
    due: Due,
    is_lost: Arc<AtomicBool>,
}

impl Token {
    /// Call it once the transaction is its tenant's only write.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the job is lost.
    pub(in crate::business::import) fn check(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let is_held = store::claim(tx, &self.due, self.due.due_at)?;
        // A transaction may run again, and then the job is not lost.
        self.is_lost.store(!is_held, Ordering::Relaxed);
        if is_held { Ok(()) } else { Err(Error::from(zoop_db::Error::Closed)) }
    }
    /// [`Token::check`], and says why the import is taken back: another server that goes on with that knows it too.
    ///
    /// # Errors
    /// As [`Token::check`].
    pub(in crate::business::import) fn say(
        &self,
        tx: &mut WriteTx<'_>,
        problem: &str,
    ) -> Result<()> {
        self.check(tx)?;
        let mut job = store::get(tx, self.due.job)?;
        problem.clone_into(&mut job.problem);
        store::update(tx, &job)
    }
}
