//! What a merge would do, as a query: a page shows it without a write. Programs call `customers.merge` with `dry_run`.

use super::plan::Plan;
use super::{MergeCustomers, MergeCustomersInput, MergedCustomers};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::values::clock::Moment;

/// What `customers.merge` would do.
pub struct PreviewMerge;

impl Tool for PreviewMerge {
    const NAME: &'static str = "customers.merge_preview";
    const TITLE: &'static str = "Preview a merge";
    const ABOUT: &'static str = "Says what customers.merge would do.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = MergeCustomers::EXAMPLE;
    type Input = MergeCustomersInput;
    type Output = MergedCustomers;
}

impl Query for PreviewMerge {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &MergeCustomersInput) -> Result<MergedCustomers> {
        if input.keep_id == input.merge_id {
            return Err(Error::field("merge_id", "must be another customer than keep_id"));
        }
        let plan = Plan::new(ctx.tx, ctx.access, Moment(ctx.now), input)?;
        let id = plan.id()?;
        Ok(plan.answer(ctx.access, Some(id)))
    }
}
