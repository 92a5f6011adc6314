//! The numbers of documents: each kind of document counts its own in each account.

use zoop_db::{WriteTx, params};

use crate::call::error::{Error, Result};

crate::call::table::table! {
    /// The last number of each kind of document, by the letter of the numbers.
    pub(crate) const DOCUMENT_NUMBERS = document_numbers {
        per_tenant,
        key: { letter: Text },
        columns: { last: Integer },
        exported: WithTenant,
        erased: [WithTenant],
    }
}

zoop_db::statements! {
    NEXT = "INSERT INTO document_numbers (tenant_no, letter, last) VALUES ($1, $2, 1) \
            ON CONFLICT (tenant_no, letter) DO UPDATE SET last = document_numbers.last + 1 RETURNING last";
}

/// Takes the next number of a kind of document. Gaps are possible, but a number is never used twice.
pub(super) fn next(tx: &mut WriteTx<'_>, letter: char) -> Result<i64> {
    let number = tx.first::<_, Error>(NEXT, params![letter.to_string()], |row| Ok(row.take()?))?;
    number.ok_or_else(|| zoop_db::Error::NoRow.into())
}
