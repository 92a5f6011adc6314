//! Reads the rows of `notes.list`, and decides where a page ends.
//!
//! Notes are read in batches, and their words are verified where the index is not exact. A page ends early, and the
//! caller continues with the cursor, in these cases:
//!
//! - The rows have more text than a page shows ([`PAGE_BYTES`]).
//! - The page has rows, and more than [`MAX_BYTES_WITH_ROWS`] were read.
//! - The page has no rows, and more than [`MAX_BYTES_WITHOUT_ROWS`] were read.

use zoop_db::{ReadTx, Row, Uuid, params};

use super::index::{NoteWords, may_be_wordy};
use super::store::{IS_OUT_OF_ORDER, OF_CUSTOMER, OF_SUBJECT, PLACE, SEARCH};
use super::{ShownNote, SubjectType, access};
use crate::business::jobs;
use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::call::page::PAGE_BYTES;
use crate::call::tool::Found;
use crate::search::Expression;
use crate::values::id::{Id, kinds};

/// Maximum number of notes that the first statement of a page reads.
const FIRST_BATCH: usize = 32;
/// Maximum number of notes that a later statement reads.
const LARGEST_BATCH: usize = 256;
/// A statement stops when it has read more bytes of text than this.
const BATCH_BYTES: usize = 1024 * 1024;
/// A page with rows ends when more bytes than this were read.
const MAX_BYTES_WITH_ROWS: usize = 2 * 1024 * 1024;
/// A page without rows ends when more bytes than this were read.
const MAX_BYTES_WITHOUT_ROWS: usize = 16 * 1024 * 1024;
/// Each note counts as this many bytes in addition to its text, so that a page of short notes can end early too.
const NOTE_COST: usize = 1024;

/// The notes among which a list looks for its rows.
pub(super) enum Candidates {
    /// The notes that the search index finds.
    Found(Expression),
    /// The notes about one subject.
    OfSubject(Id<kinds::Subject>, Filters),
    /// The notes about a customer and about the records that belong to it, or only about this one of them.
    OfCustomer(Id<kinds::Customer>, Option<Id<kinds::Subject>>, Filters),
}

/// What is required of a subject's or a customer's notes. `None` and `false` require nothing.
pub(super) struct Filters {
    pub(super) pinned: bool,
    pub(super) created_by: Option<Id<kinds::User>>,
    pub(super) subject_type: Option<SubjectType>,
}

/// The notes that a page may contain.
pub(super) struct Range {
    /// The range of their ids.
    pub(super) ids: std::ops::Range<Uuid>,
    /// The last note of the previous page.
    pub(super) after: Option<Uuid>,
}

/// The words that a note's body must contain.
pub(super) struct Verified<'a> {
    pub(super) words: &'a NoteWords,
    /// Whether every candidate is verified, or only candidates whose words may be missing from the index.
    pub(super) every: bool,
}

impl Verified<'_> {
    fn matches(&self, body: &str) -> bool {
        !self.every && !may_be_wordy(body) || self.words.body_matches(body)
    }
}

/// Lists up to `count` candidates that the caller sees and that contain the words of `verified`, newest first.
pub(super) fn list(
    tx: &mut ReadTx<'_>,
    access: &Access,
    candidates: &Candidates,
    range: &Range,
    verified: Option<&Verified<'_>>,
    count: usize,
) -> Result<Found<ShownNote, Uuid>> {
    let is_sparse = verified.is_some_and(|it| it.every) || jobs::access::only_of(access).is_some();
    let mut walk = Walk::begin(tx, candidates, range, is_sparse)?;
    let (mut rows, mut read_bytes, mut row_bytes) = (Vec::new(), 0, 0);
    loop {
        let batch = walk.next_batch(tx, candidates, count - rows.len())?;
        let notes = batch.notes.iter().map(|shown| &shown.note);
        let hidden = access::hidden_jobs(tx, access, notes)?;
        for shown in batch.notes {
            tx.ensure_time()?;
            let (id, bytes) = (shown.note.id.uuid(), shown.note.body.len());
            read_bytes += bytes + NOTE_COST;
            let is_seen = shown.note.subject_id.is_none_or(|id| !hidden.contains(&id.uuid()));
            if is_seen
                && walk.is_in_range(id)
                && verified.is_none_or(|it| it.matches(&shown.note.body))
            {
                rows.push((shown, id));
                // A full page ends before this row, which only shows that more rows follow.
                let is_full = rows.len() == count || row_bytes > PAGE_BYTES;
                row_bytes += bytes;
                if is_full {
                    return Ok(Found { rows, stopped: Some(id) });
                }
            }
            let max_bytes =
                if rows.is_empty() { MAX_BYTES_WITHOUT_ROWS } else { MAX_BYTES_WITH_ROWS };
            if read_bytes > max_bytes {
                return Ok(Found { rows, stopped: Some(id) });
            }
        }
        if batch.is_last {
            return Ok(Found { rows, stopped: None });
        }
    }
}

/// The position between two statements of one page.
struct Walk<'a> {
    range: &'a Range,
    /// Whether each note's id is checked, because a range of ids is not a range of numbers ([`is_out_of_order`]).
    is_each_id_checked: bool,
    /// Whether most candidates may have to be left out.
    is_sparse: bool,
    /// The index number of the first note in the range.
    first_number: i64,
    /// The next batch is before this id.
    before_id: Uuid,
    /// The next batch is before this index number.
    before_number: i64,
    /// Maximum number of notes in the next batch, from the length of the notes in the last one.
    size: usize,
}

struct Batch {
    notes: Vec<ShownNote>,
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
        let before_id = after.unwrap_or(ids.end);
        let is_by_date = !ids.start.is_nil() || !ids.end.is_max();
        let is_by_number = matches!(candidates, Candidates::Found(_));
        let is_each_id_checked = is_by_number && is_by_date && is_out_of_order(tx)?;
        let (first_number, before_number) = match (is_by_number, is_each_id_checked) {
            (false, _) => (0, 0),
            (true, false) => (number_from(tx, ids.start)?, number_from(tx, before_id)?),
            (true, true) => (0, number_from(tx, after.unwrap_or(Uuid::max()))?),
        };
        let is_sparse = is_sparse || is_each_id_checked;
        let size = FIRST_BATCH;
        Ok(Self {
            range,
            is_each_id_checked,
            is_sparse,
            first_number,
            before_id,
            before_number,
            size,
        })
    }

    fn is_in_range(&self, id: Uuid) -> bool {
        !self.is_each_id_checked || self.range.ids.contains(&id)
    }

    /// Reads the next batch. Unless the candidates are sparse, reads at most `missing` notes.
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
            let shown = ShownNote::read(row)?;
            bytes += shown.note.body.len();
            notes.push(shown);
            Ok(bytes <= BATCH_BYTES)
        };
        match candidates {
            Candidates::Found(expression) => {
                let expression = expression.text(tx.dialect());
                let params = params![expression, self.before_number, self.first_number, limit];
                tx.each(SEARCH, params, &mut take)?;
            }
            Candidates::OfSubject(subject, Filters { pinned, created_by, subject_type }) => {
                let (before, start) = (self.before_id, self.range.ids.start);
                let params =
                    params![*subject, before, start, limit, *pinned, *created_by, *subject_type];
                tx.each(OF_SUBJECT, params, &mut take)?;
            }
            Candidates::OfCustomer(customer, subject, filters) => {
                let Filters { pinned, created_by, subject_type } = filters;
                let (before, start) = (self.before_id, self.range.ids.start);
                let params = params![
                    *customer,
                    before,
                    start,
                    limit,
                    *pinned,
                    *created_by,
                    *subject_type,
                    *subject
                ];
                tx.each(OF_CUSTOMER, params, &mut take)?;
            }
        }
        if let Some(ShownNote { note: last, .. }) = notes.last() {
            (self.before_id, self.before_number) = (last.id.uuid(), last.n);
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

/// The index number of the first note at or after an id, or `i64::MAX` if there is none.
fn number_from(tx: &mut ReadTx<'_>, id: Uuid) -> Result<i64> {
    if id.is_nil() {
        return Ok(0);
    }
    if id.is_max() {
        return Ok(i64::MAX);
    }
    let number = tx.first::<i64, Error>(PLACE, params![id], |row| Ok(row.take()?))?;
    Ok(number.unwrap_or(i64::MAX))
}
