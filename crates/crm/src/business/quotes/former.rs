//! Quotes of exports of before there were quotes: they were only subjects of notes. A migration moved those of databases.

use zoop_db::{WriteTx, params};

use crate::call::error::Result;
use crate::identity::tenants;
use crate::values::number::QuoteNumber;

zoop_db::statements! {
    MOVE = "INSERT INTO quotes (tenant_no, id, quote_number, title, status, customer_id, total, currency, updated_at, \
            line_items) SELECT $1, s.id, (SELECT count(*) FROM subjects o WHERE o.tenant_no = $1 \
            AND o.subject_type = 'quote' AND o.id <= s.id), s.title, 'draft', s.customer_id, 0, $2, s.updated_at, '[]' \
            FROM subjects s WHERE s.tenant_no = $1 AND s.subject_type = 'quote'";
    COUNT = "INSERT INTO document_numbers (tenant_no, letter, last) \
             SELECT $1, $2, count(*) FROM quotes WHERE tenant_no = $1";
    REMOVE = "DELETE FROM subjects WHERE tenant_no = $1 AND subject_type = 'quote'";
}

/// Makes quotes of the subjects of an account that are quotes. They keep their ids, and so their notes.
pub(crate) fn bring(tx: &mut WriteTx<'_>) -> Result<()> {
    let currency = tenants::tenant(tx)?.currency;
    if tx.execute(MOVE, params![currency])? > 0 {
        tx.execute(COUNT, params![QuoteNumber::LETTER.to_string()])?;
        tx.execute(REMOVE, &[])?;
    }
    Ok(())
}
