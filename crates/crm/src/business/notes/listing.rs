//! The rows of `notes.list`: where they come from, which of them are verified, and where a page ends.
//!
//! Notes are read a few at a time, then verified. A page ends early where it would take too long:
//!
//! - once its rows have more text than a page shows ([`PAGE_BYTES`]),
//! - once [`ENOUGH_BYTES`] of text were read, if it has a row,
//! - once [`MOST_BYTES`] of text were read, even without a row. The caller goes on with the cursor.

use zoop_db::{ReadTx, Row, Uuid, params};

use super::index::{NoteWords, may_be_wordy};
use super::store::{IS_OUT_OF_ORDER, OF_SUBJECT, PLACE, SEARCH};
use super::{Note, SubjectType};
use crate::call::error::{Error, Result};
use crate::call::page::PAGE_BYTES;
use crate::call::table::Record;
use crate::call::tool::Found;
use crate::search::Expression;
use crate::values::id::{Id, kinds};

/// Notes of the first statement of a page.
const FIRST_BATCH: usize = 32;
/// Maximum notes of a later one.
const LARGEST_BATCH: usize = 256;
/// The text that one statement is meant to read: how many notes that is shows the statement before.
const BATCH_BYTES: usize = 1024 * 1024;
/// Text read for a page that has a row.
const ENOUGH_BYTES: usize = 2 * 1024 * 1024;
/// Text read for a page that has none.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What reading a note costs apart from its text, in bytes of text: a page ends early after many short notes too.
const NOTE_COST: usize = 1024;

/// Where a list's candidates come from.
pub(super) enum Candidates {
    /// The search index.
    Found(Expression),
    /// The notes of one subject, filtered.
    OfSubject {
        subject: Id<kinds::Subject>,
        pinned: bool,
        created_by: Option<Id<kinds::User>>,
        subject_type: Option<SubjectType>,
    },
}

/// The range of a list's notes.
pub(super) struct Range {
    /// Their ids.
    pub(super) ids: std::ops::Range<Uuid>,
    /// The last note of the page before.
    pub(super) after: Option<Uuid>,
}

/// The words that notes must have, beyond what is known of the candidates.
pub(super) struct Verified<'a> {
    pub(super) words: &'a NoteWords,
    /// Whether every candidate is verified, or only those whose words are not in the index.
    pub(super) every: bool,
}

impl Verified<'_> {
    fn matches(&self, body: &str) -> bool {
        !self.every && !may_be_wordy(body) || self.words.body_matches(body)
    }
}

/// Up to `count` of the candidates, newest first, that have the words of `verified`.
pub(super) fn list(
    tx: &mut ReadTx<'_>,
    candidates: &Candidates,
    range: &Range,
    verified: Option<&Verified<'_>>,
    count: usize,
) -> Result<Found<Note, Uuid>> {
    let is_sparse = verified.is_some_and(|it| it.every);
    let mut walk = Walk::begin(tx, candidates, range, is_sparse)?;
    let (mut rows, mut read_bytes, mut row_bytes) = (Vec::new(), 0, 0);
    loop {
        let batch = walk.next_batch(tx, candidates, count - rows.len())?;
        for note in batch.notes {
            tx.ensure_time()?;
            let (id, bytes) = (note.id.uuid(), note.body.len());
            read_bytes += bytes + NOTE_COST;
            if walk.is_in_range(id) && verified.is_none_or(|it| it.matches(&note.body)) {
                rows.push((note, id));
                // The page shows at least one row, so the last one does not count yet.
                let is_full = rows.len() == count || row_bytes > PAGE_BYTES;
                row_bytes += bytes;
                if is_full {
                    return Ok(Found { rows, stopped: Some(id) });
                }
            }
            let most = if rows.is_empty() { MOST_BYTES } else { ENOUGH_BYTES };
            if read_bytes > most {
                return Ok(Found { rows, stopped: Some(id) });
            }
        }
        if batch.is_last {
            return Ok(Found { rows, stopped: None });
        }
    }
}

/// The place between two statements of one page.
struct Walk<'a> {
    range: &'a Range,
    /// If notes are out of order, a range of dates is not a range of numbers: they are checked one by one.
    is_walked: bool,
    /// Whether few of the candidates may be rows.
    is_sparse: bool,
    /// The number of the first note in the range.
    first: i64,
    /// The last note read, by id and by number.
    before: Uuid,
    below: i64,
    /// Notes of the next statement, by the text that the last one read.
    size: usize,
}

struct Batch {
    notes: Vec<Note>,
    is_last: bool,
}

impl<'a> Walk<'a> {
    fn begin(
        tx: &mut ReadTx<'_>,
        candidates: &Candidates,
        range: &'a Range,
        is_sparse: bool,
    ) -> Result<Self> {
        let Range { ids, after } = range;
        let before = after.unwrap_or(ids.end);
        let is_by_date = !ids.start.is_nil() || !ids.end.is_max();
        let is_by_number = matches!(candidates, Candidates::Found(_));
        let is_walked = is_by_number && is_by_date && is_out_of_order(tx)?;
        let (first, below) = match (is_by_number, is_walked) {
            (false, _) => (0, 0),
            (true, false) => (place(tx, ids.start)?, place(tx, before)?),
            (true, true) => (0, place(tx, after.unwrap_or(Uuid::max()))?),
        };
        let is_sparse = is_sparse || is_walked;
        Ok(Self { range, is_walked, is_sparse, first, before, below, size: FIRST_BATCH })
    }

    fn is_in_range(&self, id: Uuid) -> bool {
        !self.is_walked || self.range.ids.contains(&id)
    }

    /// Reads the next notes, no more than are `missing` if most of them are rows.
    fn next_batch(
        &mut self,
        tx: &mut ReadTx<'_>,
        candidates: &Candidates,
        missing: usize,
    ) -> Result<Batch> {
        let size = if self.is_sparse { self.size } else { self.size.min(missing) };
        let limit = i64::try_from(size).unwrap_or(i64::MAX);
        let (mut notes, mut bytes) = (Vec::new(), 0);
        let mut take = |row: &mut Row<'_>| -> Result<bool> {
            let note = Note::read(row)?;
            bytes += note.body.len();
            notes.push(note);
            Ok(bytes <= BATCH_BYTES)
        };
        match candidates {
            Candidates::Found(expression) => {
                let expression = expression.text(tx.dialect());
                let params = params![expression, self.below, self.first, limit];
                tx.each(SEARCH, params, &mut take)?;
            }
            Candidates::OfSubject { subject, pinned, created_by, subject_type } => {
                let (before, start) = (self.before, self.range.ids.start);
                let params =
                    params![*subject, before, start, limit, *pinned, *created_by, *subject_type];
                tx.each(OF_SUBJECT, params, &mut take)?;
            }
        }
        if let Some(last) = notes.last() {
            (self.before, self.below) = (last.id.uuid(), last.n);
            let average = bytes / notes.len() + 1;
            self.size = (BATCH_BYTES / average).clamp(FIRST_BATCH / 4, LARGEST_BATCH);
        }
        let is_last = notes.len() < size && bytes <= BATCH_BYTES;
        Ok(Batch { notes, is_last })
    }
}

/// Whether the bound tenant's notes have a different order by number than by id.
fn is_out_of_order(tx: &mut ReadTx<'_>) -> Result<bool> {
    let tenant = i64::from(tx.tenant()?.0);
    let found =
        tx.global_first::<_, Error>(IS_OUT_OF_ORDER, params![tenant], |row| Ok(row.take()?));
    Ok(found?.unwrap_or(false))
}

/// The number in the search index of the first note at or after an id; above all numbers if there is
/// none.
fn place(tx: &mut ReadTx<'_>, id: Uuid) -> Result<i64> {
    if id.is_nil() {
        return Ok(0);
    }
    if id.is_max() {
        return Ok(i64::MAX);
    }
    let place = tx.first::<i64, Error>(PLACE, params![id], |row| Ok(row.take()?))?;
    Ok(place.unwrap_or(i64::MAX))
}
