//! Which records are about a customer.

use std::collections::BTreeSet;

use zoop_db::{ReadTx, Timestamp, Uuid};

use super::erasure::Counts;
use super::store;
use crate::business::customers::contacts::{self, Contact};
use crate::business::customers::locations::{self, Location};
use crate::business::customers::{self, Customer};
use crate::business::documents::Documents;
use crate::call::error::{Error, Result};
use crate::call::history::erasing::{self, Lent};
use crate::call::idempotency::AnswerKey;
use crate::values::id::{Id, kinds};

/// A customer, those that were merged into it, and what belongs to them.
pub(super) struct Records {
    /// The customer first.
    pub(super) customers: Vec<Customer>,
    pub(super) contacts: Vec<Contact>,
    pub(super) locations: Vec<Location>,
    pub(super) documents: Documents,
}

impl Records {
    /// The records of a customer.
    ///
    /// # Errors
    /// [`crate::call::error::Error::NotFound`] if there is no such customer, or if it is erased.
    pub(super) fn of(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Self> {
        let customers = customers(tx, id)?;
        let documents = Documents::default();
        let mut records = Self { customers, contacts: vec![], locations: vec![], documents };
        for customer in &records.customers {
            records.contacts.extend(contacts::store::all(tx, customer.id, usize::MAX)?);
            records.locations.extend(locations::store::all(tx, customer.id, usize::MAX)?);
            records.documents.extend(Documents::of_customer(tx, customer.id, usize::MAX)?);
        }
        Ok(records)
    }

    /// How many they are, without notes and entries of the history.
    pub(super) fn counts(&self, tx: &mut ReadTx<'_>) -> Result<Counts> {
        let mut tags = 0;
        for customer in &self.customers {
            tags += count(customers::store::tags(tx, customer.id)?.len());
        }
        Ok(Counts {
            customers: count(self.customers.len()),
            contacts: count(self.contacts.len()),
            locations: count(self.locations.len()),
            subjects: count(self.documents.len()),
            tags,
            ..Counts::default()
        })
    }

    /// Their ids. Notes can be about each of them.
    pub(super) fn ids(&self) -> BTreeSet<Uuid> {
        let customers = self.customers.iter().map(|it| it.id.uuid());
        let contacts = self.contacts.iter().map(|it| it.id.uuid());
        let locations = self.locations.iter().map(|it| it.id.uuid());
        customers.chain(contacts).chain(locations).chain(self.documents.ids()).collect()
    }
}

/// A customer, and those that were merged into it.
fn customers(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Vec<Customer>> {
    let mut customers = vec![customers::store::get(tx, id)?];
    let mut at = 0;
    while let Some(customer) = customers.get(at) {
        tx.ensure_time()?;
        let merged = store::merged_into(tx, customer.id)?;
        customers.extend(merged);
        at += 1;
    }
    Ok(customers)
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// What is about a customer, as it was read before anything of it was erased. What is added meanwhile is found by the
/// steps themselves.
#[derive(Debug, Clone)]
pub struct Found {
    /// When it was read, which also tells this run of an erasure from others.
    pub(super) at: Timestamp,
    /// How much it is.
    pub(super) counts: Counts,
    /// The customer, and those that were merged into it.
    pub(super) customers: BTreeSet<Uuid>,
    /// The ids of all records, with the notes and their files.
    pub(super) ids: BTreeSet<Uuid>,
    /// Those of the records that notes were about.
    pub(super) with_notes: BTreeSet<Uuid>,
    /// The entries of the history that may have values of them, in order.
    pub(super) entries: Vec<Uuid>,
    /// What other records had of their values for a while.
    pub(super) lent: Vec<Lent>,
    /// The remembered answers that name one of them.
    pub(super) answers: Vec<AnswerKey>,
}

crate::call::argument::not_sent!(Found);

impl Default for Found {
    fn default() -> Self {
        Self {
            at: Timestamp(0),
            counts: Counts::default(),
            customers: BTreeSet::new(),
            ids: BTreeSet::new(),
            with_notes: BTreeSet::new(),
            entries: Vec::new(),
            lent: Vec::new(),
            answers: Vec::new(),
        }
    }
}

impl Found {
    /// Finds what is about a customer, without the remembered answers.
    pub(super) fn of(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>, now: Timestamp) -> Result<Self> {
        let records = Records::of(tx, id)?;
        let (mut counts, mut ids) = (records.counts(tx)?, records.ids());
        let customers = records.customers.iter().map(|it| it.id.uuid()).collect();
        let mut lent = erasing::lent(tx, &customers)?;
        lent.retain(|it| !ids.contains(&it.record));
        let (mut entries, mut with_notes) = (BTreeSet::new(), BTreeSet::new());
        for lent in &lent {
            entries.extend(lent.entries(tx)?);
        }
        for record in records.ids() {
            entries.extend(erasing::entries(tx, record, Uuid::nil())?);
            for note in store::note_ids(tx, record)? {
                with_notes.insert(record);
                counts.notes += 1;
                let files = store::files(tx, note)?;
                counts.files += count(files.len());
                // The answer to an upload names only them.
                ids.extend(files.iter().map(|file| file.id.uuid()));
                entries.extend(erasing::entries(tx, note.uuid(), Uuid::nil())?);
                ids.insert(note.uuid());
            }
        }
        counts.entries = count(entries.len());
        let entries = entries.into_iter().collect();
        let answers = Vec::new();
        Ok(Self { at: now, counts, customers, ids, with_notes, entries, lent, answers })
    }

    /// Refuses to go on if another customer was merged into this one since, or separated from it.
    pub(super) fn require_same(&self, tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<()> {
        let now: BTreeSet<_> = customers(tx, id)?.iter().map(|it| it.id.uuid()).collect();
        if now == self.customers {
            return Ok(());
        }
        Err(Error::conflict(
            "Another customer was merged into this one meanwhile, or separated from it: look at what would be erased \
             again.",
        ))
    }
}

/// Those of some files that have no row any more, so that nothing needs their content.
///
/// # Errors
/// If the database fails.
pub fn without_row(tx: &mut ReadTx<'_>, files: &[Id<kinds::File>]) -> Result<Vec<Id<kinds::File>>> {
    let mut gone = Vec::new();
    for file in files {
        tx.ensure_time()?;
        if !store::has_file(tx, *file)? {
            gone.push(*file);
        }
    }
    Ok(gone)
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
