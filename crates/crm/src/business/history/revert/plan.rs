//! What reverting an entry would do, and what stands in its way. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};
use zoop_db::{ReadTx, Uuid};

use crate::business::history::original;
use crate::business::tags;
use crate::call::error::Result;
use crate::call::history::change::{ChangeKind, FieldChange, RecordChange, Values};
use crate::call::history::store::StoredEntry;
use crate::values::id::Id;

/// The kinds of records whose changes can be reverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Tag,
    Customer,
    Contact,
    Location,
    Note,
}

impl Kind {
    const ALL: [(&'static str, Self); 5] = [
        ("tag", Self::Tag),
        ("customer", Self::Customer),
        ("contact", Self::Contact),
        ("location", Self::Location),
        ("note", Self::Note),
    ];

    fn of(record_type: &str) -> Option<Self> {
        Self::ALL.iter().find(|(word, _)| *word == record_type).map(|(_, kind)| *kind)
    }

    /// The word for the kind.
    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("record", |(word, _)| word)
    }
}

/// The opposite of one change.
#[derive(Debug)]
pub(super) enum Step {
    /// A deleted tag comes back.
    BringBack(Values),
    Restore(Kind, Uuid),
    /// Fields get their old values.
    Put { kind: Kind, id: Uuid, customer: Option<Uuid>, fields: Map<String, Value> },
    Attach { tag: Value, customer: Uuid },
    Detach { tag: Value, customer: Uuid },
    Archive { kind: Kind, id: Uuid, customer: Option<Uuid> },
    DeleteTag(Uuid),
}

/// A field that was changed since.
#[derive(Debug)]
pub(super) struct Blocked {
    pub(super) kind: Kind,
    pub(super) record: Uuid,
    pub(super) field: String,
    /// Its value now. `None` if it must not be repeated, as a note's text.
    pub(super) now: Option<Value>,
}

/// What reverting an entry would do.
#[derive(Debug)]
pub(super) enum Verdict {
    /// These steps, in this order.
    Possible(Vec<Step>),
    /// Nothing: these fields were changed since.
    Blocked(Vec<Blocked>),
    /// Nothing, for this reason: a sentence.
    Impossible(String),
}

/// Fields that follow from others, or that never change.
const FOLLOWING: &[&str] =
    &["id", "created_at", "updated_at", "created_by", "customer_id", "customer_number", "phone", "attachments"];

/// What reverting an entry would do.
pub(super) fn verdict(tx: &mut ReadTx<'_>, entry: &StoredEntry) -> Result<Verdict> {
    let mut planning = Planning {
        now: original::now(tx, &entry.changes)?,
        added: entry.changes.iter().filter(|it| is_addition(it)).map(|it| it.record_id).collect(),
        entry,
        steps: Vec::new(),
        blocked: Vec::new(),
    };
    for change in &entry.changes {
        if let Some(reason) = planning.plan(tx, change)? {
            return Ok(Verdict::Impossible(reason));
        }
    }
    let Planning { mut steps, blocked, .. } = planning;
    if !blocked.is_empty() {
        return Ok(Verdict::Blocked(blocked));
    }
    if steps.is_empty() {
        return Ok(Verdict::Impossible("It changed nothing that can be put back.".to_owned()));
    }
    steps.sort_by_key(Step::order);
    Ok(Verdict::Possible(steps))
}

const fn is_addition(change: &RecordChange) -> bool {
    matches!(change.kind, ChangeKind::Added(_) | ChangeKind::AddedAsItWas)
}

struct Planning<'e> {
    /// The records of the entry as they are now.
    now: BTreeMap<Uuid, Values>,
    /// The records that the entry added.
    added: BTreeSet<Uuid>,
    entry: &'e StoredEntry,
    steps: Vec<Step>,
    blocked: Vec<Blocked>,
}

impl Planning<'_> {
    /// Adds the opposite of a change. Returns why there is none.
    fn plan(&mut self, tx: &mut ReadTx<'_>, change: &RecordChange) -> Result<Option<String>> {
        let Some(kind) = Kind::of(&change.record_type) else {
            // The file's own change; the note's only names it.
            return Ok(Some(match &*change.record_type {
                "file" => "Files are added and removed, not reverted.".to_owned(),
                _ => "Only changes of customers, contacts, locations, notes and tags can be reverted.".to_owned(),
            }));
        };
        match &change.kind {
            ChangeKind::Added(_) | ChangeKind::AddedAsItWas => Ok(self.take_back(kind, change.record_id)),
            ChangeKind::Removed(values) => {
                self.steps.push(Step::BringBack(values.clone()));
                Ok(None)
            }
            ChangeKind::Changed { fields, .. } => self.put_back(tx, kind, change.record_id, fields),
        }
    }

    /// The opposite of an addition.
    fn take_back(&mut self, kind: Kind, id: Uuid) -> Option<String> {
        let Some(now) = self.now.get(&id) else {
            return Some(format!("The {} is no longer there.", kind.word()));
        };
        let customer = id_in(now, "customer_id");
        // Those of a new customer are archived with it.
        if customer.is_some_and(|customer| self.added.contains(&customer)) {
            return None;
        }
        if now.get("archived_at").is_some_and(|at| !at.is_null()) {
            return Some(format!("The {} is already archived.", kind.word()));
        }
        self.steps.push(match kind {
            Kind::Tag => Step::DeleteTag(id),
            _ => Step::Archive { kind, id, customer },
        });
        None
    }

    /// The opposite of changes of fields.
    fn put_back(
        &mut self,
        tx: &mut ReadTx<'_>,
        kind: Kind,
        id: Uuid,
        changed: &[FieldChange],
    ) -> Result<Option<String>> {
        let Some(now) = self.now.get(&id).cloned() else {
            return Ok(Some(format!("The {} is no longer there.", kind.word())));
        };
        let customer = id_in(&now, "customer_id");
        let mut fields = Map::new();
        for FieldChange { field, old, new } in changed {
            let current = now.get(field).unwrap_or(&Value::Null);
            match field.as_str() {
                following if FOLLOWING.contains(&following) => {}
                "tag" => self.plan_tag(tx, id, old, new)?,
                "body" => {
                    let after = self.entry.entry.id.uuid();
                    if original::last_change(tx, id, after, field)?.is_some() {
                        self.block(kind, id, field, None);
                    }
                    fields.insert(field.clone(), old.clone());
                }
                _ if current != new => self.block(kind, id, field, Some(current.clone())),
                "archived_at" if old.is_null() => self.steps.push(Step::Restore(kind, id)),
                "archived_at" => self.steps.push(Step::Archive { kind, id, customer }),
                // A number is given as it was typed.
                "phone_raw" => {
                    fields.insert("phone".to_owned(), old.clone());
                }
                _ => {
                    fields.insert(field.clone(), old.clone());
                }
            }
        }
        if !fields.is_empty() {
            self.steps.push(Step::Put { kind, id, customer, fields });
        }
        Ok(None)
    }

    /// The opposite of attaching a tag (`new`) or detaching one (`old`).
    fn plan_tag(&mut self, tx: &mut ReadTx<'_>, customer: Uuid, old: &Value, new: &Value) -> Result<()> {
        let (tag, was_attached) = if new.is_null() { (old, false) } else { (new, true) };
        let Some(tag_id) = tag.as_str().and_then(Id::parse) else { return Ok(()) };
        let is_attached = tags::store::is_attached(tx, Id::new(customer), tag_id)?;
        if is_attached != was_attached {
            let now = if is_attached { tag.clone() } else { Value::Null };
            self.block(Kind::Customer, customer, "tag", Some(now));
            return Ok(());
        }
        let tag = tag.clone();
        self.steps.push(if was_attached {
            Step::Detach { tag, customer }
        } else {
            Step::Attach { tag, customer }
        });
        Ok(())
    }

    fn block(&mut self, kind: Kind, record: Uuid, field: &str, now: Option<Value>) {
        self.blocked.push(Blocked { kind, record, field: field.to_owned(), now });
    }
}

fn id_in(values: &Values, field: &str) -> Option<Uuid> {
    values.get(field).and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok())
}

impl Step {
    /// Records come back before what needs them, and go after it.
    const fn order(&self) -> (u8, Option<Kind>) {
        match self {
            Self::BringBack(_) => (0, None),
            Self::Restore(kind, _) => (1, Some(*kind)),
            Self::Put { kind, .. } => (2, Some(*kind)),
            Self::Attach { .. } => (3, None),
            Self::Detach { .. } => (4, None),
            Self::Archive { kind, .. } => (5, Some(*kind)),
            Self::DeleteTag(_) => (6, None),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BringBack(_) => write!(formatter, "brings back the tag"),
            Self::Restore(kind, id) => write!(formatter, "restores the {} {id}", kind.word()),
            Self::Put { kind, id, fields, .. } => {
                let names: Vec<_> = fields.keys().map(String::as_str).collect();
                write!(formatter, "puts back {} of the {} {id}", names.join(", "), kind.word())
            }
            Self::Attach { customer, .. } => {
                write!(formatter, "attaches the tag to the customer {customer}")
            }
            Self::Detach { customer, .. } => {
                write!(formatter, "detaches the tag from the customer {customer}")
            }
            Self::Archive { kind, id, .. } => write!(formatter, "archives the {} {id}", kind.word()),
            Self::DeleteTag(id) => write!(formatter, "deletes the tag {id}"),
        }
    }
}
