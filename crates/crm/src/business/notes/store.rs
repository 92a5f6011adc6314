//! The SQL of notes, of their search index, and of the counted writes.

use std::collections::BTreeMap;
use std::iter;

use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx, params, text};

use super::{KnownWords, Names, Note, ShownNote, SubjectType, live_drafts};
use crate::business::customers::{self, store::document};
use crate::business::files::store as files;
use crate::business::notes::index::{BodyWords, NoteDocument};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::storage::{self, Class};
use crate::call::sweep::{Sweep, few};
use crate::call::table::Record;
use crate::identity::users;
use crate::values::id::{self, Id, kinds};

/// Gives the wanted notes another subject.
const WANTED_SUBJECT: &str = "UPDATE notes SET subject_id = $3 \
    WHERE tenant_no = $1 AND id IN (SELECT wanted_id FROM wanted)";

/// A note's columns, each with its table, because the search index also has a column `n`.
const SELECTED: &str = zoop_db::drafted!(Note::COLUMNS.selected("x."));

/// The names that a note `x` is shown with.
const NAMES: &str = "coalesce(m.name, u.name), c.id, c.first_name, c.last_name, c.company_name";

/// Whether a note `x` has files, which must then be read.
const HAS_FILES: &str = "EXISTS (SELECT 1 FROM files f \
    WHERE f.tenant_no = $1 AND f.note_id = x.id AND f.removed_at IS NULL)";

/// A note as shown.
const SHOWN: &str = text!(SELECTED, ", ", NAMES, ", ", HAS_FILES);

/// A note as shown by lists on SQLite, where reading the files of a page costs less than asking of each note whether it
/// has any.
const LISTED: &str = text!(SELECTED, ", ", NAMES, ", true");

/// The rows of [`NAMES`]. Only the table of the subject's type is searched, because the key for the others is NULL.
/// The keys are written with CASE: PostgreSQL would not use an index for a key with `coalesce`, since it cannot
/// know that no error of it shows a row that row-level security hides.
const NAMED: &str = " LEFT JOIN memberships m ON m.tenant_no = $1 AND m.user_id = x.created_by \
    LEFT JOIN users u ON u.id = x.created_by \
    LEFT JOIN contacts k ON k.tenant_no = $1 \
    AND k.id = CASE x.subject_type WHEN 'customer_contact' THEN x.subject_id END \
    LEFT JOIN locations l ON l.tenant_no = $1 \
    AND l.id = CASE x.subject_type WHEN 'customer_location' THEN x.subject_id END \
    LEFT JOIN jobs j ON j.tenant_no = $1 \
    AND j.id = CASE x.subject_type WHEN 'job' THEN x.subject_id END \
    LEFT JOIN quotes q ON q.tenant_no = $1 \
    AND q.id = CASE x.subject_type WHEN 'quote' THEN x.subject_id END \
    LEFT JOIN subjects s ON s.tenant_no = $1 \
    AND s.id = CASE x.subject_type WHEN 'customer' THEN NULL WHEN 'customer_contact' THEN NULL \
    WHEN 'customer_location' THEN NULL WHEN 'quote' THEN NULL WHEN 'job' THEN NULL \
    ELSE x.subject_id END \
    LEFT JOIN customers c ON c.tenant_no = $1 \
    AND c.id = CASE x.subject_type WHEN 'customer' THEN x.subject_id \
    WHEN 'customer_contact' THEN k.customer_id WHEN 'customer_location' THEN l.customer_id \
    WHEN 'quote' THEN q.customer_id WHEN 'job' THEN j.customer_id ELSE s.customer_id END";

/// [`NAMED`] for lists on SQLite, which then searches one table for a row, however many kinds of subjects there are.
/// PostgreSQL would not use an index for such a key, for the same reason.
const NAMED_ON_SQLITE: &str = " LEFT JOIN memberships m ON m.tenant_no = $1 AND m.user_id = x.created_by \
    LEFT JOIN users u ON u.id = x.created_by LEFT JOIN customers c ON c.tenant_no = $1 \
    AND c.id = CASE x.subject_type WHEN 'customer' THEN x.subject_id \
    WHEN 'customer_contact' THEN (SELECT k.customer_id FROM contacts k WHERE k.tenant_no = $1 AND k.id = x.subject_id) \
    WHEN 'customer_location' THEN (SELECT l.customer_id FROM locations l WHERE l.tenant_no = $1 AND l.id = x.subject_id) \
    WHEN 'quote' THEN (SELECT q.customer_id FROM quotes q WHERE q.tenant_no = $1 AND q.id = x.subject_id) \
    WHEN 'job' THEN (SELECT j.customer_id FROM jobs j WHERE j.tenant_no = $1 AND j.id = x.subject_id) \
    ELSE (SELECT s.customer_id FROM subjects s WHERE s.tenant_no = $1 AND s.id = x.subject_id) END";

/// The newest notes `x` about one subject.
const OF_ONE_SUBJECT: &str = " WHERE x.tenant_no = $1 AND x.subject_id = $2 AND x.id < $3 AND x.id >= $4 \
    AND NOT x.draft AND x.archived_at IS NULL AND (x.pinned OR NOT $6) \
    AND x.created_by = coalesce($7, x.created_by) AND x.subject_type = coalesce($8, x.subject_type) \
    ORDER BY x.id DESC LIMIT $5";

/// The ids of a customer and of the records that belong to it.
const OWN: &str = "WITH own AS (SELECT id FROM customers WHERE tenant_no = $1 AND id = $2 \
    UNION ALL SELECT id FROM contacts WHERE tenant_no = $1 AND customer_id = $2 \
    UNION ALL SELECT id FROM locations WHERE tenant_no = $1 AND customer_id = $2 \
    UNION ALL SELECT id FROM quotes WHERE tenant_no = $1 AND customer_id = $2 \
    UNION ALL SELECT id FROM jobs WHERE tenant_no = $1 AND customer_id = $2 \
    UNION ALL SELECT id FROM subjects WHERE tenant_no = $1 AND customer_id = $2), ";

/// The ids of the newest notes about one of these records.
const OF_RECORD: &str = "SELECT z.id FROM notes z WHERE z.tenant_no = $1 AND z.subject_id = own.id \
    AND z.id < $3 AND z.id >= $4 AND NOT z.draft AND z.archived_at IS NULL AND (z.pinned OR NOT $6) \
    AND z.created_by = coalesce($7, z.created_by) AND z.subject_type = coalesce($8, z.subject_type) \
    AND z.subject_id = coalesce($9, z.subject_id) ORDER BY z.id DESC LIMIT $5";

/// Ends the statement that reads the newest of the notes with these ids.
const OF_NEWEST: &str = " WHERE x.tenant_no = $1 AND x.id = newest.id ORDER BY x.id DESC";

/// The newest ids.
const NEWEST_NOTED: &str = "newest AS (SELECT id FROM noted ORDER BY id DESC LIMIT $5) SELECT ";

crate::call::table::table! {
    /// The counted writes of notes.
    pub(crate) const NOTE_WRITES = note_writes {
        per_tenant,
        key: { user_id: Id, id: Id },
        columns: {},
        exported: Internal,
        erased: [WithUser, WithTenant],
    }
}

crate::call::table::table! {
    /// The bytes of drafts that each user saved in each second.
    pub(crate) const DRAFT_BYTES_SAVED = draft_bytes {
        per_tenant,
        key: { user_id: Id, second: Time },
        columns: { bytes: Integer },
        exported: Internal,
        erased: [WithUser, WithTenant],
    }
}

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM notes WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// The greatest id, even if a wrong clock made it.
    NEWEST = "SELECT id FROM notes WHERE tenant_no = $1 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", SELECTED, " FROM notes x WHERE x.tenant_no = $1 AND x.id = $2"));
    GET_SHOWN = (text!("SELECT ", SHOWN, " FROM notes x", NAMED, " WHERE x.tenant_no = $1 AND x.id = $2"));
    GET_NAMES = (text!("SELECT ", NAMES, ", ", HAS_FILES, " FROM notes x", NAMED, " WHERE x.tenant_no = $1 AND x.id = $2"));
    /// The next notes after an id.
    PAGE = (text!("SELECT ", SELECTED, " FROM notes x WHERE x.tenant_no = $1 AND x.id > $2 \
            ORDER BY x.id LIMIT $3"));
    /// The next notes after an id, without drafts, as shown.
    COMMITTED = (text!("SELECT ", SHOWN, " FROM notes x", NAMED, " WHERE x.tenant_no = $1 AND x.id > $2 \
                 AND NOT x.draft ORDER BY x.id LIMIT $3"));
    INSERT = (Note::INSERT);
    UPDATE = (Note::UPDATE);
    /// The number in the search index of the first note at or after an id.
    PLACE = "SELECT n FROM notes WHERE tenant_no = $1 AND id >= $2 ORDER BY id LIMIT 1";
    /// Notes that an expression finds, newest first, with numbers from `$4` to below `$3`. Drafts and
    /// archived notes are not in the index.
    SEARCH = {
        sqlite: text!("SELECT ", LISTED, " FROM note_search \
                 JOIN notes x ON x.n = note_search.rowid", NAMED_ON_SQLITE, " \
                 WHERE note_search MATCH $2 AND note_search.rowid < $3 \
                 AND note_search.rowid >= $4 \
                 AND x.tenant_no = $1 ORDER BY note_search.rowid DESC LIMIT $5"),
        postgres: text!("WITH ",
                 crate::search::found_on_postgres!("note_search", "$5", "n < $3 AND n >= $4"), " \
                 SELECT ", SHOWN, " FROM found JOIN notes x \
                 ON x.tenant_no = $1 AND x.n = found.n", NAMED, " ORDER BY found.n DESC LIMIT $5"),
    };
    /// One subject's notes, newest first, with ids from `$4` to below `$3`. PostgreSQL would look up the names of
    /// all of them before it takes the first ones.
    OF_SUBJECT = {
        sqlite: text!("SELECT ", LISTED, " FROM notes x", NAMED_ON_SQLITE, OF_ONE_SUBJECT),
        postgres: text!("WITH listed AS MATERIALIZED (SELECT ", SELECTED, " FROM notes x", OF_ONE_SUBJECT, ") \
                   SELECT ", SHOWN, " FROM listed x", NAMED, " ORDER BY x.id DESC"),
    };
    /// The notes about a customer and about the records that belong to it, newest first, with ids from `$4` to
    /// below `$3`. Of each record no more notes are read than the page has rows. SQLite has no LATERAL, and
    /// PostgreSQL would run the other text's subquery for each note.
    OF_CUSTOMER = {
        sqlite: text!(OWN, "noted AS MATERIALIZED (SELECT y.id FROM own CROSS JOIN notes y \
                 WHERE y.tenant_no = $1 AND y.id IN (", OF_RECORD, ")), ", NEWEST_NOTED, LISTED,
                 " FROM newest CROSS JOIN notes x", NAMED_ON_SQLITE, OF_NEWEST),
        postgres: text!(OWN, "noted AS MATERIALIZED (SELECT y.id FROM own \
                   CROSS JOIN LATERAL (", OF_RECORD, ") y), ", NEWEST_NOTED, SHOWN,
                   " FROM newest CROSS JOIN notes x", NAMED, OF_NEWEST),
    };
    INDEX = {
        sqlite: "INSERT INTO note_search (rowid, tokens) VALUES ($2, $3)",
        postgres: "INSERT INTO note_search (tenant_no, n, tokens) \
                   SELECT $1::integer, n, array_to_tsvector(string_to_array(tokens, ' ')) \
                   FROM unnest($2::bigint[], $3::text[]) AS document (n, tokens)",
    };
    UNINDEX = {
        sqlite: "DELETE FROM note_search WHERE rowid = $2",
        postgres: "DELETE FROM note_search WHERE tenant_no = $1 AND n = $2",
    };
    /// The notes about a record, with archived ones.
    ABOUT = "SELECT id FROM notes WHERE tenant_no = $1 AND subject_id = $2 AND NOT draft ORDER BY id LIMIT $3";
    SET_SUBJECTS = "UPDATE notes SET subject_id = $3 WHERE tenant_no = $1 AND subject_id = $2 AND NOT draft";
    SET_SUBJECT = {
        sqlite: text!(WANTED_SQLITE, WANTED_SUBJECT), postgres: text!(WANTED_POSTGRES, WANTED_SUBJECT),
    };
    /// The user's write with exactly `$4` later writes, if its id is `$3` or above.
    NTH_WRITE = "SELECT id FROM note_writes WHERE tenant_no = $1 AND user_id = $2 AND id >= $3 \
                 ORDER BY id DESC LIMIT 1 OFFSET $4";
    COUNT_WRITES = "SELECT count(*) FROM note_writes \
                    WHERE tenant_no = $1 AND user_id = $2 AND id >= $3 AND id < $4";
    LAST_WRITE = "SELECT id FROM note_writes WHERE tenant_no = $1 AND user_id = $2 AND id < $3 \
                  ORDER BY id DESC LIMIT 1";
    INSERT_WRITE = "INSERT INTO note_writes (tenant_no, user_id, id) VALUES ($1, $2, $3)";
    /// The seconds in which a user saved drafts, and the bytes saved in each.
    DRAFT_BYTES = "SELECT second, bytes FROM draft_bytes \
                   WHERE tenant_no = $1 AND user_id = $2 ORDER BY second";
    ADD_DRAFT_BYTES = "INSERT INTO draft_bytes (tenant_no, user_id, second, bytes) \
                       VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_no, user_id, second) \
                       DO UPDATE SET bytes = draft_bytes.bytes + excluded.bytes";
    FORGET_DRAFT_BYTES = "DELETE FROM draft_bytes \
                          WHERE tenant_no = $1 AND user_id = $2 AND (second <= $3 OR second >= $4)";
    /// The total length of a tenant's drafts, in bytes.
    SIZE_OF_DRAFTS = "SELECT coalesce(sum(octet_length(body)), 0) FROM notes \
                      WHERE tenant_no = $1 AND draft";
    FORGET_WRITES = "DELETE FROM note_writes \
                     WHERE tenant_no = $1 AND user_id = $2 AND (id < $3 OR id >= $4)";
}

zoop_db::global_statements! {
    /// Removes expired drafts, in every tenant.
    SWEEP = (concat!("DELETE FROM notes",
             few!("notes", "tenant_no, id", "draft AND id < $1", "id"), " RETURNING tenant_no, octet_length(body)"));
    /// Removes the drafts that a wrong clock dated too far ahead.
    SWEEP_AHEAD = (concat!("DELETE FROM notes",
                   few!("notes", "tenant_no, id", "draft AND id >= $1", "id"), " RETURNING tenant_no, octet_length(body)"));
    IS_OUT_OF_ORDER = "SELECT notes_out_of_order FROM tenants WHERE no = $1";
    MARK_OUT_OF_ORDER = "UPDATE tenants SET notes_out_of_order = true WHERE no = $1";
}

/// The id of the next note. If a wrong clock dated the newest note in the future, the next id is below it. Then
/// notes have a different order by id than by number, and the tenant is marked for [`super::listing::list`].
pub(super) fn next_id(ctx: &mut WriteCtx<'_, '_>) -> Result<Id<kinds::Note>> {
    let newest = ctx.tx.first::<Uuid, Error>(NEWEST, &[], |row| Ok(row.take()?))?;
    if newest.is_some_and(|newest| newest >= id::first_from_wrong_clock(ctx.now)) {
        let tenant = i64::from(ctx.tx.tenant()?.0);
        ctx.tx.global_execute(MARK_OUT_OF_ORDER, params![tenant])?;
        return ctx.next_id(GREATEST_ID_BELOW);
    }
    let random = ctx.environment.entropy.bits();
    Ok(Id::new(id::following(newest, ctx.now, random)))
}

/// A note, in any state.
///
/// # Errors
/// [`Error::NotFound`] if there is no such note.
pub(in crate::business) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::Note>) -> Result<Note> {
    tx.first::<_, Error>(GET, params![id], Note::read)?.ok_or(Error::not_found("note"))
}

/// A note as shown, in any state.
///
/// # Errors
/// [`Error::NotFound`] if there is no such note.
pub(super) fn get_shown(tx: &mut ReadTx<'_>, id: Id<kinds::Note>) -> Result<ShownNote> {
    let shown = tx.first::<_, Error>(GET_SHOWN, params![id], ShownNote::read)?;
    let mut shown = shown.ok_or(Error::not_found("note"))?;
    files::attach(tx, iter::once(&mut shown))?;
    Ok(shown)
}

/// A note that was just written, as shown.
pub(super) fn shown(tx: &mut ReadTx<'_>, note: Note) -> Result<ShownNote> {
    let names = tx.first::<_, Error>(GET_NAMES, params![note.id], Names::read)?;
    let names = names.ok_or(Error::not_found("note"))?;
    let mut shown = ShownNote { note, names };
    files::attach(tx, iter::once(&mut shown))?;
    Ok(shown)
}

/// Adds a note, and returns its number in the search index.
pub(super) fn insert(tx: &mut WriteTx<'_>, note: &Note) -> Result<i64> {
    Ok(tx.insert(INSERT, note.inserted().as_ref())?)
}

/// Writes all of a note's fields that can change, and updates the search index.
pub(super) fn update(
    tx: &mut WriteTx<'_>,
    old: &Note,
    new: &Note,
    known: &KnownWords,
) -> Result<()> {
    tx.execute(UPDATE, new.updated().as_ref())?;
    if is_indexed(old) && is_indexed(new) && indexed_fields(old) == indexed_fields(new) {
        return Ok(());
    }
    if is_indexed(old) {
        tx.execute(UNINDEX, params![old.n])?;
    }
    index(tx, new, known)
}

/// Up to `count` notes about a record, with archived ones.
pub(super) fn about(
    tx: &mut ReadTx<'_>,
    subject: Uuid,
    count: usize,
) -> Result<Vec<Id<kinds::Note>>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(ABOUT, params![subject, count], |row| Ok(row.take()?))
}

/// Gives all notes about a record another subject of the same type, but not drafts.
pub(super) fn set_subjects(tx: &mut WriteTx<'_>, from: Uuid, to: Uuid) -> Result<()> {
    tx.execute(SET_SUBJECTS, params![from, to])?;
    Ok(())
}

/// Gives notes another subject of the same type.
pub(super) fn set_subject(tx: &mut WriteTx<'_>, notes: &[Id<kinds::Note>], to: Uuid) -> Result<()> {
    let wanted = id_list(notes.iter().map(|note| note.uuid()));
    tx.execute(SET_SUBJECT, params![wanted, to])?;
    Ok(())
}

/// Adds a note to the search index, unless it is a draft or archived.
pub(super) fn index(tx: &mut WriteTx<'_>, note: &Note, known: &KnownWords) -> Result<()> {
    if !is_indexed(note) {
        return Ok(());
    }
    let author = author(tx, note)?;
    let tokens = tokens(tx, note, known.words_of(&note.body), author)?;
    Ok(tx.execute_each(INDEX, &[document(note.n, &tokens)])?)
}

/// The internal number of a note's author.
fn author(tx: &mut ReadTx<'_>, note: &Note) -> Result<i64> {
    users::store::number(tx, note.created_by)?.ok_or_else(|| zoop_db::Error::NoRow.into())
}

/// The tokens of a note in the search index.
fn tokens(tx: &ReadTx<'_>, note: &Note, words: BodyWords, created_by: i64) -> Result<String> {
    let document =
        NoteDocument { words, pinned: note.pinned, created_by, subject: note.subject_type };
    Ok(document.tokens(customers::store::mark(tx)?))
}

/// Computes the tokens of stored notes. It remembers the numbers of their authors, because a page has few authors, and
/// looking one up is a round trip.
#[derive(Default)]
pub(super) struct Tokenizer {
    authors: BTreeMap<Uuid, i64>,
}

impl Tokenizer {
    /// The tokens of a note; `None` if it is not indexed.
    pub(super) fn tokens(&mut self, tx: &mut ReadTx<'_>, note: &Note) -> Result<Option<String>> {
        if !is_indexed(note) {
            return Ok(None);
        }
        let author = match self.authors.get(&note.created_by.uuid()) {
            Some(author) => *author,
            None => author(tx, note)?,
        };
        self.authors.insert(note.created_by.uuid(), author);
        tokens(tx, note, BodyWords::of(&note.body), author).map(Some)
    }
}

/// The next `count` notes after an id with their files, also archived ones, but no drafts.
pub(crate) fn committed(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<ShownNote>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut page = tx.all::<_, Error>(COMMITTED, params![after, count], ShownNote::read)?;
    files::attach(tx, page.iter_mut())?;
    Ok(page)
}

/// Adds the next `count` notes after an id to the search index, which must not contain them yet. Returns
/// the ids of all these notes, including drafts and archived notes, which are not indexed.
pub(crate) fn index_page(tx: &mut WriteTx<'_>, after: Uuid, count: usize) -> Result<Vec<Uuid>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let page = tx.all::<_, Error>(PAGE, params![after, count], Note::read)?;
    let mut tokenizer = Tokenizer::default();
    let mut documents = Vec::new();
    for note in &page {
        documents.extend(tokenizer.tokens(tx, note)?.map(|tokens| (note.n, tokens)));
    }
    let rows: Vec<_> = documents.iter().map(|(n, tokens)| document(*n, tokens)).collect();
    tx.execute_each(INDEX, &rows)?;
    Ok(page.iter().map(|note| note.id.uuid()).collect())
}

/// Drafts and archived notes are not in lists, so they are not indexed.
const fn is_indexed(note: &Note) -> bool {
    !note.draft && note.archived_at.is_none()
}

/// The indexed fields of a note that can change.
fn indexed_fields(note: &Note) -> (&str, bool, Option<SubjectType>) {
    (&note.body, note.pinned, note.subject_type)
}

/// The sweeps of expired drafts.
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "drafts",
        step: |tx, now| storage::sweep(tx, Class::Drafts, SWEEP, params![live_drafts(now).start]),
    },
    Sweep {
        rows: "drafts from the future",
        step: |tx, now| {
            storage::sweep(tx, Class::Drafts, SWEEP_AHEAD, params![live_drafts(now).end])
        },
    },
];

/// The user's counted write at a position, where 1 is the newest, if its id is `oldest` or above.
pub(super) fn nth_write(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    oldest: Uuid,
    position: u32,
) -> Result<Option<Uuid>> {
    let later = i64::from(position) - 1;
    tx.first(NTH_WRITE, params![user, oldest, later], |row| Ok(row.take()?))
}

/// How many writes of the user are in the range `counted`.
pub(super) fn count_writes(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    counted: std::ops::Range<Uuid>,
) -> Result<u32> {
    let params = params![user, counted.start, counted.end];
    let count = tx.first::<i64, Error>(COUNT_WRITES, params, |row| Ok(row.take()?))?;
    Ok(count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0))
}

/// The user's newest counted write that a correct clock can have made.
pub(super) fn last_write(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
    now: Timestamp,
) -> Result<Option<Uuid>> {
    tx.first(LAST_WRITE, params![user, id::first_from_wrong_clock(now)], |row| Ok(row.take()?))
}

/// Counts a write of the user.
pub(super) fn insert_write(tx: &mut WriteTx<'_>, user: Id<kinds::User>, id: Uuid) -> Result<()> {
    tx.execute(INSERT_WRITE, params![user, id])?;
    Ok(())
}

/// Removes the user's writes outside the range `counted`. So at most as many are stored as the limit allows.
pub(super) fn forget_writes(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    counted: std::ops::Range<Uuid>,
) -> Result<()> {
    tx.execute(FORGET_WRITES, params![user, counted.start, counted.end])?;
    Ok(())
}

/// The seconds in which the user saved drafts, oldest first, with the bytes saved in each.
pub(super) fn draft_bytes(
    tx: &mut ReadTx<'_>,
    user: Id<kinds::User>,
) -> Result<Vec<(Timestamp, i64)>> {
    tx.all(DRAFT_BYTES, params![user], |row| Ok((row.take()?, row.take()?)))
}

/// Counts the bytes of a draft that the user saves.
pub(super) fn add_draft_bytes(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    second: Timestamp,
    bytes: i64,
) -> Result<()> {
    tx.execute(ADD_DRAFT_BYTES, params![user, second, bytes])?;
    Ok(())
}

/// Removes the user's seconds up to and including `counted.start`, and from `counted.end` on.
pub(super) fn forget_draft_bytes(
    tx: &mut WriteTx<'_>,
    user: Id<kinds::User>,
    counted: std::ops::Range<Timestamp>,
) -> Result<()> {
    tx.execute(FORGET_DRAFT_BYTES, params![user, counted.start, counted.end])?;
    Ok(())
}

/// The total length of the bound tenant's drafts, in bytes.
pub(crate) fn size_of_drafts(tx: &mut ReadTx<'_>) -> Result<i64> {
    Ok(tx.first::<_, Error>(SIZE_OF_DRAFTS, &[], |row| Ok(row.take()?))?.unwrap_or(0))
}
