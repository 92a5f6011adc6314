//! The SQL for subjects.

use zoop_db::{ReadTx, Uuid, WriteTx, params, text};

use super::{Subject, SubjectKind};
use crate::call::error::Result;
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::table::Record;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(Subject::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN subjects x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);
const HANDED_OVER: &str = "UPDATE subjects SET customer_id = $3, updated_at = $4 \
    WHERE tenant_no = $1 AND id IN (SELECT wanted_id FROM wanted)";

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM subjects WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// Of an erased customer, none exists for callers.
    EXISTS = "SELECT 1 FROM subjects s WHERE s.tenant_no = $1 AND s.id = $2 AND s.subject_type = $3 AND NOT EXISTS (\
              SELECT 1 FROM customers c WHERE c.tenant_no = $1 AND c.id = s.customer_id AND c.erased_at IS NOT NULL)";
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    HAND_OVER = {
        sqlite: text!(WANTED_SQLITE, HANDED_OVER), postgres: text!(WANTED_POSTGRES, HANDED_OVER),
    };
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

/// The subjects with the ids in a parameter that [`id_list`] writes.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<Subject>> {
    tx.all(BY_IDS, params![*wanted], Subject::read)
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

/// Gives subjects to a customer, at a time.
pub(super) fn hand_over(
    tx: &mut WriteTx<'_>,
    subjects: impl Iterator<Item = Uuid>,
    customer: Id<kinds::Customer>,
    at: Moment,
) -> Result<()> {
    tx.execute(HAND_OVER, params![id_list(subjects), customer, at])?;
    Ok(())
}
