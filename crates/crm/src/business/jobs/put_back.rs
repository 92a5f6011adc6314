//! Earlier values of a job, put back from the history.

use zoop_db::Uuid;

use super::{Job, JobStatus, quoted, store};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::values::id::Id;

/// Puts back values of a job. Its total follows from its prices.
pub(in crate::business) fn job(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new = with_values::<Job>(&old, values)?.with_total()?;
    if new == old {
        return Ok(());
    }
    require_consistent(&new)?;
    let comes_back = old.status == JobStatus::Cancelled && new.status != JobStatus::Cancelled;
    if let Some(quote) = new.quote_id.filter(|_| comes_back) {
        quoted::require_free(ctx.tx, quote)?;
    }
    new.save(ctx, &old).map(drop)
}

/// Rejects a mixture of old and new values that no job can have.
fn require_consistent(job: &Job) -> Result<()> {
    let is_consistent = match job.status {
        JobStatus::Unscheduled => job.scheduled_start.is_none(),
        JobStatus::Scheduled => job.scheduled_start.is_some(),
        JobStatus::Done => job.scheduled_start.is_some() && job.done_at.is_some(),
        JobStatus::Cancelled => true,
    };
    let ends_after_start = match (job.scheduled_start, job.scheduled_end) {
        (Some(start), Some(end)) => start < end,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    if is_consistent && ends_after_start {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "The times or the status of {} have changed since: change them by hand.",
        job.job_number
    )))
}
