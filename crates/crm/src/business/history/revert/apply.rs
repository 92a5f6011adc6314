//! Runs the steps of reverting an entry. Each kind of record has its own rules in its own folder.

use super::steps::{Kind, Opposite};
use crate::business::customers::contacts::tools::{ArchiveContact, ContactInput};
use crate::business::customers::duplicates::different;
use crate::business::customers::put_back;
use crate::business::customers::tools::archive::{ArchiveCustomer, ArchiveCustomerInput};
use crate::business::notes::{self, KnownWords};
use crate::business::tags::tools::{DeleteTag, TagInput};
use crate::business::{files, subjects, tags};
use crate::call::archive::archive;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::tool::Command;
use crate::values::id::Id;

/// Runs one step. `known` may have the words of a note that it changes.
pub(super) fn apply(ctx: &mut WriteCtx<'_, '_>, step: &Opposite, known: &KnownWords) -> Result<()> {
    match step {
        Opposite::BringBack { values, .. } => tags::put_back::deleted(ctx, values),
        Opposite::Put { kind, id, values } => match kind {
            Kind::Tag => tags::put_back::tag(ctx, *id, values),
            Kind::Customer => put_back::customer(ctx, *id, values),
            Kind::Contact if values.contains_key("customer_id") => {
                put_back::moved_contact(ctx, *id, values)
            }
            Kind::Contact => put_back::contact(ctx, *id, values),
            Kind::Location if values.contains_key("customer_id") => {
                put_back::moved_location(ctx, *id, values)
            }
            Kind::Location => put_back::location(ctx, *id, values),
            Kind::Subject => subjects::put_back::subject(ctx, *id, values),
            Kind::Note => notes::put_back::note(ctx, *id, values, known),
            Kind::File => Err(Error::internal("a file's values never change")),
        },
        Opposite::MoveNote { note, from, to } => notes::moving::back(ctx, *note, *from, *to),
        Opposite::BringBackFile { file } => files::put_back::removed(ctx, *file),
        Opposite::Remove { file } => files::put_back::added(ctx, *file),
        Opposite::Attach { tag, customer } => tags::put_back::attached(ctx, *tag, *customer),
        Opposite::Detach { tag, customer } => tags::put_back::detached(ctx, *tag, *customer),
        Opposite::Mark { one, other } => different::mark(ctx, *one, *other),
        Opposite::Unmark { one, other } => different::unmark(ctx, *one, *other),
        Opposite::Archive { kind: Kind::Customer, id, .. } => {
            ArchiveCustomer::run(ctx, &ArchiveCustomerInput { id: Id::new(*id) }).map(drop)
        }
        Opposite::Archive { kind: Kind::Contact, id, customer: Some(customer_id) } => {
            let input = ContactInput { id: Id::new(*id), customer_id: *customer_id };
            ArchiveContact::run(ctx, &input).map(drop)
        }
        Opposite::Archive { kind: Kind::Location, id, .. } => put_back::added_location(ctx, *id),
        Opposite::Archive { kind: Kind::Note, id, .. } => {
            let note = notes::access::changeable(ctx, Id::new(*id))?;
            archive(ctx, &note).map(drop)
        }
        Opposite::Archive { kind, .. } => {
            Err(Error::internal(format!("a {} cannot be archived by itself", kind.word())))
        }
        Opposite::Delete { tag } => DeleteTag::run(ctx, &TagInput { id: *tag }).map(drop),
    }
}
