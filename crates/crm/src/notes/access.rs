//! Who may see a note, who may change it, and on what it may hang.

use zoop_db::{ReadTx, Timestamp};

use super::{Note, SubjectType, oldest_draft, store};
use crate::access::{Access, Actor, Role};
use crate::context::WriteCtx;
use crate::error::{Error, Result};
use crate::id::{Id, Kind, kinds};
use crate::subjects::{self, SubjectKind};
use crate::{contacts, customers, locations};

/// A note that the caller may see: not an archived one, of drafts only their own, and those only
/// while they live.
pub(super) fn visible(
    tx: &mut ReadTx<'_>,
    access: &Access,
    now: Timestamp,
    id: Id<kinds::Note>,
) -> Result<Note> {
    let note = store::get(tx, id)?;
    let own = access.actor.user() == Some(note.created_by);
    let hidden = note.draft && (!own || note.id.uuid() < oldest_draft(now));
    if hidden || note.archived_at.is_some() { Err(Error::not_found("note")) } else { Ok(note) }
}

/// A note that the caller may change: its author may, and an owner of the account.
pub(super) fn changeable(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::Note>) -> Result<Note> {
    let note = visible(ctx.tx, ctx.access, ctx.now, id)?;
    match ctx.access.actor {
        Actor::User { role: Role::Owner, .. } => Ok(note),
        Actor::User { id, .. } if id == note.created_by => Ok(note),
        _ => Err(Error::invalid(
            "Only the note's author or an owner of the account can change it: ask one of them, or \
             create a note of your own.",
        )),
    }
}

/// Refuses a subject that is not in this tenant. An archived one takes notes like any other.
pub(super) fn require_subject(
    tx: &mut ReadTx<'_>,
    subject_type: SubjectType,
    id: Id<kinds::Subject>,
) -> Result<()> {
    let uuid = id.uuid();
    let (found, word) = match subject_type {
        SubjectType::Customer => {
            return customers::store::get(tx, Id::new(uuid)).map(drop);
        }
        SubjectType::CustomerContact => {
            (contacts::store::customer_of(tx, uuid)?.is_some(), kinds::Contact::WORD)
        }
        SubjectType::CustomerLocation => {
            (locations::store::customer_of(tx, uuid)?.is_some(), kinds::Location::WORD)
        }
        SubjectType::Job => (subjects::store::exists(tx, SubjectKind::Job, id)?, "job"),
        SubjectType::Invoice => (subjects::store::exists(tx, SubjectKind::Invoice, id)?, "invoice"),
        SubjectType::Quote => (subjects::store::exists(tx, SubjectKind::Quote, id)?, "quote"),
        SubjectType::LawnEstimate => {
            (subjects::store::exists(tx, SubjectKind::LawnEstimate, id)?, "lawn estimate")
        }
    };
    if found { Ok(()) } else { Err(Error::not_found(word)) }
}
