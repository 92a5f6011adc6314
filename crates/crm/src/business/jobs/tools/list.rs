//! `jobs.list`

use schemars::JsonSchema;
use serde::Serialize;

use crate::business::customers;
use crate::business::jobs::hints::LIST;
use crate::business::jobs::store::{self, Page};
use crate::business::jobs::{JobRow, JobStatus, LAST, access};
use crate::call::argument::{PeriodEnd, Ranged, SearchText, input};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::identity::tenants;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};
use crate::values::zone::Zone;

/// The number of rows on a page.
const ROWS: u32 = 20;

input! {
    /// The filters of the list.
    pub struct ListJobsInput, hints = LIST {
        /// Without it, all but cancelled jobs.
        pub status: Option<JobStatus>,
        /// The customer's id.
        pub customerId: Option<Id<kinds::Customer>>,
        /// Starts at this date or time, or later.
        pub from: Option<PeriodEnd>,
        /// Starts on this date or at this time, or earlier.
        pub to: Option<PeriodEnd>,
        /// A part of the title.
        pub q: Option<SearchText>,
        /// From 1.
        pub page: Option<Ranged<1, 5_000>>,
    }
}

/// A page of jobs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobsPage {
    /// The jobs, by start; then those without a start, newest first.
    pub rows: Vec<JobRow>,
    /// The number of the page.
    pub page: u32,
    /// Whether the next page has rows.
    #[serde(rename = "hasMore")]
    pub has_more: bool,
    /// The time zone of the account's clocks.
    #[schemars(with = "String")]
    pub time_zone: Zone,
}

/// `jobs.list`
pub struct ListJobs;

impl Tool for ListJobs {
    const NAME: &'static str = "jobs.list";
    const TITLE: &'static str = "List jobs";
    const ABOUT: &'static str = "Lists jobs by start, 20 a page; those without a start come last. With \
        from or to they are left out. A tech sees only their own.";
    const SCOPE: Scope = Scope::ReadJobs;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"from":"2026-06-13","to":"2026-06-20"}"#;
    type Input = ListJobsInput;
    type Output = JobsPage;
}

impl Query for ListJobs {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &ListJobsInput) -> Result<JobsPage> {
        let time_zone = tenants::tenant(ctx.tx)?.time_zone;
        let starts = starts(input, time_zone)?;
        let text = input.q.as_ref().map(|q| store::folded(&q.0));
        if text.as_ref().is_some_and(String::is_empty) {
            return Err(Error::field("q", "must have a letter or a digit"));
        }
        let number = input.page.map_or(1, Ranged::get);
        let page = Page {
            starts,
            text: text.as_deref(),
            status: input.status,
            customer: input.customerId.map(|id| kept(ctx, id)).transpose()?,
            assignee: access::only_of(ctx.access),
            count: i64::from(ROWS) + 1,
            offset: i64::from(number - 1) * i64::from(ROWS),
        };
        let mut rows = store::list(ctx.tx, &page, time_zone)?;
        let has_more = rows.len() > ROWS as usize;
        rows.truncate(ROWS as usize);
        Ok(JobsPage { rows, page: number, has_more, time_zone })
    }
}

/// The first and the last start that the filters allow. `None` without such filters.
fn starts(input: &ListJobsInput, zone: Zone) -> Result<Option<(Moment, Moment)>> {
    if input.from.is_none() && input.to.is_none() {
        return Ok(None);
    }
    let rules = zone.rules();
    let from = input.from.map(|from| from.first_moment(&rules)).transpose();
    let to = input.to.map(|to| to.last_moment(&rules)).transpose();
    let named = |field: &str, problem: &str| FieldProblem {
        field: field.to_owned(),
        problem: problem.to_owned(),
    };
    let (from, to) = match (from, to) {
        (Ok(from), Ok(to)) => (from, to),
        (from, to) => {
            let from = from.err().map(|problem| named("from", problem));
            let to = to.err().map(|problem| named("to", problem));
            return Err(Error::fields(from.into_iter().chain(to).collect()));
        }
    };
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Error::field("from", "must not be after to"));
    }
    // Jobs without a start come after all others.
    let before_last = zoop_db::Timestamp(LAST.0.0 - 1);
    let from = from.unwrap_or(zoop_db::Timestamp(0));
    Ok(Some((Moment(from), Moment(to.unwrap_or(before_last)))))
}

/// The customer that this one was merged into, or itself. An unknown id stays, and finds nothing.
fn kept(ctx: &mut ReadCtx<'_, '_>, id: Id<kinds::Customer>) -> Result<Id<kinds::Customer>> {
    match customers::store::resolved(ctx.tx, id) {
        Ok(customer) => Ok(customer.id),
        Err(Error::NotFound { .. }) => Ok(id),
        Err(other) => Err(other),
    }
}
