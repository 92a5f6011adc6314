//! Which changes a job allows: its times, its status, where it is and who works on it.

use jiff::tz::TimeZone;
use zoop_db::{ReadTx, Timestamp};

use super::overlaps::LONGEST;
use super::{Assignees, Job, JobStatus};
use crate::business::customers::locations::{self, Location, LocationType};
use crate::business::customers::{self, Customer};
use crate::business::lines::{Kept, LineInput, Lines, fill, refuse_amounts};
use crate::call::access::Access;
use crate::call::archive::Archivable as _;
use crate::call::argument::{Json, LocalTime, Parse, ParseContext, ParseError};
use crate::call::error::{Error, FieldProblem, Result};
use crate::identity::users;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, Kind as _, kinds};
use crate::values::money::UnitPrice;

crate::call::argument::choices! {
    /// A status that an update can ask for.
    pub enum NextStatus {
        /// It has no start.
        Unscheduled = "unscheduled",
        /// It has a start.
        Scheduled = "scheduled",
        /// The work is done.
        Done = "done",
    }
}

/// A status that an update asks for. Cancelling has a tool of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedStatus(pub NextStatus);

impl Parse for AskedStatus {
    fn schema() -> serde_json::Value {
        NextStatus::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let word = value.short_string().unwrap_or_default();
        if word == JobStatus::Cancelled.word() {
            return Err(ParseError::Invalid(
                "cannot become cancelled here: use jobs.cancel".to_owned(),
            ));
        }
        NextStatus::parse(value, context).map(Self)
    }
}

/// What a call says in the account's clocks and currency, and all that is wrong with it.
pub(super) struct Resolving {
    pub(super) zone: TimeZone,
    pub(super) currency: Currency,
    pub(super) problems: Vec<FieldProblem>,
}

impl Resolving {
    /// The point in time of a field.
    pub(super) fn time(&mut self, field: &str, sent: LocalTime) -> Option<Moment> {
        match sent.in_zone(&self.zone) {
            Ok(time) => Some(Moment(time)),
            Err(problem) => self.refuse(field, problem),
        }
    }

    /// Checks that `flat_price` is an amount.
    pub(super) fn amount(&mut self, price: UnitPrice) {
        let decimals = self.currency.decimals();
        if price.is_negative() {
            self.refuse::<()>("flat_price", "must not be negative");
        } else if price.units()
            % 10_i64.pow(UnitPrice::DECIMALS - decimals.min(UnitPrice::DECIMALS))
            != 0
        {
            let (code, noun) =
                (self.currency.code(), if decimals == 1 { "decimal" } else { "decimals" });
            let problem = match decimals {
                0 => format!("must have no decimals: {code} has none"),
                _ => format!("must have at most {decimals} {noun}, as {code} has"),
            };
            self.refuse::<()>("flat_price", problem);
        }
    }

    /// Checks the time from start to end.
    pub(super) fn period(&mut self, start: Option<Moment>, end: Option<Moment>) {
        let Some(Moment(Timestamp(end))) = end else { return };
        let problem = match start {
            None => "needs scheduled_start: a job without a start has no end",
            Some(Moment(Timestamp(start))) if end <= start => "must be after scheduled_start",
            Some(Moment(Timestamp(start))) if end - start > LONGEST => {
                "must be at most 30 days after scheduled_start"
            }
            Some(_) => return,
        };
        self.refuse::<()>("scheduled_end", problem);
    }

    fn refuse<T>(&mut self, field: &str, problem: impl Into<String>) -> Option<T> {
        self.problems.push(FieldProblem { field: field.to_owned(), problem: problem.into() });
        None
    }

    /// Rejects the call if anything is wrong with it.
    pub(super) fn finish(&mut self) -> Result<()> {
        match std::mem::take(&mut self.problems) {
            problems if problems.is_empty() => Ok(()),
            problems => Err(Error::fields(problems)),
        }
    }
}

/// The status of a job after an update that leaves it with this start.
///
/// # Errors
/// [`Error::Conflict`] for a step that it cannot take now, [`Error::InvalidInput`] for a status that does not fit the start.
pub(super) fn next_status(
    old: JobStatus,
    start: Option<Moment>,
    asked: Option<AskedStatus>,
) -> Result<JobStatus> {
    let asked = asked.map(|AskedStatus(asked)| asked);
    let is_taken_back = start.is_none() || asked == Some(NextStatus::Unscheduled);
    if old == JobStatus::Done && is_taken_back {
        return Err(Error::conflict(
            "This job is done, so its start stays: reopen it first (status scheduled).",
        ));
    }
    match (asked, start) {
        (None, _) if old == JobStatus::Done => Ok(JobStatus::Done),
        (None | Some(NextStatus::Unscheduled), None) => Ok(JobStatus::Unscheduled),
        (None | Some(NextStatus::Scheduled), Some(_)) => Ok(JobStatus::Scheduled),
        (Some(NextStatus::Done), Some(_)) => Ok(JobStatus::Done),
        (Some(NextStatus::Done), None) => Err(Error::conflict(
            "This job has no start, so it cannot be done: send scheduled_start too. Only an owner or the office can.",
        )),
        (Some(NextStatus::Scheduled), None) => {
            Err(Error::field("status", "is scheduled only with a start: send scheduled_start"))
        }
        (Some(NextStatus::Unscheduled), Some(_)) => Err(Error::field(
            "status",
            "is unscheduled only without a start: send scheduled_start as null",
        )),
    }
}

/// A customer for whom something new may be made.
pub(super) fn customer(
    tx: &mut ReadTx<'_>,
    access: &Access,
    id: Id<kinds::Customer>,
) -> Result<Customer> {
    customers::store::get(tx, id)?.unless_archived(access)
}

/// The location of a job of this customer: the one that was sent, or else the primary one for services.
pub(super) fn location(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    sent: Option<Id<kinds::Location>>,
) -> Result<Option<Id<kinds::Location>>> {
    if let Some(id) = sent {
        let location = locations::store::get(tx, customer, id)?;
        let is_active = location.archived_at.is_none();
        return if is_active { Ok(Some(id)) } else { Err(Error::not_found(kinds::Location::WORD)) };
    }
    let is_primary = |it: &&Location| it.is_primary && it.location_type == LocationType::Service;
    Ok(locations::store::active(tx, customer)?.iter().find(is_primary).map(|it| it.id))
}

/// Checks that people are members of the account. Those who are on the job already may have left it.
pub(super) fn members(
    tx: &mut ReadTx<'_>,
    people: &[Id<kinds::User>],
    already: &Assignees,
) -> Result<Assignees> {
    let already = already.all();
    for user in people.iter().filter(|user| !already.contains(user)) {
        users::store::role(tx, *user)?.ok_or(Error::not_found(kinds::User::WORD))?;
    }
    Ok(people.iter().copied().collect())
}

/// The lines that a call sends for a job, which has `old` ones already.
pub(super) fn lines(
    tx: &mut ReadTx<'_>,
    sent: &[LineInput],
    old: Option<&Lines>,
    currency: Currency,
) -> Result<Lines> {
    let kept = Kept { lines: old, rate: None };
    let lines = fill(tx, sent.iter().map(|line| (line, None)), kept)?;
    lines.totals(None, currency).map_err(|refused| refuse_amounts(refused, currency))?;
    Ok(lines)
}

impl Job {
    /// Rejects changes of a job that is cancelled.
    pub(super) fn unless_cancelled(&self) -> Result<()> {
        match self.status {
            JobStatus::Cancelled => Err(Error::conflict(format!(
                "The job {} is cancelled: the operator can bring it back (zoop restore job), or create another.",
                self.job_number
            ))),
            _ => Ok(()),
        }
    }
}
