//! `tables/contacts.csv` and `tables/locations.csv`

use zoop_db::{ReadTx, Row, Sql, Uuid, params};

use super::statements::{CONTACTS, LOCATIONS};
use super::{Clock, Owner, any, yes};
use crate::business::customers::contacts::Contact;
use crate::business::customers::locations::Location;
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const CONTACTS_FILE: &str = "tables/contacts.csv";
pub(super) const CONTACT_COLUMNS: &[&str] = &[
    "Customer number",
    "Customer name",
    "First name",
    "Last name",
    "Role",
    "Title",
    "Phone",
    "Phone as typed",
    "Takes text messages",
    "E-mail",
    "Primary",
    "Created",
    "Changed",
    "Archived",
    "Contact id",
    "Customer id",
];

pub(super) const LOCATIONS_FILE: &str = "tables/locations.csv";
pub(super) const LOCATION_COLUMNS: &[&str] = &[
    "Customer number",
    "Customer name",
    "Label",
    "Type",
    "Street",
    "Unit",
    "City",
    "State",
    "Postal code",
    "Country",
    "Primary",
    "Access",
    "Parking",
    "Service",
    "Latitude",
    "Longitude",
    "Place id",
    "Created",
    "Changed",
    "Archived",
    "Location id",
    "Customer id",
];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(CONTACTS_FILE, CONTACT_COLUMNS, |sheet| {
        each_contact(tx, |contact, owner| {
            let cells = contact_cells(contact, owner, clock);
            sheet.row(cells.iter().map(String::as_str))
        })
    })?;
    writer.spreadsheet(LOCATIONS_FILE, LOCATION_COLUMNS, |sheet| {
        each(tx, LOCATIONS, |location: &Location, owner| {
            let cells = location_cells(location, owner, clock);
            sheet.row(cells.iter().map(String::as_str))
        })
    })
}

/// Passes all contacts to `take`, in the order of their customers.
pub(in crate::export) fn each_contact(
    tx: &mut ReadTx<'_>,
    take: impl FnMut(&Contact, &Owner) -> Result<()>,
) -> Result<()> {
    each(tx, CONTACTS, take)
}

/// A record that belongs to a customer.
trait Part: Record {
    /// The customer's id and the record's.
    fn key(&self) -> (Uuid, Uuid);
}

impl Part for Contact {
    fn key(&self) -> (Uuid, Uuid) {
        (self.customer_id.uuid(), self.id.uuid())
    }
}

impl Part for Location {
    fn key(&self) -> (Uuid, Uuid) {
        (self.customer_id.uuid(), self.id.uuid())
    }
}

/// Passes all records that a statement reads page by page to `take`.
fn each<P: Part>(
    tx: &mut ReadTx<'_>,
    statement: Sql,
    mut take: impl FnMut(&P, &Owner) -> Result<()>,
) -> Result<()> {
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let (mut customer, mut id) = (Uuid::nil(), Uuid::nil());
    loop {
        let read = |row: &mut Row<'_>| Ok((P::read(row)?, Owner::read(row)?));
        let page = tx.all::<_, Error>(statement, params![customer, id, limit], read)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        (customer, id) = last.key();
        for (part, owner) in &page {
            take(part, owner)?;
        }
    }
}

fn contact_cells(
    contact: &Contact,
    owner: &Owner,
    clock: &Clock,
) -> [String; CONTACT_COLUMNS.len()] {
    let text = |text: &Option<String>| any(text.as_ref()).to_owned();
    [
        owner.number.to_string(),
        owner.name.clone(),
        contact.first_name.clone(),
        text(&contact.last_name),
        contact.role.word().to_owned(),
        text(&contact.title),
        text(&contact.phone),
        text(&contact.phone_raw),
        yes(contact.phone_can_sms).to_owned(),
        text(&contact.email),
        yes(contact.is_primary).to_owned(),
        clock.show(contact.created_at),
        clock.show(contact.updated_at),
        clock.show_any(contact.archived_at),
        contact.id.to_string(),
        contact.customer_id.to_string(),
    ]
}

fn location_cells(
    location: &Location,
    owner: &Owner,
    clock: &Clock,
) -> [String; LOCATION_COLUMNS.len()] {
    let text = |text: &Option<String>| any(text.as_ref()).to_owned();
    let degrees = |degrees: Option<f64>| degrees.map(|it| it.to_string()).unwrap_or_default();
    [
        owner.number.to_string(),
        owner.name.clone(),
        text(&location.label),
        location.location_type.word().to_owned(),
        location.address_line1.clone(),
        text(&location.address_line2),
        location.city.clone(),
        location.state.clone(),
        location.postal_code.clone(),
        location.country.clone(),
        yes(location.is_primary).to_owned(),
        text(&location.access_notes),
        text(&location.parking_notes),
        text(&location.service_notes),
        degrees(location.latitude),
        degrees(location.longitude),
        text(&location.place_id),
        clock.show(location.created_at),
        clock.show(location.updated_at),
        clock.show_any(location.archived_at),
        location.id.to_string(),
        location.customer_id.to_string(),
    ]
}
