//! Which of its people's jobs a job overlaps. It is a warning: crews are double-booked on purpose.

use zoop_db::{ReadTx, Timestamp};

use super::shown::Overlap;
use super::store::{self, Period};
use super::{Job, JobStatus};
use crate::call::error::Result;
use crate::values::clock::Moment;

/// The longest time from a job's start to its end, in microseconds: 30 days of 24 hours.
pub(super) const LONGEST: i64 = 30 * 24 * 60 * 60 * 1_000_000;
/// How long a job without an end counts as taking, in microseconds.
const OPEN: i64 = 60 * 60 * 1_000_000;
/// Maximum number of overlaps that are shown.
const MAX_SHOWN: usize = 10;

/// The scheduled jobs of the same people at the same time, one for each person and job, by start.
pub(super) fn of(tx: &mut ReadTx<'_>, job: &Job) -> Result<Vec<Overlap>> {
    let (JobStatus::Scheduled, Some(start)) = (job.status, job.scheduled_start) else {
        return Ok(Vec::new());
    };
    let after = |Moment(Timestamp(time)): Moment, by| Moment(Timestamp(time + by));
    let period = Period {
        start,
        end: job.scheduled_end.unwrap_or_else(|| after(start, OPEN)),
        earliest: after(start, -LONGEST),
        earliest_open: after(start, -OPEN),
    };
    let mut found = Vec::new();
    for user in job.assignee_ids.all() {
        found.extend(store::overlapping(tx, user, job.id, &period, MAX_SHOWN)?);
    }
    found.sort_by_key(|overlap| overlap.scheduled_start);
    found.truncate(MAX_SHOWN);
    Ok(found)
}
