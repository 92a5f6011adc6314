//! The SQL for subjects.

use zoop_db::{ReadTx, WriteTx, params};

use super::{Subject, SubjectKind};
use crate::call::error::Result;
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM subjects WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    EXISTS = "SELECT 1 FROM subjects WHERE tenant_no = $1 AND id = $2 AND subject_type = $3";
    INSERT = (Subject::INSERT);
}

/// Whether a subject with this kind and id exists.
pub(crate) fn exists(
    tx: &mut ReadTx<'_>,
    kind: SubjectKind,
    id: Id<kinds::Subject>,
) -> Result<bool> {
    Ok(tx.first::<i64, zoop_db::Error>(EXISTS, params![id, kind], |row| row.take())?.is_some())
}

/// Adds a subject.
pub(super) fn insert(tx: &mut WriteTx<'_>, subject: &Subject) -> Result<()> {
    tx.execute(INSERT, subject.inserted().as_ref())?;
    Ok(())
}
