//! `locations.restore`

use crate::argument::input;
use crate::context::WriteCtx;
use crate::customers;
use crate::error::{Error, Result};
use crate::id::{Id, kinds};
use crate::locations::{Location, store};
use crate::page::Restored;
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
        let gone = || Error::not_found("archived location");
        let customer = store::customer_of(ctx.tx, input.id.uuid())?.ok_or_else(gone)?;
        let customer = customers::store::get(ctx.tx, customer)?;
        if customer.archived_at.is_some() {
            return Err(Error::conflict("Its customer is archived: restore the customer first."));
        }
        let old = store::get(ctx.tx, customer.id, input.id)?;
        if old.archived_at.is_none() {
            return Err(gone());
        }
        let active = store::active(ctx.tx, customer.id)?;
        super::keep_bounded(active.len())?;
        let is_primary = !active.iter().any(|known| known.location_type == old.location_type);
        let updated_at = ctx.moment();
        let new = Location { is_primary, archived_at: None, updated_at, ..old.clone() };
        store::update(ctx.tx, &new)?;
        ctx.updated(&old, &new)?;
        Ok(Restored::of(input.id))
    }
}
