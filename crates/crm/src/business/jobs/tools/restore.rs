//! `jobs.restore`

use super::JobInput;
use crate::business::jobs::{Job, JobStatus, quoted, store};
use crate::call::answer::Restored;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::kinds;

/// `jobs.restore`
pub struct RestoreJob;

impl Tool for RestoreJob {
    const NAME: &'static str = "jobs.restore";
    const TITLE: &'static str = "Restore a job";
    const ABOUT: &'static str =
        "Brings back a cancelled job, scheduled or unscheduled by its start, never done.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = r#"{"id":"{cancelled_job}"}"#;
    type Input = JobInput;
    type Output = Restored<kinds::Job>;
}

impl Command for RestoreJob {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &JobInput) -> Result<Restored<kinds::Job>> {
        let old = store::get(ctx.tx, input.id)?;
        if old.status != JobStatus::Cancelled {
            return Err(Error::conflict(format!("The job {} is not cancelled.", old.job_number)));
        }
        if let Some(quote) = old.quote_id {
            quoted::require_free(ctx.tx, quote)?;
        }
        let new = Job {
            status: old.open_status(),
            done_at: None,
            cancelled_at: None,
            cancel_reason: None,
            ..old.clone()
        };
        new.save(ctx, &old)?;
        Ok(Restored::of(input.id))
    }
}
