//! The SQL for contacts.

use zoop_db::{ReadTx, Row, RowQuery, Uuid, Value, WriteTx, params, text};

use super::Contact;
use crate::business::customers::children::{Handover, Part, Sibling};
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::table::Record;
use crate::values::clock::Moment;
use crate::values::id::{self, Id, kinds};

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(Contact::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN contacts x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);
/// Those that only get another customer, of whom they are not primary ones.
const HANDED_OVER: &str = "UPDATE contacts SET customer_id = $4, is_primary = false, updated_at = $5 \
    WHERE tenant_no = $1 AND customer_id = $3 AND id IN (SELECT wanted_id FROM wanted)";

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM contacts WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
           WHERE tenant_no = $1 AND customer_id = $2 AND id = $3"));
    /// A customer's active contacts, in creation order. There are at most `MAX_ACTIVE`.
    ACTIVE = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id"));
    /// A customer's first contact that is not older than the customer, whose time the id `$3` has: the one that was
    /// created with it. Older ones come from customers that were merged into it.
    FIRST = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
             WHERE tenant_no = $1 AND customer_id = $2 AND id >= $3 ORDER BY id LIMIT 1"));
    /// The fields of `Sibling` for a customer's active contacts, in creation order.
    SIBLINGS = "SELECT id, is_primary FROM contacts \
                WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id";
    /// A customer's contacts in one part of the list, after the id `$5`, in creation order.
    PART = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
            WHERE tenant_no = $1 AND customer_id = $2 AND (archived_at IS NOT NULL) = $3 \
            AND is_primary = $4 AND id > $5 ORDER BY id LIMIT $6"));
    /// All of a customer's contacts, in creation order.
    ALL = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
           WHERE tenant_no = $1 AND customer_id = $2 ORDER BY id LIMIT $3"));
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    HAND_OVER = {
        sqlite: text!(WANTED_SQLITE, HANDED_OVER), postgres: text!(WANTED_POSTGRES, HANDED_OVER),
    };
    INSERT = (Contact::INSERT);
    MOVE = "UPDATE contacts SET customer_id = $4, is_primary = $5 \
            WHERE tenant_no = $1 AND customer_id = $2 AND id = $3";
    UPDATE = (Contact::UPDATE);
    CUSTOMER = "SELECT customer_id FROM contacts WHERE tenant_no = $1 AND id = $2";
}

/// A contact of a customer, which may be archived.
///
/// # Errors
/// [`Error::NotFound`] if the customer has no such contact.
pub(crate) fn get(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    id: Id<kinds::Contact>,
) -> Result<Contact> {
    tx.first::<_, Error>(GET, params![customer, id], Contact::read)?
        .ok_or(Error::not_found("contact"))
}

/// A customer's active contacts: the primary contact first, then the others in creation order.
pub(crate) fn active(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Contact>> {
    Ok(primary_first(tx.all(ACTIVE, params![customer], Contact::read)?))
}

/// A customer's first contact, which was created with the customer. It may be archived.
pub(super) fn first(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Option<Contact>> {
    let created = id::lowest_at(customer.created_at().0);
    tx.first(FIRST, params![customer, created], Contact::read)
}

/// The fields of a customer's active contacts that the rules for children need, in creation order.
pub(super) fn siblings(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<Sibling<Contact>>> {
    tx.all(SIBLINGS, params![customer], |row| {
        Ok(Sibling { id: row.take()?, is_primary: row.take()?, group: () })
    })
}

/// The query of [`active`], for a pipelined read. The caller sorts the rows with [`primary_first`].
pub(crate) const fn active_query<'p>(
    customer: &'p [Value<'p>],
) -> RowQuery<'p, fn(&mut Row<'_>) -> Result<Contact>> {
    (ACTIVE, customer, Contact::read)
}

/// Moves the primary contact to the front and keeps the order of the other contacts.
pub(crate) fn primary_first(mut contacts: Vec<Contact>) -> Vec<Contact> {
    contacts.sort_by_key(|contact| !contact.is_primary);
    contacts
}

/// Up to `count` of a customer's contacts in one part of the list, after the id `after`, in creation order.
pub(super) fn part(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    part: Part,
    after: Uuid,
    count: usize,
) -> Result<Vec<Contact>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let params = params![customer, part.archived, part.primary, after, count];
    tx.all(PART, params, Contact::read)
}

/// The customer that a contact belongs to, if there is such a contact.
pub(crate) fn customer_of(tx: &mut ReadTx<'_>, id: Uuid) -> Result<Option<Id<kinds::Customer>>> {
    tx.first(CUSTOMER, params![id], |row| Ok(row.take()?))
}

/// Adds a contact.
pub(crate) fn insert(tx: &mut WriteTx<'_>, contact: &Contact) -> Result<()> {
    tx.execute(INSERT, contact.inserted().as_ref())?;
    Ok(())
}

/// Writes all of a contact's fields that can change.
pub(crate) fn update(tx: &mut WriteTx<'_>, contact: &Contact) -> Result<()> {
    tx.execute(UPDATE, contact.updated().as_ref())?;
    Ok(())
}

/// Up to `count` of a customer's contacts, with archived ones, in creation order.
pub(crate) fn all(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    count: usize,
) -> Result<Vec<Contact>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(ALL, params![customer, count], Contact::read)
}

/// Writes a contact that belongs to another customer now.
pub(crate) fn move_to(tx: &mut WriteTx<'_>, old: &Contact, new: &Contact) -> Result<()> {
    tx.execute(MOVE, params![old.customer_id, old.id, new.customer_id, new.is_primary])?;
    update(tx, new)
}

/// The contacts with the ids in a parameter that [`id_list`] writes.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<Contact>> {
    tx.all(BY_IDS, params![*wanted], Contact::read)
}

/// Gives contacts to another customer, at a time. They are not primary there, and nothing else of them changes.
pub(super) fn hand_over(tx: &mut WriteTx<'_>, handover: &Handover, at: Moment) -> Result<()> {
    let wanted = id_list(handover.ids.iter().copied());
    tx.execute(HAND_OVER, params![wanted, handover.from, handover.to, at])?;
    Ok(())
}
