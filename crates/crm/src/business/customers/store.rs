//! The SQL for customers and for their search index.

use zoop_db::{ReadTx, Row, Uuid, Value, WriteTx, params, text};

use super::{Customer, CustomerNumber, CustomerRecord, CustomerType, SearchRow, TagLabel};
use crate::business::customers::contacts::{self, Contact};
use crate::business::customers::index::CustomerDocument;
use crate::business::customers::locations::{self, Location};
use crate::call::error::{Error, Result};
use crate::call::page::PAGE_BYTES;
use crate::call::table::Record;
use crate::call::written::Written;
use crate::search::{Expression, TenantMark};
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM customers WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    GET = (text!("SELECT ", Customer::SELECTED, " FROM customers \
           WHERE tenant_no = $1 AND id = $2"));
    BY_EXTERNAL_ID = "SELECT id, customer_number, archived_at IS NOT NULL FROM customers \
                      WHERE tenant_no = $1 AND external_id = $2";
    /// The next customers after an id.
    PAGE = (text!("SELECT ", Customer::SELECTED, " FROM customers \
            WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    INSERT = (Customer::INSERT);
    UPDATE = (Customer::UPDATE);
    TAGS = "SELECT t.id, t.name, t.color, t.n FROM customer_tags c \
            JOIN tags t ON t.tenant_no = c.tenant_no AND t.id = c.tag_id \
            WHERE c.tenant_no = $1 AND c.customer_id = $2 ORDER BY t.name_key";
    /// A customer's number in the search index.
    NUMBER = "SELECT n FROM customers WHERE tenant_no = $1 AND id = $2";
    /// Customers that an expression finds, newest first, with numbers below `$3`.
    SEARCH = {
        sqlite: "SELECT c.id, c.customer_type, c.first_name, c.last_name, c.company_name, \
                 c.status, c.archived_at IS NOT NULL, coalesce(c.phone, p.phone), \
                 coalesce(c.email, p.email) \
                 FROM customer_search JOIN customers c ON c.n = customer_search.rowid \
                 LEFT JOIN contacts p ON p.tenant_no = c.tenant_no AND p.customer_id = c.id \
                 AND p.is_primary \
                 WHERE customer_search MATCH $2 AND customer_search.rowid < $3 \
                 AND c.tenant_no = $1 ORDER BY customer_search.rowid DESC LIMIT $4",
        postgres: concat!("WITH ",
                 crate::search::found_on_postgres!("customer_search", "$4", "n < $3"), " \
                 SELECT c.id, c.customer_type, c.first_name, c.last_name, c.company_name, \
                 c.status, c.archived_at IS NOT NULL, coalesce(c.phone, p.phone), \
                 coalesce(c.email, p.email) \
                 FROM found JOIN customers c ON c.tenant_no = $1 AND c.n = found.n \
                 LEFT JOIN contacts p ON p.tenant_no = c.tenant_no AND p.customer_id = c.id \
                 AND p.is_primary ORDER BY found.n DESC LIMIT $4"),
    };
    /// Customers that an expression finds, newest first. Fast if few customers match, as for a whole phone.
    SHARING = {
        sqlite: "SELECT c.id, c.first_name, c.last_name, c.company_name \
                 FROM customer_search JOIN customers c ON c.n = customer_search.rowid \
                 WHERE customer_search MATCH $2 AND c.tenant_no = $1 \
                 ORDER BY customer_search.rowid DESC LIMIT $3",
        postgres: concat!("WITH ",
                 crate::search::found_rare_on_postgres!("customer_search", "$3"), " \
                 SELECT c.id, c.first_name, c.last_name, c.company_name \
                 FROM found JOIN customers c ON c.tenant_no = $1 AND c.n = found.n \
                 ORDER BY found.n DESC"),
    };
    INDEX = {
        sqlite: "INSERT INTO customer_search (rowid, tokens) VALUES ($2, $3)",
        postgres: "INSERT INTO customer_search (tenant_no, n, tokens) \
                   SELECT $1::integer, n, array_to_tsvector(string_to_array(tokens, ' ')) \
                   FROM unnest($2::bigint[], $3::text[]) AS document (n, tokens)",
    };
    UNINDEX = {
        sqlite: "DELETE FROM customer_search WHERE rowid = $2",
        postgres: "DELETE FROM customer_search WHERE tenant_no = $1 AND n = $2",
    };
}

/// A customer, which may be archived.
///
/// # Errors
/// [`Error::NotFound`] if there is no such customer.
pub(crate) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Customer> {
    tx.first::<_, Error>(GET, params![id], Customer::read)?.ok_or(Error::not_found("customer"))
}

/// The customer that has an external id.
pub(super) struct ExternalIdHolder {
    pub(super) id: Id<kinds::Customer>,
    pub(super) customer_number: CustomerNumber,
    pub(super) is_archived: bool,
}

/// The customer with this external id, which may be archived.
pub(super) fn by_external_id(
    tx: &mut ReadTx<'_>,
    external_id: &str,
) -> Result<Option<ExternalIdHolder>> {
    tx.first(BY_EXTERNAL_ID, params![external_id], |row| {
        let (id, customer_number, is_archived) = (row.take()?, row.take()?, row.take()?);
        Ok(ExternalIdHolder { id, customer_number, is_archived })
    })
}

/// A customer's tags, sorted by name, each with its number in the search index.
pub(crate) fn tags(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Vec<(TagLabel, i64)>> {
    tx.all(TAGS, params![id], |row| Ok((label(row)?, row.take()?)))
}

/// A customer's tags as its record shows them, sorted by name.
pub(super) fn tag_labels(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Vec<TagLabel>> {
    tx.all(TAGS, params![id], label)
}

fn label(row: &mut Row<'_>) -> Result<TagLabel> {
    Ok(TagLabel { id: row.take()?, name: row.take()?, color: row.take()? })
}

/// A customer's contacts, locations and tags.
pub(super) struct Relations {
    /// The active contacts, the primary contact first.
    pub(super) contacts: Vec<Contact>,
    /// The active locations, primary locations first. `None` if they are too long for one page.
    pub(super) locations: Option<Vec<Written<Location>>>,
    /// The tags, sorted by name.
    pub(super) tags: Vec<TagLabel>,
}

/// Reads a customer's contacts, locations and tags in one round trip.
pub(super) fn relations(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Relations> {
    let customer = params![id];
    let mut bytes = 0;
    let location = |row: &mut Row<'_>| -> Result<_> {
        if bytes > PAGE_BYTES {
            return Ok(None);
        }
        let location = Location::read(row)?;
        let written = Written::of(&location)?;
        bytes += written.bytes();
        Ok(Some((!location.is_primary, written)))
    };
    let (contacts, locations, tags) = tx.pipelined::<_, _, _, Error>(
        contacts::store::active_query(customer),
        (locations::store::ACTIVE_OF, customer, location),
        (TAGS, customer, label),
    )?;
    let locations: Option<Vec<_>> = locations.into_iter().collect();
    let locations = locations.map(|mut rows| {
        rows.sort_by_key(|(is_other, _)| *is_other);
        rows.into_iter().map(|(_, written)| written).collect()
    });
    Ok(Relations { contacts: contacts::store::primary_first(contacts), locations, tags })
}

/// A customer as shown.
pub(super) fn record(tx: &mut ReadTx<'_>, customer: Customer) -> Result<CustomerRecord> {
    let contacts = contacts::store::active(tx, customer.id)?;
    let tags = tag_labels(tx, customer.id)?;
    let primary = contacts.iter().find(|contact| contact.is_primary);
    Ok(CustomerRecord::new(customer, primary, tags))
}

/// Adds a customer. Returns its number in the search index.
pub(super) fn insert(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<i64> {
    Ok(tx.insert(INSERT, customer.inserted().as_ref())?)
}

/// Writes all of a customer's fields that can change.
pub(crate) fn update(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<()> {
    tx.execute(UPDATE, customer.updated().as_ref())?;
    Ok(())
}

/// Updates a customer in the search index from the tables. Call it after every change of an indexed value: names,
/// phones, e-mail addresses, status, tags. Only the deletion of a tag needs no update.
pub(crate) fn reindex(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<()> {
    tx.execute(UNINDEX, params![customer.n])?;
    index(tx, customer)
}

/// Adds a customer to the search index.
pub(super) fn index(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<()> {
    let tokens = tokens(tx, customer)?;
    Ok(tx.execute_each(INDEX, &[document(customer.n, &tokens)])?)
}

/// The tokens of a customer in the search index.
fn tokens(tx: &mut ReadTx<'_>, customer: &Customer) -> Result<String> {
    let contacts = contacts::store::active(tx, customer.id)?;
    let tags = tags(tx, customer.id)?;
    let display_name = customer.display_name();
    let contact_names: Vec<_> = contacts.iter().map(Contact::name).collect();
    let document = CustomerDocument {
        status: customer.visible_status(),
        kind: customer.customer_type,
        number: customer.customer_number.0,
        names: std::iter::once(&display_name).chain(&contact_names).map(String::as_str).collect(),
        phones: customer
            .phone()
            .into_iter()
            .chain(contacts.iter().filter_map(Contact::phone))
            .collect(),
        emails: customer
            .email
            .iter()
            .chain(contacts.iter().filter_map(|contact| contact.email.as_ref()))
            .map(String::as_str)
            .collect(),
        tags: tags.iter().map(|(_, number)| *number).collect(),
    };
    Ok(document.tokens(mark(tx)?))
}

/// Adds the next `count` customers after the id `after` to the search index, which must not contain them yet.
/// Returns their ids.
pub(crate) fn index_page(tx: &mut WriteTx<'_>, after: Uuid, count: usize) -> Result<Vec<Uuid>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let page = tx.all::<_, Error>(PAGE, params![after, count], Customer::read)?;
    let tokens: Vec<_> = page.iter().map(|customer| tokens(tx, customer)).collect::<Result<_>>()?;
    let documents = page.iter().zip(&tokens);
    let rows: Vec<_> = documents.map(|(customer, tokens)| document(customer.n, tokens)).collect();
    tx.execute_each(INDEX, &rows)?;
    Ok(page.iter().map(|customer| customer.id.uuid()).collect())
}

/// A row of a search index: the record's number and its tokens.
pub(crate) fn document(n: i64, tokens: &str) -> Vec<Value<'_>> {
    vec![Value::Integer(n), Value::Text(tokens)]
}

/// The mark that all tokens of the bound tenant begin with.
pub(crate) fn mark(tx: &ReadTx<'_>) -> Result<TenantMark> {
    TenantMark::new(i64::from(tx.tenant()?.0))
        .ok_or_else(|| Error::internal("the tenant's number is beyond what the index can hold"))
}

/// Up to `count` customers that an expression finds, newest first. If the customer `before` exists, only customers
/// older than `before`.
pub(super) fn search(
    tx: &mut ReadTx<'_>,
    expression: &Expression,
    before: Option<Uuid>,
    count: usize,
) -> Result<Vec<SearchRow>> {
    let number = match before {
        Some(id) => tx.first::<i64, Error>(NUMBER, params![id], |row| Ok(row.take()?))?,
        None => None,
    };
    let below = number.unwrap_or(i64::MAX);
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let expression = expression.text(tx.dialect());
    tx.all(SEARCH, params![expression, below, count], search_row)
}

/// The ids and names of up to `count` customers that a [`SHARING`] search finds, newest first.
pub(crate) fn sharing(
    tx: &mut ReadTx<'_>,
    expression: &Expression,
    count: usize,
) -> Result<Vec<(Id<kinds::Customer>, String)>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let expression = expression.text(tx.dialect());
    tx.all(SHARING, params![expression, count], |row| Ok((row.take()?, name(row)?)))
}

/// Reads the three stored names and returns the display name.
pub(crate) fn name(row: &mut Row<'_>) -> Result<String> {
    let first: Option<String> = row.take()?;
    let last: Option<String> = row.take()?;
    let company: Option<String> = row.take()?;
    Ok(company.unwrap_or_else(|| contacts::joined_name(first.as_deref(), last.as_deref())))
}

fn search_row(row: &mut Row<'_>) -> Result<SearchRow> {
    let id = row.take()?;
    let customer_type: CustomerType = row.take()?;
    let display_name = name(row)?;
    let status = row.take()?;
    let archived: bool = row.take()?;
    Ok(SearchRow {
        id,
        display_name,
        customer_type,
        status: if archived { super::Status::Archived } else { status },
        primary_phone: row.take()?,
        primary_email: row.take()?,
    })
}
