//! The SQL for tax rates.

use zoop_db::{ReadTx, Uuid, WriteTx, params, text};

use super::{MAX_RATES, TaxRate};
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE};
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(TaxRate::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN tax_rates x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM tax_rates WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// The rates that are not archived, newest first.
    ACTIVE = (text!("SELECT ", TaxRate::SELECTED, " FROM tax_rates \
              WHERE tenant_no = $1 AND archived_at IS NULL ORDER BY id DESC LIMIT $2"));
    GET = (text!("SELECT ", TaxRate::SELECTED, " FROM tax_rates WHERE tenant_no = $1 AND id = $2"));
    DEFAULT = (text!("SELECT ", TaxRate::SELECTED, " FROM tax_rates WHERE tenant_no = $1 AND is_default \
               ORDER BY id DESC LIMIT 1"));
    /// The next rates in the order of their ids, for exports.
    AFTER = (text!("SELECT ", TaxRate::SELECTED, " FROM tax_rates \
             WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    INSERT = (TaxRate::INSERT);
    UPDATE = (TaxRate::UPDATE);
}

/// The rates that are not archived, newest first: at most [`MAX_RATES`].
pub(crate) fn active(tx: &mut ReadTx<'_>) -> Result<Vec<TaxRate>> {
    let most = i64::try_from(MAX_RATES).unwrap_or(i64::MAX);
    tx.all(ACTIVE, params![most], TaxRate::read)
}

/// A rate, also an archived one.
///
/// # Errors
/// [`Error::NotFound`] if there is no such rate.
pub(in crate::business) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::TaxRate>) -> Result<TaxRate> {
    tx.first::<_, Error>(GET, params![id], TaxRate::read)?.ok_or(Error::not_found("tax rate"))
}

/// The rate that new documents have.
pub(in crate::business) fn default(tx: &mut ReadTx<'_>) -> Result<Option<TaxRate>> {
    tx.first(DEFAULT, &[], TaxRate::read)
}

/// Up to `count` rates with ids above `after`, archived ones too.
pub(crate) fn after(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<TaxRate>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(AFTER, params![after, count], TaxRate::read)
}

/// The rates with the ids in a parameter that `id_list` writes.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<TaxRate>> {
    tx.all(BY_IDS, params![*wanted], TaxRate::read)
}

/// Adds a rate.
pub(super) fn insert(tx: &mut WriteTx<'_>, rate: &TaxRate) -> Result<()> {
    tx.execute(INSERT, rate.inserted().as_ref())?;
    Ok(())
}

/// Writes all of a rate's fields that can change.
pub(super) fn update(tx: &mut WriteTx<'_>, rate: &TaxRate) -> Result<()> {
    tx.execute(UPDATE, rate.updated().as_ref())?;
    Ok(())
}
