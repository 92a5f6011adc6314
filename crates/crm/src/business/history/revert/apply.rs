//! Runs the steps of reverting an entry. Each kind of record has its own rules in its own folder.

use zoop_db::Uuid;

use super::steps::{Joint, Kind, Opposite};
use crate::business::catalog_categories::tools::{CatalogCategoryInput, DeleteCatalogCategory};
use crate::business::catalog_items::tools::CatalogItemInput;
use crate::business::catalog_items::tools::archive::ArchiveCatalogItem;
use crate::business::customers::contacts::tools::{ArchiveContact, ContactInput};
use crate::business::customers::duplicates::different;
use crate::business::customers::tools::archive::{ArchiveCustomer, ArchiveCustomerInput};
use crate::business::customers::{moved_back, put_back};
use crate::business::notes::moving::{self, NotesAbout};
use crate::business::notes::{self, KnownWords};
use crate::business::tags::tools::{DeleteTag, TagInput};
use crate::business::tax_rates::{self, tools as tax_rate_tools};
use crate::business::{catalog_categories, catalog_items, files, jobs, quotes, subjects, tags};
use crate::call::archive::archive;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::Values;
use crate::call::tool::Command;
use crate::values::id::{Id, kinds};

/// Runs steps in their order. `known` may have the words of a note that one changes.
pub(super) fn all(
    ctx: &mut WriteCtx<'_, '_>,
    steps: &[Opposite],
    known: &KnownWords,
) -> Result<()> {
    for steps in steps.chunk_by(|one, next| one.joint().is_some() && one.joint() == next.joint()) {
        match steps[0].joint() {
            None => apply(ctx, &steps[0], known)?,
            Some(Joint::Notes { from, to }) => {
                let notes = steps.iter().filter_map(|step| match step {
                    Opposite::MoveNote { note, .. } => Some(*note),
                    _ => None,
                });
                moving::back(ctx, &NotesAbout { from, to, notes: notes.collect() })?;
            }
            Some(Joint::Attached { to }) => tags::put_back::attached(ctx, to, assigned(steps))?,
            Some(Joint::Detached { from }) => tags::put_back::detached(ctx, from, assigned(steps))?,
            Some(Joint::Contacts) => moved_back::contacts(ctx, &moves(steps))?,
            Some(Joint::Locations) => moved_back::locations(ctx, &moves(steps))?,
            Some(Joint::Subjects) => subjects::put_back::subjects(ctx, &moves(steps))?,
        }
    }
    Ok(())
}

/// The tags that are attached or detached.
fn assigned(steps: &[Opposite]) -> impl Iterator<Item = Id<kinds::Tag>> {
    steps.iter().filter_map(|step| match step {
        Opposite::Attach { tag, .. } | Opposite::Detach { tag, .. } => Some(*tag),
        _ => None,
    })
}

/// The records that get values back, and the values.
fn moves(steps: &[Opposite]) -> Vec<(Uuid, &Values)> {
    let moves = steps.iter().filter_map(|step| match step {
        Opposite::Put { id, values, .. } => Some((*id, values)),
        _ => None,
    });
    moves.collect()
}

fn apply(ctx: &mut WriteCtx<'_, '_>, step: &Opposite, known: &KnownWords) -> Result<()> {
    match step {
        Opposite::BringBack { values, .. } => tags::put_back::deleted(ctx, values),
        Opposite::Put { kind, id, values } => match kind {
            Kind::Tag => tags::put_back::tag(ctx, *id, values),
            Kind::Customer => put_back::customer(ctx, *id, values),
            Kind::Contact => put_back::contact(ctx, *id, values),
            Kind::Location => put_back::location(ctx, *id, values),
            Kind::Subject => Err(Error::internal("only the customer of a subject changes")),
            Kind::Note => notes::put_back::note(ctx, *id, values, known),
            Kind::File => Err(Error::internal("a file's values never change")),
            Kind::TaxRate => tax_rates::put_back::tax_rate(ctx, *id, values),
            Kind::CatalogItem => catalog_items::put_back::catalog_item(ctx, *id, values),
            Kind::CatalogCategory => catalog_categories::put_back::category(ctx, *id, values),
            Kind::Quote => quotes::put_back::quote(ctx, *id, values),
            Kind::Job => jobs::put_back::job(ctx, *id, values),
        },
        Opposite::BringBackCategory { values, .. } => {
            catalog_categories::put_back::deleted(ctx, values)
        }
        Opposite::BringBackFile { file } => files::put_back::removed(ctx, *file),
        Opposite::Remove { file } => files::put_back::added(ctx, *file),
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
        Opposite::Archive { kind: Kind::TaxRate, id, .. } => {
            let input = tax_rate_tools::TaxRateInput { id: Id::new(*id) };
            tax_rate_tools::ArchiveTaxRate::run(ctx, &input).map(drop)
        }
        Opposite::Archive { kind: Kind::CatalogItem, id, .. } => {
            ArchiveCatalogItem::run(ctx, &CatalogItemInput { id: Id::new(*id) }).map(drop)
        }
        Opposite::Archive { kind: Kind::Quote, id, .. } => {
            let quote = quotes::store::get(ctx.tx, Id::new(*id))?;
            archive(ctx, &quote).map(drop)
        }
        Opposite::Archive { kind: Kind::Job, id, .. } => {
            jobs::tools::cancel::cancel(ctx, Id::new(*id), None).map(drop)
        }
        Opposite::Archive { kind, .. } => {
            Err(Error::internal(format!("a {} cannot be archived by itself", kind.word())))
        }
        Opposite::MoveNote { .. } | Opposite::Attach { .. } | Opposite::Detach { .. } => {
            Err(Error::internal("these steps are done together"))
        }
        Opposite::DeleteCategory { id } => {
            DeleteCatalogCategory::run(ctx, &CatalogCategoryInput { id: *id }).map(drop)
        }
        Opposite::Delete { tag } => DeleteTag::run(ctx, &TagInput { id: *tag }).map(drop),
    }
}
