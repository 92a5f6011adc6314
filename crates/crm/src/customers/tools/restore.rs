//! `customers.restore`

use crate::answer::Restored;
use crate::archive::restore;
use crate::argument::input;
use crate::context::WriteCtx;
use crate::customers::store;
use crate::error::Result;
use crate::id::{Id, kinds};
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
        let customer = store::get(ctx.tx, input.id)?;
        restore(ctx, &customer)
    }
}
