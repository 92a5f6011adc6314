//! The records as tables for people and their spreadsheets: ids come with numbers and names, and times are those of the
//! business's clocks.

mod catalog_categories;
mod catalog_items;
mod changes;
mod customers;
mod jobs;
mod notes;
mod parts;
mod quotes;
mod tags;
mod tax_rates;

use zoop_db::{ReadTx, Row, text};

use super::writer::Writer;
use crate::business::customers::contacts::Contact;
use crate::business::customers::locations::Location;
use crate::business::customers::{self as customer, CustomerNumber};
use crate::call::error::Result;
use crate::call::table::Record;
use crate::transfer::rows;
use crate::values::clock::Moment;
use crate::values::zone::Zone;

pub(crate) use self::statements::STATEMENTS;

/// The number and the name of the customer `c`.
const CUSTOMER: &str = "c.customer_number, c.first_name, c.last_name, c.company_name";

mod statements {
    use super::{CUSTOMER, Contact, Location, Record as _, text};
    use crate::business::customers::Customer;

    const CONTACT: &str = zoop_db::drafted!(Contact::COLUMNS.selected("x."));
    const LOCATION: &str = zoop_db::drafted!(Location::COLUMNS.selected("x."));

    zoop_db::statements! {
        CUSTOMERS = (text!("SELECT ", Customer::SELECTED, " FROM customers \
                     WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
        /// The names of the tags of the customers in a range of ids.
        TAGS_BETWEEN = "SELECT a.customer_id, t.name FROM customer_tags a CROSS JOIN tags t \
                        WHERE a.tenant_no = $1 AND a.customer_id >= $2 AND a.customer_id <= $3 \
                        AND t.tenant_no = $1 AND t.id = a.tag_id";
        CONTACTS = (text!("SELECT ", CONTACT, ", ", CUSTOMER, " FROM contacts x CROSS JOIN customers c \
                    WHERE x.tenant_no = $1 AND (x.customer_id, x.id) > ($2, $3) \
                    AND c.tenant_no = $1 AND c.id = x.customer_id ORDER BY x.customer_id, x.id LIMIT $4"));
        LOCATIONS = (text!("SELECT ", LOCATION, ", ", CUSTOMER, " FROM locations x CROSS JOIN customers c \
                     WHERE x.tenant_no = $1 AND (x.customer_id, x.id) > ($2, $3) \
                     AND c.tenant_no = $1 AND c.id = x.customer_id ORDER BY x.customer_id, x.id LIMIT $4"));
    }
}

/// The names of the columns of each table, by the name of its file.
pub(super) const COLUMNS: &[(&str, &[&str])] = &[
    (customers::FILE, customers::COLUMNS),
    (parts::CONTACTS_FILE, parts::CONTACT_COLUMNS),
    (parts::LOCATIONS_FILE, parts::LOCATION_COLUMNS),
    (notes::FILE, notes::COLUMNS),
    (tags::FILE, tags::COLUMNS),
    (tax_rates::FILE, tax_rates::COLUMNS),
    (catalog_categories::FILE, catalog_categories::COLUMNS),
    (catalog_items::FILE, catalog_items::COLUMNS),
    (quotes::FILE, quotes::COLUMNS),
    (jobs::FILE, jobs::COLUMNS),
    (changes::FILE, changes::COLUMNS),
];

/// About how many rows the tables and cards have together: a change of several fields has several rows.
pub(super) fn count(tx: &mut ReadTx<'_>) -> Result<u64> {
    let written = |name: &str| match name {
        // They are on cards too.
        "contacts" => 2,
        "customers" | "locations" | "notes" | "tags" | "tax_rates" | "catalog_categories"
        | "catalog_items" | "quotes" | "jobs" | "history_entries" | "history" => 1,
        _ => 0,
    };
    let tables = super::data::tables().filter(|table| written(table.name) > 0);
    tables.map(|table| Ok(written(table.name) * rows::count(tx, table)?)).sum()
}

/// Writes all tables.
pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, zone: Zone) -> Result<()> {
    let clock = Clock(zone);
    customers::write(tx, writer, &clock)?;
    parts::write(tx, writer, &clock)?;
    notes::write(tx, writer, &clock)?;
    tags::write(tx, writer, &clock)?;
    tax_rates::write(tx, writer, &clock)?;
    catalog_categories::write(tx, writer, &clock)?;
    catalog_items::write(tx, writer, &clock)?;
    quotes::write(tx, writer, &clock)?;
    jobs::write(tx, writer, &clock)?;
    changes::write(tx, writer, &clock)
}

/// The clocks of the business.
struct Clock(Zone);

impl Clock {
    /// A point in time as these clocks show it.
    fn show(&self, Moment(time): Moment) -> String {
        self.0.civil(time)
    }

    /// The same, or nothing.
    fn show_any(&self, moment: Option<Moment>) -> String {
        moment.map(|moment| self.show(moment)).unwrap_or_default()
    }
}

/// A text, or an empty cell.
fn any(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

/// A yes or an empty cell.
const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "" }
}

/// The number and name of the customer that a record belongs to.
struct Owner {
    number: CustomerNumber,
    name: String,
}

impl Owner {
    /// Reads the columns of [`CUSTOMER`].
    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { number: row.take()?, name: customer::store::name(row)? })
    }
}
