//! The steps of a job: looking a file up, adding its customers, taking an import back, and removing the job.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::super::columns::Columns;
use super::super::preview::{self, Preview, Remarks, ShownColumn};
use super::super::source::{self, Reading, Source};
use super::super::{Importer, Plan, report, run, undo};
use super::store::{self, JobRow};
use super::work::{Worker, deadline};
use super::{DELETED_AT_ONCE, Due, Outcome, PART_BYTES, RETENTION, Stage, StoredFile, json};
use crate::call::error::{Error, Result};
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

/// How many customers of each kind are shown.
const SHOWN: usize = 10;
/// How often progress is recorded.
const REPORTED: Duration = Duration::from_millis(500);

pub(super) type Step<T = ()> = std::result::Result<T, Failure>;

/// Why a step was not done.
pub(super) enum Failure {
    /// Something that the person can do something about.
    Said(String),
    /// Something that the operator can.
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidInput { message, .. }
            | Error::Unusable { message, .. }
            | Error::Conflict { message, .. } => Self::Said(message),
            Error::NotFound { .. } | Error::InsufficientScope { .. } => {
                Self::Said("The person who started this may not import any more.".to_owned())
            }
            other => Self::Failed(other),
        }
    }
}

/// A job on which a server works.
pub(super) struct At<'w> {
    pub(super) worker: &'w Worker,
    pub(super) due: Due,
}

impl At<'_> {
    fn read<T: Send + 'static>(
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

    fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let number = self.due.number;
        let write = self.worker.db.write(deadline(), move |tx| {
            tx.bind(number);
            tx.take_turn()?;
            work(tx)
        });
        write.wait()
    }

    pub(super) fn job(&self) -> Result<Option<JobRow>> {
        let id = self.due.job;
        match self.read(move |tx| store::get(tx, id)) {
            Ok(job) => Ok(Some(job)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Records the end of a step, unless the job has something else to do by now.
    pub(super) fn finish(
        &self,
        stage: Stage,
        change: impl Fn(&mut JobRow) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let (due, now) = (self.due, self.worker.environment.clock.now());
        self.write(move |tx| {
            let mut job = store::get(tx, due.job)?;
            if job.stage != stage {
                return Ok(());
            }
            (job.done, job.total) = (0, 0);
            change(&mut job)?;
            store::update(tx, &job)?;
            let delay = if job.stage.is_work() { 0 } else { RETENTION };
            store::postpone(tx, due.number, due.job, Timestamp(now.0 + delay))
        })
    }

    /// Says why a step was not done.
    pub(super) fn stop(&self, stage: Stage, problem: String) -> Result<()> {
        self.finish(stage, move |job| {
            job.problem.clone_from(&problem);
            job.stage = if stage == Stage::Undoing { Stage::Ended } else { Stage::Ready };
            if stage == Stage::Adding {
                job.import_id = None;
            }
            Ok(())
        })
    }

    pub(super) fn expire(&self, stage: Stage) -> Step {
        Ok(self.finish(stage, |job| {
            job.stage = Stage::Removed;
            Ok(())
        })?)
    }

    pub(super) fn delete(&self) -> Result<()> {
        for file in StoredFile::ALL {
            self.delete_file(*file)?;
        }
        let due = self.due;
        self.write(move |tx| {
            store::delete(tx, due.job)?;
            store::forget(tx, due.number, due.job)
        })
    }

    fn delete_file(&self, file: StoredFile) -> Result<()> {
        let job = self.due.job;
        while !self.write(move |tx| store::delete_last_parts(tx, job, file, DELETED_AT_ONCE))? {}
        Ok(())
    }

    fn replace_file(&self, file: StoredFile, bytes: &[u8]) -> Result<()> {
        self.delete_file(file)?;
        let job = self.due.job;
        for (part, bytes) in (0..).zip(bytes.chunks(PART_BYTES)) {
            let bytes = Arc::new(bytes.to_vec());
            self.write(move |tx| store::add_part(tx, job, file, part, &bytes))?;
        }
        Ok(())
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let (job, mut bytes) = (self.due.job, Vec::new());
        for part in 0.. {
            let read = self.read(move |tx| store::part(tx, job, StoredFile::Source, part))?;
            let Some(part) = read else { break };
            bytes.extend(part);
        }
        Ok(bytes)
    }

    /// Records how far a step is, now and then, and that this server still works on it. Ends the step if the server stops.
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
            let (due, until) = (self.due, self.worker.claimed_until());
            self.write(move |tx| {
                store::set_progress(tx, due.job, done, total)?;
                store::postpone(tx, due.number, due.job, until)
            })
        }
    }

    pub(super) fn look_up(&self, job: &JobRow) -> Step {
        let importer = self.worker.importer(self.due, job);
        let Read { columns, source } = self.read_file(&importer, job)?;
        let columns = json(&columns)?;
        let planned = source.and_then(|source| self.plan(&importer, &source));
        let (problem, shown) = match planned {
            Ok(shown) => (String::new(), shown),
            Err(Failure::Said(problem)) => (problem, (String::new(), String::new())),
            Err(failed) => return Err(failed),
        };
        Ok(self.finish(Stage::LookingUp, move |job| {
            job.columns.clone_from(&columns);
            (job.preview, job.plan) = shown.clone();
            job.problem.clone_from(&problem);
            job.stage = Stage::Ready;
            Ok(())
        })?)
    }

    /// The plan for a file, as it is shown, with its token.
    fn plan(&self, importer: &Importer, source: &Source) -> Step<(String, String)> {
        let plan = Plan::make(importer, source, &self.progress())?;
        self.show(source, &plan)
    }

    fn show(&self, source: &Source, plan: &Plan) -> Step<(String, String)> {
        self.replace_file(StoredFile::Report, &report::of_plan(source, plan))?;
        Ok((json(&Preview::of(source, plan, SHOWN))?, plan.token.clone()))
    }

    fn read_file(&self, importer: &Importer, job: &JobRow) -> Step<Read> {
        let country = country(importer)?;
        let reading: Reading = serde_json::from_str(&job.reading).map_err(Error::internal)?;
        let sheet = source::rows(&self.bytes()?)?;
        let known = Columns::known(&sheet.columns, &reading.columns)?;
        let columns = preview::columns(&sheet, &known);
        let source = Source::of(&job.file_name, sheet, reading, country).map_err(Failure::from);
        Ok(Read { columns, source })
    }

    pub(super) fn add(&self, job: &JobRow) -> Step {
        let importer = self.worker.importer(self.due, job);
        let source = self.read_file(&importer, job)?.source?;
        let progress = self.progress();
        let ran = if let Some(import) = job.import_id {
            run::resume(&importer, &source, import, job.when_rejected, &progress)?
        } else {
            let plan = Plan::make(&importer, &source, &progress)?;
            if plan.token != job.plan {
                return self.show_again(&source, &plan);
            }
            run::require_usable(&plan, job.when_rejected)?;
            let id = job.id;
            let begun =
                run::begin(&importer, &source, &plan, move |tx, import| begun(tx, id, import))?;
            run::go_on(&importer, &source, &plan, begun, job.when_rejected, &progress)?
        };
        if !ran.rejected.is_empty() {
            let table = report::of_rejected(&source, &ran.rejected);
            self.replace_file(StoredFile::Rejected, &table)?;
        }
        let rejected = Remarks::of_unusable(&ran.rejected, SHOWN);
        let result = json(&Outcome { added: ran.import.added, rejected, ..Outcome::default() })?;
        self.finish(Stage::Adding, move |job| {
            job.result.clone_from(&result);
            job.stage = Stage::Ended;
            Ok(())
        })?;
        Ok(self.delete_file(StoredFile::Source)?)
    }

    /// Shows what the file would add now, because that is not what was shown.
    fn show_again(&self, source: &Source, plan: &Plan) -> Step {
        const SAID: &str = "Your customers have changed since you looked, so nothing was imported. This is what the \
                            file would add now.";
        let shown = self.show(source, plan)?;
        Ok(self.finish(Stage::Adding, move |job| {
            (job.preview, job.plan) = shown.clone();
            (job.stage, job.problem) = (Stage::Ready, SAID.to_owned());
            Ok(())
        })?)
    }

    pub(super) fn take_back(&self, job: &JobRow) -> Step {
        let Some(import) = job.import_id else {
            return Err(Error::internal("a job without an import is undone").into());
        };
        let importer = self.worker.importer(self.due, job);
        let undone = undo::undo_as_member(&importer, import, &self.progress())?;
        self.finish(Stage::Undoing, move |job| {
            let mut result: Outcome = serde_json::from_str(&job.result)?;
            result.taken_back += undone.taken_back;
            result.kept = undone.kept.iter().take(SHOWN).cloned().collect();
            result.kept_count = undone.kept.len();
            job.result = json(&result)?;
            job.stage = Stage::Ended;
            Ok(())
        })?;
        Ok(self.delete_file(StoredFile::Source)?)
    }
}

/// A file that was read.
struct Read {
    columns: Vec<ShownColumn>,
    source: Step<Source>,
}

/// The country of phone numbers and addresses without one.
fn country(importer: &Importer) -> Result<Country> {
    importer.read(|_, access| {
        let account = access.account.ok_or_else(|| Error::internal("no account"))?;
        Ok(account.country)
    })
}

/// Records which import a job became, unless it was stopped.
pub(super) fn begun(
    tx: &mut WriteTx<'_>,
    job: Id<kinds::ImportJob>,
    import: Id<kinds::Import>,
) -> Result<()> {
    let mut job = store::get(tx, job)?;
    if job.stage != Stage::Adding {
        return Err(Error::conflict("The import was stopped before it began."));
    }
    job.import_id = Some(import);
    store::update(tx, &job)
}
