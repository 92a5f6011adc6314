//! Jobs as callers see them.

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::ReadTx;

use super::{Job, JobStatus, store};
use crate::business::lines::ShownLine;
use crate::call::error::Result;
use crate::identity::tenants;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::number::JobNumber;
use crate::values::zone::Zone;

/// A job with its lines.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobRecord {
    /// The job's id.
    pub id: Id<kinds::Job>,
    /// What it is, in a few words.
    pub title: String,
    /// How far it has come.
    pub status: JobStatus,
    /// Its number, such as J-0042.
    pub job_number: JobNumber,
    /// What is to be done.
    pub description: Option<String>,
    /// The customer it is for.
    pub customer_id: Option<Id<kinds::Customer>>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// Where it is: a location of the customer.
    pub location_id: Option<Id<kinds::Location>>,
    /// When it starts.
    pub scheduled_start: Option<Moment>,
    /// When it ends.
    pub scheduled_end: Option<Moment>,
    /// When it starts, as the account's clocks show it.
    pub scheduled_start_local: Option<String>,
    /// When it ends, as the account's clocks show it.
    pub scheduled_end_local: Option<String>,
    /// The time zone of the account's clocks.
    #[schemars(with = "String")]
    pub time_zone: Zone,
    /// The people who work on it.
    pub assignee_ids: Vec<Id<kinds::User>>,
    /// What it charges.
    pub line_items: Vec<ShownLine>,
    /// A single price instead of the sum of the lines, in main units.
    pub flat_price: Option<String>,
    /// What it comes to, in main units, without tax.
    pub total: String,
    /// The ISO 4217 currency of its prices.
    #[schemars(with = "String")]
    pub currency: Currency,
    /// The quote that it was made of.
    pub quote_id: Option<Id<kinds::Quote>>,
    /// Its invoice, unless that is void.
    pub invoice_id: Option<Id<kinds::Record>>,
    /// The series that it is a visit of.
    pub series_id: Option<Id<kinds::Record>>,
    /// The date of the series that it stands for.
    pub occurrence_date: Option<String>,
    /// Whether it differs from its series.
    pub series_edited: bool,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// When it was done.
    pub done_at: Option<Moment>,
    /// When it was cancelled.
    pub cancelled_at: Option<Moment>,
    /// The person who created it.
    pub created_by: Option<Id<kinds::User>>,
    /// The person who last changed it.
    pub updated_by: Option<Id<kinds::User>>,
    /// When it was created.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

/// A job in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobRow {
    /// The job's id.
    pub id: Id<kinds::Job>,
    /// What it is, in a few words.
    pub title: String,
    /// How far it has come.
    pub status: JobStatus,
    /// Its number, such as J-0042.
    pub job_number: JobNumber,
    /// The customer it is for.
    pub customer_id: Option<Id<kinds::Customer>>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The series that it is a visit of.
    pub series_id: Option<Id<kinds::Record>>,
    /// When it starts.
    pub scheduled_start: Option<Moment>,
    /// When it starts, as the account's clocks show it.
    pub scheduled_start_local: Option<String>,
    /// When it ends.
    pub scheduled_end: Option<Moment>,
    /// The people who work on it.
    pub assignee_ids: Vec<Id<kinds::User>>,
    /// What it comes to, in main units, without tax.
    pub total: String,
}

/// A scheduled job of one of the same people at the same time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Overlap {
    /// The person.
    pub user_id: Id<kinds::User>,
    /// The job.
    pub job_id: Id<kinds::Job>,
    /// Its number.
    pub job_number: JobNumber,
    /// What it is.
    pub title: String,
    /// When it starts.
    pub scheduled_start: Moment,
    /// When it ends.
    pub scheduled_end: Option<Moment>,
}

/// A job that was just written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WrittenJob {
    /// The job.
    #[serde(flatten)]
    pub job: JobRecord,
    /// A warning: at most 10 scheduled jobs of its people at the same time, if time or people were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlaps: Option<Vec<Overlap>>,
}

impl Job {
    /// The lines as callers see them.
    pub(super) fn lines(&self) -> Vec<ShownLine> {
        // Lines that are stored have amounts, because only such lines are.
        let totals = self.line_items.totals(None, self.currency);
        let lines = totals.map(|totals| self.line_items.shown(&totals, self.currency));
        lines.unwrap_or_default().into_iter().map(|line| line.line).collect()
    }
}

/// A job as callers see it, also a cancelled one.
///
/// # Errors
/// [`Error::NotFound`](crate::call::error::Error::NotFound) if there is no such job.
pub(super) fn record(tx: &mut ReadTx<'_>, id: Id<kinds::Job>) -> Result<JobRecord> {
    let (job, customer_name) = store::named(tx, id)?;
    let time_zone = tenants::tenant(tx)?.time_zone;
    let local = |moment: Option<Moment>| moment.map(|Moment(time)| time_zone.minute(time));
    Ok(JobRecord {
        id: job.id,
        status: job.status,
        job_number: job.job_number,
        customer_id: job.customer_id,
        customer_name,
        location_id: job.location_id,
        scheduled_start: job.scheduled_start,
        scheduled_end: job.scheduled_end,
        scheduled_start_local: local(job.scheduled_start),
        scheduled_end_local: local(job.scheduled_end),
        time_zone,
        assignee_ids: job.assignee_ids.all(),
        line_items: job.lines(),
        flat_price: job.flat_price.map(|price| price.text(job.currency)),
        total: job.total.text(job.currency),
        currency: job.currency,
        quote_id: job.quote_id,
        invoice_id: None,
        series_id: None,
        occurrence_date: None,
        series_edited: false,
        done_at: job.done_at,
        cancelled_at: job.cancelled_at,
        created_by: job.created_by,
        updated_by: job.updated_by,
        created_at: job.created_at,
        updated_at: job.updated_at,
        title: job.title,
        description: job.description,
        cancel_reason: job.cancel_reason,
    })
}
