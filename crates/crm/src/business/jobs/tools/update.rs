//! `jobs.update`

use zoop_db::Timestamp;

use super::create::written;
use crate::business::jobs::assignees::Crew;
use crate::business::jobs::changes::{self, AskedStatus, Resolving};
use crate::business::jobs::hints::HINTS;
use crate::business::jobs::{Assignees, Job, JobStatus, WrittenJob, access, shown};
use crate::business::lines::{Lines, SentLines};
use crate::call::argument::{Fields, LocalTime, NotNull, Patch, Text, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::identity::tenants;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};
use crate::values::money::UnitPrice;

input! {
    /// The changes to a job.
    pub struct UpdateJobInput, rules = update_rules, hints = HINTS {
        /// The job's id.
        pub id: Id<kinds::Job>,
        /// In a few words.
        pub title: NotNull<Text<200>>,
        /// What is to be done.
        pub description: Patch<Text<10_000>>,
        /// The location follows.
        pub customer_id: Patch<Id<kinds::Customer>>,
        /// Of the customer.
        pub location_id: Patch<Id<kinds::Location>>,
        /// As in jobs.create. The end moves along unless it is sent too.
        pub scheduled_start: Patch<LocalTime>,
        /// At most 30 days after the start.
        pub scheduled_end: Patch<LocalTime>,
        /// Replaces all of them.
        pub assignee_ids: Patch<Crew>,
        /// As in jobs.create; replaces all of them.
        pub line_items: Patch<SentLines>,
        /// A single price instead of the sum of the lines.
        pub flat_price: Patch<UnitPrice>,
        /// done; scheduled reopens a done job.
        pub status: NotNull<AskedStatus>,
    }
}

fn update_rules(sent: &mut Fields) {
    sent.require_change(&["id"]);
}

impl UpdateJobInput {
    /// The fields that were sent and that only an owner or the office may change.
    fn of_office(&self) -> Vec<&'static str> {
        let sent = [
            ("title", self.title.0.is_some()),
            ("description", !self.description.is_keep()),
            ("customer_id", !self.customer_id.is_keep()),
            ("location_id", !self.location_id.is_keep()),
            ("scheduled_start", !self.scheduled_start.is_keep()),
            ("scheduled_end", !self.scheduled_end.is_keep()),
            ("assignee_ids", !self.assignee_ids.is_keep()),
            ("line_items", !self.line_items.is_keep()),
            ("flat_price", !self.flat_price.is_keep()),
        ];
        sent.into_iter().filter(|(_, is_sent)| *is_sent).map(|(field, _)| field).collect()
    }

    /// Whether the time or the people were sent, so that the answer says what the job overlaps.
    const fn may_overlap(&self) -> bool {
        !self.scheduled_start.is_keep()
            || !self.scheduled_end.is_keep()
            || !self.assignee_ids.is_keep()
    }
}

/// `jobs.update`
pub struct UpdateJob;

impl Tool for UpdateJob {
    const NAME: &'static str = "jobs.update";
    const TITLE: &'static str = "Update a job";
    const ABOUT: &'static str = "Changes the fields sent and keeps the others. A tech can only set the \
        status of their own jobs.";
    const SCOPE: Scope = Scope::WriteJobs;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{job}","scheduled_start":"2026-06-16T09:00"}"#;
    type Input = UpdateJobInput;
    type Output = WrittenJob;
}

impl Command for UpdateJob {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = super::receipt(&["id", "updated_at"]);
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, input, id| answer(ctx, input, Id::new(id)));

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateJobInput) -> Result<WrittenJob> {
        if access::only_of(ctx.access).is_some() {
            refuse_fields(&input.of_office())?;
        }
        let tenant = tenants::tenant(ctx.tx)?;
        let (zone, currency) = (tenant.time_zone.rules(), tenant.currency);
        let mut resolving = Resolving { zone, currency, problems: Vec::new() };
        let mut times = [
            ("scheduled_start", input.scheduled_start.clone()),
            ("scheduled_end", input.scheduled_end.clone()),
        ]
        .map(|(field, sent)| match sent {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(time) => resolving.time(field, time).map_or(Patch::Keep, Patch::Set),
        });
        if let Patch::Set(price) = input.flat_price {
            resolving.amount(price);
        }
        resolving.finish()?;
        let old = access::visible(ctx.tx, ctx.access, input.id)?;
        let mut new = old.clone();
        let [start, end] = std::mem::take(&mut times);
        (new.scheduled_start, new.scheduled_end) = times_after(&old, start, end);
        resolving.period(new.scheduled_start, new.scheduled_end);
        resolving.finish()?;
        place(ctx, &mut new, input)?;
        new.assignee_ids = match &input.assignee_ids {
            Patch::Keep => new.assignee_ids,
            Patch::Clear => Assignees::default(),
            Patch::Set(people) => changes::members(ctx.tx, &people.0, &old.assignee_ids)?,
        };
        new.flat_price = input.flat_price.clone().apply(new.flat_price);
        if !old.has_price() {
            new.currency = currency;
        }
        new.line_items = match &input.line_items {
            Patch::Keep => new.line_items,
            Patch::Clear => Lines::default(),
            Patch::Set(lines) => {
                changes::lines(ctx.tx, &lines.0, Some(&old.line_items), new.currency)?
            }
        };
        if let Some(title) = &input.title.0 {
            new.title.clone_from(&title.0);
        }
        new.description = input.description.clone().map(|text| text.0).apply(new.description);
        old.unless_cancelled()?;
        if old.quote_id.is_some() && new.customer_id != old.customer_id {
            return Err(Error::conflict(
                "This job was made of a quote, so it stays with the quote's customer.",
            ));
        }
        new.status = changes::next_status(old.status, new.scheduled_start, input.status.0)?;
        new.done_at = match new.status {
            JobStatus::Done => old.done_at.or(Some(ctx.moment())),
            _ => None,
        };
        new.with_total()?.save(ctx, &old)?;
        answer(ctx, input, input.id)
    }
}

/// Rejects fields that the caller's role may not change.
fn refuse_fields(fields: &[&str]) -> Result<()> {
    let problem = |field: &&str| FieldProblem {
        field: (*field).to_owned(),
        problem: "can only be changed by an owner or the office: send status alone".to_owned(),
    };
    match fields {
        [] => Ok(()),
        fields => Err(Error::fields(fields.iter().map(problem).collect())),
    }
}

/// The times of a job after an update. A new start moves the end along, and without a start there is no end.
fn times_after(
    old: &Job,
    start: Patch<Moment>,
    end: Patch<Moment>,
) -> (Option<Moment>, Option<Moment>) {
    let moved = match (&start, old.scheduled_start, old.scheduled_end) {
        (Patch::Clear, ..) => None,
        (Patch::Set(new), Some(start), Some(end)) => {
            Some(Moment(Timestamp(end.0.0 + (new.0.0 - start.0.0))))
        }
        (_, _, end) => end,
    };
    (start.apply(old.scheduled_start), end.apply(moved))
}

/// Sets the customer and the location. What the job has already is taken, also if it was archived since.
fn place(ctx: &mut WriteCtx<'_, '_>, job: &mut Job, input: &UpdateJobInput) -> Result<()> {
    let old = job.customer_id;
    job.customer_id = match input.customer_id {
        Patch::Set(id) if Some(id) != old => Some(changes::customer(ctx.tx, ctx.access, id)?.id),
        ref other => other.clone().apply(old),
    };
    let is_moved = job.customer_id != old;
    job.location_id = match (input.location_id.clone(), job.customer_id) {
        (Patch::Set(_), None) => {
            return Err(Error::field("location_id", "needs customer_id"));
        }
        (Patch::Set(id), Some(_)) if Some(id) == job.location_id && !is_moved => Some(id),
        (Patch::Set(id), Some(customer)) => changes::location(ctx.tx, customer, Some(id))?,
        (Patch::Keep, Some(customer)) if is_moved => changes::location(ctx.tx, customer, None)?,
        (Patch::Keep, Some(_)) => job.location_id,
        (Patch::Keep, None) | (Patch::Clear, _) => None,
    };
    Ok(())
}

fn answer(
    ctx: &mut WriteCtx<'_, '_>,
    input: &UpdateJobInput,
    id: Id<kinds::Job>,
) -> Result<WrittenJob> {
    if input.may_overlap() {
        return written(ctx, id);
    }
    Ok(WrittenJob { job: shown::record(ctx.tx, id)?, overlaps: None })
}
