//! `jobs.create`

use crate::business::jobs::assignees::Crew;
use crate::business::jobs::changes::{self, Resolving};
use crate::business::jobs::hints::HINTS;
use crate::business::jobs::{
    Assignees, Job, JobStatus, WrittenJob, overlaps, quoted, shown, store,
};
use crate::business::lines::{Lines, SentLines};
use crate::business::numbers;
use crate::call::argument::{Fields, LocalTime, Text, input};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::identity::tenants;
use crate::values::id::{Id, kinds};
use crate::values::money::{Money, UnitPrice};
use crate::values::number::JobNumber;

input! {
    /// A new job.
    pub struct CreateJobInput, rules = rules, hints = HINTS {
        /// Required without quote_id.
        pub title: Option<Text<200>>,
        /// What is to be done.
        pub description: Option<Text<10_000>>,
        /// The customer it is for.
        pub customer_id: Option<Id<kinds::Customer>>,
        /// Of the customer. Default: its primary service location.
        pub location_id: Option<Id<kinds::Location>>,
        /// RFC 3339, or in the account's zone: 2026-03-05T09:00.
        pub scheduled_start: Option<LocalTime>,
        /// At most 30 days after the start.
        pub scheduled_end: Option<LocalTime>,
        /// At most 20 people of the team.
        pub assignee_ids: Option<Crew>,
        /// Each has description and unit_price ("85.00"; negative takes off) or discount_percent, or a catalog_item_id,
        /// which fills them; quantity, taxable, tax_rate_id.
        pub line_items: Option<SentLines>,
        /// Instead of the sum of the lines ("500.00").
        pub flat_price: Option<UnitPrice>,
        /// An accepted quote: gives the customer, and the title and lines that are not sent.
        pub quote_id: Option<Id<kinds::Quote>>,
    }
}

/// Fields that need others.
fn rules(sent: &mut Fields) {
    let is_quoted = sent.is_filled("quote_id");
    if !is_quoted && !sent.is_filled("title") {
        sent.refuse::<()>("title", "is required");
    }
    for (field, other) in [("location_id", "customer_id"), ("scheduled_end", "scheduled_start")] {
        let is_given = sent.is_filled(other) || other == "customer_id" && is_quoted;
        if sent.is_filled(field) && !is_given {
            sent.refuse::<()>(field, format!("needs {other}"));
        }
    }
}

/// `jobs.create`
pub struct CreateJob;

impl Tool for CreateJob {
    const NAME: &'static str = "jobs.create";
    const TITLE: &'static str = "Create a job";
    const ABOUT: &'static str = "Creates a job, also of an accepted quote. overlaps in the answer warns of other jobs of its people \
        at the same time.";
    const SCOPE: Scope = Scope::WriteJobs;
    const ACTOR: ActorRule = ActorRule::Office;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"title":"Replace water heater","customer_id":"{customer}","scheduled_start":"2026-06-15T09:00","scheduled_end":"2026-06-15T11:00","assignee_ids":["{office_user}"],"flat_price":"1850.00"}"#;
    type Input = CreateJobInput;
    type Output = WrittenJob;
}

impl Command for CreateJob {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = super::receipt(&["id", "created_at"]);
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, _, id| written(ctx, Id::new(id)));

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateJobInput) -> Result<WrittenJob> {
        let tenant = tenants::tenant(ctx.tx)?;
        let (zone, currency) = (tenant.time_zone.rules(), tenant.currency);
        let mut resolving = Resolving { zone, currency, problems: Vec::new() };
        let start = input.scheduled_start.and_then(|it| resolving.time("scheduled_start", it));
        let end = input.scheduled_end.and_then(|it| resolving.time("scheduled_end", it));
        if start.is_some() {
            resolving.period(start, end);
        }
        if let Some(price) = input.flat_price {
            resolving.amount(price);
        }
        resolving.finish()?;
        let quote = input.quote_id;
        let quoted =
            quote.map(|id| quoted::read(ctx.tx, ctx.access, id, input.customer_id)).transpose()?;
        let customer = quoted.as_ref().map(|quoted| quoted.customer).or(input.customer_id);
        let customer = customer.map(|id| changes::customer(ctx.tx, ctx.access, id)).transpose()?;
        let customer_id = customer.map(|customer| customer.id);
        let location_id = match customer_id {
            Some(customer) => changes::location(ctx.tx, customer, input.location_id)?,
            None => None,
        };
        let people = input.assignee_ids.clone().unwrap_or_default();
        let assignee_ids = changes::members(ctx.tx, &people.0, &Assignees::default())?;
        let (mut title, mut line_items) = match quoted {
            Some(quoted) => (quoted.title, quoted.lines),
            None => (String::new(), Lines::default()),
        };
        if let Some(sent) = &input.title {
            title.clone_from(&sent.0);
        }
        if let Some(lines) = &input.line_items {
            line_items = changes::lines(ctx.tx, &lines.0, None, currency)?;
        }
        let id = ctx.next_id::<kinds::Job>(store::GREATEST_ID_BELOW)?;
        let author = ctx.access.actor.user();
        let job = Job {
            id,
            title,
            status: JobStatus::Unscheduled,
            job_number: JobNumber(numbers::next(ctx.tx, JobNumber::LETTER)?),
            description: input.description.clone().map(|text| text.0),
            customer_id,
            location_id,
            scheduled_start: start,
            scheduled_end: end,
            assignee_ids,
            line_items,
            flat_price: input.flat_price,
            total: Money::ZERO,
            currency,
            quote_id: quote,
            cancel_reason: None,
            done_at: None,
            cancelled_at: None,
            created_by: author,
            updated_by: author,
            created_at: id.created_at(),
            updated_at: id.created_at(),
        };
        let job = Job { status: job.open_status(), ..job.with_total()? };
        store::insert(ctx.tx, &job)?;
        ctx.added(&job)?;
        written(ctx, id)
    }
}

/// The job with what it overlaps.
pub(super) fn written(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::Job>) -> Result<WrittenJob> {
    let job = store::get(ctx.tx, id)?;
    let overlaps = Some(overlaps::of(ctx.tx, &job)?);
    Ok(WrittenJob { job: shown::record(ctx.tx, id)?, overlaps })
}
