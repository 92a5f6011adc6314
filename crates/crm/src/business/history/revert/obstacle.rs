//! What stands in the way of reverting an entry, in words.

use std::fmt;

use serde_json::Value;
use zoop_db::Uuid;

use super::steps::Kind;
use crate::call::scope::Scope;

/// Why an entry cannot be reverted.
#[derive(Debug)]
pub(in crate::business::history) enum Obstacle {
    /// It was reverted, and that was not reverted in turn.
    Reverted,
    /// It is about people, keys, programs or the account.
    NotRecords,
    /// The caller lacks a scope.
    Scope(Scope),
    /// The caller is not a person.
    Person,
    /// The caller is neither the author of the note nor an owner.
    Author,
    /// The caller is not an owner, and only owners may change a field of it.
    Owner,
    /// What it was is erased.
    Erased,
    /// The record is not there any more.
    Gone(Kind),
    /// The record was archived since.
    Archived(Kind),
    /// The customer was merged into another one since.
    Merged,
    /// Another customer was merged into it since.
    HasMerged,
    /// The customer got other records since it was separated, so that the merge would have to move these too.
    GotMore,
    /// What was added is archived already.
    ArchivedAlready(Kind),
    /// Fields were changed since.
    Changed(Vec<ChangedSince>),
    /// It changed nothing, or all of it was put back by hand.
    Nothing,
}

/// A field that was changed since.
#[derive(Debug)]
pub(in crate::business::history) struct ChangedSince {
    pub(super) kind: Kind,
    pub(super) record: Uuid,
    pub(super) field: String,
    /// Its value now. `None` if it is too long to be repeated, as a note's text.
    pub(super) now: Option<Value>,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reverted => formatter.write_str("It was undone already."),
            Self::NotRecords => formatter.write_str(
                "Only changes of customers, contacts, locations, notes, files and tags can be undone.",
            ),
            Self::Scope(scope) => {
                write!(formatter, "To undo it, you need the scope {}.", scope.name())
            }
            Self::Person => formatter.write_str("Only a person can undo changes."),
            Self::Author => formatter.write_str("Only the note's author or an owner can undo it."),
            Self::Owner => formatter.write_str("Only an owner can undo it."),
            Self::Erased => formatter.write_str("The customer was erased, which cannot be undone."),
            Self::Gone(kind) => write!(formatter, "The {} was deleted since.", kind.word()),
            Self::Archived(kind) => {
                write!(formatter, "The {} is {}: restore it first.", kind.word(), kind.put_away())
            }
            Self::Merged => {
                formatter.write_str("The customer was merged into another one since: undo that first.")
            }
            Self::HasMerged => formatter
                .write_str("Another customer was merged into this one since: undo that first."),
            Self::GotMore => formatter.write_str(
                "The customer got contacts, locations, notes or tags since: merge it again (customers.merge).",
            ),
            Self::ArchivedAlready(kind) => {
                write!(formatter, "The {} is {} already.", kind.word(), kind.put_away())
            }
            Self::Changed(fields) => {
                let names: Vec<_> = fields.iter().take(NAMED).map(ChangedSince::name).collect();
                let more = fields.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                write!(formatter, "Changed since: {}{more}.", names.join(", "))
            }
            Self::Nothing => formatter.write_str("There is nothing to undo."),
        }
    }
}

/// How many fields a sentence names.
pub(super) const NAMED: usize = 5;

impl ChangedSince {
    fn name(&self) -> String {
        format!("{} of the {}", self.field, self.kind.word())
    }
}
