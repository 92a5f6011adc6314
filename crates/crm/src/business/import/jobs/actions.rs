//! What people do with jobs on the pages.

use serde::Serialize;
use zoop_db::{Timestamp, Uuid};

use super::super::preview::Preview;
use super::super::run::WhenRejected;
use super::super::source::Reading;
use super::super::store::{self as imports, State};
use super::store::{self, JobRow};
use super::{LISTED, Listed, Outcome, PART_BYTES, RETENTION, SENT_BYTES, Stage, StoredFile};
use crate::call::access::{Access, Credential};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

/// How many files of an account can wait for a decision.
pub(super) const MAX_OPEN: usize = 5;
/// How long an upload may take from one part of a file to the next, in microseconds.
const ARRIVING: i64 = 10 * 60 * 1_000_000;
/// Begins a job with a file that is about to arrive.
///
/// # Errors
/// [`Error::Conflict`] if too many files of the account wait already.
pub fn begin(ctx: &mut WriteCtx<'_, '_>, file_name: &str) -> Result<Id<kinds::ImportJob>> {
    if store::has_open(ctx.tx, MAX_OPEN)? {
        return Err(Error::conflict(format!(
            "{MAX_OPEN} files wait already: import one of them, or remove it."
        )));
    }
    let id = ctx.next_id(store::GREATEST_ID_BELOW)?;
    let job = new(ctx, id, file_name, Stage::Arriving)?;
    store::insert(ctx.tx, &job)?;
    postpone(ctx, id, ARRIVING)?;
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

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// Stores the next bytes of a file that arrives. `sent` is how often that was done before; all but the last time it must
/// be [`SENT_BYTES`].
///
/// # Errors
/// [`Error::NotFound`] if the account has no such job, or its file has arrived.
pub fn add_bytes(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<kinds::ImportJob>,
    sent: usize,
    bytes: &[u8],
) -> Result<()> {
    if store::get(ctx.tx, id)?.stage != Stage::Arriving {
        return Err(Error::not_found("import"));
    }
    let first = i64::try_from(sent * (SENT_BYTES / PART_BYTES)).unwrap_or(i64::MAX);
    store::add_parts(ctx.tx, id, StoredFile::Source, first, bytes)?;
    postpone(ctx, id, ARRIVING)
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
    job.preview.clear();
    job.plan.clear();
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
    let preview: Preview = serde_json::from_str(&job.preview)?;
    if preview.counts.added == 0 {
        return Err(Error::conflict("This file has no customers to add."));
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
    let stage = match job.import_id {
        None => Stage::Ready,
        Some(import) => {
            imports::set_state(ctx.tx, import, State::Undoing)?;
            Stage::Undoing
        }
    };
    hand_over(ctx, &mut job, stage)?;
    if stage == Stage::Ready {
        job.problem = if job.preview.is_empty() { STOPPED.to_owned() } else { String::new() };
        store::update(ctx.tx, &job)?;
    }
    Ok(())
}

/// What is said of a file that was not looked up to its end.
const STOPPED: &str = "You stopped it: choose Read again, or remove the file.";

/// Lets a server take an import back.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such import, [`Error::Conflict`] if a server works on it.
pub fn undo(ctx: &mut WriteCtx<'_, '_>, import: Id<kinds::Import>) -> Result<Id<kinds::ImportJob>> {
    let import = imports::get(ctx.tx, import)?;
    let known = store::latest(ctx.tx, LISTED)?;
    let known = known.into_iter().find(|it| it.import == Some(import.id));
    let mut job = if let Some(Listed { id, .. }) = known {
        let job = store::get(ctx.tx, id)?;
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
    let Some(job) = store::oldest(ctx.tx)? else { return Ok(false) };
    let account = ctx.access.account.ok_or_else(|| Error::internal("no account"))?;
    // A server that works on it does not hold it any more, and if the erasure ends here, one removes the rest.
    let mut row = store::get(ctx.tx, job)?;
    if row.stage != Stage::Removed {
        row.stage = Stage::Removed;
        store::update(ctx.tx, &row)?;
        store::postpone(ctx.tx, account.number, job, ctx.now)?;
    }
    for file in StoredFile::ALL {
        if store::delete_last_parts(ctx.tx, job, *file)? {
            return Ok(true);
        }
    }
    store::delete(ctx.tx, job)?;
    store::forget(ctx.tx, account.number, job)?;
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
    postpone(ctx, job.id, if stage == Stage::Ready { RETENTION } else { 0 })
}

/// Sets when something is to be done for a job next, in microseconds from now. A server that works on it loses it.
fn postpone(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::ImportJob>, delay: i64) -> Result<()> {
    let account = ctx.access.account.ok_or_else(|| Error::internal("no account"))?;
    store::postpone(ctx.tx, account.number, id, Timestamp(ctx.now.0 + delay))
}
