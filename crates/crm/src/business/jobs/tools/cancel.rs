//! `jobs.cancel`

use crate::business::jobs::hints::HINTS;
use crate::business::jobs::{Job, JobStatus, store};
use crate::call::answer::done;
use crate::call::argument::{Text, input};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The job to cancel.
    pub struct CancelJobInput, hints = HINTS {
        /// The job's id.
        pub id: Id<kinds::Job>,
        /// Why.
        pub reason: Option<Text<500>>,
    }
}

done!(
    /// What `jobs.cancel` answers.
    Cancelled, cancelled, "The job's id."
);

/// `jobs.cancel`
pub struct CancelJob;

impl Tool for CancelJob {
    const NAME: &'static str = "jobs.cancel";
    const TITLE: &'static str = "Cancel a job";
    const ABOUT: &'static str =
        "Cancels a job, which keeps everything. changes.revert brings it back.";
    const SCOPE: Scope = Scope::WriteJobs;
    const ACTOR: ActorRule = ActorRule::Office;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{job}","reason":"Customer moved"}"#;
    type Input = CancelJobInput;
    type Output = Cancelled<kinds::Job>;
}

impl Command for CancelJob {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CancelJobInput) -> Result<Cancelled<kinds::Job>> {
        let reason = input.reason.clone().map(|reason| reason.0);
        cancel(ctx, input.id, reason)?;
        Ok(Cancelled::of(input.id))
    }
}

/// Cancels a job.
pub(in crate::business) fn cancel(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<kinds::Job>,
    cancel_reason: Option<String>,
) -> Result<Job> {
    let old = store::get(ctx.tx, id)?;
    old.unless_cancelled()?;
    let cancelled_at = Some(ctx.moment());
    let new = Job { status: JobStatus::Cancelled, cancelled_at, cancel_reason, ..old.clone() };
    new.save(ctx, &old)
}
