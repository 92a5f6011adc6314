//! The SQL of locations.

use zoop_db::{Ask, ReadTx, Row, Sql, Uuid, Value, WriteTx, params};

use super::Location;
use crate::error::{Error, Result};
use crate::id::{Id, kinds};

macro_rules! columns {
    () => {
        "id, customer_id, location_type, label, address_line1, address_line2, city, state, \
         postal_code, country, is_primary, access_notes, parking_notes, service_notes, latitude, \
         longitude, place_id, updated_at, archived_at"
    };
}

zoop_db::statements! {
    GREATEST = "SELECT id FROM locations WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (concat!("SELECT ", columns!(), " FROM locations \
           WHERE tenant_no = $1 AND customer_id = $2 AND id = $3"));
    /// A customer's active locations in creation order; a customer has a bounded number of them.
    ACTIVE = (concat!("SELECT ", columns!(), " FROM locations \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id"));
    /// A customer's archived locations in creation order.
    ARCHIVED = (concat!("SELECT ", columns!(), " FROM locations \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NOT NULL ORDER BY id"));
    INSERT = "INSERT INTO locations (tenant_no, id, customer_id, location_type, label, \
              address_line1, address_line2, city, state, postal_code, country, is_primary, \
              access_notes, parking_notes, service_notes, latitude, longitude, place_id, \
              updated_at, archived_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
              $13, $14, $15, $16, $17, $18, $19, $20)";
    UPDATE = "UPDATE locations SET location_type = $4, label = $5, address_line1 = $6, \
              address_line2 = $7, city = $8, state = $9, postal_code = $10, country = $11, \
              is_primary = $12, access_notes = $13, parking_notes = $14, service_notes = $15, \
              latitude = $16, longitude = $17, place_id = $18, updated_at = $19, \
              archived_at = $20 WHERE tenant_no = $1 AND id = $2 AND customer_id = $3";
    CUSTOMER = "SELECT customer_id FROM locations WHERE tenant_no = $1 AND id = $2";
}

/// The greatest id of the table, for the next one.
pub(super) const GREATEST_ID: Sql = GREATEST;

/// A customer's location, archived ones too.
///
/// # Errors
/// [`Error::NotFound`] when the customer has no such location.
pub(crate) fn get(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    id: Id<kinds::Location>,
) -> Result<Location> {
    tx.first::<_, Error>(GET, params![customer, id], location)?.ok_or(Error::not_found("location"))
}

/// A customer's active locations: primary ones first, then in creation order.
pub(crate) fn active(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Location>> {
    Ok(primary_first(tx.all(ACTIVE, params![customer], location)?))
}

/// [`active`], to be asked for together with other things; [`primary_first`] makes it whole.
pub(crate) const fn asks_active<'p>(
    customer: &'p [Value<'p>],
) -> Ask<'p, fn(&mut Row<'_>) -> Result<Location>> {
    (ACTIVE, customer, location)
}

/// The order in which active locations are shown, of those that come in creation order.
pub(crate) fn primary_first(mut locations: Vec<Location>) -> Vec<Location> {
    locations.sort_by_key(|location| !location.is_primary);
    locations
}

/// A customer's archived locations, in creation order.
pub(super) fn archived(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<Location>> {
    tx.all(ARCHIVED, params![customer], location)
}

/// The customer that a location belongs to, if there is such a location.
pub(crate) fn customer_of(tx: &mut ReadTx<'_>, id: Uuid) -> Result<Option<Id<kinds::Customer>>> {
    tx.first(CUSTOMER, params![id], |row| Ok(row.take()?))
}

/// Adds a location.
pub(super) fn insert(tx: &mut WriteTx<'_>, location: &Location) -> Result<()> {
    write(tx, INSERT, location)
}

/// Writes all of a location's fields.
pub(crate) fn update(tx: &mut WriteTx<'_>, location: &Location) -> Result<()> {
    write(tx, UPDATE, location)
}

fn write(tx: &mut WriteTx<'_>, sql: Sql, location: &Location) -> Result<()> {
    tx.execute(
        sql,
        params![
            location.id,
            location.customer_id,
            location.location_type,
            location.label,
            location.address_line1,
            location.address_line2,
            location.city,
            location.state,
            location.postal_code,
            location.country,
            location.is_primary,
            location.access_notes,
            location.parking_notes,
            location.service_notes,
            location.latitude,
            location.longitude,
            location.place_id,
            location.updated_at,
            location.archived_at
        ],
    )?;
    Ok(())
}

fn location(row: &mut Row<'_>) -> Result<Location> {
    let id: Id<kinds::Location> = row.take()?;
    Ok(Location {
        id,
        customer_id: row.take()?,
        location_type: row.take()?,
        label: row.take()?,
        address_line1: row.take()?,
        address_line2: row.take()?,
        city: row.take()?,
        state: row.take()?,
        postal_code: row.take()?,
        country: row.take()?,
        is_primary: row.take()?,
        access_notes: row.take()?,
        parking_notes: row.take()?,
        service_notes: row.take()?,
        latitude: row.take()?,
        longitude: row.take()?,
        place_id: row.take()?,
        created_at: id.created_at(),
        updated_at: row.take()?,
        archived_at: row.take()?,
    })
}
