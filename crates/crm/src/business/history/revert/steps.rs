//! The steps of reverting an entry: the opposites of its changes, and how they are described.

use std::fmt;

use serde_json::Value;
use zoop_db::Uuid;

use crate::business::customers::put_back;
use crate::call::history::change::Values;
use crate::call::scope::Scope;
use crate::values::id::{Id, kinds};

/// The kinds of records whose changes can be reverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::business::history) enum Kind {
    Tag,
    Customer,
    Contact,
    Location,
    Subject,
    Note,
    File,
    TaxRate,
    CatalogItem,
    CatalogCategory,
    Quote,
    Job,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Tag,
        Self::Customer,
        Self::Contact,
        Self::Location,
        Self::Subject,
        Self::Note,
        Self::File,
        Self::TaxRate,
        Self::CatalogItem,
        Self::CatalogCategory,
        Self::Quote,
        Self::Job,
    ];

    pub(super) fn of(record_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == record_type)
    }

    /// The word for the kind.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Customer => "customer",
            Self::Contact => "contact",
            Self::Location => "location",
            Self::Subject => "subject",
            Self::Note => "note",
            Self::File => "file",
            Self::TaxRate => "tax_rate",
            Self::CatalogItem => "catalog_item",
            Self::CatalogCategory => "catalog_category",
            Self::Quote => "quote",
            Self::Job => "job",
        }
    }

    /// The word for a record that is not in use any more.
    pub(super) const fn put_away(self) -> &'static str {
        if matches!(self, Self::Job) { "cancelled" } else { "archived" }
    }

    /// The scope that allows changing such records.
    pub(super) const fn scope(self) -> Scope {
        match self {
            Self::Tag | Self::Customer | Self::Contact | Self::Location | Self::Subject => {
                Scope::WriteCustomers
            }
            Self::Note | Self::File => Scope::WriteNotes,
            Self::TaxRate => Scope::WriteTaxRates,
            Self::CatalogItem => Scope::WriteCatalogItems,
            Self::CatalogCategory => Scope::WriteCatalogCategories,
            Self::Quote => Scope::WriteQuotes,
            Self::Job => Scope::WriteJobs,
        }
    }
}

/// The opposite of a change.
#[derive(Debug)]
pub(in crate::business::history) enum Opposite {
    /// A deleted tag comes back.
    BringBack {
        tag: Id<kinds::Tag>,
        values: Values,
    },
    /// A deleted category of the price book comes back.
    BringBackCategory {
        id: Id<kinds::CatalogCategory>,
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
    /// Two customers are different again.
    Mark {
        one: Id<kinds::Customer>,
        other: Id<kinds::Customer>,
    },
    /// Two customers may be the same again.
    Unmark {
        one: Id<kinds::Customer>,
        other: Id<kinds::Customer>,
    },
    /// A note is about the record again from which a merge took it.
    MoveNote {
        note: Id<kinds::Note>,
        from: Uuid,
        to: Uuid,
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
    /// A category of the price book that was added is deleted.
    DeleteCategory {
        id: Id<kinds::CatalogCategory>,
    },
}

/// What steps have in common that are done together, because a merge may have moved a thousand records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// Contacts that go back to their customers.
    Contacts,
    /// Locations that go back to their customers.
    Locations,
    /// Subjects that go back to their customers.
    Subjects,
    /// Notes that are about another record again.
    Notes { from: Uuid, to: Uuid },
    /// Tags that a customer gets. It is indexed again once.
    Attached { to: Id<kinds::Customer> },
    /// Tags that a customer loses.
    Detached { from: Id<kinds::Customer> },
}

impl Opposite {
    /// What the step has in common with those that are done together with it. `None` if it is done by itself.
    pub(super) fn joint(&self) -> Option<Joint> {
        match self {
            Self::MoveNote { from, to, .. } => Some(Joint::Notes { from: *from, to: *to }),
            Self::Attach { customer, .. } => Some(Joint::Attached { to: *customer }),
            Self::Detach { customer, .. } => Some(Joint::Detached { from: *customer }),
            Self::Put { kind, values, .. } if values.contains_key("customer_id") => match kind {
                Kind::Contact => Some(Joint::Contacts),
                Kind::Location => Some(Joint::Locations),
                Kind::Subject => Some(Joint::Subjects),
                Kind::Tag
                | Kind::Customer
                | Kind::Note
                | Kind::File
                | Kind::TaxRate
                | Kind::CatalogItem
                | Kind::CatalogCategory
                | Kind::Quote
                | Kind::Job => None,
            },
            _ => None,
        }
    }

    /// The customer that gets an external id or loses it.
    pub(super) fn external_id_of(&self) -> Option<Uuid> {
        match self {
            Self::Put { kind: Kind::Customer, id, values } => {
                values.contains_key("external_id").then_some(*id)
            }
            _ => None,
        }
    }

    /// The customer, if the step separates it from another one, merges it again, or is about the one that was kept.
    pub(super) fn merged_customer(&self) -> Option<Uuid> {
        match self {
            Self::Put { kind: Kind::Customer, id, values } => {
                put_back::is_settled_later(values).then_some(*id)
            }
            _ => None,
        }
    }

    /// Records come back before what needs them, and go after it. What becomes primary again comes before what it
    /// replaces. What leaves a customer goes before the primary one, so that none of it takes that one's place.
    pub(super) fn order(&self) -> (u8, Option<Kind>, bool) {
        match self {
            Self::BringBack { .. } | Self::BringBackCategory { .. } => (0, None, false),
            Self::Put { kind, values, .. } => {
                let is_moved = values.contains_key("customer_id");
                (1, Some(*kind), values.get("is_primary") == Some(&Value::Bool(is_moved)))
            }
            Self::MoveNote { .. } => (1, Some(Kind::Note), false),
            Self::Attach { .. } => (2, None, false),
            Self::Detach { .. } | Self::Mark { .. } | Self::Unmark { .. } => (3, None, false),
            Self::BringBackFile { .. } | Self::Remove { .. } => (4, None, false),
            Self::Archive { kind, .. } => (5, Some(*kind), false),
            Self::Delete { .. } | Self::DeleteCategory { .. } => (6, None, false),
        }
    }
}

impl fmt::Display for Opposite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BringBack { tag, .. } => write!(formatter, "bring back tag {tag}"),
            Self::BringBackCategory { id, .. } => {
                write!(formatter, "bring back catalog_category {id}")
            }
            Self::Put { kind, id, values } => {
                let kind = kind.word();
                if values.get("merged_into").is_some_and(Value::is_null) {
                    return write!(formatter, "bring back customer {id}, which was merged");
                }
                match values.get("archived_at").or_else(|| values.get("cancelled_at")) {
                    Some(Value::Null) => write!(formatter, "restore {kind} {id}"),
                    Some(_) if kind == "job" => write!(formatter, "cancel job {id}"),
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
            Self::MoveNote { note, .. } => write!(formatter, "move note {note} back"),
            Self::Mark { one, other } => {
                write!(formatter, "mark customers {one} and {other} as different")
            }
            Self::Unmark { one, other } => {
                write!(formatter, "mark customers {one} and {other} as no longer different")
            }
            Self::BringBackFile { file } => write!(formatter, "bring back file {file}"),
            Self::Remove { file } => write!(formatter, "remove file {file}"),
            Self::Archive { kind: Kind::Job, id, .. } => write!(formatter, "cancel job {id}"),
            Self::Archive { kind, id, .. } => write!(formatter, "archive {} {id}", kind.word()),
            Self::DeleteCategory { id } => {
                write!(formatter, "delete catalog_category {id}; what is in it moves to its parent")
            }
            Self::Delete { tag } => {
                write!(formatter, "delete tag {tag} and detach it from all customers")
            }
        }
    }
}
