//! Notes: free text about another record, or standalone.
//!
//! A note can be created as a draft and committed later. Only its author can read a draft. A draft is not
//! in lists, searches or the history, and it expires a day after its creation, even if no sweep has
//! removed it yet. An archived note is kept but never shown.
//!
//! This module says what a note is, who may see and change it (`access.rs`), how often a user may write
//! (`limit.rs`), which words find a note (`index.rs`), and with which names it is shown (`shown.rs`).

pub(in crate::business) mod access;
pub(crate) mod hints;
pub mod index;
mod known;
pub(in crate::business) mod limit;
mod listing;
pub(in crate::business) mod moving;
pub(in crate::business) mod put_back;
pub mod reindex;
pub mod restorable;
mod shown;
pub(crate) mod store;
pub mod tools;

#[cfg(test)]
mod tests;

pub use known::KnownWords;
pub(crate) use limit::remaining_writes;
pub use shown::{Names, ShownNote};
pub use tools::GROUP;

pub(crate) use store::{GLOBAL_STATEMENTS, STATEMENTS, SWEEPS, index_page, size_of_drafts};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::ops::Range;

use zoop_db::{Row, Timestamp, Uuid};

use crate::business::files::Attachment;
use crate::call::archive::Archivable;
use crate::call::argument::{Json, Parse, ParseContext, ParseError, is_blank};
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::storage::{self, Class};
use crate::values::clock::Moment;
use crate::values::id::{self, Id, kinds};

/// Maximum length of a body, in characters.
pub const MAX_BODY: usize = 100_000;
/// Lifetime of a draft, in microseconds.
const DRAFT_LIFETIME: i64 = 24 * 60 * 60 * 1_000_000;

crate::call::argument::choices! {
    /// The type of record that a note is about.
    pub enum SubjectType {
        /// A customer.
        Customer = "customer",
        /// A contact of a customer.
        CustomerContact = "customer_contact",
        /// A location of a customer.
        CustomerLocation = "customer_location",
        /// A job.
        Job = "job",
        /// An invoice.
        Invoice = "invoice",
        /// A quote.
        Quote = "quote",
        /// A lawn estimate.
        LawnEstimate = "lawn_estimate",
    }
}

/// A filter by subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectFilter {
    /// Notes about a record of this type.
    On(SubjectType),
    /// Standalone notes.
    Standalone,
}

impl SubjectFilter {
    /// The word for standalone notes.
    pub const STANDALONE: &'static str = "standalone";

    /// The subject's type; `None` for standalone notes.
    pub const fn subject_type(self) -> Option<SubjectType> {
        match self {
            Self::On(subject_type) => Some(subject_type),
            Self::Standalone => None,
        }
    }

    fn words() -> Vec<&'static str> {
        SubjectType::ALL.iter().map(|it| it.word()).chain([Self::STANDALONE]).collect()
    }
}

impl Parse for SubjectFilter {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "enum": Self::words() })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let problem = || format!("must be one of {}", Self::words().join(", "));
        match value {
            Json::Text(word) if is_blank(&word) => Err(ParseError::Empty),
            Json::Text(word) if word == Self::STANDALONE => Ok(Self::Standalone),
            Json::Text(word) => SubjectType::from_word(&word)
                .map(Self::On)
                .ok_or_else(|| ParseError::Invalid(problem())),
            other => Err(ParseError::wrong_type(&problem(), &other)),
        }
    }
}

crate::call::table::record! {
    /// A note as stored, and shown in a [`ShownNote`].
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
    pub struct Note {
        /// The note's id.
        pub id: Id<kinds::Note>,
        /// The text.
        pub body: String,
        /// Whether it is pinned.
        pub pinned: bool,
        /// Whether it is not committed yet.
        pub draft: bool,
        /// The user who wrote it.
        pub created_by: Id<kinds::User> as fixed,
        /// When it was created, as a draft or not.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
        /// The type of record that it is about; null if standalone.
        pub subject_type: Option<SubjectType>,
        /// The record that it is about; null if standalone.
        pub subject_id: Option<Id<kinds::Subject>>,
        /// The attached files.
        pub attachments: Vec<Attachment> = Vec::new(),
        /// Its number in the search index.
        #[serde(skip)]
        #[schemars(skip)]
        pub(crate) n: i64 as numbered,
        /// When it was archived. An archived note is never shown.
        #[serde(skip)]
        #[schemars(skip)]
        pub(crate) archived_at: Option<Moment>,
    }

    table notes {
        key: [id],
        exported: WithTenant,
        erased: [WithCustomer, WithTenant, OnExpiry],
    }
}

impl Note {
    /// The storage class of the note's text, and the bytes that count. The text of a committed note counts
    /// twice, because it is in the search index too.
    fn size(&self) -> (Class, i64) {
        let body = storage::length(&self.body);
        if self.draft { (Class::Drafts, body) } else { (Class::Notes, 2 * body) }
    }

    /// The note as the history keeps it: without its body. `None` for a draft.
    fn for_history(&self) -> Option<RecordedNote> {
        (!self.draft).then_some(RecordedNote {
            id: self.id,
            pinned: self.pinned,
            created_by: self.created_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
            subject_type: self.subject_type,
            subject_id: self.subject_id,
            archived_at: self.archived_at,
        })
    }
}

impl Archivable for Note {
    type Kind = kinds::Note;
    const READ: Scope = Scope::ReadNotes;
    const WAY_BACK: &'static str = "notes.restore";

    fn id(&self) -> Id<kinds::Note> {
        self.id
    }

    fn archived_at(&self) -> Option<Moment> {
        self.archived_at
    }

    fn set_archived(&mut self, archived_at: Option<Moment>, updated_at: Moment) {
        self.archived_at = archived_at;
        self.updated_at = updated_at;
    }

    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()> {
        save(ctx, old, new, &KnownWords::default())
    }
}

/// Saves a change to a note, and records it in the history.
fn save(ctx: &mut WriteCtx<'_, '_>, old: &Note, new: &Note, known: &KnownWords) -> Result<()> {
    store::update(ctx.tx, old, new, known)?;
    record(ctx, Some(old), new)
}

/// A note as the history keeps it.
#[derive(Debug, Serialize)]
pub(crate) struct RecordedNote {
    id: Id<kinds::Note>,
    pinned: bool,
    created_by: Id<kinds::User>,
    created_at: Moment,
    updated_at: Moment,
    subject_type: Option<SubjectType>,
    subject_id: Option<Id<kinds::Subject>>,
    archived_at: Option<Moment>,
}

impl RecordedNote {
    /// Reads the columns of the fields, in their order.
    pub(crate) fn read(row: &mut Row<'_>) -> Result<Self> {
        let id: Id<kinds::Note> = row.take()?;
        Ok(Self {
            id,
            pinned: row.take()?,
            created_by: row.take()?,
            created_at: id.created_at(),
            updated_at: row.take()?,
            subject_type: row.take()?,
            subject_id: row.take()?,
            archived_at: row.take()?,
        })
    }
}

impl Recorded for RecordedNote {
    const TYPE: &'static str = "note";
    const CLASS: Class = Class::Notes;
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

/// Counts the bytes of a note, and records in the history that it was added (without `old`) or changed. A draft
/// counts as added when it is committed. If the body was replaced, the history keeps only the old body.
fn record(ctx: &mut WriteCtx<'_, '_>, old: Option<&Note>, new: &Note) -> Result<()> {
    if let Some(old) = old {
        let (class, bytes) = old.size();
        ctx.stored.add(class, -bytes);
    }
    let (class, bytes) = new.size();
    ctx.stored.add(class, bytes);
    let Some(recorded) = new.for_history() else {
        ctx.leave_no_history();
        return Ok(());
    };
    match old.and_then(|old| Some((old, old.for_history()?))) {
        None => ctx.added(&recorded),
        Some((old, recorded_before)) => {
            ctx.updated(&recorded_before, &recorded)?;
            if old.body != new.body {
                let (id, body) = (new.id.uuid(), json!(old.body));
                ctx.changed(RecordedNote::TYPE, id, "body", body, json!(null));
            }
            Ok(())
        }
    }
}

/// Counts a note that is erased.
pub(in crate::business) fn erased(ctx: &mut WriteCtx<'_, '_>, note: &Note) -> Result<()> {
    let (class, bytes) = note.size();
    ctx.stored.add(class, -bytes);
    note.for_history().map_or(Ok(()), |recorded| ctx.erased(&recorded))
}

/// The range of ids of drafts that have not expired at `now`. A draft dated a day or more in the future is from
/// a wrong clock, and counts as expired too.
fn live_drafts(now: Timestamp) -> Range<Uuid> {
    let lowest_id = |time| id::lowest_at(Timestamp(time));
    lowest_id(now.0 - DRAFT_LIFETIME + 1)..lowest_id(now.0 + DRAFT_LIFETIME)
}
