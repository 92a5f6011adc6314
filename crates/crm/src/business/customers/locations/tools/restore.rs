//! `locations.restore`

use crate::business::customers;
use crate::business::customers::children;
use crate::business::customers::locations::Location;
use crate::business::customers::locations::hints::HINTS;
use crate::call::answer::Restored;
use crate::call::argument::input;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The location to restore.
    pub struct RestoreLocationInput, hints = HINTS {
        /// The location's id.
        pub id: Id<kinds::Location>,
    }
}

/// `locations.restore`
pub struct RestoreLocation;

impl Tool for RestoreLocation {
    const NAME: &'static str = "locations.restore";
    const TITLE: &'static str = "Restore a location";
    const ABOUT: &'static str = "Restores an archived location, which becomes primary \
        if no other of its type is.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{archived_location}"}"#;
    type Input = RestoreLocationInput;
    type Output = Restored<kinds::Location>;
}

impl Command for RestoreLocation {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RestoreLocationInput,
    ) -> Result<Restored<kinds::Location>> {
        let (answer, customer) = children::restore::<Location>(ctx, input.id)?;
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(answer)
    }
}
