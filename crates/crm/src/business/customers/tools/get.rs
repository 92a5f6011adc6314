//! `customers.get`

use serde::Serialize;
use zoop_db::ReadTx;

use crate::business::customers::children::{self, MAX_ACTIVE};
use crate::business::customers::contacts::Contact;
use crate::business::customers::hints;
use crate::business::customers::locations::Location;
use crate::business::customers::locations::tools::ListLocations;
use crate::business::customers::store::{self, Relations};
use crate::business::customers::{CustomerRecord, FullCustomer, Truncated};
use crate::call::argument::input;
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::page::{self, PAGE_BYTES, Room};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, List, Query, Tool};
use crate::call::written::Written;
use crate::values::id::{Id, kinds};

/// Contacts and locations of up to this many bytes fit on a page even with the longest customer, so the customer is
/// not measured. Nearly all customers have fewer.
const SHORT_BYTES: usize = 64 * 1024;

/// The text in the answer if contacts are left out.
const MORE_CONTACTS: &str = "Not all are shown: contacts.list has all of them.";
/// The text in the answer if locations are left out.
const MORE_LOCATIONS: &str = "Not all are shown: locations.list has all of them.";

input! {
    /// The customer to return.
    pub struct GetCustomerInput, hints = hints::ONE {
        /// The customer's id.
        pub id: Id<kinds::Customer>,
    }
}

/// `customers.get`
pub struct GetCustomer;

impl Tool for GetCustomer {
    const NAME: &'static str = "customers.get";
    const TITLE: &'static str = "Get a customer";
    const ABOUT: &'static str =
        "Returns one customer, even if it is archived, with its active contacts and locations.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{customer}"}"#;
    type Input = GetCustomerInput;
    type Output = FullCustomer;
}

impl Query for GetCustomer {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &GetCustomerInput) -> Result<FullCustomer> {
        let customer = store::resolved(ctx.tx, input.id)?;
        let Relations { contacts, locations, tags } = store::relations(ctx.tx, customer.id)?;
        let primary = contacts.iter().find(|contact| contact.is_primary);
        let customer = CustomerRecord::new(customer, primary, tags);
        let shown = first_rows(&contacts, SHORT_BYTES)?;
        match locations {
            Some(locations) if total_bytes(&shown) + total_bytes(&locations) <= SHORT_BYTES => {
                Ok(FullCustomer { customer, contacts: shown, locations, truncated: None })
            }
            _ => fill_page(ctx.tx, customer, &contacts),
        }
    }
}

/// Returns a customer with as many contacts and locations as fit on a page.
fn fill_page(
    tx: &mut ReadTx<'_>,
    customer: CustomerRecord,
    contacts: &[Contact],
) -> Result<FullCustomer> {
    let left = PAGE_BYTES.saturating_sub(Written::of(&customer)?.bytes());
    // Contacts get half of the room, so that some is left for locations.
    let shown = first_rows(contacts, left / 2)?;
    let room = Room {
        rows: MAX_ACTIVE,
        bytes: left.saturating_sub(total_bytes(&shown)),
        at_once: ListLocations::AT_ONCE,
    };
    let (locations, rest) = page::fill(
        room,
        None,
        |after, count| children::page::<Location>(tx, customer.id, false, after, count),
        |location| {
            let location = Written::of(&location)?;
            let bytes = location.bytes();
            Ok((location, bytes))
        },
    )?;
    let truncated = Truncated {
        contacts: (shown.len() < contacts.len()).then_some(MORE_CONTACTS),
        locations: rest.map(|_| MORE_LOCATIONS),
    };
    let truncated = (truncated != Truncated::default()).then_some(truncated);
    Ok(FullCustomer { customer, contacts: shown, locations, truncated })
}

/// The first rows as JSON, up to and including the row that exceeds `max_bytes`.
fn first_rows<T: Serialize>(rows: &[T], max_bytes: usize) -> Result<Vec<Written<T>>> {
    let (mut first, mut bytes) = (Vec::new(), 0);
    for row in rows {
        let row = Written::of(row)?;
        bytes += row.bytes();
        first.push(row);
        if bytes > max_bytes {
            break;
        }
    }
    Ok(first)
}

fn total_bytes<T: Serialize>(rows: &[Written<T>]) -> usize {
    rows.iter().map(Written::bytes).sum()
}
