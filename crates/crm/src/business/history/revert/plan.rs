//! What reverting an entry would do, and what stands in its way. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

use super::obstacle::{ChangedSince, Obstacle};
use super::reverted;
use crate::business::files::put_back::Presence;
use crate::business::history::original;
use crate::business::{files, notes, tags};
use crate::call::access::{Access, Actor, Role};
use crate::call::error::Result;
use crate::call::history::change::{ChangeKind, DETACHED, FieldChange, RecordChange, Values};
use crate::call::history::store::StoredEntry;
use crate::call::scope::Scope;
use crate::values::id::{Id, kinds};

/// The kinds of records whose changes can be reverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::business::history) enum Kind {
    Tag,
    Customer,
    Contact,
    Location,
    Note,
    File,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Tag, Self::Customer, Self::Contact, Self::Location, Self::Note, Self::File];

    fn of(record_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == record_type)
    }

    /// The word for the kind.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Customer => "customer",
            Self::Contact => "contact",
            Self::Location => "location",
            Self::Note => "note",
            Self::File => "file",
        }
    }

    /// The scope that allows changing such records.
    const fn scope(self) -> Scope {
        match self {
            Self::Tag | Self::Customer | Self::Contact | Self::Location => Scope::WriteCustomers,
            Self::Note | Self::File => Scope::WriteNotes,
        }
    }
}

/// The opposite of a change.
#[derive(Debug)]
pub(in crate::business::history) enum Step {
    /// A deleted tag comes back.
    BringBack {
        tag: Id<kinds::Tag>,
        values: Values,
    },
    /// Fields get their old values.
    Put {
        kind: Kind,
        id: Uuid,
        values: Values,
    },
    Attach {
        tag: Id<kinds::Tag>,
        customer: Id<kinds::Customer>,
    },
    Detach {
        tag: Id<kinds::Tag>,
        customer: Id<kinds::Customer>,
    },
    /// A removed file comes back.
    BringBackFile {
        file: Id<kinds::File>,
    },
    /// A file that was added is removed.
    Remove {
        file: Id<kinds::File>,
    },
    /// What was added is archived.
    Archive {
        kind: Kind,
        id: Uuid,
        customer: Option<Id<kinds::Customer>>,
    },
    /// A tag that was added is deleted.
    Delete {
        tag: Id<kinds::Tag>,
    },
}

/// Fields that follow from others, or that never change.
const FOLLOWING: &[&str] = &[
    "id",
    "created_at",
    "updated_at",
    "created_by",
    "customer_id",
    "customer_number",
    "attachments",
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
        let mut records = original::now(tx, changes)?;
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
    ) -> Result<Result<Vec<Step>, Obstacle>> {
        if self.reverted.contains(&entry.entry.id.uuid()) {
            return Ok(Err(Obstacle::Reverted));
        }
        let is_addition = |change: &&RecordChange| {
            matches!(change.kind, ChangeKind::Added(_) | ChangeKind::AddedAsItWas)
        };
        let is_removal = |change: &&RecordChange| matches!(change.kind, ChangeKind::Removed(_));
        let ids = |changes: &mut dyn Iterator<Item = &RecordChange>| {
            changes.map(|it| it.record_id).collect()
        };
        let mut planning = Planning {
            now: &self.records,
            access,
            entry: entry.entry.id.uuid(),
            added: ids(&mut entry.changes.iter().filter(is_addition)),
            removed: ids(&mut entry.changes.iter().filter(is_removal)),
            steps: Vec::new(),
            changed: Vec::new(),
        };
        for change in &entry.changes {
            if let Some(obstacle) = planning.add(tx, change)? {
                return Ok(Err(obstacle));
            }
        }
        let Planning { mut steps, changed, .. } = planning;
        Ok(if !changed.is_empty() {
            Err(Obstacle::Changed(changed))
        } else if steps.is_empty() && !entry.changes.iter().any(|it| it.has_field(DETACHED)) {
            Err(Obstacle::Nothing)
        } else {
            steps.sort_by_key(Step::order);
            Ok(steps)
        })
    }
}

struct Planning<'p> {
    /// The records as they are now.
    now: &'p BTreeMap<Uuid, Values>,
    access: &'p Access,
    entry: Uuid,
    /// The records that the entry added.
    added: BTreeSet<Uuid>,
    /// The records that the entry deleted.
    removed: BTreeSet<Uuid>,
    steps: Vec<Step>,
    changed: Vec<ChangedSince>,
}

impl Planning<'_> {
    /// Adds the opposite of a change. Returns why there is none.
    fn add(&mut self, tx: &mut ReadTx<'_>, change: &RecordChange) -> Result<Option<Obstacle>> {
        let RecordChange { record_type, record_id: id, kind: done } = change;
        if record_type == reverted::TYPE {
            return Ok(None);
        }
        let Some(kind) = Kind::of(record_type) else {
            return Ok(Some(Obstacle::NotRecords));
        };
        if let Some(obstacle) = self.right(kind, *id) {
            return Ok(Some(obstacle));
        }
        match done {
            _ if kind == Kind::File => self.put_back_file(tx, Id::new(*id), done),
            ChangeKind::Added(_) | ChangeKind::AddedAsItWas => Ok(self.take_back(kind, *id)),
            ChangeKind::Removed(values) => {
                if !self.now.contains_key(id) {
                    self.steps.push(Step::BringBack { tag: Id::new(*id), values: values.clone() });
                }
                Ok(None)
            }
            // What was attached to a new record goes with it.
            ChangeKind::Changed { .. } if self.added.contains(id) => Ok(None),
            ChangeKind::Changed { fields, .. } => self.put_back(tx, kind, *id, fields),
        }
    }

    /// Why the caller may not change the record.
    fn right(&self, kind: Kind, id: Uuid) -> Option<Obstacle> {
        let scopes = self.access.scopes;
        if let Some(missing) =
            [kind.scope(), kind.scope().read_counterpart()].into_iter().find(|it| !scopes.has(*it))
        {
            return Some(Obstacle::Scope(missing));
        }
        let author = self.now.get(&id).and_then(|note| id_in(note, "created_by"));
        match self.access.actor {
            Actor::Tenant => Some(Obstacle::Person),
            Actor::User { id: user, role } if kind == Kind::Note => {
                let may = role == Role::Owner || author == Some(user.uuid());
                (!may).then_some(Obstacle::Author)
            }
            Actor::User { .. } | Actor::Operator => None,
        }
    }

    /// The opposite of an addition.
    fn take_back(&mut self, kind: Kind, id: Uuid) -> Option<Obstacle> {
        let Some(now) = self.now.get(&id) else { return Some(Obstacle::Gone(kind)) };
        let customer = id_in(now, "customer_id");
        // Those of a new customer are archived with it.
        if customer.is_some_and(|customer| self.added.contains(&customer)) {
            return None;
        }
        if is_archived(now) {
            return Some(Obstacle::Archived(kind));
        }
        if customer.is_some_and(|customer| self.is_archived(customer)) {
            return Some(Obstacle::Archived(Kind::Customer));
        }
        self.steps.push(match kind {
            Kind::Tag => Step::Delete { tag: Id::new(id) },
            _ => Step::Archive { kind, id, customer: customer.map(Id::new) },
        });
        None
    }

    /// The opposite of changes of fields.
    fn put_back(
        &mut self,
        tx: &mut ReadTx<'_>,
        kind: Kind,
        id: Uuid,
        fields: &[FieldChange],
    ) -> Result<Option<Obstacle>> {
        let Some(now) = self.now.get(&id) else {
            let is_part = fields.iter().all(|change| change.field == DETACHED);
            return Ok((!is_part).then_some(Obstacle::Gone(kind)));
        };
        let mut values = Values::new();
        for FieldChange { field, old, new } in fields {
            let current = now.get(field).unwrap_or(&Value::Null);
            match field.as_str() {
                following if FOLLOWING.contains(&following) => {}
                "tag" => {
                    if let Some(obstacle) = self.put_back_tag(tx, Id::new(id), old, new)? {
                        return Ok(Some(obstacle));
                    }
                }
                "body" => {
                    let text = notes::store::get(tx, Id::new(id))?.body;
                    if old.as_str() == Some(&text) {
                        continue;
                    }
                    // The entry does not have the new text. The next entry has it, as its old one.
                    let new = original::replaced_after(tx, id, self.entry, field)?;
                    if new.is_some_and(|new| new.as_str() != Some(&text)) {
                        let (record, field) = (id, field.clone());
                        self.changed.push(ChangedSince { kind, record, field, now: None });
                    }
                    values.insert(field.clone(), old.clone());
                }
                // Somebody has put it back already.
                _ if current == old => {}
                _ if current != new => {
                    let now = Some(current.clone());
                    self.changed.push(ChangedSince { kind, record: id, field: field.clone(), now });
                }
                _ => {
                    values.insert(field.clone(), old.clone());
                }
            }
        }
        if values.is_empty() {
            return Ok(None);
        }
        if is_archived(now) && !values.contains_key("archived_at") {
            return Ok(Some(Obstacle::Archived(kind)));
        }
        if id_in(now, "customer_id").is_some_and(|customer| self.is_archived(customer)) {
            return Ok(Some(Obstacle::Archived(Kind::Customer)));
        }
        self.steps.push(Step::Put { kind, id, values });
        Ok(None)
    }

    /// The opposite of attaching a tag (`new`) or detaching one (`old`).
    fn put_back_tag(
        &mut self,
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        old: &Value,
        new: &Value,
    ) -> Result<Option<Obstacle>> {
        let (tag, was_attached) = if new.is_null() { (old, true) } else { (new, false) };
        let Some(tag) = tag.as_str().and_then(Id::parse) else { return Ok(None) };
        if self.removed.contains(&tag.uuid()) {
            self.steps.push(Step::Attach { tag, customer });
            return Ok(None);
        }
        // A tag that the entry added is deleted, and so leaves its customers.
        if self.added.contains(&tag.uuid())
            || tags::store::is_attached(tx, customer, tag)? == was_attached
        {
            return Ok(None);
        }
        if !was_attached {
            self.steps.push(Step::Detach { tag, customer });
        } else if tags::store::number(tx, tag)?.is_some() {
            self.steps.push(Step::Attach { tag, customer });
        } else {
            return Ok(Some(Obstacle::Gone(Kind::Tag)));
        }
        Ok(None)
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
            (true, Presence::Removed) => self.steps.push(Step::BringBackFile { file }),
            (true, Presence::Gone) => return Ok(Some(Obstacle::Gone(Kind::File))),
            (false, Presence::There) => self.steps.push(Step::Remove { file }),
        }
        Ok(None)
    }

    fn is_archived(&self, id: Uuid) -> bool {
        self.now.get(&id).is_some_and(is_archived)
    }
}

fn is_archived(values: &Values) -> bool {
    values.get("archived_at").is_some_and(|at| !at.is_null())
}

fn id_in(values: &Values, field: &str) -> Option<Uuid> {
    values.get(field).and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok())
}

impl Step {
    /// Records come back before what needs them, and go after it. What becomes primary again comes before what it
    /// replaces.
    fn order(&self) -> (u8, Option<Kind>, bool) {
        match self {
            Self::BringBack { .. } => (0, None, false),
            Self::Put { kind, values, .. } => {
                (1, Some(*kind), values.get("is_primary") == Some(&Value::Bool(false)))
            }
            Self::Attach { .. } => (2, None, false),
            Self::Detach { .. } => (3, None, false),
            Self::BringBackFile { .. } | Self::Remove { .. } => (4, None, false),
            Self::Archive { kind, .. } => (5, Some(*kind), false),
            Self::Delete { .. } => (6, None, false),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BringBack { tag, .. } => write!(formatter, "bring back tag {tag}"),
            Self::Put { kind, id, values } => {
                let kind = kind.word();
                match values.get("archived_at") {
                    Some(Value::Null) => write!(formatter, "restore {kind} {id}"),
                    Some(_) => write!(formatter, "archive {kind} {id}"),
                    None => {
                        let names: Vec<_> = values.keys().map(String::as_str).collect();
                        write!(formatter, "put back {} of {kind} {id}", names.join(", "))
                    }
                }
            }
            Self::Attach { tag, customer } => {
                write!(formatter, "attach tag {tag} to customer {customer}")
            }
            Self::Detach { tag, customer } => {
                write!(formatter, "detach tag {tag} from customer {customer}")
            }
            Self::BringBackFile { file } => write!(formatter, "bring back file {file}"),
            Self::Remove { file } => write!(formatter, "remove file {file}"),
            Self::Archive { kind, id, .. } => write!(formatter, "archive {} {id}", kind.word()),
            Self::Delete { tag } => {
                write!(formatter, "delete tag {tag} and detach it from all customers")
            }
        }
    }
}
