//! `customers.get`

use crate::business::customers::{CustomerRecord, FullCustomer, store};
use crate::call::argument::input;
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::values::id::{Id, kinds};

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
        let (contacts, locations, tags) = store::relations(ctx.tx, input.id)?;
        let primary = contacts.iter().find(|contact| contact.is_primary);
        Ok(FullCustomer {
            customer: CustomerRecord::new(customer, primary, tags),
            contacts,
            locations,
        })
    }
}
