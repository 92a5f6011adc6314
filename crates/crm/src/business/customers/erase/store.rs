//! The SQL of erasures: which rows are about a customer, and what becomes of them.

use zoop_db::{ReadTx, Sql, Uuid, WriteTx, params, text};

use crate::business::customers::Customer;
use crate::business::files::File;
use crate::business::notes::Note;
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    MERGED_INTO = (text!("SELECT ", Customer::SELECTED, " FROM customers \
                   WHERE tenant_no = $1 AND merged_into = $2"));
    /// A record's notes with drafts and archived ones.
    NOTES = (text!("SELECT ", zoop_db::drafted!(Note::COLUMNS.selected("x.")), " FROM notes x \
             WHERE x.tenant_no = $1 AND x.subject_id = $2 ORDER BY x.id LIMIT $3"));
    NOTE_IDS = "SELECT id FROM notes WHERE tenant_no = $1 AND subject_id = $2 ORDER BY id";
    UNINDEX_NOTE = {
        sqlite: "DELETE FROM note_search WHERE rowid = $2",
        postgres: "DELETE FROM note_search WHERE tenant_no = $1 AND n = $2",
    };
    DELETE_NOTE = "DELETE FROM notes WHERE tenant_no = $1 AND id = $2";
    /// A note's files with those that are removed.
    FILES = (text!("SELECT ", File::SELECTED, " FROM files WHERE tenant_no = $1 AND note_id = $2 \
             ORDER BY removed_at, id"));
    HAS_FILE = "SELECT id FROM files WHERE tenant_no = $1 AND id = $2";
    DELETE_CONTACTS = "DELETE FROM contacts WHERE tenant_no = $1 AND customer_id = $2";
    DELETE_LOCATIONS = "DELETE FROM locations WHERE tenant_no = $1 AND customer_id = $2";
    DETACH_TAGS = "DELETE FROM customer_tags WHERE tenant_no = $1 AND customer_id = $2";
    FORGET_DIFFERENT = "DELETE FROM different_customers WHERE tenant_no = $1 AND customer_id = $2";
    FORGET_DIFFERENT_FROM = "DELETE FROM different_customers WHERE tenant_no = $1 AND other_id = $2";
    FORGET_IMPORTED = "DELETE FROM imported WHERE tenant_no = $1 AND (import_id, entry_id) IN (\
        SELECT import_id, entry_id FROM imported WHERE tenant_no = $1 AND record_id = $2)";
}

/// What removes the rows of each table that are about one customer, whose contents nothing else needs.
pub(super) const REMOVALS: &[Sql] = &[
    DELETE_CONTACTS,
    DELETE_LOCATIONS,
    DETACH_TAGS,
    FORGET_DIFFERENT,
    FORGET_DIFFERENT_FROM,
    FORGET_IMPORTED,
];

/// The customers that were merged into one.
pub(super) fn merged_into(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<Customer>> {
    tx.all(MERGED_INTO, params![customer], Customer::read)
}

/// Up to `count` notes about a record, with drafts and archived ones.
pub(super) fn notes(tx: &mut ReadTx<'_>, subject: Uuid, count: usize) -> Result<Vec<Note>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(NOTES, params![subject, count], Note::read)
}

/// The ids of all notes about a record.
pub(super) fn note_ids(tx: &mut ReadTx<'_>, subject: Uuid) -> Result<Vec<Id<kinds::Note>>> {
    tx.all(NOTE_IDS, params![subject], |row| Ok(row.take()?))
}

/// The files of a note, with those that are removed.
pub(super) fn files(tx: &mut ReadTx<'_>, note: Id<kinds::Note>) -> Result<Vec<File>> {
    tx.all(FILES, params![note], File::read)
}

/// Whether a file has a row, even if it is removed.
pub(super) fn has_file(tx: &mut ReadTx<'_>, file: Id<kinds::File>) -> Result<bool> {
    let found = tx.first::<Uuid, Error>(HAS_FILE, params![file], |row| Ok(row.take()?))?;
    Ok(found.is_some())
}

/// Deletes a note and its entry in the search index.
pub(super) fn delete_note(tx: &mut WriteTx<'_>, note: &Note) -> Result<()> {
    tx.execute(UNINDEX_NOTE, params![note.n])?;
    tx.execute(DELETE_NOTE, params![note.id])?;
    Ok(())
}

/// Deletes the rows about a customer.
pub(super) fn remove(tx: &mut WriteTx<'_>, customer: Id<kinds::Customer>) -> Result<()> {
    for removal in REMOVALS {
        tx.execute(*removal, params![customer])?;
    }
    Ok(())
}
