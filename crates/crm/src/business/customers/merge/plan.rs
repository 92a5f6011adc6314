//! Everything that a merge changes, computed before anything is written.

use serde::Serialize;
use sha2::{Digest, Sha256};
use zoop_db::ReadTx;

use super::relatives::{self, Relatives};
use super::{Dropped, MergeCustomersInput, MergedCustomers, Moved, SameContact, SameLocation};
use super::{TakenField, fields, lost};
use crate::business::customers::children::MAX_ACTIVE;
use crate::business::customers::contacts::same_person::{self, PersonField};
use crate::business::customers::contacts::{self, Contact};
use crate::business::customers::locations::{self, Location};
use crate::business::customers::{Customer, CustomerRecord, TagLabel, store};
use crate::business::documents::Documents;
use crate::business::notes::moving::{self, NotesAbout};
use crate::business::tags::MAX_TAGS;
use crate::call::access::Access;
use crate::call::archive::Archivable;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::clock::Moment;
use crate::values::fold;
use crate::values::id::{Id, kinds};

/// Maximum number of records that one merge moves. Each takes some of the time in which other writes wait.
const MAX_MOVED: usize = 1_000;

/// A record before and after the merge.
#[derive(Serialize)]
pub(super) struct Replaced<R> {
    pub(super) old: R,
    #[serde(skip)]
    pub(super) new: R,
}

/// Everything that a merge changes.
pub(super) struct Plan {
    pub(super) kept: Replaced<Customer>,
    pub(super) merged: Replaced<Customer>,
    pub(super) contacts: Relatives<Contact, SameContact>,
    pub(super) locations: Relatives<Location, SameLocation>,
    pub(super) notes: Vec<NotesAbout>,
    pub(super) documents: Documents,
    /// The merged customer's tags.
    pub(super) tags: Vec<TagLabel>,
    /// The kept customer's tags before the merge.
    pub(super) own_tags: Vec<TagLabel>,
    /// The kept customer's contacts and locations before the merge.
    own: (Vec<Contact>, Vec<Location>),
    take: Vec<TakenField>,
}

impl Plan {
    /// What the call would do.
    ///
    /// # Errors
    /// [`Error::NotFound`] if a customer is missing or the kept one is archived, [`Error::Conflict`] if the kept customer
    /// would get too much.
    pub(super) fn new(
        tx: &mut ReadTx<'_>,
        access: &Access,
        now: Moment,
        input: &MergeCustomersInput,
    ) -> Result<Self> {
        let kept = store::get(tx, input.keep_id)?.unless_archived(access)?;
        let merged = store::get(tx, input.merge_id)?.unless_merged(access)?;
        let is_taken =
            |field: &TakenField| input.take.as_ref().is_some_and(|take| take.0.contains(field));
        let take: Vec<_> = TakenField::ALL.iter().copied().filter(is_taken).collect();
        let kept_new = fields::kept(access, &kept, &merged, &take)?;
        let kept_new = Customer { updated_at: now, ..kept_new };

        let own_contacts = contacts::store::active(tx, kept.id)?;
        let created = changed_contact(tx, &kept, &kept_new)?;
        let own_then = own_contacts.iter().map(|own| match &created {
            Some(created) if created.old.id == own.id => created.new.clone(),
            _ => own.clone(),
        });
        let own_then: Vec<_> = own_then.collect();
        let theirs = contacts::store::all(tx, merged.id, MAX_MOVED + 1)?;
        let mut contacts = relatives::contacts(&kept_new, &own_then, &merged, theirs, now);
        let is_active = |it: &Contact| it.customer_id == kept.id && it.archived_at.is_none();
        let gone = contacts.changes.iter().filter(|it| is_active(&it.old)).count();
        let come = contacts.changes.iter().filter(|it| is_active(&it.new)).count();
        require_room(access, own_contacts.len() + come - gone, "contacts")?;
        let created = created.map(|created| {
            let new = Contact { updated_at: now, ..created.new };
            Replaced { old: created.old, new }
        });
        contacts.changes.splice(0..0, created);

        let own_locations = locations::store::active(tx, kept.id)?;
        let theirs = locations::store::all(tx, merged.id, MAX_MOVED + 1)?;
        let locations = relatives::locations(kept.id, &own_locations, theirs, now);
        let come = locations.changes.iter().filter(|it| it.new.archived_at.is_none()).count();
        require_room(access, own_locations.len() + come, "locations")?;

        let mut about = vec![(merged.id.uuid(), kept.id.uuid())];
        about.extend(contacts.dropped.iter().map(|it| (it.id.uuid(), it.same_as.uuid())));
        about.extend(locations.dropped.iter().map(|it| (it.id.uuid(), it.same_as.uuid())));
        let notes = moving::about(tx, &about, MAX_MOVED + 1)?;
        let documents = Documents::of_customer(tx, merged.id, MAX_MOVED + 1)?;
        let plan = Self {
            merged: Replaced { new: after_merge(&merged, &kept_new, now), old: merged },
            tags: store::tag_labels(tx, input.merge_id)?,
            own_tags: store::tag_labels(tx, kept.id)?,
            kept: Replaced { old: kept, new: kept_new },
            own: (own_contacts, own_locations),
            contacts,
            locations,
            notes,
            documents,
            take,
        };
        plan.require_bounds(access)?;
        Ok(plan)
    }

    /// Identifies the plan: another plan, or the same one after any of its records has changed, has another id.
    ///
    /// # Errors
    /// If a record cannot be written as JSON.
    pub(super) fn id(&self) -> Result<String> {
        let Self { kept, merged, contacts, locations, notes, documents, tags, own_tags, own, take } =
            self;
        let records = (&kept.old, &merged.old, &contacts.changes, &locations.changes, documents);
        let dropped = (&contacts.dropped, &locations.dropped);
        let take: Vec<_> = take.iter().map(|field| field.word()).collect();
        let tags: Vec<_> = [tags, own_tags].map(|tags| ids(tags)).into();
        let state = serde_json::to_vec(&(records, dropped, own, notes, tags, take))?;
        let hash = Sha256::digest(state);
        let first = hash.iter().take(16).fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
        Ok(format!("{first:032x}"))
    }

    /// The tags that the kept customer gets.
    pub(super) fn new_tags(&self) -> impl Iterator<Item = &TagLabel> {
        let is_new = |tag: &&TagLabel| self.own_tags.iter().all(|own| own.id != tag.id);
        self.tags.iter().filter(is_new)
    }

    /// The kept customer's active contacts after the merge.
    pub(super) fn contacts_then(&self) -> impl Iterator<Item = &Contact> {
        let changed = || self.contacts.changes.iter().map(|changed| &changed.new);
        let is_unchanged = move |own: &&Contact| changed().all(|new| new.id != own.id);
        let own = self.own.0.iter().filter(is_unchanged);
        own.chain(changed()).filter(|contact| contact.archived_at.is_none())
    }

    /// The answer to the call.
    pub(super) fn answer(self, access: &Access, plan: Option<String>) -> MergedCustomers {
        let not_kept = lost::values(&self);
        let notes = access.scopes.has(Scope::ReadNotes).then(|| self.count_of_notes());
        let tags = self.new_tags().map(|tag| tag.id).collect();
        let mut all_tags: Vec<_> = self.own_tags.iter().chain(self.new_tags()).cloned().collect();
        all_tags.sort_by_cached_key(|tag| fold::caseless(&tag.name));
        let primary = self.contacts_then().find(|contact| contact.is_primary).cloned();
        let kept = self.kept.new.id;
        let moved_contacts = moved(&self.contacts.changes, |it| it.customer_id != kept);
        let moved_locations = moved(&self.locations.changes, |it| it.customer_id != kept);
        MergedCustomers {
            merged: plan.is_none(),
            plan,
            customer: CustomerRecord::new(self.kept.new, primary.as_ref(), all_tags),
            moved: Moved {
                contacts: moved_contacts.map(|it| it.id).collect(),
                locations: moved_locations.map(|it| it.id).collect(),
                notes,
                subjects: self.documents.len(),
                tags,
            },
            dropped: Dropped { contacts: self.contacts.dropped, locations: self.locations.dropped },
            not_kept,
        }
    }

    fn count_of_notes(&self) -> usize {
        self.notes.iter().map(|about| about.notes.len()).sum()
    }

    fn require_bounds(&self, access: &Access) -> Result<()> {
        let tags = self.own_tags.len() + self.new_tags().count();
        if tags > MAX_TAGS {
            return Err(too_much(access, || {
                format!(
                    "The kept customer would have {tags} tags, and {MAX_TAGS} is the maximum: detach some first."
                )
            }));
        }
        let moved = self.contacts.changes.len()
            + self.locations.changes.len()
            + self.count_of_notes()
            + self.documents.len();
        if moved > MAX_MOVED {
            let number = self.merged.old.customer_number;
            return Err(too_much(access, || {
                format!(
                    "The customer {number} has more than {MAX_MOVED} contacts, locations and notes, the most that a \
                     merge moves: keep that one and merge the other into it."
                )
            }));
        }
        Ok(())
    }
}

/// The kept customer would have too much of something. Only a caller who may read customers learns of what.
fn too_much(access: &Access, what: impl Fn() -> String) -> Error {
    if access.scopes.has(Scope::ReadCustomers) {
        return Error::conflict(what());
    }
    Error::conflict("These customers have too much together: keep the other one instead.")
}

/// The records that come from the merged customer.
fn moved<R>(
    changes: &[Replaced<R>],
    is_from_other: impl Fn(&R) -> bool,
) -> impl Iterator<Item = &R> {
    changes.iter().map(|change| &change.old).filter(move |old| is_from_other(old))
}

fn ids(tags: &[TagLabel]) -> Vec<Id<kinds::Tag>> {
    tags.iter().map(|tag| tag.id).collect()
}

/// The merged customer afterwards. An external id that the kept customer takes over is not its own any more.
fn after_merge(merged: &Customer, kept: &Customer, now: Moment) -> Customer {
    let is_taken = merged.external_id == kept.external_id;
    Customer {
        external_id: merged.external_id.clone().filter(|_| !is_taken),
        merged_into: Some(kept.id),
        archived_at: merged.archived_at.or(Some(now)),
        updated_at: now,
        ..merged.clone()
    }
}

/// The contact that is the kept customer themselves, if the merge changes it.
fn changed_contact(
    tx: &mut ReadTx<'_>,
    old: &Customer,
    new: &Customer,
) -> Result<Option<Replaced<Contact>>> {
    let sent = PersonField::sent([
        old.first_name != new.first_name,
        old.last_name != new.last_name,
        old.phone_raw != new.phone_raw,
        old.email != new.email,
    ]);
    if let Some((old, new)) = same_person::renamed_placeholder(tx, old, new)? {
        return Ok(Some(Replaced { old, new }));
    }
    let changed = same_person::changed_contact(tx, old, new, &sent)?;
    Ok(changed.map(|(contact, mut changed)| {
        // What only fills a gap of the customer does not replace the contact's own.
        if old.phone.is_none() && contact.phone.is_some() {
            changed.set_phone(contact.phone().as_ref());
        }
        if old.email.is_none() && contact.email.is_some() {
            changed.email.clone_from(&contact.email);
        }
        Replaced { old: contact, new: changed }
    }))
}

fn require_room(access: &Access, active: usize, plural: &str) -> Result<()> {
    if active <= MAX_ACTIVE {
        return Ok(());
    }
    Err(too_much(access, || {
        format!(
            "The kept customer would have {active} active {plural}, and {MAX_ACTIVE} is the maximum: archive some first."
        )
    }))
}
