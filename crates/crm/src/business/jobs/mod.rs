//! Jobs: the work at a customer, when it is done, by whom, and what it costs.
//!
//! This module says what a job is, who may see it (`access.rs`), which changes it allows (`changes.rs`), and how it is
//! shown (`shown.rs`).

pub(in crate::business) mod access;
mod assignees;
mod changes;
pub(crate) mod former;
pub(crate) mod hints;
mod overlaps;
pub(in crate::business) mod put_back;
mod quoted;
mod recorded;
mod shown;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use assignees::{Assignees, Crew};
pub use shown::{JobRecord, JobRow, Overlap, WrittenJob};
pub use tools::GROUP;

pub(crate) use store::STATEMENTS;

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx};

use self::recorded::RecordedJob;
use crate::business::documents::{Document, ERASED_TEXT};
use crate::business::lines::Lines;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::{Money, Quantity, UnitPrice};
use crate::values::number::JobNumber;

/// The place in lists of a job without a start: the first moment of the year 9999.
const LAST: Moment = Moment(Timestamp(253_370_764_800_000_000));

crate::call::argument::choices! {
    /// How far a job has come.
    pub enum JobStatus {
        /// It has no start.
        Unscheduled = "unscheduled",
        /// It has a start.
        Scheduled = "scheduled",
        /// The work is done.
        Done = "done",
        /// It will not be done.
        Cancelled = "cancelled",
    }
}

crate::call::table::record! {
    /// A job as stored. The history has it in another form (`recorded.rs`).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(into = "RecordedJob", try_from = "RecordedJob")]
    pub struct Job {
        /// The job's id.
        pub id: Id<kinds::Job>,
        /// What it is, in a few words.
        pub title: String,
        /// How far it has come.
        pub status: JobStatus,
        /// Its number in its tenant.
        pub job_number: JobNumber as fixed,
        /// What is to be done.
        pub description: Option<String>,
        /// The customer it is for.
        pub customer_id: Option<Id<kinds::Customer>>,
        /// Where it is: a location of the customer.
        pub location_id: Option<Id<kinds::Location>>,
        /// When it starts.
        pub scheduled_start: Option<Moment>,
        /// When it ends.
        pub scheduled_end: Option<Moment>,
        /// Who works on it.
        pub assignee_ids: Assignees,
        /// What it charges.
        pub(in crate::business) line_items: Lines,
        /// A single price instead of the sum of the lines.
        pub flat_price: Option<UnitPrice>,
        /// What it comes to, without tax.
        pub total: Money,
        /// The currency of its prices.
        pub currency: Currency,
        /// The quote that it was made of.
        pub quote_id: Option<Id<kinds::Quote>> as fixed,
        /// Why it was cancelled.
        pub cancel_reason: Option<String>,
        /// When it was done.
        pub done_at: Option<Moment>,
        /// When it was cancelled.
        pub cancelled_at: Option<Moment>,
        /// The user who created it.
        pub created_by: Option<Id<kinds::User>> as fixed,
        /// The user who last changed it.
        pub updated_by: Option<Id<kinds::User>>,
        /// When it was created.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
    }

    table jobs {
        key: [id],
        beside: { list_order: Moment, title_folded: String },
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

impl Job {
    /// Its place in lists: by its start, without one last.
    fn list_order(&self) -> Moment {
        self.scheduled_start.unwrap_or(LAST)
    }

    /// The job with what it comes to: its flat price, or else the sum of its lines.
    fn with_total(self) -> Result<Self> {
        let total = match self.flat_price {
            Some(price) => price.times(Quantity::ONE, self.currency),
            None => self.line_items.stored_totals(None, self.currency)?.subtotal,
        };
        Ok(Self { total, ..self })
    }

    /// Whether it has a price of any kind. While it has none, its currency is the account's.
    fn has_price(&self) -> bool {
        self.flat_price.is_some() || !self.line_items.all().is_empty()
    }

    /// The status of a job that is neither done nor cancelled.
    const fn open_status(&self) -> JobStatus {
        match self.scheduled_start {
            Some(_) => JobStatus::Scheduled,
            None => JobStatus::Unscheduled,
        }
    }

    /// Writes the change from `old`, by the caller and at the time of the call, and records it in the history.
    fn save(mut self, ctx: &mut WriteCtx<'_, '_>, old: &Self) -> Result<Self> {
        (self.updated_at, self.updated_by) = (ctx.moment(), ctx.access.actor.user());
        store::update(ctx.tx, &self)?;
        if (&old.assignee_ids, old.list_order()) != (&self.assignee_ids, self.list_order()) {
            store::assign_again(ctx.tx, &self)?;
        }
        ctx.updated(old, &self)?;
        Ok(self)
    }
}

impl Recorded for Job {
    const TYPE: &'static str = "job";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Document for Job {
    fn of_customer(
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        count: usize,
    ) -> Result<Vec<Self>> {
        store::of_customer(tx, customer, count)
    }

    fn hand_over(
        tx: &mut WriteTx<'_>,
        ids: &[Uuid],
        customer: Id<kinds::Customer>,
        at: Moment,
    ) -> Result<()> {
        store::hand_over(tx, ids.iter().copied(), customer, at)
    }

    fn handed_over(&self, customer: Id<kinds::Customer>, at: Moment) -> Self {
        Self { customer_id: Some(customer), updated_at: at, ..self.clone() }
    }

    /// Numbers, times, people and amounts stay, for the books. Work that is not done will not be.
    fn erased(&self, at: Moment) -> Result<Self> {
        let (status, cancelled_at) = match self.status {
            JobStatus::Done => (JobStatus::Done, None),
            _ => (JobStatus::Cancelled, self.cancelled_at.or(Some(at))),
        };
        Ok(Self {
            title: ERASED_TEXT.to_owned(),
            description: None,
            location_id: None,
            line_items: self.line_items.erased()?,
            cancel_reason: None,
            status,
            cancelled_at,
            updated_at: at,
            ..self.clone()
        })
    }

    fn update(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        store::update(tx, self)
    }
}
