//! The SQL of imports.

use zoop_db::{ReadTx, Row, Uuid, WriteTx, params};

use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

crate::call::argument::choices! {
    /// How far an import is.
    pub enum State {
        /// It is adding customers, or was interrupted.
        Running = "running",
        /// All of it was added.
        Done = "done",
        /// It stopped, and what it had added was taken back.
        Stopped = "stopped",
        /// It is being undone, or that was interrupted, or something of it stays.
        Undoing = "undoing",
        /// It was undone.
        Undone = "undone",
    }
}

crate::call::table::table! {
    /// Imports.
    pub(crate) const IMPORTS = imports {
        per_tenant,
        key: { id: Id },
        columns: {
            user_id: Id as fixed,
            file_name: Text as fixed,
            state: Text,
            customers: Integer as fixed,
            added: Integer,
        },
        exported: WithTenant,
        erased: [WithTenant],
    }
}

crate::call::table::table! {
    /// What each import added.
    pub(crate) const IMPORTED = imported {
        per_tenant,
        key: { import_id: Id, entry_id: Id },
        columns: { record_id: Id as fixed, digest: Bytes },
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM imports WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    INSERT = "INSERT INTO imports (tenant_no, id, user_id, file_name, state, customers, added) \
              VALUES ($1, $2, $3, $4, $5, $6, 0)";
    GET = "SELECT id, user_id, file_name, state, customers, added FROM imports WHERE tenant_no = $1 AND id = $2";
    LATEST = "SELECT id, user_id, file_name, state, customers, added FROM imports \
              WHERE tenant_no = $1 ORDER BY id DESC LIMIT $2";
    SET_STATE = "UPDATE imports SET state = $3 WHERE tenant_no = $1 AND id = $2";
    COUNT_ADDED = "UPDATE imports SET added = added + $3 WHERE tenant_no = $1 AND id = $2 AND state = 'running'";
    ADD = "INSERT INTO imported (tenant_no, import_id, entry_id, record_id, digest) VALUES ($1, $2, $3, $4, $5)";
    /// Its rows may be imported again.
    TAKE_BACK = "UPDATE imported SET digest = $4 WHERE tenant_no = $1 AND import_id = $2 AND entry_id = $3";
    /// What earlier imports added for the same rows, the latest first.
    BY_DIGEST = "SELECT record_id FROM imported WHERE tenant_no = $1 AND digest = $2 \
                 ORDER BY entry_id DESC LIMIT 10";
    /// Whether a customer has a tag who is not archived, or whom the import did not add.
    IS_TAG_USED = "SELECT 1 FROM customer_tags x JOIN customers c ON c.tenant_no = $1 AND c.id = x.customer_id \
        WHERE x.tenant_no = $1 AND x.tag_id = $2 AND (c.archived_at IS NULL OR NOT EXISTS (\
        SELECT 1 FROM imported i WHERE i.tenant_no = $1 AND i.record_id = x.customer_id AND i.import_id = $3)) LIMIT 1";
    HAS_ADDED = "SELECT 1 FROM imported WHERE tenant_no = $1 AND record_id = $2 AND import_id = $3";
    /// What an import added before an entry, the latest first.
    BEFORE = "SELECT entry_id, record_id, digest FROM imported \
              WHERE tenant_no = $1 AND import_id = $2 AND entry_id < $3 ORDER BY entry_id DESC LIMIT $4";
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: Id<kinds::Import>,
    /// Who started it.
    pub user_id: Id<kinds::User>,
    /// The name of the file.
    pub file_name: String,
    /// How far it is.
    pub state: State,
    /// How many customers it was to add.
    pub customers: i64,
    /// How many it has added.
    pub added: i64,
}

fn read(row: &mut Row<'_>) -> Result<Import> {
    Ok(Import {
        id: row.take()?,
        user_id: row.take()?,
        file_name: row.take()?,
        state: row.take()?,
        customers: row.take()?,
        added: row.take()?,
    })
}

pub(super) fn insert(tx: &mut WriteTx<'_>, import: &Import) -> Result<()> {
    let Import { id, user_id, file_name, state, customers, .. } = import;
    tx.execute(INSERT, params![id, user_id, file_name, state, customers])?;
    Ok(())
}

/// An import of the account.
///
/// # Errors
/// [`Error::NotFound`] if there is no such import.
pub fn get(tx: &mut ReadTx<'_>, id: Id<kinds::Import>) -> Result<Import> {
    tx.first::<_, Error>(GET, params![id], read)?.ok_or(Error::not_found("import"))
}

/// The latest imports of the account, the latest first.
///
/// # Errors
/// If the database fails.
pub fn latest(tx: &mut ReadTx<'_>, count: usize) -> Result<Vec<Import>> {
    tx.all(LATEST, params![i64::try_from(count).unwrap_or(i64::MAX)], read)
}

pub(super) fn set_state(tx: &mut WriteTx<'_>, id: Id<kinds::Import>, state: State) -> Result<()> {
    tx.execute(SET_STATE, params![id, state])?;
    Ok(())
}

/// Counts customers that a running import has added.
///
/// # Errors
/// [`Error::Conflict`] if it does not run any more, because it was undone.
pub(super) fn count_added(tx: &mut WriteTx<'_>, id: Id<kinds::Import>, more: usize) -> Result<()> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    if tx.execute(COUNT_ADDED, params![id, more])? == 0 {
        return Err(Error::conflict("The import was undone meanwhile."));
    }
    Ok(())
}

/// Something that an import added, with the entry of the history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Imported {
    pub(super) entry: Id<kinds::Entry>,
    /// A customer or a tag.
    pub(super) record: Uuid,
    pub(super) is_tag: bool,
}

pub(super) fn add(
    tx: &mut WriteTx<'_>,
    import: Id<kinds::Import>,
    added: Imported,
    digest: &[u8],
) -> Result<()> {
    tx.execute(ADD, params![import, added.entry, added.record, *digest])?;
    Ok(())
}

/// The digest of a customer that was taken back: that of no rows.
const TAKEN_BACK: &[u8] = b"-";

/// Records that a customer was taken back, so that its rows may be imported again.
pub(super) fn take_back(
    tx: &mut WriteTx<'_>,
    import: Id<kinds::Import>,
    entry: Id<kinds::Entry>,
) -> Result<()> {
    tx.execute(TAKE_BACK, params![import, entry, *TAKEN_BACK])?;
    Ok(())
}

/// The customers that earlier imports added for the same rows, the latest first.
pub(super) fn by_digest(tx: &mut ReadTx<'_>, digest: &[u8]) -> Result<Vec<Id<kinds::Customer>>> {
    tx.all(BY_DIGEST, params![*digest], |row| Ok(row.take()?))
}

/// Whether a customer has a tag who is not archived, or whom the import did not add.
pub(super) fn is_tag_used(
    tx: &mut ReadTx<'_>,
    tag: Id<kinds::Tag>,
    import: Id<kinds::Import>,
) -> Result<bool> {
    Ok(tx
        .first::<i64, zoop_db::Error>(IS_TAG_USED, params![tag, import], |row| row.take())?
        .is_some())
}

/// Whether an import added a customer.
pub(super) fn has_added(
    tx: &mut ReadTx<'_>,
    import: Id<kinds::Import>,
    customer: Id<kinds::Customer>,
) -> Result<bool> {
    Ok(tx
        .first::<i64, zoop_db::Error>(HAS_ADDED, params![customer, import], |row| row.take())?
        .is_some())
}

/// What an import added before an entry, the latest first.
pub(super) fn added_before(
    tx: &mut ReadTx<'_>,
    import: Id<kinds::Import>,
    before: Id<kinds::Entry>,
    count: usize,
) -> Result<Vec<Imported>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(BEFORE, params![import, before, count], |row| {
        let (entry, record) = (row.take()?, row.take()?);
        // A tag has no rows of its own.
        let is_tag = row.take::<Vec<u8>>()?.is_empty();
        Ok(Imported { entry, record, is_tag })
    })
}
