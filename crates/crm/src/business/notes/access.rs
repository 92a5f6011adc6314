//! Who can see and change a note, and which records it can be about. A note about a job is seen by those who see the job.

use std::collections::BTreeSet;

use zoop_db::{ReadTx, Timestamp, Uuid};

use super::{Note, ShownNote, SubjectType, live_drafts, store};
use crate::business::customers;
use crate::business::customers::contacts;
use crate::business::customers::locations;
use crate::business::jobs;
use crate::business::quotes;
use crate::business::subjects::{self, SubjectKind};
use crate::call::access::{Access, Actor, Role};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, Kind, kinds};

/// A note that the caller may see: it is not archived, and it is either committed or a draft of the caller that
/// has not expired.
pub(in crate::business) fn visible(
    tx: &mut ReadTx<'_>,
    access: &Access,
    now: Timestamp,
    id: Id<kinds::Note>,
) -> Result<ShownNote> {
    let shown = store::get_shown(tx, id)?;
    let is_hidden = shown.note.archived_at.is_some() || is_hidden(tx, &shown.note, access, now)?;
    if is_hidden { Err(Error::not_found("note")) } else { Ok(shown) }
}

/// Whether a note is a draft that the caller cannot see, or about a job that the caller cannot see.
fn is_hidden(tx: &mut ReadTx<'_>, note: &Note, access: &Access, now: Timestamp) -> Result<bool> {
    let is_own = access.actor.user() == Some(note.created_by);
    if note.draft && (!is_own || !live_drafts(now).contains(&note.id.uuid())) {
        return Ok(true);
    }
    Ok(!hidden_jobs(tx, access, [note].into_iter())?.is_empty())
}

/// The jobs that some notes are about and that the caller does not see.
pub(super) fn hidden_jobs<'n>(
    tx: &mut ReadTx<'_>,
    access: &Access,
    notes: impl Iterator<Item = &'n Note>,
) -> Result<BTreeSet<Uuid>> {
    let on_jobs = notes.filter(|note| note.subject_type == Some(SubjectType::Job));
    let jobs = on_jobs.filter_map(|note| note.subject_id.map(Id::uuid)).collect();
    jobs::access::hidden(tx, access, jobs)
}

/// A note that the caller may change, or could change if it were not archived.
pub(in crate::business) fn changeable(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<kinds::Note>,
) -> Result<Note> {
    changeable_at(ctx.tx, ctx.access, ctx.now, id)
}

/// [`changeable`], for a read.
pub(in crate::business) fn changeable_at(
    tx: &mut ReadTx<'_>,
    access: &Access,
    now: Timestamp,
    id: Id<kinds::Note>,
) -> Result<Note> {
    let note = store::get(tx, id)?;
    if is_hidden(tx, &note, access, now)? {
        return Err(Error::not_found("note"));
    }
    match (note.archived_at, may_change(access, &note)) {
        (_, true) => Ok(note),
        (Some(_), false) => Err(Error::not_found("note")),
        (None, false) => Err(Error::invalid(
            "Only the note's author or an owner of the account can change it: ask one of them, or \
             create a note of your own.",
        )),
    }
}

/// An archived note that the caller may restore.
pub(super) fn restorable(
    tx: &mut ReadTx<'_>,
    access: &Access,
    now: Timestamp,
    id: Id<kinds::Note>,
) -> Result<Note> {
    let note = store::get(tx, id)?;
    let is_known = !is_hidden(tx, &note, access, now)? && may_change(access, &note);
    let is_found = is_known && note.archived_at.is_some();
    if is_found { Ok(note) } else { Err(Error::not_found(kinds::Note::ARCHIVED)) }
}

/// A note's author, the tenant's owners and the operator may change it.
fn may_change(access: &Access, note: &Note) -> bool {
    match access.actor {
        Actor::User { role: Role::Owner, .. } | Actor::Operator => true,
        Actor::User { id, .. } => id == note.created_by,
        Actor::Tenant => false,
    }
}

/// Rejects a subject that this tenant does not have, or that belongs to a customer which was merged into another one. Notes
/// about archived records are allowed.
pub(super) fn require_subject(
    tx: &mut ReadTx<'_>,
    access: &Access,
    subject_type: SubjectType,
    id: Id<kinds::Subject>,
) -> Result<()> {
    let uuid = id.uuid();
    let customer = |found: Option<Id<kinds::Customer>>, word| found.ok_or(Error::not_found(word));
    let subject = |tx: &mut ReadTx<'_>, kind, word| {
        let found = subjects::store::exists(tx, kind, id)?;
        if found { Ok(()) } else { Err(Error::not_found(word)) }
    };
    let customer = match subject_type {
        SubjectType::Customer => Id::new(uuid),
        SubjectType::CustomerContact => {
            customer(contacts::store::customer_of(tx, uuid)?, kinds::Contact::WORD)?
        }
        SubjectType::CustomerLocation => {
            customer(locations::store::customer_of(tx, uuid)?, kinds::Location::WORD)?
        }
        SubjectType::Job => {
            return jobs::access::visible(tx, access, Id::new(uuid)).map(drop);
        }
        SubjectType::Invoice => return subject(tx, SubjectKind::Invoice, "invoice"),
        SubjectType::Quote => {
            let found = quotes::store::exists(tx, Id::new(uuid))?;
            return if found { Ok(()) } else { Err(Error::not_found(kinds::Quote::WORD)) };
        }
        SubjectType::LawnEstimate => {
            return subject(tx, SubjectKind::LawnEstimate, "lawn estimate");
        }
    };
    customers::store::get(tx, customer)?.unless_merged(access).map(drop)
}
