//! What reverting an entry would do, and what stands in its way. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

use super::combined::combined;
use super::moved::{is_merged, is_moved, of_entry, touched_since};
use super::obstacle::{ChangedSince, Obstacle};
use super::reverted;
use super::steps::{Kind, Opposite};
use super::tagged::Tagged;
use crate::business::customers::put_back;
use crate::business::files::put_back::Presence;
use crate::business::history::original::{self, TextAfter};
use crate::business::{catalog_items, files, notes, tax_rates};
use crate::call::access::{Access, Actor, Role};
use crate::call::error::Result;
use crate::call::history::change::{
    ChangeKind, DETACHED, DIFFERENT_FROM, ERASED, FieldChange, REVIVED, RecordChange, SEVERAL,
    Values,
};
use crate::call::history::store::StoredEntry;
use crate::values::id::{Id, kinds};

/// Fields that follow from others, or that never change.
const FOLLOWING: &[&str] = &[
    "id",
    "created_at",
    "updated_at",
    "created_by",
    "customer_number",
    "rate_decimal",
    "quote_number",
    "job_number",
    "total",
    "updated_by",
    "attachments",
    "tag",
    DIFFERENT_FROM,
    DETACHED,
];

/// The records of some entries as they are now, and which of these entries were reverted.
pub(in crate::business::history) struct Present {
    records: BTreeMap<Uuid, Values>,
    reverted: BTreeSet<Uuid>,
}

impl Present {
    /// Reads what the entries are about.
    pub(in crate::business::history) fn read(
        tx: &mut ReadTx<'_>,
        entries: &[StoredEntry],
    ) -> Result<Self> {
        let changes = entries.iter().flat_map(|entry| &entry.changes);
        // Customers are always there, so nothing of them is needed for their tags.
        let is_needed = |change: &&RecordChange| {
            change.fields().is_empty() || change.fields().iter().any(|it| it.field != "tag")
        };
        let mut records = original::now(tx, changes.filter(is_needed))?;
        let parents = records.values().filter_map(|values| id_in(values, "customer_id"));
        let parents: BTreeSet<_> = parents.filter(|id| !records.contains_key(id)).collect();
        records.extend(original::customers(tx, parents)?);
        let ids = entries.iter().map(|entry| entry.entry.id.uuid());
        Ok(Self { records, reverted: reverted::among(tx, ids)? })
    }

    /// What reverting an entry would do: these steps, in this order.
    ///
    /// # Errors
    /// Inside the result, what stands in its way.
    pub(in crate::business::history) fn plan(
        &self,
        tx: &mut ReadTx<'_>,
        access: &Access,
        entry: &StoredEntry,
    ) -> Result<Result<Vec<Opposite>, Obstacle>> {
        if self.reverted.contains(&entry.entry.id.uuid()) {
            return Ok(Err(Obstacle::Reverted));
        }
        if entry.changes.iter().any(|change| change.has_field(ERASED)) {
            return Ok(Err(Obstacle::Erased));
        }
        let removed = ids_where(entry, |kind| matches!(kind, ChangeKind::Removed(_)));
        // The last transaction of bringing back a tag may have nothing left to do.
        let is_ending = removed.iter().any(|id| self.records.contains_key(id));
        match Planning::begin(tx, self, access, entry, removed)?.steps(tx, entry)? {
            Ok(steps) if steps.is_empty() && !is_ending => Ok(Err(Obstacle::Nothing)),
            planned => Ok(planned),
        }
    }

    /// What reverting a part of a tag's deletion does while the tag comes back: maybe nothing.
    ///
    /// # Errors
    /// Inside the result, what stands in its way.
    pub(super) fn plan_part(
        &self,
        tx: &mut ReadTx<'_>,
        access: &Access,
        part: &StoredEntry,
        returning: Id<kinds::Tag>,
    ) -> Result<Result<Vec<Opposite>, Obstacle>> {
        let removed = BTreeSet::from([returning.uuid()]);
        Planning::begin(tx, self, access, part, removed)?.steps(tx, part)
    }
}

pub(super) fn ids_where(
    entry: &StoredEntry,
    is_so: impl Fn(&ChangeKind) -> bool,
) -> BTreeSet<Uuid> {
    entry.changes.iter().filter(|it| is_so(&it.kind)).map(|it| it.record_id).collect()
}

pub(super) struct Planning<'p> {
    /// The records as they are now.
    now: &'p BTreeMap<Uuid, Values>,
    access: &'p Access,
    pub(super) entry: Uuid,
    /// The records that the entry changed, and the tags that it attached.
    pub(super) of_entry: BTreeSet<Uuid>,
    /// Those of the records that the entry moved that later entries are about.
    pub(super) touched_since: BTreeSet<Uuid>,
    /// The records that the entry added.
    added: BTreeSet<Uuid>,
    /// The records that the entry deleted, and a tag that comes back with it.
    removed: BTreeSet<Uuid>,
    tagged: Tagged,
    pub(super) steps: Vec<Opposite>,
    changed: Vec<ChangedSince>,
}

impl<'p> Planning<'p> {
    fn begin(
        tx: &mut ReadTx<'_>,
        present: &'p Present,
        access: &'p Access,
        entry: &StoredEntry,
        removed: BTreeSet<Uuid>,
    ) -> Result<Self> {
        let is_addition =
            |kind: &ChangeKind| matches!(kind, ChangeKind::Added(_) | ChangeKind::AddedAsItWas);
        Ok(Self {
            now: &present.records,
            access,
            entry: entry.entry.id.uuid(),
            of_entry: of_entry(entry),
            touched_since: touched_since(tx, entry)?,
            added: ids_where(entry, is_addition),
            removed,
            tagged: Tagged::read(tx, entry)?,
            steps: Vec::new(),
            changed: Vec::new(),
        })
    }

    fn steps(
        mut self,
        tx: &mut ReadTx<'_>,
        entry: &StoredEntry,
    ) -> Result<Result<Vec<Opposite>, Obstacle>> {
        for change in &combined(&entry.changes) {
            tx.ensure_time()?;
            if let Some(obstacle) = self.add(tx, change)? {
                return Ok(Err(obstacle));
            }
        }
        self.add_displaced(tx, entry)?;
        if !self.changed.is_empty() {
            return Ok(Err(Obstacle::Changed(self.changed)));
        }
        self.steps.sort_by_key(Opposite::order);
        Ok(Ok(self.steps))
    }

    /// Adds the opposite of a change. Returns why there is none.
    fn add(&mut self, tx: &mut ReadTx<'_>, change: &RecordChange) -> Result<Option<Obstacle>> {
        let RecordChange { record_type, record_id: id, kind: done } = change;
        if record_type == reverted::TYPE {
            return Ok(None);
        }
        let Some(kind) = Kind::of(record_type) else {
            return Ok(Some(Obstacle::NotRecords));
        };
        // Only merges change subjects. Others add them, and they cannot be archived.
        if kind == Kind::Subject && change.fields().is_empty() {
            return Ok(Some(Obstacle::NotRecords));
        }
        if let Some(obstacle) = self.right(kind, change) {
            return Ok(Some(obstacle));
        }
        match done {
            _ if kind == Kind::File => self.put_back_file(tx, Id::new(*id), done),
            ChangeKind::Added(_) | ChangeKind::AddedAsItWas => self.take_back(tx, kind, *id),
            ChangeKind::Removed(values) => {
                if !self.now.contains_key(id) {
                    let values = values.clone();
                    self.steps.push(match kind {
                        Kind::CatalogCategory => {
                            Opposite::BringBackCategory { id: Id::new(*id), values }
                        }
                        _ => Opposite::BringBack { tag: Id::new(*id), values },
                    });
                }
                Ok(None)
            }
            // What was attached to a new record goes with it.
            ChangeKind::Changed { .. } if self.added.contains(id) => Ok(None),
            ChangeKind::Changed { fields, .. } => self.put_back(tx, kind, *id, fields),
        }
    }

    /// Why the caller may not change the record.
    fn right(&self, kind: Kind, change: &RecordChange) -> Option<Obstacle> {
        let needed = [kind.scope(), kind.scope().read_counterpart()];
        if let Some(missing) = needed.into_iter().find(|it| !self.access.scopes.has(*it)) {
            return Some(Obstacle::Scope(missing));
        }
        let author = self.now.get(&change.record_id).and_then(|note| id_in(note, "created_by"));
        match self.access.actor {
            Actor::Tenant => Some(Obstacle::Person),
            Actor::User { id: user, role } if kind == Kind::Note && !is_moved(change.fields()) => {
                let may = role == Role::Owner || author == Some(user.uuid());
                (!may).then_some(Obstacle::Author)
            }
            Actor::User { role: Role::Office | Role::Tech, .. }
                if kind == Kind::CatalogItem && is_for_owners(change) =>
            {
                Some(Obstacle::Owner)
            }
            Actor::User { .. } | Actor::Operator => None,
        }
    }

    /// The opposite of an addition.
    fn take_back(&mut self, tx: &mut ReadTx<'_>, kind: Kind, id: Uuid) -> Result<Option<Obstacle>> {
        let Some(now) = self.now.get(&id) else { return Ok(Some(Obstacle::Gone(kind))) };
        let customer = id_in(now, "customer_id");
        // Those of a new customer are archived with it.
        if customer.is_some_and(|customer| self.added.contains(&customer)) {
            return Ok(None);
        }
        if is_archived(now) && !is_merged(now) {
            return Ok(Some(Obstacle::ArchivedAlready(kind)));
        }
        if let Some(obstacle) = self.customer_obstacle(kind, customer.unwrap_or(id)) {
            return Ok(Some(obstacle));
        }
        if now.get("merged_from").is_some_and(Value::is_string) {
            return Ok(Some(Obstacle::HasMerged));
        }
        if kind == Kind::Tag {
            self.steps.push(Opposite::Delete { tag: Id::new(id) });
            return Ok(None);
        }
        if kind == Kind::CatalogCategory {
            self.steps.push(Opposite::DeleteCategory { id: Id::new(id) });
            return Ok(None);
        }
        // An external id that it had from the beginning is free again, so that the customer can be added again.
        if now.get("external_id").is_some_and(Value::is_string)
            && original::last_change(tx, id, self.entry, "external_id")?.is_none()
        {
            let values = [("external_id".to_owned(), Value::Null)].into_iter().collect();
            self.steps.push(Opposite::Put { kind, id, values });
        }
        self.steps.push(Opposite::Archive { kind, id, customer: customer.map(Id::new) });
        Ok(None)
    }

    /// The opposite of changes of fields.
    fn put_back(
        &mut self,
        tx: &mut ReadTx<'_>,
        kind: Kind,
        id: Uuid,
        fields: &[FieldChange],
    ) -> Result<Option<Obstacle>> {
        for FieldChange { old, new, .. } in fields.iter().filter(|it| it.field == "tag") {
            if let Some(obstacle) = self.put_back_tag(Id::new(id), old, new) {
                return Ok(Some(obstacle));
            }
        }
        for FieldChange { old, new, .. } in fields.iter().filter(|it| it.field == DIFFERENT_FROM) {
            self.put_back_mark(Id::new(id), old, new);
        }
        if fields.iter().all(|change| SEVERAL.contains(&&*change.field)) {
            return Ok(None);
        }
        let Some(now) = self.now.get(&id) else {
            let is_part = fields.iter().all(|change| change.field == DETACHED);
            return Ok((!is_part).then_some(Obstacle::Gone(kind)));
        };
        if kind == Kind::Note && is_moved(fields) {
            return Ok(self.move_note(id, now, &fields[0]));
        }
        if let Some(obstacle) = self.more_to_merge(tx, id, fields)? {
            return Ok(Some(obstacle));
        }
        let mut values = Values::new();
        for FieldChange { field, old, new } in fields {
            let current = now.get(field).unwrap_or(&Value::Null);
            match field.as_str() {
                following if FOLLOWING.contains(&following) => {}
                REVIVED => self.steps.push(Opposite::Delete { tag: Id::new(id) }),
                "body" => match self.is_text_changed(tx, id, now, old)? {
                    Some(true) => self.block(kind, id, field, None),
                    Some(false) => {
                        values.insert(field.clone(), old.clone());
                    }
                    None => {}
                },
                // Somebody has put it back already.
                _ if current == old && (field != "is_primary" || !is_moved(fields)) => {}
                _ if current != new => self.block(kind, id, field, Some(current.clone())),
                _ => {
                    values.insert(field.clone(), old.clone());
                }
            }
        }
        if values.contains_key("customer_id") {
            self.add_place(tx, kind, id, now, &mut values)?;
        }
        if values.is_empty() {
            return Ok(None);
        }
        // It may get back an external id that the kept customer took over.
        let is_external_id = values.keys().all(|field| field == "external_id");
        if is_merged(now) && !values.contains_key("merged_into") && !is_external_id {
            return Ok(Some(Obstacle::Merged));
        }
        let is_moved = values.contains_key("merged_into") || is_moved(fields);
        let stays_merged = is_merged(now) && is_external_id;
        let is_restored = values.contains_key("archived_at") || values.contains_key("cancelled_at");
        if is_archived(now) && !is_restored && !is_moved && !stays_merged {
            return Ok(Some(Obstacle::Archived(kind)));
        }
        // What goes to another customer may come from an archived one, and the merge changes both.
        if !values.contains_key("customer_id")
            && let Some(customer) = id_in(now, "customer_id")
            && let Some(obstacle) = self.customer_obstacle(kind, customer)
        {
            return Ok(Some(obstacle));
        }
        self.steps.push(Opposite::Put { kind, id, values });
        Ok(None)
    }

    /// A field that was changed since stands in the way.
    pub(super) fn block(&mut self, kind: Kind, record: Uuid, field: &str, now: Option<Value>) {
        self.changed.push(ChangedSince { kind, record, field: field.to_owned(), now });
    }

    /// Whether a note's text was changed after the entry. `None` if it was put back by hand. The entry does not have
    /// the new text: the note's next change has it, as its old one.
    fn is_text_changed(
        &self,
        tx: &mut ReadTx<'_>,
        id: Uuid,
        now: &Values,
        old: &Value,
    ) -> Result<Option<bool>> {
        let after = original::text_after(tx, id, self.entry, now)?;
        if matches!(after, TextAfter::Unchanged) {
            return Ok(Some(false));
        }
        let text = Value::String(notes::store::get(tx, Id::new(id))?.body);
        if text == *old {
            return Ok(None);
        }
        Ok(Some(!matches!(after, TextAfter::Was(new) if new == text)))
    }

    /// The opposite of attaching a tag (`new`) or detaching one (`old`).
    fn put_back_tag(
        &mut self,
        customer: Id<kinds::Customer>,
        old: &Value,
        new: &Value,
    ) -> Option<Obstacle> {
        let (tag, was_attached) = if new.is_null() { (old, true) } else { (new, false) };
        let tag: Id<kinds::Tag> = tag.as_str().and_then(Id::parse)?;
        // A tag that the entry added is deleted, and so leaves its customers.
        if self.added.contains(&tag.uuid()) {
            return None;
        }
        let is_attached = self.tagged.has(customer, tag);
        if is_attached.unwrap_or(false) == was_attached {
            return None;
        }
        if was_attached && is_attached.is_none() && !self.removed.contains(&tag.uuid()) {
            return Some(Obstacle::Gone(Kind::Tag));
        }
        self.steps.push(if was_attached {
            Opposite::Attach { tag, customer }
        } else {
            Opposite::Detach { tag, customer }
        });
        None
    }

    /// The opposite of marking two customers as different (`new`) or of taking that back (`old`). Both have the change.
    fn put_back_mark(&mut self, one: Id<kinds::Customer>, old: &Value, new: &Value) {
        let other = old.as_str().or(new.as_str()).and_then(Id::parse);
        if let Some(other) = other.filter(|other: &Id<kinds::Customer>| one.uuid() < other.uuid()) {
            let was_different = new.is_null();
            self.steps.push(if was_different {
                Opposite::Mark { one, other }
            } else {
                Opposite::Unmark { one, other }
            });
        }
    }

    /// The opposite of adding or removing a file. Its note is in the same entry.
    fn put_back_file(
        &mut self,
        tx: &mut ReadTx<'_>,
        file: Id<kinds::File>,
        done: &ChangeKind,
    ) -> Result<Option<Obstacle>> {
        let (was_there, values) = match done {
            ChangeKind::Added(values) => (false, values),
            ChangeKind::Removed(values) => (true, values),
            ChangeKind::AddedAsItWas | ChangeKind::Changed { .. } => return Ok(None),
        };
        if id_in(values, "note_id").is_some_and(|note| self.is_archived(note)) {
            return Ok(Some(Obstacle::Archived(Kind::Note)));
        }
        match (was_there, files::put_back::presence(tx, file)?) {
            (true, Presence::There) | (false, Presence::Removed | Presence::Gone) => {}
            (true, Presence::Removed) => self.steps.push(Opposite::BringBackFile { file }),
            (true, Presence::Gone) => return Ok(Some(Obstacle::Gone(Kind::File))),
            (false, Presence::There) => self.steps.push(Opposite::Remove { file }),
        }
        Ok(None)
    }

    /// Finds records that are primary, or the default, now, but would lose their place although the entry did not give it to
    /// them.
    fn add_displaced(&mut self, tx: &mut ReadTx<'_>, entry: &StoredEntry) -> Result<()> {
        for step in &self.steps {
            let Opposite::Put { kind, id, values } = step else { continue };
            let primary = values.get("is_primary").or_else(|| self.now.get(id)?.get("is_primary"));
            if primary == Some(&Value::Bool(false)) {
                continue;
            }
            let displaced = match kind {
                Kind::Contact => put_back::displaced_contact(tx, *id, values)?,
                Kind::Location => put_back::displaced_location(tx, *id, values)?,
                Kind::TaxRate => tax_rates::put_back::displaced(tx, *id, values)?,
                Kind::Tag
                | Kind::Customer
                | Kind::Subject
                | Kind::Note
                | Kind::File
                | Kind::CatalogItem
                | Kind::CatalogCategory
                | Kind::Quote
                | Kind::Job => None,
            };
            let Some(record) = displaced else { continue };
            let is_of_entry = entry.changes.iter().any(|change| change.record_id == record);
            if !is_of_entry {
                let field = if *kind == Kind::TaxRate { "is_default" } else { "is_primary" };
                let (field, now) = (field.to_owned(), Some(Value::Bool(true)));
                self.changed.push(ChangedSince { kind: *kind, record, field, now });
            }
        }
        Ok(())
    }

    fn is_archived(&self, id: Uuid) -> bool {
        self.now.get(&id).is_some_and(is_archived)
    }

    /// Why the relatives of a customer cannot be changed. The work of an archived customer can be finished, and so undone.
    fn customer_obstacle(&self, kind: Kind, id: Uuid) -> Option<Obstacle> {
        let customer = self.now.get(&id)?;
        if is_merged(customer) {
            return Some(Obstacle::Merged);
        }
        let is_in_the_way = is_archived(customer) && kind != Kind::Job;
        is_in_the_way.then_some(Obstacle::Archived(Kind::Customer))
    }
}

/// Whether the change is of fields that only owners may change.
fn is_for_owners(change: &RecordChange) -> bool {
    catalog_items::shown::FOR_OWNERS.iter().any(|field| change.has_field(field))
}

/// Whether a record is archived, or a job cancelled.
fn is_archived(values: &Values) -> bool {
    let is_set = |field| values.get(field).is_some_and(|at: &Value| !at.is_null());
    is_set("archived_at") || is_set("cancelled_at")
}

pub(super) fn id_in(values: &Values, field: &str) -> Option<Uuid> {
    values.get(field).and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok())
}
