//! `customers.restore`

use crate::argument::input;
use crate::context::WriteCtx;
use crate::customers::{Customer, store};
use crate::error::{Error, Result};
use crate::id::{Id, kinds};
use crate::page::Restored;
use crate::scope::Scope;
use crate::tool::{ActorRule, Command, Doors, Effect, Receipt, Tool};

input! {
    /// Which customer.
    pub struct RestoreCustomerInput {
        /// The customer's id.
        pub id: Id<kinds::Customer>,
    }
}

/// `customers.restore`
pub struct RestoreCustomer;

impl Tool for RestoreCustomer {
    const NAME: &'static str = "customers.restore";
    const TITLE: &'static str = "Restore a customer";
    const ABOUT: &'static str = "Brings an archived customer back with the status that it had.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const DOORS: Doors = Doors::CommandLine;
    const EXAMPLE: &'static str = r#"{"id":"{archived_customer}"}"#;
    type Input = RestoreCustomerInput;
    type Output = Restored<kinds::Customer>;
}

impl Command for RestoreCustomer {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RestoreCustomerInput,
    ) -> Result<Restored<kinds::Customer>> {
        let old = store::get(ctx.tx, input.id)?;
        if old.archived_at.is_none() {
            return Err(Error::not_found("archived customer"));
        }
        let new = Customer { archived_at: None, updated_at: ctx.moment(), ..old.clone() };
        store::update(ctx.tx, &new)?;
        store::reindex(ctx.tx, &new)?;
        ctx.updated(&old, &new)?;
        Ok(Restored::of(input.id))
    }
}
