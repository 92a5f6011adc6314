//! Which records are about a customer.

use std::collections::BTreeSet;

use zoop_db::{ReadTx, Uuid};

use super::store;
use crate::business::customers::contacts::{self, Contact};
use crate::business::customers::locations::{self, Location};
use crate::business::customers::{self, Customer};
use crate::business::subjects::{self, Subject};
use crate::call::error::Result;
use crate::call::history::erasing;
use crate::values::id::{Id, kinds};

/// A customer, those that were merged into it, and what belongs to them.
pub(super) struct Records {
    /// The customer first.
    pub(super) customers: Vec<Customer>,
    pub(super) contacts: Vec<Contact>,
    pub(super) locations: Vec<Location>,
    pub(super) subjects: Vec<Subject>,
}

impl Records {
    /// The records of a customer.
    ///
    /// # Errors
    /// [`crate::call::error::Error::NotFound`] if there is no such customer, or if it is erased.
    pub(super) fn of(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Self> {
        let mut customers = vec![customers::store::get(tx, id)?];
        let mut at = 0;
        while let Some(customer) = customers.get(at) {
            tx.ensure_time()?;
            let merged = store::merged_into(tx, customer.id)?;
            customers.extend(merged);
            at += 1;
        }
        let mut records = Self { customers, contacts: vec![], locations: vec![], subjects: vec![] };
        for customer in &records.customers {
            records.contacts.extend(contacts::store::all(tx, customer.id, usize::MAX)?);
            records.locations.extend(locations::store::all(tx, customer.id, usize::MAX)?);
            records.subjects.extend(subjects::store::of_customer(tx, customer.id, usize::MAX)?);
        }
        Ok(records)
    }

    /// Their ids. Notes can be about each of them.
    pub(super) fn ids(&self) -> BTreeSet<Uuid> {
        let customers = self.customers.iter().map(|it| it.id.uuid());
        let contacts = self.contacts.iter().map(|it| it.id.uuid());
        let locations = self.locations.iter().map(|it| it.id.uuid());
        let subjects = self.subjects.iter().map(|it| it.id.uuid());
        customers.chain(contacts).chain(locations).chain(subjects).collect()
    }
}

/// How much is about a customer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    pub(super) customers: usize,
    pub(super) contacts: usize,
    pub(super) locations: usize,
    pub(super) subjects: usize,
    pub(super) tags: usize,
    pub(super) notes: usize,
    pub(super) files: usize,
    pub(super) entries: usize,
}

crate::call::argument::not_sent!(Found);

impl Found {
    /// Counts what is about a customer.
    pub(super) fn of(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Self> {
        let records = Records::of(tx, id)?;
        let mut found = Self {
            customers: records.customers.len(),
            contacts: records.contacts.len(),
            locations: records.locations.len(),
            subjects: records.subjects.len(),
            ..Self::default()
        };
        for customer in &records.customers {
            found.tags += customers::store::tags(tx, customer.id)?.len();
        }
        let mut entries = BTreeSet::new();
        for record in records.ids() {
            entries.extend(erasing::entries(tx, record)?);
            for note in store::note_ids(tx, record)? {
                found.notes += 1;
                found.files += store::files(tx, note)?.len();
                entries.extend(erasing::entries(tx, note.uuid())?);
            }
        }
        Ok(Self { entries: entries.len(), ..found })
    }
}

/// The files on all notes about a customer, with those that are removed. Their content is in the file store.
///
/// # Errors
/// If there is no such customer, or if the database fails.
pub fn files(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Vec<Id<kinds::File>>> {
    let mut files = Vec::new();
    for record in Records::of(tx, id)?.ids() {
        for note in store::note_ids(tx, record)? {
            files.extend(store::files(tx, note)?.into_iter().map(|file| file.id));
        }
    }
    Ok(files)
}
