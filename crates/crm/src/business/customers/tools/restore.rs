//! `customers.restore`

use crate::business::customers::{hints, store};
use crate::call::answer::Restored;
use crate::call::archive::restore;
use crate::call::argument::input;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The customer to restore.
    pub struct RestoreCustomerInput, hints = hints::ONE {
        /// The customer's id.
        pub id: Id<kinds::Customer>,
    }
}

/// `customers.restore`
pub struct RestoreCustomer;

impl Tool for RestoreCustomer {
    const NAME: &'static str = "customers.restore";
    const TITLE: &'static str = "Restore a customer";
    const ABOUT: &'static str = "Restores an archived customer with its previous \
        status.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{archived_customer}"}"#;
    type Input = RestoreCustomerInput;
    type Output = Restored<kinds::Customer>;
}

impl Command for RestoreCustomer {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RestoreCustomerInput,
    ) -> Result<Restored<kinds::Customer>> {
        let customer = store::get(ctx.tx, input.id)?.unless_merged(ctx.access)?;
        restore(ctx, &customer)
    }
}
