//! The SQL for subjects.

use zoop_db::{ReadTx, WriteTx, params, text};

use super::{Subject, SubjectKind};
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM subjects WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// Of an erased customer, none exists for callers.
    EXISTS = "SELECT 1 FROM subjects s WHERE s.tenant_no = $1 AND s.id = $2 AND s.subject_type = $3 AND NOT EXISTS (\
              SELECT 1 FROM customers c WHERE c.tenant_no = $1 AND c.id = s.customer_id AND c.erased_at IS NOT NULL)";
    GET = (text!("SELECT ", Subject::SELECTED, " FROM subjects WHERE tenant_no = $1 AND id = $2"));
    /// A customer's subjects, in creation order.
    OF_CUSTOMER = (text!("SELECT ", Subject::SELECTED, " FROM subjects \
                   WHERE tenant_no = $1 AND customer_id = $2 ORDER BY id LIMIT $3"));
    INSERT = (Subject::INSERT);
    UPDATE = (Subject::UPDATE);
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

/// A subject.
///
/// # Errors
/// [`Error::NotFound`] if there is no such subject.
pub(super) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::Subject>) -> Result<Subject> {
    tx.first::<_, Error>(GET, params![id], Subject::read)?.ok_or(Error::not_found("subject"))
}

/// Up to `count` of a customer's subjects, in creation order.
pub(crate) fn of_customer(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    count: usize,
) -> Result<Vec<Subject>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(OF_CUSTOMER, params![customer, count], Subject::read)
}

/// Writes all of a subject's fields that can change.
pub(in crate::business) fn update(tx: &mut WriteTx<'_>, subject: &Subject) -> Result<()> {
    tx.execute(UPDATE, subject.updated().as_ref())?;
    Ok(())
}
