//! The steps of a job: looking a file up, adding its customers, taking an import back, and removing the job.

use std::sync::Arc;

use zoop_db::WriteTx;

use super::super::columns::Columns;
use super::super::preview::{self, Preview, Remarks, ShownColumn};
use super::super::run::Run;
use super::super::source::{self, Reading, Source};
use super::super::store::{self as imports, Import, State};
use super::super::undo::Undo;
use super::super::{Importer, Plan, report};
use super::actions::json;
use super::holding::{Held, Token};
use super::store::{self, JobRow};
use super::work::FAILED;
use super::{Outcome, PART_BYTES, RETENTION, SENT_BYTES, Stage, StoredFile};
use crate::call::error::{Error, Result};
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

/// How many customers of each kind are shown.
const SHOWN: usize = 10;
/// What is said of an import whose member has left.
const LEFT: &str = "The person who started this may not import any more.";
/// What is said of an import that someone else has undone.
const UNDONE: &str = "The import was undone meanwhile.";

pub(super) type Step<T = ()> = std::result::Result<T, Failure>;

/// Why a step was not done.
pub(super) enum Failure {
    /// Something that the person can do something about.
    Said(String),
    /// Something that the operator can, or that is tried again.
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidInput { message, .. }
            | Error::Unusable { message, .. }
            | Error::Conflict { message, .. } => Self::Said(message),
            Error::NotFound { record: "team member" } | Error::InsufficientScope { .. } => {
                Self::Said(LEFT.to_owned())
            }
            other => Self::Failed(other),
        }
    }
}

/// Why an import is taken back that cannot go on because of an error that is not about a customer.
pub(in crate::business::import) fn reason(error: &Error) -> &'static str {
    match error {
        Error::NotFound { record: "team member" } | Error::InsufficientScope { .. } => LEFT,
        _ => FAILED,
    }
}

impl Held<'_> {
    /// Does one step after another: a person may give the job something else to do meanwhile.
    pub(super) fn steps(&self) -> Result<()> {
        let mut has_worked = false;
        loop {
            let Some(job) = self.job()? else { return self.forget() };
            let stage = job.stage;
            let done = match stage {
                Stage::Removed => return self.delete(),
                Stage::LookingUp => self.look_up(&job),
                Stage::Adding => self.add(&job),
                Stage::Undoing => self.take_back(&job),
                // What was done just now is kept for a while, however old the job is.
                Stage::Ended | Stage::Ready if has_worked || !self.is_old(&job) => {
                    return self.rest(stage);
                }
                Stage::Arriving | Stage::Ready | Stage::Ended => {
                    self.expire().map_err(Failure::from)
                }
            };
            has_worked = true;
            match done {
                Ok(()) => {}
                Err(Failure::Said(problem)) => self.stop(stage, &problem)?,
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
    }

    /// Whether a job was kept long enough.
    fn is_old(&self, job: &JobRow) -> bool {
        let now = self.worker.environment.clock.now();
        now.0 - job.id.created_at().0.0 >= RETENTION
    }

    /// Lets go of a job that waits for a person. The files of one that was done are not needed any more.
    fn rest(&self, stage: Stage) -> Result<()> {
        if stage == Stage::Ended {
            self.delete_file(StoredFile::Source)?;
            self.delete_file(StoredFile::Report)?;
        }
        self.let_go()
    }

    fn expire(&self) -> Result<()> {
        self.change(|job| {
            job.stage = Stage::Removed;
            Ok(())
        })
    }

    fn delete(&self) -> Result<()> {
        for file in StoredFile::ALL {
            self.delete_file(*file)?;
        }
        let due = self.due;
        self.write(move |tx| {
            store::delete(tx, due.job)?;
            store::forget(tx, due.number, due.job)
        })
    }

    /// Takes a job that is gone out of the queue.
    fn forget(&self) -> Result<()> {
        let due = self.due;
        self.write(move |tx| store::forget(tx, due.number, due.job))
    }

    fn replace_file(&self, file: StoredFile, bytes: &[u8]) -> Result<()> {
        self.delete_file(file)?;
        let job = self.due.job;
        let parts = SENT_BYTES / PART_BYTES;
        for (first, bytes) in (0..).step_by(parts).zip(bytes.chunks(SENT_BYTES)) {
            let bytes = Arc::new(bytes.to_vec());
            self.write(move |tx| store::add_parts(tx, job, file, first, &bytes))?;
        }
        Ok(())
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let (job, mut bytes) = (self.due.job, Vec::new());
        let progress = self.progress();
        for part in 0.. {
            progress(0, 0)?;
            let read = self.read(move |tx| store::part(tx, job, StoredFile::Source, part))?;
            let Some(part) = read else { break };
            bytes.extend(part);
        }
        Ok(bytes)
    }

    fn read_file(&self, importer: &Importer, job: &JobRow) -> Step<FileOfJob> {
        let country = country(importer)?;
        let reading: Reading = serde_json::from_str(&job.reading).map_err(Error::internal)?;
        let sheet = source::rows(&self.bytes()?)?;
        let known = Columns::known(&sheet.columns, &reading.columns)?;
        let columns = preview::columns(&sheet, &known);
        let source = Source::of(&job.file_name, sheet, reading, country).map_err(Failure::from);
        Ok(FileOfJob { columns, source })
    }

    fn look_up(&self, job: &JobRow) -> Step {
        let importer = self.worker.importer(self.due, job);
        let FileOfJob { columns, source } = self.read_file(&importer, job)?;
        let columns = json(&columns)?;
        let planned = source.and_then(|source| {
            let plan = Plan::make(&importer, &source, &self.progress())?;
            self.show(&source, &plan)
        });
        let (problem, shown) = match planned {
            Ok(shown) => (String::new(), shown),
            Err(Failure::Said(problem)) => (problem, (String::new(), String::new())),
            Err(failed) => return Err(failed),
        };
        Ok(self.change(move |job| {
            job.columns.clone_from(&columns);
            (job.preview, job.plan) = shown.clone();
            job.problem.clone_from(&problem);
            job.stage = Stage::Ready;
            Ok(())
        })?)
    }

    /// What is shown of a plan, with its token.
    fn show(&self, source: &Source, plan: &Plan) -> Step<(String, String)> {
        self.replace_file(StoredFile::Report, &report::of_plan(source, plan))?;
        Ok((json(&Preview::of(source, plan, SHOWN))?, plan.token.clone()))
    }

    fn add(&self, job: &JobRow) -> Step {
        let importer = self.worker.importer(self.due, job);
        let begun = job.import_id.map(|id| importer.read_on(move |tx| imports::get(tx, id)));
        let begun = begun.transpose()?;
        if let Some(Import { state: State::Undoing | State::Undone | State::Stopped, .. }) = begun {
            let why = if job.problem.is_empty() { UNDONE.to_owned() } else { job.problem.clone() };
            return Err(Failure::Said(why));
        }
        let source = self.read_file(&importer, job)?.source?;
        let progress = self.progress();
        let run = Run {
            importer: &importer,
            source: &source,
            when_rejected: job.when_rejected,
            held: Some(self),
            progress: &progress,
        };
        let (import, rejected) = if let Some(import) = begun {
            (import.id, run.resume(&import)?)
        } else {
            let plan = Plan::make(&importer, &source, &progress)?;
            if plan.token != job.plan {
                return self.show_again(&source, &plan);
            }
            let (token, id) = (self.token(), job.id);
            let begun = run.begin(&plan, move |tx, import| begin(tx, &token, id, import))?;
            (begun.import, run.add(&plan, begun)?)
        };
        if !rejected.is_empty() {
            let table = report::of_rejected(&source, &rejected);
            self.replace_file(StoredFile::Rejected, &table)?;
        }
        let rejected = Remarks::of_unusable(&rejected, SHOWN);
        let (token, id) = (self.token(), job.id);
        let ended = move |tx: &mut WriteTx<'_>, import: &Import| {
            token.check(tx)?;
            let mut job = store::get(tx, id)?;
            let (added, rejected) = (import.added, rejected.clone());
            job.result = json(&Outcome { added, rejected, ..Outcome::default() })?;
            job.stage = Stage::Ended;
            store::update(tx, &job)
        };
        run.end(import, ended)?;
        Ok(())
    }

    /// Shows what the file would add now, because that is not what was shown.
    fn show_again(&self, source: &Source, plan: &Plan) -> Step {
        const SAID: &str = "Your customers have changed since you looked, so nothing was imported. This is what the \
                            file would add now.";
        let shown = self.show(source, plan)?;
        Ok(self.change(move |job| {
            (job.preview, job.plan) = shown.clone();
            (job.stage, job.problem) = (Stage::Ready, SAID.to_owned());
            Ok(())
        })?)
    }

    fn take_back(&self, job: &JobRow) -> Step {
        let Some(import) = job.import_id else {
            return Err(Error::internal("a job without an import is undone").into());
        };
        let importer = self.worker.importer(self.due, job);
        // Whoever asked for it had the right, and it may be the end of a membership that stopped the import.
        let undo = Undo {
            importer: &importer,
            import,
            held: Some(self),
            progress: &self.progress(),
            becomes: State::Undone,
        };
        let undone = undo.run()?;
        Ok(self.change(move |job| {
            let mut result: Outcome = serde_json::from_str(&job.result)?;
            // It counts what was taken back before too.
            result.taken_back = undone.taken_back;
            result.kept = undone.kept.iter().take(SHOWN).cloned().collect();
            result.kept_count = undone.kept.len();
            job.result = json(&result)?;
            job.stage = Stage::Ended;
            Ok(())
        })?)
    }
}

/// The file of a job.
struct FileOfJob {
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

/// Records which import a job became, if its server still holds the job.
pub(super) fn begin(
    tx: &mut WriteTx<'_>,
    token: &Token,
    job: Id<kinds::ImportJob>,
    import: Id<kinds::Import>,
) -> Result<()> {
    token.check(tx)?;
    let mut job = store::get(tx, job)?;
    job.import_id = Some(import);
    store::update(tx, &job)
}
