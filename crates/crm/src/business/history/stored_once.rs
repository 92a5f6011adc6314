//! The kinds of records whose values the history stores only once they are replaced, and how it reads the records as
//! they are now. A kind needs the fields `created_at` and `updated_at`.

use zoop_db::{ReadTx, Row, Sql, Uuid, params, text};

use crate::business::catalog_categories::{self, CatalogCategory};
use crate::business::catalog_items::{self, CatalogItem};
use crate::business::customers::Customer;
use crate::business::customers::contacts::{self, Contact};
use crate::business::customers::locations::{self, Location};
use crate::business::jobs::{self, Job};
use crate::business::notes;
use crate::business::quotes::{self, Quote};
use crate::business::subjects::{self, Subject};
use crate::business::tags::Tag;
use crate::business::tax_rates::{self, TaxRate};
use crate::call::context::{Recorded, fields};
use crate::call::error::Result;
use crate::call::history::change::Values;
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE};
use crate::call::table::Record;

/// Records by their ids, with all their fields.
type Records = Vec<(Uuid, Values)>;

/// How the history reads the records of a kind as they are now.
pub(crate) struct StoredOnce {
    /// The word for the kind.
    pub(crate) record_type: &'static str,
    /// Reads the records with the ids in a parameter that `id_list` writes.
    pub(crate) read: fn(&mut ReadTx<'_>, &str) -> Result<Records>,
}

/// The columns of a type's table `x`.
macro_rules! columns {
    ($record:ty) => {
        zoop_db::drafted!(<$record>::COLUMNS.selected("x."))
    };
}

const CUSTOMERS: &str =
    text!("SELECT ", columns!(Customer), " FROM wanted CROSS JOIN customers", WANTED);
/// Without the texts, which can be long.
const NOTES: &str = text!(
    "SELECT x.id, x.pinned, x.created_by, x.updated_at, x.subject_type, x.subject_id, x.archived_at \
     FROM wanted CROSS JOIN notes",
    WANTED,
    " AND NOT x.draft"
);
const TAGS: &str = text!("SELECT ", columns!(Tag), " FROM wanted CROSS JOIN tags", WANTED);
/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted record up.
const WANTED: &str = " x WHERE x.tenant_no = $1 AND x.id = wanted_id";

zoop_db::statements! {
    CUSTOMERS_NOW = {
        sqlite: text!(WANTED_SQLITE, CUSTOMERS), postgres: text!(WANTED_POSTGRES, CUSTOMERS),
    };
    NOTES_NOW = { sqlite: text!(WANTED_SQLITE, NOTES), postgres: text!(WANTED_POSTGRES, NOTES) };
    TAGS_NOW = { sqlite: text!(WANTED_SQLITE, TAGS), postgres: text!(WANTED_POSTGRES, TAGS) };
}

/// The kinds.
pub(crate) const STORED_ONCE: &[StoredOnce] = &[
    StoredOnce {
        record_type: Customer::TYPE,
        read: |tx, wanted| read(tx, CUSTOMERS_NOW, wanted, Customer::read),
    },
    StoredOnce {
        record_type: Contact::TYPE,
        read: |tx, wanted| with_fields(contacts::store::by_ids(tx, wanted)?),
    },
    StoredOnce {
        record_type: Location::TYPE,
        read: |tx, wanted| with_fields(locations::store::by_ids(tx, wanted)?),
    },
    StoredOnce {
        record_type: notes::RecordedNote::TYPE,
        read: |tx, wanted| read(tx, NOTES_NOW, wanted, notes::RecordedNote::read),
    },
    StoredOnce {
        record_type: Subject::TYPE,
        read: |tx, wanted| with_fields(subjects::store::by_ids(tx, wanted)?),
    },
    StoredOnce {
        record_type: Job::TYPE,
        read: |tx, wanted| with_fields(jobs::store::by_ids(tx, wanted)?),
    },
    StoredOnce {
        record_type: Quote::TYPE,
        read: |tx, wanted| with_fields(quotes::store::by_ids(tx, wanted)?),
    },
    StoredOnce { record_type: Tag::TYPE, read: |tx, wanted| read(tx, TAGS_NOW, wanted, Tag::read) },
    StoredOnce {
        record_type: TaxRate::TYPE,
        read: |tx, wanted| with_fields(tax_rates::store::by_ids(tx, wanted)?),
    },
    StoredOnce {
        record_type: CatalogCategory::TYPE,
        read: |tx, wanted| with_fields(catalog_categories::store::by_ids(tx, wanted)?),
    },
    StoredOnce {
        record_type: CatalogItem::TYPE,
        read: |tx, wanted| with_fields(catalog_items::store::by_ids(tx, wanted)?),
    },
];

fn read<T: Recorded>(
    tx: &mut ReadTx<'_>,
    statement: Sql,
    wanted: &str,
    read: fn(&mut Row<'_>) -> Result<T>,
) -> Result<Records> {
    with_fields(tx.all(statement, params![*wanted], read)?)
}

fn with_fields<T: Recorded>(records: Vec<T>) -> Result<Records> {
    records.iter().map(|record| Ok((record.record_id(), fields(record)?))).collect()
}
