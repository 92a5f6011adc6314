//! Merging again after an undo: whether the customer has only what the merge moved then.

use std::collections::BTreeSet;

use zoop_db::{ReadTx, Row, Uuid, params};

use crate::business::customers::{contacts, locations, store};
use crate::business::documents::Documents;
use crate::business::notes::moving;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    NEW_CONTACT = "SELECT id FROM contacts WHERE tenant_no = $1 AND customer_id = $2 AND id > $3 \
                   ORDER BY id LIMIT 1";
    NEW_LOCATION = "SELECT id FROM locations WHERE tenant_no = $1 AND customer_id = $2 AND id > $3 \
                    ORDER BY id LIMIT 1";
}

/// Whether a customer that was separated by an entry, which changed the records `known`, has anything else now that a
/// merge would move. Contacts and locations that the merge left with it are older than the entry.
pub(in crate::business) fn has_more(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    entry: Uuid,
    known: &BTreeSet<Uuid>,
) -> Result<bool> {
    let read = |row: &mut Row<'_>| Ok(row.take::<Uuid>()?);
    for new in [NEW_CONTACT, NEW_LOCATION] {
        if tx.first::<_, Error>(new, params![customer, entry], read)?.is_some() {
            return Ok(true);
        }
    }
    let count = known.len() + 1;
    // The notes about what moves stay with it.
    let mut records = vec![customer.uuid()];
    records.extend(contacts::store::all(tx, customer, count)?.iter().map(|it| it.id.uuid()));
    records.extend(locations::store::all(tx, customer, count)?.iter().map(|it| it.id.uuid()));
    records.retain(|id| *id == customer.uuid() || !known.contains(id));
    let records: Vec<_> = records.into_iter().map(|id| (id, id)).collect();
    let notes = moving::about(tx, &records, count)?;
    let mut moved: Vec<_> = notes.iter().flat_map(|it| &it.notes).map(|id| id.uuid()).collect();
    moved.extend(Documents::of_customer(tx, customer, count)?.ids());
    moved.extend(store::tag_labels(tx, customer)?.iter().map(|it| it.id.uuid()));
    Ok(moved.iter().any(|id| !known.contains(id)))
}
