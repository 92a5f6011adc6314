//! `customers.get`

use serde::Serialize;
use zoop_db::ReadTx;

use crate::business::customers::children::{self, MAX_ACTIVE};
use crate::business::customers::contacts::Contact;
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

/// Contacts and locations of so many bytes are shown without a count of the other bytes: there is room for
/// them beside the longest customer. Nearly every customer has fewer.
const SHORT_BYTES: usize = 64 * 1024;

/// What the answer says of contacts that are left out.
const MORE_CONTACTS: &str = "Not all are shown: contacts.list has all of them.";
/// What the answer says of locations that are left out.
const MORE_LOCATIONS: &str = "Not all are shown: locations.list has all of them.";

input! {
    /// Which customer.
    pub struct GetCustomerInput {
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
        let customer = store::get(ctx.tx, input.id)?;
        let Relations { contacts, locations, tags } = store::relations(ctx.tx, input.id)?;
        let primary = contacts.iter().find(|contact| contact.is_primary);
        let customer = CustomerRecord::new(customer, primary, tags);
        let shown = first(&contacts, SHORT_BYTES)?;
        match locations {
            Some(locations) if bytes(&shown) + bytes(&locations) <= SHORT_BYTES => {
                Ok(FullCustomer { customer, contacts: shown, locations, truncated: None })
            }
            _ => long(ctx.tx, customer, &contacts),
        }
    }
}

/// A customer with as many contacts and locations as there is room for.
fn long(
    tx: &mut ReadTx<'_>,
    customer: CustomerRecord,
    contacts: &[Contact],
) -> Result<FullCustomer> {
    let left = PAGE_BYTES.saturating_sub(Written::of(&customer)?.bytes());
    // Half of it, so that there is room for locations too.
    let shown = first(contacts, left / 2)?;
    let room = Room {
        rows: MAX_ACTIVE,
        bytes: left.saturating_sub(bytes(&shown)),
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

/// The first rows as JSON, up to the one that exceeds so many bytes.
fn first<T: Serialize>(rows: &[T], most: usize) -> Result<Vec<Written<T>>> {
    let (mut first, mut bytes) = (Vec::new(), 0);
    for row in rows {
        let row = Written::of(row)?;
        bytes += row.bytes();
        first.push(row);
        if bytes > most {
            break;
        }
    }
    Ok(first)
}

fn bytes<T: Serialize>(rows: &[Written<T>]) -> usize {
    rows.iter().map(Written::bytes).sum()
}
