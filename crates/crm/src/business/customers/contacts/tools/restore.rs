//! `contacts.restore`

use crate::business::customers::contacts::Contact;
use crate::business::customers::contacts::hints::HINTS;
use crate::business::customers::{self, children};
use crate::call::answer::Restored;
use crate::call::argument::input;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The contact to restore.
    pub struct RestoreContactInput, hints = HINTS {
        /// The contact's id.
        pub id: Id<kinds::Contact>,
    }
}

/// `contacts.restore`
pub struct RestoreContact;

impl Tool for RestoreContact {
    const NAME: &'static str = "contacts.restore";
    const TITLE: &'static str = "Restore a contact";
    const ABOUT: &'static str = "Restores an archived contact, which does not become \
        primary.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{archived_contact}"}"#;
    type Input = RestoreContactInput;
    type Output = Restored<kinds::Contact>;
}

impl Command for RestoreContact {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RestoreContactInput,
    ) -> Result<Restored<kinds::Contact>> {
        let (answer, customer) = children::restore::<Contact>(ctx, input.id)?;
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(answer)
    }
}
