//! `contacts.restore`

use crate::answer::Restored;
use crate::argument::input;
use crate::contacts::Contact;
use crate::context::WriteCtx;
use crate::customers::{self, children};
use crate::error::Result;
use crate::id::{Id, kinds};
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
        let (answer, customer) = children::restore::<Contact>(ctx, input.id)?;
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(answer)
    }
}
