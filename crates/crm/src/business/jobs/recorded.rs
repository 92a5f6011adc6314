//! A job as the history has it: prices and totals are texts in main units.

use serde::{Deserialize, Serialize};

use super::{Assignees, Job, JobStatus};
use crate::business::lines::{KeptRate, Lines, ShownLine, ShownQuoteLine};
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::{Money, UnitPrice};
use crate::values::number::JobNumber;

/// The fields of a [`Job`].
#[derive(Serialize, Deserialize)]
pub(super) struct RecordedJob {
    id: Id<kinds::Job>,
    title: String,
    status: JobStatus,
    job_number: JobNumber,
    description: Option<String>,
    customer_id: Option<Id<kinds::Customer>>,
    location_id: Option<Id<kinds::Location>>,
    scheduled_start: Option<Moment>,
    scheduled_end: Option<Moment>,
    assignee_ids: Assignees,
    #[serde(default)]
    line_items: Vec<ShownLine>,
    /// The names and percentages of tax rates that the lines keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tax_rates: Vec<KeptRate>,
    flat_price: Option<String>,
    total: String,
    currency: Currency,
    quote_id: Option<Id<kinds::Quote>>,
    cancel_reason: Option<String>,
    done_at: Option<Moment>,
    cancelled_at: Option<Moment>,
    created_by: Option<Id<kinds::User>>,
    updated_by: Option<Id<kinds::User>>,
    created_at: Moment,
    updated_at: Moment,
}

impl From<Job> for RecordedJob {
    fn from(job: Job) -> Self {
        let mut tax_rates: Vec<KeptRate> = Vec::new();
        for rate in job.line_items.rates() {
            if tax_rates.iter().all(|known| known.id != rate.id) {
                tax_rates.push(rate.clone());
            }
        }
        Self {
            line_items: job.lines(),
            tax_rates,
            flat_price: job.flat_price.map(|price| price.text(job.currency)),
            total: job.total.text(job.currency),
            currency: job.currency,
            id: job.id,
            title: job.title,
            status: job.status,
            job_number: job.job_number,
            description: job.description,
            customer_id: job.customer_id,
            location_id: job.location_id,
            scheduled_start: job.scheduled_start,
            scheduled_end: job.scheduled_end,
            assignee_ids: job.assignee_ids,
            quote_id: job.quote_id,
            cancel_reason: job.cancel_reason,
            done_at: job.done_at,
            cancelled_at: job.cancelled_at,
            created_by: job.created_by,
            updated_by: job.updated_by,
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

impl TryFrom<RecordedJob> for Job {
    type Error = &'static str;

    fn try_from(job: RecordedJob) -> Result<Self, Self::Error> {
        let (currency, rates) = (job.currency, &job.tax_rates);
        let line = |line| ShownQuoteLine { line, section: None }.stored(rates);
        let lines: Option<_> = job.line_items.into_iter().map(line).collect();
        let lines = lines.ok_or("not the lines of a job")?;
        let price = |text: String| UnitPrice::parse(&text).map_err(|_| "not a price");
        Ok(Self {
            flat_price: job.flat_price.map(price).transpose()?,
            total: Money::parse(&job.total, currency).map_err(|_| "not an amount")?,
            line_items: Lines::new(lines).map_err(|_| "not the lines of a job")?,
            currency,
            id: job.id,
            title: job.title,
            status: job.status,
            job_number: job.job_number,
            description: job.description,
            customer_id: job.customer_id,
            location_id: job.location_id,
            scheduled_start: job.scheduled_start,
            scheduled_end: job.scheduled_end,
            assignee_ids: job.assignee_ids,
            quote_id: job.quote_id,
            cancel_reason: job.cancel_reason,
            done_at: job.done_at,
            cancelled_at: job.cancelled_at,
            created_by: job.created_by,
            updated_by: job.updated_by,
            created_at: job.created_at,
            updated_at: job.updated_at,
        })
    }
}
