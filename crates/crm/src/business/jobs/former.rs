//! Jobs of exports of before there were jobs: they were only subjects of notes. A migration moved those of databases.

use zoop_db::{WriteTx, params};

use super::LAST;
use crate::call::error::Result;
use crate::identity::tenants;
use crate::values::number::JobNumber;

zoop_db::statements! {
    /// Titles are folded as far as SQL can.
    MOVE = "INSERT INTO jobs (tenant_no, id, status, job_number, list_order, customer_id, total, currency, cancelled_at, \
            updated_at, title, title_folded, assignee_ids, line_items) \
            SELECT $1, s.id, CASE WHEN lower(s.status) LIKE 'cancel%' THEN 'cancelled' ELSE 'unscheduled' END, \
            (SELECT count(*) FROM subjects o WHERE o.tenant_no = $1 AND o.subject_type = 'job' AND o.id <= s.id), $2, s.customer_id, 0, $3, \
            CASE WHEN lower(s.status) LIKE 'cancel%' THEN s.updated_at END, s.updated_at, s.title, \
            lower(replace(replace(replace(replace(s.title, '-', ' '), ',', ''), '.', ''), '  ', ' ')), '', '[]' \
            FROM subjects s WHERE s.tenant_no = $1 AND s.subject_type = 'job'";
    COUNT = "INSERT INTO document_numbers (tenant_no, letter, last) SELECT $1, $2, count(*) FROM jobs WHERE tenant_no = $1";
    REMOVE = "DELETE FROM subjects WHERE tenant_no = $1 AND subject_type = 'job'";
}

/// Makes jobs of the subjects of an account that are jobs. They keep their ids, and so their notes.
pub(crate) fn bring(tx: &mut WriteTx<'_>) -> Result<()> {
    let currency = tenants::tenant(tx)?.currency;
    if tx.execute(MOVE, params![LAST, currency])? > 0 {
        tx.execute(COUNT, params![JobNumber::LETTER.to_string()])?;
        tx.execute(REMOVE, &[])?;
    }
    Ok(())
}
