//! Who sees which jobs: a tech sees the jobs that they are assigned to, everybody else sees all. Every tool that shows
//! jobs, or notes about them, asks here.

use std::collections::BTreeSet;

use zoop_db::{ReadTx, Uuid};

use super::{Job, store};
use crate::call::access::{Access, Actor, Role};
use crate::call::error::{Error, Result};
use crate::values::id::{Id, Kind as _, kinds};

/// The user whose jobs are the only ones that the caller sees. `None` if the caller sees all.
pub(in crate::business) const fn only_of(access: &Access) -> Option<Id<kinds::User>> {
    match access.actor {
        Actor::User { id, role: Role::Tech } => Some(id),
        Actor::User { .. } | Actor::Tenant | Actor::Operator => None,
    }
}

/// A job that the caller sees.
///
/// # Errors
/// [`Error::NotFound`] if there is none with this id.
pub(in crate::business) fn visible(
    tx: &mut ReadTx<'_>,
    access: &Access,
    id: Id<kinds::Job>,
) -> Result<Job> {
    let job = store::get(tx, id)?;
    let is_visible = only_of(access).is_none_or(|user| job.assignee_ids.has(user));
    if is_visible { Ok(job) } else { Err(Error::not_found(kinds::Job::WORD)) }
}

/// The job that was made of a quote, unless it is cancelled or the caller does not see it.
pub(in crate::business) fn of_quote(
    tx: &mut ReadTx<'_>,
    access: &Access,
    quote: Id<kinds::Quote>,
) -> Result<Option<Id<kinds::Job>>> {
    let Some((job, _)) = store::of_quote(tx, quote)? else { return Ok(None) };
    let is_hidden = !hidden(tx, access, BTreeSet::from([job.uuid()]))?.is_empty();
    Ok((!is_hidden).then_some(job))
}

/// Those of these jobs that the caller does not see.
pub(in crate::business) fn hidden(
    tx: &mut ReadTx<'_>,
    access: &Access,
    jobs: BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>> {
    let Some(user) = only_of(access).filter(|_| !jobs.is_empty()) else {
        return Ok(BTreeSet::new());
    };
    let own = store::assigned_among(tx, user, &jobs)?;
    Ok(jobs.difference(&own).copied().collect())
}
