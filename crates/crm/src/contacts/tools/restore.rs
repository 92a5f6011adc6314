//! `contacts.restore`

use crate::argument::input;
use crate::contacts::{Contact, store};
use crate::context::WriteCtx;
use crate::customers;
use crate::error::{Error, Result};
use crate::id::{Id, kinds};
use crate::page::Restored;
use crate::scope::Scope;
use crate::tool::{ActorRule, Command, Doors, Effect, Receipt, Tool};

input! {
    /// Which contact.
    pub struct RestoreContactInput {
        /// The contact's id.
        pub id: Id<kinds::Contact>,
    }
}

/// `contacts.restore`
pub struct RestoreContact;

impl Tool for RestoreContact {
    const NAME: &'static str = "contacts.restore";
    const TITLE: &'static str = "Restore a contact";
    const ABOUT: &'static str =
        "Brings an archived contact back, never as the primary one: a customer has that already.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const DOORS: Doors = Doors::CommandLine;
    const EXAMPLE: &'static str = r#"{"id":"{archived_contact}"}"#;
    type Input = RestoreContactInput;
    type Output = Restored<kinds::Contact>;
}

impl Command for RestoreContact {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RestoreContactInput,
    ) -> Result<Restored<kinds::Contact>> {
        let gone = || Error::not_found("archived contact");
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
        let new = Contact { archived_at: None, updated_at: ctx.moment(), ..old.clone() };
        store::update(ctx.tx, &new)?;
        ctx.updated(&old, &new)?;
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(Restored::of(input.id))
    }
}
