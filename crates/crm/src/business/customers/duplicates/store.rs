//! The SQL of duplicates.

use std::collections::HashMap;

use zoop_db::{ReadTx, Row, Uuid, params, text};

use super::{Described, Profile};
use crate::business::customers::contacts::Origin;
use crate::business::customers::index::SearchedLocation;
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::values::id::{Id, kinds};

/// How many contacts and how many locations of each customer are read, the primary ones besides.
const MAX_PARTS: i64 = 5;

const CUSTOMERS: &str = "SELECT x.id, x.first_name, x.last_name, x.company_name, x.phone, x.email \
    FROM wanted CROSS JOIN customers x WHERE x.tenant_no = $1 AND x.id = wanted_id";
const CONTACTS: &str = "SELECT x.customer_id, x.first_name, x.last_name, x.phone, x.email, x.origin, \
    x.is_primary, x.id FROM wanted CROSS JOIN contacts x \
    WHERE x.tenant_no = $1 AND x.customer_id = wanted_id AND x.archived_at IS NULL \
    AND (x.is_primary OR x.id IN (SELECT y.id FROM contacts y WHERE y.tenant_no = $1 \
    AND y.customer_id = wanted_id AND y.archived_at IS NULL ORDER BY y.id LIMIT $3))";
const LOCATIONS: &str = "SELECT x.customer_id, x.address_line1, x.address_line2, x.city, x.state, x.postal_code, \
    x.is_primary, x.id FROM wanted CROSS JOIN locations x \
    WHERE x.tenant_no = $1 AND x.customer_id = wanted_id AND x.archived_at IS NULL \
    AND (x.is_primary OR x.id IN (SELECT y.id FROM locations y WHERE y.tenant_no = $1 \
    AND y.customer_id = wanted_id AND y.archived_at IS NULL ORDER BY y.id LIMIT $3))";

zoop_db::statements! {
    /// What is compared of the wanted customers. SQLite keeps the order of a CROSS JOIN, and so looks each one up.
    CUSTOMERS_OF = {
        sqlite: text!(WANTED_SQLITE, CUSTOMERS), postgres: text!(WANTED_POSTGRES, CUSTOMERS),
    };
    CONTACTS_OF = {
        sqlite: text!(WANTED_SQLITE, CONTACTS), postgres: text!(WANTED_POSTGRES, CONTACTS),
    };
    LOCATIONS_OF = {
        sqlite: text!(WANTED_SQLITE, LOCATIONS), postgres: text!(WANTED_POSTGRES, LOCATIONS),
    };
    /// The next older customers, with their numbers in the search index.
    OLDER = "SELECT id, n, archived_at IS NOT NULL FROM customers \
             WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
}

/// A customer's own name, phone and e-mail address.
struct Own {
    id: Id<kinds::Customer>,
    first_name: Option<String>,
    last_name: Option<String>,
    company_name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

/// What is compared of a contact.
struct Person {
    first_name: String,
    last_name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    is_named: bool,
}

/// What is known of these customers, those that exist.
pub(crate) fn profiles(
    tx: &mut ReadTx<'_>,
    ids: &[Id<kinds::Customer>],
) -> Result<Vec<(Id<kinds::Customer>, Profile)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = id_list(ids.iter().map(|id| id.uuid()));
    let (wanted, bounded) = (params![ids], params![ids, MAX_PARTS]);
    let (own, people, places) = tx.pipelined::<_, _, _, Error>(
        (CUSTOMERS_OF, wanted, own),
        (CONTACTS_OF, bounded, person),
        (LOCATIONS_OF, bounded, place),
    )?;
    let (people, places) = (by_customer(people), by_customer(places));
    let profiles = own.iter().map(|own| {
        let people = people.get(&own.id).map(Vec::as_slice).unwrap_or_default();
        let places = places.get(&own.id).map(Vec::as_slice).unwrap_or_default();
        (own.id, profile(own, people, places))
    });
    Ok(profiles.collect())
}

fn profile(own: &Own, people: &[Person], places: &[SearchedLocation]) -> Profile {
    let phones = people.iter().filter_map(|person| person.phone.as_deref());
    let emails = people.iter().filter_map(|person| person.email.as_deref());
    let contacts = people.iter().filter(|person| person.is_named);
    Profile::new(&Described {
        company_name: own.company_name.as_deref().unwrap_or_default(),
        first_name: own.first_name.as_deref().unwrap_or_default(),
        last_name: own.last_name.as_deref().unwrap_or_default(),
        contacts: contacts
            .map(|it| (it.first_name.as_str(), it.last_name.as_deref().unwrap_or_default()))
            .collect(),
        phones: own.phone.as_deref().into_iter().chain(phones).collect(),
        emails: own.email.as_deref().into_iter().chain(emails).collect(),
        locations: places.iter().collect(),
    })
}

/// A contact or location, its customer, and its place among the others of the customer.
type Part<T> = (Id<kinds::Customer>, Rank, T);

/// The primary ones are first, then the oldest.
type Rank = (bool, Uuid);

fn rank(row: &mut Row<'_>) -> Result<Rank> {
    let is_primary: bool = row.take()?;
    Ok((!is_primary, row.take()?))
}

fn by_customer<T>(mut rows: Vec<Part<T>>) -> HashMap<Id<kinds::Customer>, Vec<T>> {
    rows.sort_by_key(|(_, rank, _)| *rank);
    let mut parts: HashMap<_, Vec<T>> = HashMap::new();
    for (id, _, part) in rows {
        parts.entry(id).or_default().push(part);
    }
    parts
}

fn own(row: &mut Row<'_>) -> Result<Own> {
    Ok(Own {
        id: row.take()?,
        first_name: row.take()?,
        last_name: row.take()?,
        company_name: row.take()?,
        phone: row.take()?,
        email: row.take()?,
    })
}

fn person(row: &mut Row<'_>) -> Result<Part<Person>> {
    let customer = row.take()?;
    let person = Person {
        first_name: row.take()?,
        last_name: row.take()?,
        phone: row.take()?,
        email: row.take()?,
        is_named: row.take::<Origin>()? == Origin::Own,
    };
    Ok((customer, rank(row)?, person))
}

fn place(row: &mut Row<'_>) -> Result<Part<SearchedLocation>> {
    let customer = row.take()?;
    let place = SearchedLocation {
        label: None,
        address_line1: row.take()?,
        address_line2: row.take()?,
        city: row.take()?,
        state: row.take()?,
        postal_code: row.take()?,
    };
    Ok((customer, rank(row)?, place))
}

/// A customer that a walk through the account visits.
pub(super) struct Visited {
    pub(super) id: Id<kinds::Customer>,
    /// Its number in the search index.
    pub(super) n: i64,
    pub(super) is_archived: bool,
}

/// Up to `count` customers older than `before`, newest first.
pub(super) fn older(tx: &mut ReadTx<'_>, before: Uuid, count: usize) -> Result<Vec<Visited>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(OLDER, params![before, count], |row| {
        Ok(Visited { id: row.take()?, n: row.take()?, is_archived: row.take()? })
    })
}
