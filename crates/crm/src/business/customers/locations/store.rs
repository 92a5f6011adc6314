//! The SQL for locations.

use zoop_db::{ReadTx, Row, RowQuery, Sql, Uuid, Value, WriteTx, params, text};

use super::Location;
use crate::business::customers::children::{Handover, Part, Sibling};
use crate::business::customers::index::SearchedLocation;
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::table::Record;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(Location::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN locations x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);
/// Those that only get another customer, of whom they are not primary ones.
const HANDED_OVER: &str = "UPDATE locations SET customer_id = $4, is_primary = false, updated_at = $5 \
    WHERE tenant_no = $1 AND customer_id = $3 AND id IN (SELECT wanted_id FROM wanted)";

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM locations WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", Location::SELECTED, " FROM locations \
           WHERE tenant_no = $1 AND customer_id = $2 AND id = $3"));
    /// A customer's active locations, in creation order. There are at most `MAX_ACTIVE`.
    ACTIVE = (text!("SELECT ", Location::SELECTED, " FROM locations \
              WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id"));
    /// The fields of a customer's active locations that a search finds, in creation order.
    SEARCHED = "SELECT label, address_line1, address_line2, city, state, postal_code FROM locations \
                WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id";
    /// The fields of `Sibling` for a customer's active locations, in creation order.
    SIBLINGS = "SELECT id, is_primary, location_type FROM locations \
                WHERE tenant_no = $1 AND customer_id = $2 AND archived_at IS NULL ORDER BY id";
    /// A customer's locations in one part of the list, after the id `$5`, in creation order.
    PART = (text!("SELECT ", Location::SELECTED, " FROM locations \
            WHERE tenant_no = $1 AND customer_id = $2 AND (archived_at IS NOT NULL) = $3 \
            AND is_primary = $4 AND id > $5 ORDER BY id LIMIT $6"));
    /// All of a customer's locations, in creation order.
    ALL = (text!("SELECT ", Location::SELECTED, " FROM locations \
           WHERE tenant_no = $1 AND customer_id = $2 ORDER BY id LIMIT $3"));
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    HAND_OVER = {
        sqlite: text!(WANTED_SQLITE, HANDED_OVER), postgres: text!(WANTED_POSTGRES, HANDED_OVER),
    };
    INSERT = (Location::INSERT);
    MOVE = "UPDATE locations SET customer_id = $4, is_primary = $5 \
            WHERE tenant_no = $1 AND customer_id = $2 AND id = $3";
    UPDATE = (Location::UPDATE);
    CUSTOMER = "SELECT customer_id FROM locations WHERE tenant_no = $1 AND id = $2";
}

/// A customer's active locations in creation order, for a pipelined read.
pub(crate) const ACTIVE_OF: Sql = ACTIVE;

/// A customer's active locations, in creation order.
pub(crate) fn active(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Location>> {
    tx.all(ACTIVE, params![customer], Location::read)
}

/// The fields of a customer's active locations that a search finds, in creation order.
pub(crate) fn searched(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<SearchedLocation>> {
    tx.all(SEARCHED, params![customer], searched_location)
}

/// The query of [`searched`], for a pipelined read.
pub(crate) const fn searched_query<'p>(
    customer: &'p [Value<'p>],
) -> RowQuery<'p, fn(&mut Row<'_>) -> Result<SearchedLocation>> {
    (SEARCHED, customer, searched_location)
}

fn searched_location(row: &mut Row<'_>) -> Result<SearchedLocation> {
    Ok(SearchedLocation {
        label: row.take()?,
        address_line1: row.take()?,
        address_line2: row.take()?,
        city: row.take()?,
        state: row.take()?,
        postal_code: row.take()?,
    })
}

/// The fields of a customer's active locations that the rules for children need, in creation order.
pub(super) fn siblings(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
) -> Result<Vec<Sibling<Location>>> {
    tx.all(SIBLINGS, params![customer], |row| {
        Ok(Sibling { id: row.take()?, is_primary: row.take()?, group: row.take()? })
    })
}

/// A location of a customer, which may be archived.
///
/// # Errors
/// [`Error::NotFound`] if the customer has no such location.
pub(crate) fn get(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    id: Id<kinds::Location>,
) -> Result<Location> {
    tx.first::<_, Error>(GET, params![customer, id], Location::read)?
        .ok_or(Error::not_found("location"))
}

/// Up to `count` of a customer's locations in one part of the list, after the id `after`, in creation order.
pub(super) fn part(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    part: Part,
    after: Uuid,
    count: usize,
) -> Result<Vec<Location>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let params = params![customer, part.archived, part.primary, after, count];
    tx.all(PART, params, Location::read)
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

/// Writes all of a location's fields that can change.
pub(crate) fn update(tx: &mut WriteTx<'_>, location: &Location) -> Result<()> {
    tx.execute(UPDATE, location.updated().as_ref())?;
    Ok(())
}

/// Up to `count` of a customer's locations, with archived ones, in creation order.
pub(crate) fn all(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    count: usize,
) -> Result<Vec<Location>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(ALL, params![customer, count], Location::read)
}

/// Writes a location that belongs to another customer now.
pub(crate) fn move_to(tx: &mut WriteTx<'_>, old: &Location, new: &Location) -> Result<()> {
    tx.execute(MOVE, params![old.customer_id, old.id, new.customer_id, new.is_primary])?;
    update(tx, new)
}

/// The locations with the ids in a parameter that [`id_list`] writes.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<Location>> {
    tx.all(BY_IDS, params![*wanted], Location::read)
}

/// Gives locations to another customer, at a time. They are not primary there, and nothing else of them changes.
pub(super) fn hand_over(tx: &mut WriteTx<'_>, handover: &Handover, at: Moment) -> Result<()> {
    let wanted = id_list(handover.ids.iter().copied());
    tx.execute(HAND_OVER, params![wanted, handover.from, handover.to, at])?;
    Ok(())
}
