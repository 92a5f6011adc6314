//! Imports that a page prepares and a server runs, whether or not the page stays open.
//!
//! A [`Job`] begins with a file. A server looks its customers up, the page shows the [`Preview`], and a person says what
//! columns mean until it is right. Then a server adds the customers, or takes an import back. `work` and `steps` are what
//! servers do, and `store` has the SQL. Each job has a time at which something is to be done for it: work, or its removal. A server
//! that works on a job moves this time on, so that another one goes on if it does not any more.

mod steps;
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod work;

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Tenant, Timestamp, Uuid, WriteTx};

use self::store::JobRow;
use super::may_import;
use super::preview::{Preview, Remarks, ShownColumn};
use super::run::WhenRejected;
use super::source::Reading;
use super::store::{self as imports, State};
use super::undo::Kept;
use crate::call::access::{Access, Credential};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::proof::{Proof, enter_read, enter_write};
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

pub use work::Worker;

/// How many bytes of a file are stored at once.
pub const PART_BYTES: usize = 256 * 1024;
/// How many files of an account can wait for a decision.
const MAX_OPEN: usize = 5;
/// How many of the latest jobs are read.
const LISTED: usize = 20;
/// How many parts of a file one transaction deletes.
const DELETED_AT_ONCE: i64 = 4;
/// How long a job is kept after its last step, in microseconds.
const RETENTION: i64 = 7 * 86_400 * 1_000_000;

crate::call::argument::choices! {
    /// How far a job is.
    pub enum Stage {
        /// Its file is arriving.
        Arriving = "arriving",
        /// A server looks up what its file would add.
        LookingUp = "looking_up",
        /// A person decides.
        Ready = "ready",
        /// A server adds the customers.
        Adding = "adding",
        /// A server takes back what was added.
        Undoing = "undoing",
        /// It was done.
        Ended = "ended",
        /// A server removes it.
        Removed = "removed",
    }
}

crate::call::argument::choices! {
    /// A file of a job.
    pub enum StoredFile {
        /// The file to import.
        Source = "source",
        /// What becomes of each of its rows.
        Report = "report",
        /// The rows that were not added.
        Rejected = "rejected",
    }
}

/// A job as pages show it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: Id<kinds::ImportJob>,
    /// The file's name.
    pub file_name: String,
    /// How far it is.
    pub stage: Stage,
    /// How the file is read.
    pub reading: Reading,
    /// Its columns. None if it cannot be read at all.
    pub columns: Vec<ShownColumn>,
    /// What it would add, if that is known.
    pub preview: Option<Preview>,
    /// The token of this plan.
    pub plan: String,
    /// The import that it became.
    pub import: Option<Id<kinds::Import>>,
    /// What was done.
    pub result: Outcome,
    /// Why the last step was not done. Empty if it was.
    pub problem: String,
    /// How many customers of the current step are done.
    pub done: i64,
    /// How many there are. 0 until it is known.
    pub total: i64,
}

/// What a job has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many customers were added.
    pub added: i64,
    /// Customers that could not be added.
    pub rejected: Remarks,
    /// How many customers and tags were taken back.
    pub taken_back: usize,
    /// The first of those that stay.
    pub kept: Vec<Kept>,
    /// How many stay.
    pub kept_count: usize,
}

/// A job for which something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The tenant's number.
    pub number: Tenant,
    /// The tenant.
    pub tenant: Id<kinds::Tenant>,
    /// The job.
    pub job: Id<kinds::ImportJob>,
    /// Since when.
    pub due_at: Timestamp,
}

impl Stage {
    /// Whether a server works on it.
    #[must_use]
    pub const fn is_work(self) -> bool {
        matches!(self, Self::LookingUp | Self::Adding | Self::Undoing)
    }
}

/// Reads something about imports, if the caller may import.
///
/// # Errors
/// The credential is invalid, the caller may not import, or `work` fails.
pub fn read<P: Proof, T>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    proof: &P,
    work: impl FnOnce(&mut ReadTx<'_>) -> Result<T>,
) -> Result<T, P::Refusal> {
    let access = enter_read(tx, environment, proof)?;
    may_import(&access)?;
    Ok(work(tx)?)
}

/// Writes something about imports, if the caller may import.
///
/// # Errors
/// As [`read`].
pub fn write<P: Proof, T>(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    proof: &P,
    work: impl FnOnce(&mut WriteCtx<'_, '_>) -> Result<T>,
) -> Result<T, P::Refusal> {
    let access = enter_write(tx, environment, proof)?;
    may_import(&access)?;
    Ok(work(&mut WriteCtx::begin(tx, &access, environment)?)?)
}

/// A job.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such job.
pub fn get(tx: &mut ReadTx<'_>, id: Id<kinds::ImportJob>) -> Result<Job> {
    let row = store::get(tx, id)?;
    if row.stage == Stage::Removed {
        return Err(Error::not_found("import"));
    }
    row.shown()
}

/// The latest jobs, the latest first.
///
/// # Errors
/// If the database fails.
pub fn latest(tx: &mut ReadTx<'_>) -> Result<Vec<Job>> {
    let rows = store::latest(tx, LISTED)?.into_iter();
    rows.filter(|row| row.stage != Stage::Removed).map(JobRow::shown).collect()
}

/// A part of a file, or `None` after its last one.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such job.
pub fn part(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::ImportJob>,
    file: StoredFile,
    part: i64,
) -> Result<Option<Vec<u8>>> {
    get(tx, id)?;
    store::part(tx, id, file, part)
}

/// Begins a job with a file that is about to arrive.
///
/// # Errors
/// [`Error::Conflict`] if too many files of the account wait already.
pub fn begin(ctx: &mut WriteCtx<'_, '_>, file_name: &str) -> Result<Id<kinds::ImportJob>> {
    let open = store::latest(ctx.tx, LISTED)?;
    let is_open = |row: &&JobRow| !matches!(row.stage, Stage::Ended | Stage::Removed);
    if open.iter().filter(is_open).count() >= MAX_OPEN {
        return Err(Error::conflict(format!(
            "{MAX_OPEN} files wait already: import one of them, or remove it."
        )));
    }
    let id = ctx.next_id(store::GREATEST_ID_BELOW)?;
    let job = new(ctx, id, file_name, Stage::Arriving)?;
    store::insert(ctx.tx, &job)?;
    postpone(ctx, id, RETENTION)?;
    Ok(id)
}

fn new(
    ctx: &WriteCtx<'_, '_>,
    id: Id<kinds::ImportJob>,
    file_name: &str,
    stage: Stage,
) -> Result<JobRow> {
    Ok(JobRow {
        id,
        user_id: ctx.access.actor.user().ok_or_else(|| Error::internal("no user imports"))?,
        session_id: session(ctx.access),
        file_name: file_name.to_owned(),
        stage,
        reading: json(&Reading::default())?,
        columns: "[]".to_owned(),
        preview: String::new(),
        plan: String::new(),
        when_rejected: WhenRejected::AddNone,
        import_id: None,
        result: json(&Outcome::default())?,
        problem: String::new(),
        done: 0,
        total: 0,
    })
}

fn session(access: &Access) -> Id<kinds::Session> {
    match access.credential {
        Credential::Session(id) => id,
        _ => Id::new(Uuid::nil()),
    }
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// Stores a part of a file that arrives: the first is 0.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such job, or its file has arrived.
pub fn add_part(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<kinds::ImportJob>,
    part: i64,
    bytes: &[u8],
) -> Result<()> {
    if store::get(ctx.tx, id)?.stage != Stage::Arriving {
        return Err(Error::not_found("import"));
    }
    store::add_part(ctx.tx, id, StoredFile::Source, part, bytes)
}

/// Lets a server look up what a file adds, now that it has arrived.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such job.
pub fn arrived(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::ImportJob>) -> Result<()> {
    let mut job = store::get(ctx.tx, id)?;
    require(&job, &[Stage::Arriving])?;
    hand_over(ctx, &mut job, Stage::LookingUp)
}

/// Lets a server look the file up again, read in another way.
///
/// # Errors
/// [`Error::Conflict`] if it is not waiting for a decision.
pub fn read_as(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<kinds::ImportJob>,
    reading: &Reading,
) -> Result<()> {
    let mut job = store::get(ctx.tx, id)?;
    require(&job, &[Stage::Ready])?;
    job.reading = json(reading)?;
    hand_over(ctx, &mut job, Stage::LookingUp)
}

/// Lets a server do what was shown.
///
/// # Errors
/// [`Error::Conflict`] if something else was shown since, or it is not waiting for a decision.
pub fn start(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<kinds::ImportJob>,
    plan: &str,
    when_rejected: WhenRejected,
) -> Result<()> {
    let mut job = store::get(ctx.tx, id)?;
    require(&job, &[Stage::Ready])?;
    if job.plan.is_empty() || job.plan != plan {
        return Err(Error::conflict(
            "This file was read in another way meanwhile: look at it again.",
        ));
    }
    job.when_rejected = when_rejected;
    hand_over(ctx, &mut job, Stage::Adding)
}

/// Stops a job on which a server works, and takes back what it has added.
///
/// # Errors
/// [`Error::Conflict`] if no server works on it.
pub fn cancel(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::ImportJob>) -> Result<()> {
    let mut job = store::get(ctx.tx, id)?;
    require(&job, &[Stage::LookingUp, Stage::Adding])?;
    // The server that works on it notices that, and goes on with the new stage.
    job.stage = match job.import_id {
        None => Stage::Ready,
        Some(import) => {
            imports::set_state(ctx.tx, import, State::Undone)?;
            Stage::Undoing
        }
    };
    job.problem = if job.preview.is_empty() { STOPPED.to_owned() } else { String::new() };
    store::update(ctx.tx, &job)
}

/// What is said of a file that was not looked up to its end.
const STOPPED: &str = "You stopped it: choose Read again, or remove the file.";

/// Lets a server take an import back.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such import, [`Error::Conflict`] if a server works on it.
pub fn undo(ctx: &mut WriteCtx<'_, '_>, import: Id<kinds::Import>) -> Result<Id<kinds::ImportJob>> {
    let import = imports::get(ctx.tx, import)?;
    let mut known =
        store::latest(ctx.tx, LISTED)?.into_iter().filter(|it| it.stage != Stage::Removed);
    let mut job = if let Some(job) = known.find(|it| it.import_id == Some(import.id)) {
        require(&job, &[Stage::Ended])?;
        job
    } else {
        let id = ctx.next_id(store::GREATEST_ID_BELOW)?;
        let mut job = new(ctx, id, &import.file_name, Stage::Undoing)?;
        job.import_id = Some(import.id);
        store::insert(ctx.tx, &job)?;
        job
    };
    hand_over(ctx, &mut job, Stage::Undoing)?;
    Ok(job.id)
}

/// Removes a job with its files. What it has added stays.
///
/// # Errors
/// [`Error::Conflict`] if a server adds or takes back customers.
pub fn remove(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::ImportJob>) -> Result<()> {
    let mut job = store::get(ctx.tx, id)?;
    require(&job, &[Stage::Arriving, Stage::LookingUp, Stage::Ready, Stage::Ended])?;
    hand_over(ctx, &mut job, Stage::Removed)
}

/// Deletes some parts of the files of all jobs, and the jobs without one: they may have what is erased elsewhere.
/// Returns whether there are more.
///
/// # Errors
/// If the database fails.
pub(crate) fn erase_some(ctx: &mut WriteCtx<'_, '_>) -> Result<bool> {
    let Some(job) = store::latest(ctx.tx, 1)?.pop() else { return Ok(false) };
    for file in StoredFile::ALL {
        if !store::delete_last_parts(ctx.tx, job.id, *file, DELETED_AT_ONCE)? {
            return Ok(true);
        }
    }
    let account = ctx.access.account.ok_or_else(|| Error::internal("no account"))?;
    store::delete(ctx.tx, job.id)?;
    store::forget(ctx.tx, account.number, job.id)?;
    Ok(true)
}

fn require(job: &JobRow, stages: &[Stage]) -> Result<()> {
    if stages.contains(&job.stage) {
        return Ok(());
    }
    Err(match job.stage {
        Stage::Removed => Error::not_found("import"),
        _ => Error::conflict("Someone has done something else with this import meanwhile."),
    })
}

/// Gives a job to the servers, in the caller's name.
fn hand_over(ctx: &mut WriteCtx<'_, '_>, job: &mut JobRow, stage: Stage) -> Result<()> {
    job.user_id = ctx.access.actor.user().ok_or_else(|| Error::internal("no user imports"))?;
    job.session_id = session(ctx.access);
    (job.stage, job.done, job.total) = (stage, 0, 0);
    job.problem.clear();
    store::update(ctx.tx, job)?;
    postpone(ctx, job.id, 0)
}

/// Sets when something is to be done for a job next, in microseconds from now.
fn postpone(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::ImportJob>, delay: i64) -> Result<()> {
    let account = ctx.access.account.ok_or_else(|| Error::internal("no account"))?;
    store::postpone(ctx.tx, account.number, id, Timestamp(ctx.now.0 + delay))
}
