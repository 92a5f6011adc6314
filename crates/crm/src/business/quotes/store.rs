//! The SQL for quotes.

use zoop_db::{ReadTx, Row, Uuid, WriteTx, params, text};

use super::{Quote, QuoteRow, QuoteStatus, ShownQuote};
use crate::business::{customers, jobs};
use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::table::Record;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::Money;

/// SQLite keeps the order of a CROSS JOIN, and so looks each wanted one up.
const WANTED: &str = text!(
    "SELECT ",
    zoop_db::drafted!(Quote::COLUMNS.selected("x.")),
    " FROM wanted CROSS JOIN quotes x WHERE x.tenant_no = $1 AND x.id = wanted_id"
);
const HANDED_OVER: &str = "UPDATE quotes SET customer_id = $3, updated_at = $4 \
    WHERE tenant_no = $1 AND id IN (SELECT wanted_id FROM wanted)";
/// The columns of a row of a list: the quote `x` and the name of its customer `c`.
const ROW: &str = "SELECT x.id, x.title, x.status, x.quote_number, x.customer_id, x.total, x.currency, x.archived_at, \
    c.first_name, c.last_name, c.company_name FROM quotes x CROSS JOIN customers c \
    WHERE x.tenant_no = $1 AND c.tenant_no = $1 AND c.id = x.customer_id AND x.id < $2 ";
const NEWEST: &str = " ORDER BY x.id DESC LIMIT $3";

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM quotes WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// Of an erased customer, none exists for callers.
    GET = (text!("SELECT ", zoop_db::drafted!(Quote::COLUMNS.selected("x.")), ", c.first_name, c.last_name, c.company_name \
           FROM quotes x CROSS JOIN customers c WHERE x.tenant_no = $1 AND x.id = $2 \
           AND c.tenant_no = $1 AND c.id = x.customer_id AND c.erased_at IS NULL"));
    EXISTS = "SELECT 1 FROM quotes x CROSS JOIN customers c WHERE x.tenant_no = $1 AND x.id = $2 \
              AND c.tenant_no = $1 AND c.id = x.customer_id AND c.erased_at IS NULL";
    ACTIVE = (text!(ROW, "AND x.archived_at IS NULL", NEWEST));
    ARCHIVED = (text!(ROW, "AND x.archived_at IS NOT NULL", NEWEST));
    /// Quotes with one status, active ones (`$5` false) or archived ones.
    OF_STATUS = (text!(ROW, "AND x.status = $4 AND (x.archived_at IS NOT NULL) = $5", NEWEST));
    /// Quotes of a customer, with any status (`$6` empty) or one.
    OF_CUSTOMER_LISTED = (text!(ROW, "AND x.customer_id = $4 AND (x.archived_at IS NOT NULL) = $5 \
                          AND ($6 = '' OR x.status = $6)", NEWEST));
    BY_IDS = { sqlite: text!(WANTED_SQLITE, WANTED), postgres: text!(WANTED_POSTGRES, WANTED) };
    HAND_OVER = {
        sqlite: text!(WANTED_SQLITE, HANDED_OVER), postgres: text!(WANTED_POSTGRES, HANDED_OVER),
    };
    /// A customer's quotes, in creation order.
    OF_CUSTOMER = (text!("SELECT ", Quote::SELECTED, " FROM quotes \
                   WHERE tenant_no = $1 AND customer_id = $2 ORDER BY id LIMIT $3"));
    /// The next quotes in the order of their ids, for exports.
    AFTER = (text!("SELECT ", Quote::SELECTED, " FROM quotes \
             WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    INSERT = (Quote::INSERT);
    UPDATE = (Quote::UPDATE);
}

/// A quote and the name of its customer, also an archived one.
fn named(tx: &mut ReadTx<'_>, id: Id<kinds::Quote>) -> Result<(Quote, String)> {
    let read = |row: &mut Row<'_>| Ok((Quote::read(row)?, customers::store::name(row)?));
    tx.first::<_, Error>(GET, params![id], read)?.ok_or(Error::not_found("quote"))
}

/// A quote, also an archived one.
///
/// # Errors
/// [`Error::NotFound`] if there is no such quote.
pub(in crate::business) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::Quote>) -> Result<Quote> {
    Ok(named(tx, id)?.0)
}

/// A quote as callers see it, also an archived one.
///
/// # Errors
/// [`Error::NotFound`] if there is no such quote.
pub(super) fn shown(
    tx: &mut ReadTx<'_>,
    access: &Access,
    id: Id<kinds::Quote>,
) -> Result<ShownQuote> {
    let (quote, customer) = named(tx, id)?;
    let job = jobs::access::of_quote(tx, access, id)?;
    ShownQuote::new(quote, customer, job)
}

/// Whether there is such a quote.
pub(crate) fn exists(tx: &mut ReadTx<'_>, id: Id<kinds::Quote>) -> Result<bool> {
    Ok(tx.first::<i64, zoop_db::Error>(EXISTS, params![id], |row| row.take())?.is_some())
}

/// Which quotes a list shows.
#[derive(Clone, Copy)]
pub(super) struct Filters {
    pub(super) status: Option<QuoteStatus>,
    pub(super) customer: Option<Id<kinds::Customer>>,
    pub(super) archived: bool,
}

/// Up to `count` quotes with ids below `before`, newest first.
pub(super) fn list(
    tx: &mut ReadTx<'_>,
    filters: Filters,
    before: Uuid,
    count: usize,
) -> Result<Vec<QuoteRow>> {
    let Filters { status, customer, archived } = filters;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match (customer, status) {
        (Some(customer), status) => {
            let status = status.map_or("", QuoteStatus::word);
            let parameters = params![before, count, customer, archived, status];
            tx.all(OF_CUSTOMER_LISTED, parameters, read_row)
        }
        (None, Some(status)) => {
            tx.all(OF_STATUS, params![before, count, status, archived], read_row)
        }
        (None, None) => {
            let statement = if archived { ARCHIVED } else { ACTIVE };
            tx.all(statement, params![before, count], read_row)
        }
    }
}

fn read_row(row: &mut Row<'_>) -> Result<QuoteRow> {
    let id: Id<kinds::Quote> = row.take()?;
    let (title, status, quote_number, customer_id) =
        (row.take()?, row.take()?, row.take()?, row.take()?);
    let (total, currency): (Money, Currency) = (row.take()?, row.take()?);
    let archived_at = row.take()?;
    Ok(QuoteRow {
        id,
        title,
        status,
        quote_number,
        customer_id,
        customer_name: customers::store::name(row)?,
        total: total.text(currency),
        currency,
        created_at: id.created_at(),
        archived_at,
    })
}

/// The quotes with the ids in a parameter that [`id_list`] writes.
pub(crate) fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<Quote>> {
    tx.all(BY_IDS, params![*wanted], Quote::read)
}

/// Up to `count` of a customer's quotes, in creation order.
pub(in crate::business) fn of_customer(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    count: usize,
) -> Result<Vec<Quote>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(OF_CUSTOMER, params![customer, count], Quote::read)
}

/// Up to `count` quotes with ids above `after`, archived ones too.
pub(crate) fn after(tx: &mut ReadTx<'_>, after: Uuid, count: usize) -> Result<Vec<Quote>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(AFTER, params![after, count], Quote::read)
}

/// Adds a quote.
pub(super) fn insert(tx: &mut WriteTx<'_>, quote: &Quote) -> Result<()> {
    tx.execute(INSERT, quote.inserted().as_ref())?;
    Ok(())
}

/// Writes all of a quote's fields that can change.
pub(in crate::business) fn update(tx: &mut WriteTx<'_>, quote: &Quote) -> Result<()> {
    tx.execute(UPDATE, quote.updated().as_ref())?;
    Ok(())
}

/// Gives quotes to a customer, at a time.
pub(in crate::business) fn hand_over(
    tx: &mut WriteTx<'_>,
    quotes: impl Iterator<Item = Uuid>,
    customer: Id<kinds::Customer>,
    at: Moment,
) -> Result<()> {
    tx.execute(HAND_OVER, params![id_list(quotes), customer, at])?;
    Ok(())
}
