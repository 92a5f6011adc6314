//! The SQL of locations.

use zoop_db::{ReadTx, Row, RowQuery, Sql, Uuid, Value, WriteTx, params, text};

use super::Location;
use crate::business::customers::children::Sibling;
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    GREATEST = "SELECT id FROM locations WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", Location::SELECTED, " FROM locations \
           WHERE tenant_no = $1 AND customer_id = $2 AND id = $3"));
    /// A customer's active locations in creation order; a customer has a bounded number of them.
    ACTIVE = (text!("SELECT ", Location::SELECTED, " FROM locations \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id"));
    /// Of a customer's active locations, in creation order, what decides which one is primary.
    SIBLINGS = "SELECT id, is_primary, location_type FROM locations \
                WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id";
    /// A customer's archived locations in creation order.
    ARCHIVED = (text!("SELECT ", Location::SELECTED, " FROM locations \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NOT NULL ORDER BY id"));
    INSERT = (Location::INSERT);
    UPDATE = (Location::UPDATE);
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
    tx.first::<_, Error>(GET, params![customer, id], Location::read)?
        .ok_or(Error::not_found("location"))
}

/// A customer's active locations: primary ones first, then in creation order.
pub(crate) fn active(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Location>> {
    Ok(primary_first(tx.all(ACTIVE, params![customer], Location::read)?))
}

/// What decides which of a customer's active locations are primary, in creation order.
pub(super) fn siblings(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<Sibling<Location>>> {
    tx.all(SIBLINGS, params![customer], |row| {
        Ok(Sibling { id: row.take()?, is_primary: row.take()?, group: row.take()? })
    })
}

/// The query of [`active`], for a pipelined read. [`primary_first`] puts its rows in order.
pub(crate) const fn active_query<'p>(
    customer: &'p [Value<'p>],
) -> RowQuery<'p, fn(&mut Row<'_>) -> Result<Location>> {
    (ACTIVE, customer, Location::read)
}

/// Sorts active locations from creation order into the order in which they are shown.
pub(crate) fn primary_first(mut locations: Vec<Location>) -> Vec<Location> {
    locations.sort_by_key(|location| !location.is_primary);
    locations
}

/// A customer's archived locations, in creation order.
pub(super) fn archived(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<Location>> {
    tx.all(ARCHIVED, params![customer], Location::read)
}

/// The customer that a location belongs to, if there is such a location.
pub(crate) fn customer_of(tx: &mut ReadTx<'_>, id: Uuid) -> Result<Option<Id<kinds::Customer>>> {
    tx.first(CUSTOMER, params![id], |row| Ok(row.take()?))
}

/// Adds a location.
pub(super) fn insert(tx: &mut WriteTx<'_>, location: &Location) -> Result<()> {
    tx.execute(INSERT, location.inserted().as_ref())?;
    Ok(())
}

/// Writes all of a location's fields.
pub(crate) fn update(tx: &mut WriteTx<'_>, location: &Location) -> Result<()> {
    tx.execute(UPDATE, location.updated().as_ref())?;
    Ok(())
}
