//! Who can see and change a note, and which records it can be about.

use zoop_db::{ReadTx, Timestamp};

use super::{Note, ShownNote, SubjectType, live_drafts, store};
use crate::business::customers;
use crate::business::customers::contacts;
use crate::business::customers::locations;
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
    let is_hidden = shown.note.archived_at.is_some() || is_hidden(&shown.note, access, now);
    if is_hidden { Err(Error::not_found("note")) } else { Ok(shown) }
}

/// Whether a note is a draft that the caller cannot see.
fn is_hidden(note: &Note, access: &Access, now: Timestamp) -> bool {
    let is_own = access.actor.user() == Some(note.created_by);
    note.draft && (!is_own || !live_drafts(now).contains(&note.id.uuid()))
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
    if is_hidden(&note, access, now) {
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
    let is_known = !is_hidden(&note, access, now) && may_change(access, &note);
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
        SubjectType::Job => return subject(tx, SubjectKind::Job, "job"),
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
