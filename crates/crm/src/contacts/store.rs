//! The SQL of contacts.

use zoop_db::{Ask, ReadTx, Row, Uuid, Value, WriteTx, params};

use super::Contact;
use crate::error::{Error, Result};
use crate::id::{Id, kinds};

macro_rules! columns {
    () => {
        "id, customer_id, first_name, last_name, phone, phone_raw, email, is_primary, \
         phone_can_sms, role, title, updated_at, archived_at, origin"
    };
}

zoop_db::statements! {
    GREATEST = "SELECT id FROM contacts WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (concat!("SELECT ", columns!(), " FROM contacts \
           WHERE tenant_no = $1 AND customer_id = $2 AND id = $3"));
    /// A customer's active contacts in creation order; a customer has a bounded number of them.
    ACTIVE = (concat!("SELECT ", columns!(), " FROM contacts \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id"));
    /// A customer's archived contacts in creation order.
    ARCHIVED = (concat!("SELECT ", columns!(), " FROM contacts \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NOT NULL ORDER BY id"));
    INSERT = "INSERT INTO contacts (tenant_no, id, customer_id, first_name, last_name, phone, \
              phone_raw, email, is_primary, phone_can_sms, role, title, updated_at, archived_at, \
              origin) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    UPDATE = "UPDATE contacts SET first_name = $4, last_name = $5, phone = $6, phone_raw = $7, \
              email = $8, is_primary = $9, phone_can_sms = $10, role = $11, title = $12, \
              updated_at = $13, archived_at = $14, origin = $15 \
              WHERE tenant_no = $1 AND id = $2 AND customer_id = $3";
    /// Whether there is such a contact, of whatever customer.
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
    tx.first::<_, Error>(GET, params![customer, id], contact)?.ok_or(Error::not_found("contact"))
}

/// A customer's active contacts: the primary one first, then in creation order.
pub(crate) fn active(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Contact>> {
    Ok(primary_first(tx.all(ACTIVE, params![customer], contact)?))
}

/// [`active`], to be asked for together with other things; [`primary_first`] makes it whole.
pub(crate) const fn asks_active<'p>(
    customer: &'p [Value<'p>],
) -> Ask<'p, fn(&mut Row<'_>) -> Result<Contact>> {
    (ACTIVE, customer, contact)
}

/// The order in which active contacts are shown, of those that come in creation order.
pub(crate) fn primary_first(mut contacts: Vec<Contact>) -> Vec<Contact> {
    contacts.sort_by_key(|contact| !contact.is_primary);
    contacts
}

/// A customer's archived contacts, in creation order.
pub(crate) fn archived(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Contact>> {
    tx.all(ARCHIVED, params![customer], contact)
}

/// The customer that a contact belongs to, if there is such a contact.
pub(crate) fn customer_of(tx: &mut ReadTx<'_>, id: Uuid) -> Result<Option<Id<kinds::Customer>>> {
    tx.first(EXISTS, params![id], |row| Ok(row.take()?))
}

/// Adds a contact.
pub(crate) fn insert(tx: &mut WriteTx<'_>, contact: &Contact) -> Result<()> {
    write(tx, INSERT, contact)
}

/// Writes all of a contact's fields.
pub(crate) fn update(tx: &mut WriteTx<'_>, contact: &Contact) -> Result<()> {
    write(tx, UPDATE, contact)
}

fn write(tx: &mut WriteTx<'_>, sql: zoop_db::Sql, contact: &Contact) -> Result<()> {
    tx.execute(
        sql,
        params![
            contact.id,
            contact.customer_id,
            contact.first_name,
            contact.last_name,
            contact.phone,
            contact.phone_raw,
            contact.email,
            contact.is_primary,
            contact.phone_can_sms,
            contact.role,
            contact.title,
            contact.updated_at,
            contact.archived_at,
            contact.origin
        ],
    )?;
    Ok(())
}

fn contact(row: &mut Row<'_>) -> Result<Contact> {
    let id: Id<kinds::Contact> = row.take()?;
    Ok(Contact {
        id,
        customer_id: row.take()?,
        first_name: row.take()?,
        last_name: row.take()?,
        phone: row.take()?,
        phone_raw: row.take()?,
        email: row.take()?,
        is_primary: row.take()?,
        phone_can_sms: row.take()?,
        role: row.take()?,
        title: row.take()?,
        created_at: id.created_at(),
        updated_at: row.take()?,
        archived_at: row.take()?,
        origin: row.take()?,
    })
}
