//! `locations.restore`

use crate::answer::Restored;
use crate::argument::input;
use crate::context::WriteCtx;
use crate::customers::children;
use crate::error::Result;
use crate::id::{Id, kinds};
use crate::locations::Location;
use crate::scope::Scope;
use crate::tool::{ActorRule, Command, Doors, Effect, Receipt, Tool};

input! {
    /// Which location.
    pub struct RestoreLocationInput {
        /// The location's id.
        pub id: Id<kinds::Location>,
    }
}

/// `locations.restore`
pub struct RestoreLocation;

impl Tool for RestoreLocation {
    const NAME: &'static str = "locations.restore";
    const TITLE: &'static str = "Restore a location";
    const ABOUT: &'static str =
        "Brings an archived location back, as its type's primary only if it is the only one.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const DOORS: Doors = Doors::CommandLine;
    const EXAMPLE: &'static str = r#"{"id":"{archived_location}"}"#;
    type Input = RestoreLocationInput;
    type Output = Restored<kinds::Location>;
}

impl Command for RestoreLocation {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RestoreLocationInput,
    ) -> Result<Restored<kinds::Location>> {
        let (answer, _) = children::restore::<Location>(ctx, input.id)?;
        Ok(answer)
    }
}
