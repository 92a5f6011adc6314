//! The SQL of files.

use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx, params, text};

use super::inventory::Kept;
use super::{Attachment, File, NoteFile};
use crate::business::notes::ShownNote;
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

/// How many files one statement reads for an export.
const EXPORTED_AT_ONCE: i64 = 500;
/// How many notes one statement reads the files of.
const NOTES: usize = 25;

zoop_db::statements! {
    GET = (text!("SELECT ", File::SELECTED, " FROM files \
           WHERE tenant_no = $1 AND id = $2 AND removed_at IS NULL"));
    GET_REMOVED = (text!("SELECT ", File::SELECTED, " FROM files \
                   WHERE tenant_no = $1 AND id = $2 AND removed_at IS NOT NULL"));
    /// The files of up to 25 notes.
    OF_NOTES = (text!("SELECT ", File::SELECTED, " FROM files WHERE tenant_no = $1 AND note_id IN \
                ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
                $23, $24, $25, $26) AND removed_at IS NULL ORDER BY note_id, id"));
    COUNT = "SELECT count(*) FROM files WHERE tenant_no = $1 AND note_id = $2 AND removed_at IS NULL";
    /// The size of all files, even of those whose content is still to be deleted.
    TOTAL = "SELECT CAST(coalesce(sum(size), 0) AS bigint) FROM files WHERE tenant_no = $1";
    /// The size of the files with ids from this one on.
    TOTAL_SINCE = "SELECT CAST(coalesce(sum(size), 0) AS bigint) FROM files WHERE tenant_no = $1 AND id >= $2";
    INSERT = (File::INSERT);
    UPDATE = (File::UPDATE);
    /// Files that were removed before a time, the first ones first.
    REMOVED = "SELECT id FROM files WHERE tenant_no = $1 AND removed_at < $2 ORDER BY removed_at";
    /// Files before an id that were not removed, but whose note is gone.
    ORPHANS = "SELECT f.id FROM files f WHERE f.tenant_no = $1 AND f.id < $2 AND f.removed_at IS NULL AND NOT EXISTS \
               (SELECT 1 FROM notes x WHERE x.tenant_no = $1 AND x.id = f.note_id) ORDER BY f.id";
    /// The files with ids in a range whose content is needed: the note is there, and it is not removed since long.
    KEPT = "SELECT f.id FROM files f JOIN notes x ON x.tenant_no = $1 AND x.id = f.note_id \
            WHERE f.tenant_no = $1 AND f.id >= $2 AND f.id <= $3 \
            AND (f.removed_at IS NULL OR f.removed_at >= $4) ORDER BY f.id";
    /// The files on notes that are there.
    SIZES = "SELECT f.id, f.size, f.sha256 FROM files f JOIN notes x ON x.tenant_no = $1 AND x.id = f.note_id \
             WHERE f.tenant_no = $1 AND f.removed_at IS NULL ORDER BY f.id";
    /// The next files after an id that are on notes which are not drafts.
    EXPORTED = "SELECT f.id, f.name, f.size, f.sha256 FROM files f JOIN notes x ON x.tenant_no = $1 AND x.id = f.note_id \
                WHERE f.tenant_no = $1 AND f.id > $2 AND f.removed_at IS NULL AND NOT x.draft ORDER BY f.id LIMIT $3";
    DELETE = "DELETE FROM files WHERE tenant_no = $1 AND id = $2";
}

/// A file that is not removed.
///
/// # Errors
/// [`Error::NotFound`] if there is no such file.
pub(super) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::File>) -> Result<File> {
    tx.first::<_, Error>(GET, params![id], File::read)?.ok_or(Error::not_found("file"))
}

/// A file that was removed, and whose content is not deleted yet.
///
/// # Errors
/// [`Error::NotFound`] if there is no such file.
pub(super) fn get_removed(tx: &mut ReadTx<'_>, id: Id<kinds::File>) -> Result<File> {
    tx.first::<_, Error>(GET_REMOVED, params![id], File::read)?.ok_or(Error::not_found("file"))
}

/// Reads the files of these notes into their attachments, in the order in which they were added.
pub(crate) fn attach<'n>(
    tx: &mut ReadTx<'_>,
    notes: impl Iterator<Item = &'n mut ShownNote>,
) -> Result<()> {
    let mut notes: Vec<_> = notes.filter(|shown| shown.names.has_files).collect();
    for notes in notes.chunks_mut(NOTES) {
        let nobody = Id::<kinds::Note>::new(Uuid::nil());
        let ids: [Id<kinds::Note>; NOTES] =
            std::array::from_fn(|at| notes.get(at).map_or(nobody, |shown| shown.note.id));
        let params = ids.each_ref().map(|id| zoop_db::Param::value(id));
        for file in tx.all::<_, Error>(OF_NOTES, &params, File::read)? {
            if let Some(shown) = notes.iter_mut().find(|shown| shown.note.id == file.note_id) {
                shown.note.attachments.push(Attachment::from(file));
            }
        }
    }
    Ok(())
}

/// How many files a note has.
pub(super) fn count(tx: &mut ReadTx<'_>, note: Id<kinds::Note>) -> Result<i64> {
    Ok(tx.first::<_, Error>(COUNT, params![note], |row| Ok(row.take()?))?.unwrap_or(0))
}

/// The size of the tenant's files in bytes.
pub(super) fn total(tx: &mut ReadTx<'_>) -> Result<u64> {
    let total = tx.first::<_, Error>(TOTAL, &[], |row| Ok(row.take::<i64>()?))?;
    Ok(total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0))
}

/// The size of the tenant's files with ids from this one on, in bytes.
pub(super) fn total_since(tx: &mut ReadTx<'_>, id: Uuid) -> Result<u64> {
    let total = tx.first::<_, Error>(TOTAL_SINCE, params![id], |row| Ok(row.take::<i64>()?))?;
    Ok(total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0))
}

/// Adds a file.
pub(super) fn insert(tx: &mut WriteTx<'_>, file: &File) -> Result<()> {
    tx.execute(INSERT, file.inserted().as_ref())?;
    Ok(())
}

/// Writes whether a file is removed.
pub(super) fn update(tx: &mut WriteTx<'_>, file: &File) -> Result<()> {
    tx.execute(UPDATE, file.updated().as_ref())?;
    Ok(())
}

/// The files that were removed before a time, and those before an id whose note is gone.
pub(super) fn removed(
    tx: &mut ReadTx<'_>,
    before: Timestamp,
    id: Uuid,
) -> Result<Vec<Id<kinds::File>>> {
    let mut files = tx.all::<_, Error>(REMOVED, params![before], |row| Ok(row.take()?))?;
    files.extend(tx.all::<Id<kinds::File>, Error>(ORPHANS, params![id], |row| Ok(row.take()?))?);
    Ok(files)
}

/// The files in a range of ids whose content is needed, unless they were removed before a time.
pub(super) fn kept(
    tx: &mut ReadTx<'_>,
    first: Id<kinds::File>,
    last: Id<kinds::File>,
    before: Timestamp,
) -> Result<Vec<Id<kinds::File>>> {
    tx.all(KEPT, params![first, last, before], |row| Ok(row.take()?))
}

/// The tenant's files.
pub(super) fn kept_of(tx: &mut ReadTx<'_>, tenant: Id<kinds::Tenant>) -> Result<Vec<Kept>> {
    tx.all(SIZES, &[], |row| {
        let (file, size, hash): (_, i64, String) = (row.take()?, row.take()?, row.take()?);
        let hash = data_encoding::HEXLOWER.decode(hash.as_bytes()).ok();
        let sha256 = hash.and_then(|hash| hash.try_into().ok());
        Ok(Kept { tenant, file, size: u64::try_from(size).unwrap_or(0), sha256 })
    })
}

/// The files on notes that are not drafts, in the order of their ids.
pub(crate) fn exported(tx: &mut ReadTx<'_>) -> Result<Vec<NoteFile>> {
    let (mut files, mut after) = (Vec::new(), Uuid::nil());
    loop {
        let page = tx.all::<_, Error>(EXPORTED, params![after, EXPORTED_AT_ONCE], |row| {
            let (id, name, size): (Id<kinds::File>, _, i64) =
                (row.take()?, row.take()?, row.take()?);
            let size = u64::try_from(size).unwrap_or(0);
            Ok(NoteFile { id, name, size, sha256: row.take()? })
        })?;
        let Some(last) = page.last() else { return Ok(files) };
        after = last.id.uuid();
        files.extend(page);
    }
}

/// Deletes the row of a file.
pub(in crate::business) fn delete(tx: &mut WriteTx<'_>, id: Id<kinds::File>) -> Result<()> {
    tx.execute(DELETE, params![id])?;
    Ok(())
}
