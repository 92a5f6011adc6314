//! The SQL for jobs.

use std::collections::BTreeSet;

use zoop_db::{Param, ReadTx, Row, Uuid, WriteTx, params, text};

use super::shown::{JobRow, Overlap};
use super::{Assignees, Job, JobStatus, LAST};
use crate::business::customers;
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::table::Record;
use crate::values::clock::Moment;
use crate::values::fold;
use crate::values::id::{Id, Kind as _, kinds};
use crate::values::money::Money;
use crate::values::number::JobNumber;
use crate::values::zone::Zone;

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(Job::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN jobs x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);
const HANDED_OVER: &str = "UPDATE jobs SET customer_id = $3, updated_at = $4 \
    WHERE tenant_no = $1 AND id IN (SELECT wanted_id FROM wanted)";
const ASSIGNED: &str = "SELECT a.job_id FROM wanted CROSS JOIN job_assignees a \
    WHERE a.tenant_no = $1 AND a.job_id = wanted_id AND a.user_id = $3";

/// The rows of a page. They are read in any order: only their ids are found in that of the list, so that nothing of the
/// rows on earlier pages is read.
const ROWS: &str = ") SELECT x.id, x.title, x.status, x.job_number, x.customer_id, c.first_name, c.last_name, \
    c.company_name, x.scheduled_start, x.scheduled_end, x.assignee_ids, x.total, x.currency \
    FROM wanted CROSS JOIN jobs x LEFT JOIN customers c ON c.tenant_no = $1 AND c.id = x.customer_id \
    WHERE x.tenant_no = $1 AND x.id = wanted_id";
/// Without a text to find, nothing but the index is read of the rows on earlier pages.
const INDEXED: &str = "WITH wanted AS MATERIALIZED (SELECT x.id AS wanted_id FROM jobs x WHERE x.tenant_no = $1 \
    AND x.list_order >= $2 AND x.list_order <= $3";
const INDEXED_ORDER: &str = " ORDER BY x.list_order, x.id DESC LIMIT $4 OFFSET $5";
const LIST: &str = "WITH wanted AS MATERIALIZED (SELECT x.id AS wanted_id FROM jobs x WHERE x.tenant_no = $1 \
    AND x.list_order >= $2 AND x.list_order <= $3 AND ($4 = '' OR x.title_folded LIKE $4)";
const IN_ORDER: &str = " ORDER BY x.list_order, x.id DESC LIMIT $5 OFFSET $6";
/// Without a status, all but the cancelled ones.
const OF_STATUS: &str = " AND ($8 = '' AND x.status <> 'cancelled' OR x.status = $8)";

crate::call::table::table! {
    /// Who works on which job, with the job's place in lists.
    pub(crate) const JOB_ASSIGNEES = job_assignees {
        per_tenant,
        key: { job_id: Id, user_id: Id },
        columns: { list_order: Time },
        exported: WithTenant,
        erased: [WithUser, WithTenant],
    }
}

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM jobs WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// Of an erased customer, none exists for callers.
    GET = (text!("SELECT ", zoop_db::drafted!(Job::COLUMNS.selected("x.")), ", c.first_name, c.last_name, c.company_name \
           FROM jobs x LEFT JOIN customers c ON c.tenant_no = $1 AND c.id = x.customer_id \
           WHERE x.tenant_no = $1 AND x.id = $2 AND c.erased_at IS NULL"));
    /// The page of all jobs that are not cancelled.
    LISTED = (text!(INDEXED, " AND x.status <> 'cancelled'", INDEXED_ORDER, ROWS));
    /// The page of the jobs with one status.
    BY_STATUS = (text!(INDEXED, " AND x.status = $6", INDEXED_ORDER, ROWS));
    /// [`LISTED`], with a text in the title.
    FOUND = (text!(LIST, " AND x.status <> 'cancelled'", IN_ORDER, ROWS));
    /// [`BY_STATUS`], with a text in the title.
    FOUND_BY_STATUS = (text!(LIST, " AND x.status = $7", IN_ORDER, ROWS));
    /// The page of a customer's jobs.
    BY_CUSTOMER = (text!(LIST, " AND x.customer_id = $7", OF_STATUS, IN_ORDER, ROWS));
    /// The page of a user's jobs.
    BY_ASSIGNEE = (text!("WITH wanted AS MATERIALIZED (SELECT x.id AS wanted_id \
                   FROM job_assignees a CROSS JOIN jobs x WHERE a.tenant_no = $1 AND a.user_id = $7 \
                   AND a.list_order >= $2 AND a.list_order <= $3 AND x.tenant_no = $1 AND x.id = a.job_id \
                   AND ($4 = '' OR x.title_folded LIKE $4)", OF_STATUS, " AND x.customer_id IS NOT DISTINCT FROM \
                   coalesce($9, x.customer_id) ORDER BY a.list_order, a.job_id DESC LIMIT $5 OFFSET $6", ROWS));
    /// A user's scheduled jobs that overlap a period, by start. `$5` is before the start of any of them, `$7` before
    /// that of one that has no end.
    OVERLAPPING = "SELECT x.id, x.job_number, x.title, x.scheduled_start, x.scheduled_end \
                   FROM job_assignees a CROSS JOIN jobs x WHERE a.tenant_no = $1 AND a.user_id = $2 \
                   AND a.list_order < $4 AND a.list_order > $5 AND x.tenant_no = $1 AND x.id = a.job_id \
                   AND x.id <> $6 AND x.status = 'scheduled' AND (x.scheduled_end > $3 \
                   OR x.scheduled_end IS NULL AND x.scheduled_start > $7) \
                   ORDER BY a.list_order, a.job_id DESC LIMIT $8";
    /// The job that was made of a quote, unless it is cancelled.
    OF_QUOTE = "SELECT id, job_number FROM jobs WHERE tenant_no = $1 AND quote_id = $2 AND quote_id IS NOT NULL \
                AND status <> 'cancelled'";
    /// The next jobs in the order of their ids, for exports.
    AFTER = (text!("SELECT ", Job::SELECTED, " FROM jobs WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    /// A customer's jobs, with cancelled ones.
    OF_CUSTOMER = (text!("SELECT ", Job::SELECTED, " FROM jobs \
                   WHERE tenant_no = $1 AND customer_id = $2 ORDER BY list_order, id DESC LIMIT $3"));
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    ASSIGNED_AMONG = { sqlite: text!(WANTED_SQLITE, ASSIGNED), postgres: text!(WANTED_POSTGRES, ASSIGNED) };
    HAND_OVER = {
        sqlite: text!(WANTED_SQLITE, HANDED_OVER), postgres: text!(WANTED_POSTGRES, HANDED_OVER),
    };
    INSERT = (Job::INSERT);
    UPDATE = (Job::UPDATE);
    ASSIGN = "INSERT INTO job_assignees (tenant_no, job_id, user_id, list_order) VALUES ($1, $2, $3, $4)";
    UNASSIGN = "DELETE FROM job_assignees WHERE tenant_no = $1 AND job_id = $2";
}

/// A job, in any state, and the name of its customer.
///
/// # Errors
/// [`Error::NotFound`] if there is no such job.
pub(super) fn named(tx: &mut ReadTx<'_>, id: Id<kinds::Job>) -> Result<(Job, Option<String>)> {
    let read = |row: &mut Row<'_>| -> Result<_> {
        let job = Job::read(row)?;
        let name = customers::store::name(row)?;
        let name = job.customer_id.map(|_| name);
        Ok((job, name))
    };
    tx.first(GET, params![id], read)?.ok_or(Error::not_found(kinds::Job::WORD))
}

/// A job, in any state.
///
/// # Errors
/// [`Error::NotFound`] if there is no such job.
pub(in crate::business) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::Job>) -> Result<Job> {
    Ok(named(tx, id)?.0)
}

/// The job that was made of a quote, unless it is cancelled.
pub(in crate::business) fn of_quote(
    tx: &mut ReadTx<'_>,
    quote: Id<kinds::Quote>,
) -> Result<Option<(Id<kinds::Job>, JobNumber)>> {
    tx.first::<_, Error>(OF_QUOTE, params![quote], |row| Ok((row.take()?, row.take()?)))
}

/// Which jobs a page of the list has.
pub(super) struct Page<'a> {
    /// Only the jobs that start in this period.
    pub(super) starts: Option<(Moment, Moment)>,
    /// Only those whose folded title has this text.
    pub(super) text: Option<&'a str>,
    /// Only those with this status; without one, all but the cancelled ones.
    pub(super) status: Option<JobStatus>,
    /// Only this customer's.
    pub(super) customer: Option<Id<kinds::Customer>>,
    /// Only those of this user.
    pub(super) assignee: Option<Id<kinds::User>>,
    /// Maximum number of rows.
    pub(super) count: i64,
    /// The number of rows on earlier pages.
    pub(super) offset: i64,
}

/// The rows of a page of the list, in its order.
pub(super) fn list(tx: &mut ReadTx<'_>, page: &Page<'_>, zone: Zone) -> Result<Vec<JobRow>> {
    let Page { starts, text, status, customer, assignee, count, offset } = *page;
    let (from, to) = starts.unwrap_or((Moment(zoop_db::Timestamp(0)), LAST));
    // Folded words have no characters that mean something in a pattern.
    let pattern = text.map_or_else(String::new, |text| format!("%{text}%"));
    let found = params![from, to, pattern, count, offset];
    let indexed = params![from, to, count, offset];
    let status_word = status.map_or("", JobStatus::word);
    let (statement, common, own) = match (&assignee, &customer) {
        (Some(user), customer) => {
            let own = vec![user.value(), status_word.value(), customer.value()];
            (BY_ASSIGNEE, found.as_slice(), own)
        }
        (None, Some(customer)) => {
            (BY_CUSTOMER, found.as_slice(), vec![customer.value(), status_word.value()])
        }
        (None, None) => match (text, status) {
            (None, None) => (LISTED, indexed.as_slice(), Vec::new()),
            (None, Some(_)) => (BY_STATUS, indexed.as_slice(), vec![status_word.value()]),
            (Some(_), None) => (FOUND, found.as_slice(), Vec::new()),
            (Some(_), Some(_)) => (FOUND_BY_STATUS, found.as_slice(), vec![status_word.value()]),
        },
    };
    let parameters = [common, &own].concat();
    let mut rows: Vec<JobRow> =
        tx.all::<_, Error>(statement, &parameters, |row| row_of(row, zone))?;
    let order =
        |row: &JobRow| (row.scheduled_start.unwrap_or(LAST), std::cmp::Reverse(row.id.uuid()));
    rows.sort_unstable_by_key(order);
    Ok(rows)
}

fn row_of(row: &mut Row<'_>, zone: Zone) -> Result<JobRow> {
    let (id, title, status, job_number) = (row.take()?, row.take()?, row.take()?, row.take()?);
    let customer_id = row.take::<Option<_>>()?;
    let customer_name = customers::store::name(row)?;
    let scheduled_start = row.take::<Option<Moment>>()?;
    let scheduled_end = row.take()?;
    let assignees: Assignees = row.take()?;
    let total: Money = row.take()?;
    Ok(JobRow {
        id,
        title,
        status,
        job_number,
        customer_id,
        customer_name: customer_id.map(|_| customer_name),
        series_id: None,
        scheduled_start,
        scheduled_start_local: scheduled_start.map(|Moment(time)| zone.minute(time)),
        scheduled_end,
        assignee_ids: assignees.all(),
        total: total.text(row.take()?),
    })
}

/// A period in which a job is.
pub(super) struct Period {
    pub(super) start: Moment,
    pub(super) end: Moment,
    /// No job that starts at this time or earlier reaches into the period.
    pub(super) earliest: Moment,
    /// No job without an end that starts at this time or earlier reaches into it.
    pub(super) earliest_open: Moment,
}

/// Up to `count` scheduled jobs of a user that overlap the period, by start, without the job itself.
pub(super) fn overlapping(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    job: Id<kinds::Job>,
    period: &Period,
    count: usize,
) -> Result<Vec<Overlap>> {
    let Period { start, end, earliest, earliest_open } = *period;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let params = params![user, start, end, earliest, job, earliest_open, count];
    tx.all(OVERLAPPING, params, |row| {
        Ok(Overlap {
            user_id: user,
            job_id: row.take()?,
            job_number: row.take()?,
            title: row.take()?,
            scheduled_start: row.take()?,
            scheduled_end: row.take()?,
        })
    })
}

/// Those of these jobs to which a user is assigned.
pub(super) fn assigned_among(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    jobs: &BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>> {
    let wanted = id_list(jobs.iter().copied());
    let own = tx.all::<_, Error>(ASSIGNED_AMONG, params![wanted, user], |row| Ok(row.take()?))?;
    Ok(own.into_iter().collect())
}

/// Up to `count` jobs with ids above `after`, cancelled ones too.
pub(crate) fn after(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<Job>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(AFTER, params![after, count], Job::read)
}

/// Up to `count` of a customer's jobs, cancelled ones too.
pub(crate) fn of_customer(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    count: usize,
) -> Result<Vec<Job>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(OF_CUSTOMER, params![customer, count], Job::read)
}

/// The jobs with the ids in a parameter that [`id_list`] writes.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<Job>> {
    tx.all(BY_IDS, params![*wanted], Job::read)
}

/// Adds a job.
pub(super) fn insert(tx: &mut WriteTx<'_>, job: &Job) -> Result<()> {
    let (order, folded) = (job.list_order(), folded(&job.title));
    tx.execute(INSERT, &[job.inserted().as_ref(), params![order, folded]].concat())?;
    assign(tx, job)
}

/// Writes all of a job's fields that can change.
pub(super) fn update(tx: &mut WriteTx<'_>, job: &Job) -> Result<()> {
    let (order, folded) = (job.list_order(), folded(&job.title));
    tx.execute(UPDATE, &[job.updated().as_ref(), params![order, folded]].concat())?;
    Ok(())
}

/// Writes the people of a job whose people or start have changed.
pub(super) fn assign_again(tx: &mut WriteTx<'_>, job: &Job) -> Result<()> {
    tx.execute(UNASSIGN, params![job.id])?;
    assign(tx, job)
}

fn assign(tx: &mut WriteTx<'_>, job: &Job) -> Result<()> {
    for user in job.assignee_ids.all() {
        tx.execute(ASSIGN, params![job.id, user, job.list_order()])?;
    }
    Ok(())
}

/// Gives jobs to a customer, at a time. Their locations stay.
pub(super) fn hand_over(
    tx: &mut WriteTx<'_>,
    jobs: impl Iterator<Item = Uuid>,
    customer: Id<kinds::Customer>,
    at: Moment,
) -> Result<()> {
    tx.execute(HAND_OVER, params![id_list(jobs), customer, at])?;
    Ok(())
}

/// The words of a text, folded and joined by single spaces.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::new();
    fold::each(text, |word, _| {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    });
    folded
}
