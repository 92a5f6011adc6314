//! The SQL for customers and for their search index.

use std::collections::BTreeMap;

use zoop_db::{ReadTx, Row, Uuid, Value, WriteTx, params, text};

use super::{Customer, CustomerNumber, CustomerRecord, CustomerType, SearchRow, TagLabel};
use crate::business::customers::contacts::{self, Contact};
use crate::business::customers::index::{self, CustomerDocument, SearchedLocation};
use crate::business::customers::locations::{self, Location};
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::page::PAGE_BYTES;
use crate::call::table::Record;
use crate::call::written::Written;
use crate::search::{Expression, TenantMark};
use crate::values::id::{Id, kinds};
use crate::values::phone::Phone;

/// The columns of a row of a search: the customer `c`, its primary contact `p`, and the address of its primary service
/// location `l` in one line, such as `57 Bremer Drive, Unit 2, Oakland, CA 94607`.
const SHOWN: &str = "c.id, c.customer_type, c.first_name, c.last_name, c.company_name, c.status, \
    c.archived_at IS NOT NULL, coalesce(c.phone, p.phone), \
    CASE WHEN c.phone IS NULL THEN p.phone_raw ELSE c.phone_raw END, coalesce(c.email, p.email), \
    c.customer_number, c.is_vip, c.do_not_contact, c.phone IS NULL, c.email IS NULL, \
    p.first_name, p.last_name, l.address_line1 || coalesce(', ' || l.address_line2, '') \
    || ', ' || l.city || ', ' || l.state || ' ' || l.postal_code";
const SHOWN_FROM: &str = "LEFT JOIN contacts p ON p.tenant_no = c.tenant_no \
    AND p.customer_id = c.id AND p.is_primary \
    LEFT JOIN locations l ON l.tenant_no = c.tenant_no AND l.customer_id = c.id \
    AND l.location_type = 'service' AND l.is_primary";

/// Each wanted customer is looked up: SQLite keeps the order of a CROSS JOIN.
const MERGED: &str = "SELECT c.id FROM wanted CROSS JOIN customers c \
    WHERE c.tenant_no = $1 AND c.id = wanted_id AND c.merged_into IS NOT NULL";

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM customers WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// A customer that is not erased.
    GET = (text!("SELECT ", Customer::SELECTED, " FROM customers \
           WHERE tenant_no = $1 AND id = $2 AND erased_at IS NULL"));
    BY_EXTERNAL_ID = "SELECT id, customer_number FROM customers \
                      WHERE tenant_no = $1 AND external_id = $2";
    /// The next customers after an id.
    PAGE = (text!("SELECT ", Customer::SELECTED, " FROM customers \
            WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3"));
    MERGED_AMONG = {
        sqlite: text!(WANTED_SQLITE, MERGED), postgres: text!(WANTED_POSTGRES, MERGED),
    };
    INSERT = (Customer::INSERT);
    UPDATE = (Customer::UPDATE);
    /// In the order of their names, SQLite would look each tag of the tenant up in the customer's.
    TAGS = "SELECT t.id, t.name, t.color, t.n FROM customer_tags c CROSS JOIN tags t \
            WHERE c.tenant_no = $1 AND c.customer_id = $2 AND t.tenant_no = $1 AND t.id = c.tag_id \
            ORDER BY t.name_key";
    /// A customer's number in the search index.
    NUMBER = "SELECT n FROM customers WHERE tenant_no = $1 AND id = $2";
    /// Customers that an expression finds, newest first, with numbers below `$3`.
    SEARCH = {
        sqlite: text!("SELECT ", SHOWN, " FROM customer_search \
                 JOIN customers c ON c.n = customer_search.rowid ", SHOWN_FROM, " \
                 WHERE customer_search MATCH $2 AND customer_search.rowid < $3 \
                 AND c.tenant_no = $1 ORDER BY customer_search.rowid DESC LIMIT $4"),
        postgres: text!("WITH ",
                 crate::search::found_on_postgres!("customer_search", "$4", "n < $3"), " \
                 SELECT ", SHOWN, " FROM found \
                 JOIN customers c ON c.tenant_no = $1 AND c.n = found.n ", SHOWN_FROM, " \
                 ORDER BY found.n DESC LIMIT $4"),
    };
    /// One customer as a row of a search.
    ROW = (text!("SELECT ", SHOWN, " FROM customers c ", SHOWN_FROM, " \
           WHERE c.tenant_no = $1 AND c.id = $2"));
    /// The oldest customers that an expression finds.
    OLDEST = {
        sqlite: "SELECT c.id FROM customer_search JOIN customers c ON c.n = customer_search.rowid \
                 WHERE customer_search MATCH $2 AND c.tenant_no = $1 \
                 ORDER BY customer_search.rowid LIMIT $3",
        postgres: "WITH matching AS MATERIALIZED (SELECT tenant_no, n FROM customer_search \
                   WHERE tokens @@ $2::text::tsquery) \
                   SELECT c.id FROM matching JOIN customers c ON c.tenant_no = $1 AND c.n = matching.n \
                   WHERE matching.tenant_no = $1 ORDER BY matching.n LIMIT $3",
    };
    /// Customers that an expression finds, newest first, with numbers below `$4`. Fast if few customers match, as for a
    /// whole phone.
    SHARING = {
        sqlite: "SELECT c.id, c.first_name, c.last_name, c.company_name \
                 FROM customer_search JOIN customers c ON c.n = customer_search.rowid \
                 WHERE customer_search MATCH $2 AND customer_search.rowid < $4 AND c.tenant_no = $1 \
                 ORDER BY customer_search.rowid DESC LIMIT $3",
        postgres: concat!("WITH ",
                 crate::search::found_rare_on_postgres!("customer_search", "$3", "n < $4"), " \
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

/// The customer with this id, or the one that it was merged into. It may be archived.
///
/// # Errors
/// [`Error::NotFound`] if there is no such customer.
pub(crate) fn resolved(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Customer> {
    let mut customer = get(tx, id)?;
    while let Some(kept) = customer.merged_into {
        tx.ensure_time()?;
        customer = get(tx, kept)?;
    }
    Ok(customer)
}

/// Those of these customers that were merged into another one, each with the customer that has its records now.
pub(crate) fn merged_among(
    tx: &mut ReadTx<'_>,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, Uuid>> {
    let mut merged = BTreeMap::new();
    let read = |row: &mut Row<'_>| Ok(row.take()?);
    for id in tx.all::<Uuid, Error>(MERGED_AMONG, params![id_list(ids)], read)? {
        merged.insert(id, resolved(tx, Id::new(id))?.id.uuid());
    }
    Ok(merged)
}

/// The customer that has an external id.
pub(in crate::business) struct ExternalIdHolder {
    pub(in crate::business) id: Id<kinds::Customer>,
    pub(super) customer_number: CustomerNumber,
}

/// The customer with this external id, which may be archived.
pub(in crate::business) fn by_external_id(
    tx: &mut ReadTx<'_>,
    external_id: &str,
) -> Result<Option<ExternalIdHolder>> {
    tx.first(BY_EXTERNAL_ID, params![external_id], |row| {
        Ok(ExternalIdHolder { id: row.take()?, customer_number: row.take()? })
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
/// phones, e-mail addresses, addresses, status, flags, tags. Only the deletion of a tag needs no update.
pub(crate) fn reindex(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<()> {
    unindex(tx, customer)?;
    add_to_index(tx, customer)
}

/// Removes a customer from the search index.
pub(super) fn unindex(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<()> {
    tx.execute(UNINDEX, params![customer.n])?;
    Ok(())
}

/// Adds a customer to the search index, unless it was merged or erased.
pub(super) fn add_to_index(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<()> {
    if !customer.is_indexed() {
        return Ok(());
    }
    let tokens = tokens(tx, customer)?;
    Ok(tx.execute_each(INDEX, &[document(customer.n, &tokens)])?)
}

/// The tokens of a customer in the search index.
fn tokens(tx: &mut ReadTx<'_>, customer: &Customer) -> Result<String> {
    let contacts = contacts::store::active(tx, customer.id)?;
    let tags = tags(tx, customer.id)?;
    let display_name = customer.display_name();
    let contact_names: Vec<_> = contacts.iter().map(Contact::name).collect();
    let locations = locations::store::searched(tx, customer.id)?;
    let document = CustomerDocument {
        status: customer.visible_status(),
        kind: customer.customer_type,
        numbers: std::iter::once(customer.customer_number)
            .chain(customer.merged_from.all().map(|merged| merged.customer_number))
            .map(|number| number.0)
            .collect(),
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
        is_vip: customer.is_vip,
        do_not_contact: customer.do_not_contact,
        locations,
    };
    Ok(document.tokens(mark(tx)?))
}

/// Adds the next `count` customers after the id `after` to the search index, which must not contain them yet.
/// Returns the ids of all these customers, including merged and erased ones, which are not indexed.
pub(crate) fn index_page(tx: &mut WriteTx<'_>, after: Uuid, count: usize) -> Result<Vec<Uuid>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let page = tx.all::<_, Error>(PAGE, params![after, count], Customer::read)?;
    let mut documents = Vec::with_capacity(page.len());
    for customer in page.iter().filter(|customer| customer.is_indexed()) {
        documents.push((customer.n, tokens(tx, customer)?));
    }
    let rows: Vec<_> = documents.iter().map(|(n, tokens)| document(*n, tokens)).collect();
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
) -> Result<Vec<FoundCustomer>> {
    let number = match before {
        Some(id) => tx.first::<i64, Error>(NUMBER, params![id], |row| Ok(row.take()?))?,
        None => None,
    };
    let below = number.unwrap_or(i64::MAX);
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let expression = expression.text(tx.dialect());
    tx.all(SEARCH, params![expression, below, count], found)
}

/// Whether an expression finds a customer.
pub(super) fn finds_any(tx: &mut ReadTx<'_>, expression: &Expression) -> Result<bool> {
    Ok(!sharing(tx, expression, 1)?.is_empty())
}

/// Up to `count` customers that an expression finds which few customers match, newest first.
pub(super) fn search_rare(
    tx: &mut ReadTx<'_>,
    expression: &Expression,
    count: usize,
) -> Result<Vec<FoundCustomer>> {
    let ids = sharing(tx, expression, count)?;
    let mut rows = Vec::with_capacity(ids.len());
    for (id, _) in ids {
        rows.extend(tx.first::<_, Error>(ROW, params![id], found)?);
    }
    Ok(rows)
}

/// Up to `count` customers of the bound tenant whose entry in the search index lacks tokens of this version, the
/// oldest first.
pub(crate) fn outdated(tx: &mut ReadTx<'_>, count: usize) -> Result<Vec<Id<kinds::Customer>>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let expression = index::outdated(mark(tx)?).text(tx.dialect());
    tx.all(OLDEST, params![expression, count], |row| Ok(row.take()?))
}

/// All of a customer's fields that a search may have found.
pub(super) struct Findable {
    /// The numbers of the customers that were merged into it.
    pub(super) merged_numbers: Vec<CustomerNumber>,
    pub(super) phone: Option<Phone>,
    pub(super) email: Option<String>,
    /// The active contacts, the primary contact first.
    pub(super) contacts: Vec<Contact>,
    /// The active locations.
    pub(super) locations: Vec<SearchedLocation>,
}

/// Reads the fields of a customer that a search may have found, in one round trip.
pub(super) fn findable(tx: &mut ReadTx<'_>, id: Id<kinds::Customer>) -> Result<Findable> {
    let customer = params![id];
    let (own, contacts, locations) = tx.pipelined::<_, _, _, Error>(
        (GET, customer, Customer::read),
        contacts::store::active_query(customer),
        locations::store::searched_query(customer),
    )?;
    let own = own.into_iter().next();
    let merged = own.iter().flat_map(|customer| customer.merged_from.all());
    Ok(Findable {
        merged_numbers: merged.map(|merged| merged.customer_number).collect(),
        phone: own.as_ref().and_then(Customer::phone),
        email: own.and_then(|customer| customer.email),
        contacts: contacts::store::primary_first(contacts),
        locations,
    })
}

/// The ids and names of up to `count` customers that a [`SHARING`] search finds, newest first.
pub(crate) fn sharing(
    tx: &mut ReadTx<'_>,
    expression: &Expression,
    count: usize,
) -> Result<Vec<(Id<kinds::Customer>, String)>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let expression = expression.text(tx.dialect());
    tx.all(SHARING, params![expression, count, i64::MAX], |row| Ok((row.take()?, name(row)?)))
}

/// The ids of up to `count` customers that a [`SHARING`] search finds, newest first. Only those with numbers `below`
/// this one in the search index.
pub(super) fn found_below(
    tx: &mut ReadTx<'_>,
    expression: &Expression,
    below: i64,
    count: usize,
) -> Result<Vec<Id<kinds::Customer>>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let expression = expression.text(tx.dialect());
    tx.all(SHARING, params![expression, count, below], |row| Ok(row.take()?))
}

/// A customer as a row of a search.
pub(in crate::business) fn row(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::Customer>,
) -> Result<Option<SearchRow>> {
    Ok(tx.first::<_, Error>(ROW, params![id], found)?.map(|found| found.row))
}

/// Reads the three stored names and returns the display name.
pub(crate) fn name(row: &mut Row<'_>) -> Result<String> {
    let first: Option<String> = row.take()?;
    let last: Option<String> = row.take()?;
    let company: Option<String> = row.take()?;
    Ok(company.unwrap_or_else(|| contacts::joined_name(first.as_deref(), last.as_deref())))
}

/// A row of a search, with what tells where its fields come from.
pub(super) struct FoundCustomer {
    pub(super) row: SearchRow,
    /// Whether the row shows the primary contact's phone.
    pub(super) is_contacts_phone: bool,
    /// Whether the row shows the primary contact's e-mail address.
    pub(super) is_contacts_email: bool,
    /// The name of the primary contact.
    pub(super) contact: String,
}

fn found(row: &mut Row<'_>) -> Result<FoundCustomer> {
    let id = row.take()?;
    let customer_type: CustomerType = row.take()?;
    let display_name = name(row)?;
    let status = row.take()?;
    let archived: bool = row.take()?;
    let (primary_phone, primary_phone_raw, primary_email) = (row.take()?, row.take()?, row.take()?);
    let (customer_number, is_vip, do_not_contact) = (row.take()?, row.take()?, row.take()?);
    let (is_contacts_phone, is_contacts_email) = (row.take()?, row.take()?);
    let (first, last): (Option<String>, Option<String>) = (row.take()?, row.take()?);
    Ok(FoundCustomer {
        row: SearchRow {
            id,
            display_name,
            customer_type,
            status: if archived { super::Status::Archived } else { status },
            primary_phone,
            primary_phone_raw,
            primary_email,
            customer_number,
            is_vip,
            do_not_contact,
            location: row.take()?,
            matched: None,
            similarity: None,
        },
        is_contacts_phone,
        is_contacts_email,
        contact: contacts::joined_name(first.as_deref(), last.as_deref()),
    })
}
