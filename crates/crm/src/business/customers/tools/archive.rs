//! `customers.archive`

use crate::business::customers::{hints, store};
use crate::call::answer::Archived;
use crate::call::archive::archive;
use crate::call::argument::input;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The customer to archive.
    pub struct ArchiveCustomerInput, hints = hints::ONE {
        /// The customer's id.
        pub id: Id<kinds::Customer>,
    }
}

/// `customers.archive`
pub struct ArchiveCustomer;

impl Tool for ArchiveCustomer {
    const NAME: &'static str = "customers.archive";
    const TITLE: &'static str = "Archive a customer";
    const ABOUT: &'static str = "Hides a customer from lists and keeps its history; \
        its contacts and locations cannot be changed. customers.restore brings it back.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{customer}"}"#;
    type Input = ArchiveCustomerInput;
    type Output = Archived<kinds::Customer>;
}

impl Command for ArchiveCustomer {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &ArchiveCustomerInput,
    ) -> Result<Archived<kinds::Customer>> {
        let customer = store::get(ctx.tx, input.id)?.unless_merged(ctx.access)?;
        archive(ctx, &customer)
    }
}
