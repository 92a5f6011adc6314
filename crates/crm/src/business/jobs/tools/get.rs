//! `jobs.get`

use super::JobInput;
use crate::business::jobs::{JobRecord, access, shown};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};

/// `jobs.get`
pub struct GetJob;

impl Tool for GetJob {
    const NAME: &'static str = "jobs.get";
    const TITLE: &'static str = "Get a job";
    const ABOUT: &'static str =
        "Returns one job, also a cancelled one. A tech finds only their own.";
    const SCOPE: Scope = Scope::ReadJobs;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{job}"}"#;
    type Input = JobInput;
    type Output = JobRecord;
}

impl Query for GetJob {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &JobInput) -> Result<JobRecord> {
        access::visible(ctx.tx, ctx.access, input.id)?;
        shown::record(ctx.tx, input.id)
    }
}
