//! The SQL of contacts.

use zoop_db::{ReadTx, Row, RowQuery, Uuid, Value, WriteTx, params, text};

use super::Contact;
use crate::business::customers::children::Sibling;
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    GREATEST = "SELECT id FROM contacts WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
           WHERE tenant_no = $1 AND customer_id = $2 AND id = $3"));
    /// A customer's active contacts in creation order; a customer has a bounded number of them.
    ACTIVE = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id"));
    /// Of a customer's active contacts, in creation order, what decides which one is primary.
    SIBLINGS = "SELECT id, is_primary FROM contacts \
                WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id";
    /// A customer's archived contacts in creation order.
    ARCHIVED = (text!("SELECT ", Contact::SELECTED, " FROM contacts \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NOT NULL ORDER BY id"));
    INSERT = (Contact::INSERT);
    UPDATE = (Contact::UPDATE);
    /// The customer of a contact, if there is such a contact.
    EXISTS = "SELECT customer_id FROM contacts WHERE tenant_no = $1 AND id = $2";
}

/// The greatest id of the table, for the next one.
pub(crate) const GREATEST_ID: zoop_db::Sql = GREATEST;

/// A customer's contact, archived ones too.
///
/// # Errors
/// [`Error::NotFound`] when the customer has no such contact.
pub(crate) fn get(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    id: Id<kinds::Contact>,
) -> Result<Contact> {
    tx.first::<_, Error>(GET, params![customer, id], Contact::read)?
        .ok_or(Error::not_found("contact"))
}

/// A customer's active contacts: the primary one first, then in creation order.
pub(crate) fn active(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Contact>> {
    Ok(primary_first(tx.all(ACTIVE, params![customer], Contact::read)?))
}

/// What decides which of a customer's active contacts is primary, in creation order.
pub(super) fn siblings(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<Sibling<Contact>>> {
    tx.all(SIBLINGS, params![customer], |row| {
        Ok(Sibling { id: row.take()?, is_primary: row.take()?, group: () })
    })
}

/// The query of [`active`], for a pipelined read. [`primary_first`] puts its rows in order.
pub(crate) const fn active_query<'p>(
    customer: &'p [Value<'p>],
) -> RowQuery<'p, fn(&mut Row<'_>) -> Result<Contact>> {
    (ACTIVE, customer, Contact::read)
}

/// Sorts active contacts from creation order into the order in which they are shown.
pub(crate) fn primary_first(mut contacts: Vec<Contact>) -> Vec<Contact> {
    contacts.sort_by_key(|contact| !contact.is_primary);
    contacts
}

/// A customer's archived contacts, in creation order.
pub(crate) fn archived(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Contact>> {
    tx.all(ARCHIVED, params![customer], Contact::read)
}

/// The customer that a contact belongs to, if there is such a contact.
pub(crate) fn customer_of(tx: &mut ReadTx<'_>, id: Uuid) -> Result<Option<Id<kinds::Customer>>> {
    tx.first(EXISTS, params![id], |row| Ok(row.take()?))
}

/// Adds a contact.
pub(crate) fn insert(tx: &mut WriteTx<'_>, contact: &Contact) -> Result<()> {
    tx.execute(INSERT, contact.inserted().as_ref())?;
    Ok(())
}

/// Writes all of a contact's fields.
pub(crate) fn update(tx: &mut WriteTx<'_>, contact: &Contact) -> Result<()> {
    tx.execute(UPDATE, contact.updated().as_ref())?;
    Ok(())
}
