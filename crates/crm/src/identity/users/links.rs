//! The tool with which an owner or the operator creates a link for a new password.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::store;
use crate::call::argument::{choices, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::identity::sign_in::links::{self, Maker};
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

choices! {
    /// What a link for a new password does to the second factor.
    pub enum SecondFactor {
        /// It stays on, if it is on.
        Keep = "keep",
        /// It is turned off when the new password is chosen.
        TurnOff = "turn_off",
    }
}

input! {
    /// The person who needs a new password.
    pub struct PasswordLinkInput {
        /// The person.
        pub id: Id<kinds::User>,
        /// What happens to the second factor; default keep.
        pub second_factor: Option<SecondFactor>,
    }
}

/// A new link for a new password. It is shown only now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedLink {
    /// The person.
    pub user_id: Id<kinds::User>,
    /// The path of the link on this server. Pass it on: it is not shown again.
    pub path: String,
    /// When the link stops working.
    pub expires_at: Moment,
}

/// `users.password_link`
pub struct PasswordLink;

impl Tool for PasswordLink {
    const NAME: &'static str = "users.password_link";
    const TITLE: &'static str = "Create a link for a new password";
    const ABOUT: &'static str = "Creates a link with which a person chooses a new password. It works once, \
                                 within a day. Only the operator, or an owner of every business that the \
                                 person belongs to, may create one.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{office_user}"}"#;
    type Input = PasswordLinkInput;
    type Output = CreatedLink;
}

impl Command for PasswordLink {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &PasswordLinkInput) -> Result<CreatedLink> {
        let member = store::member(ctx.tx, input.id)?;
        let maker = match ctx.access.actor.user() {
            None => Maker::Operator,
            Some(owner) if owner == member.id => {
                return Err(Error::conflict("Change your own password on your account page."));
            }
            Some(owner) if links::is_owner_everywhere(ctx.tx, owner, member.id)? => {
                Maker::Owner(owner)
            }
            Some(_) => {
                return Err(Error::conflict(
                    "You cannot create a link for this person: they can use \"Forgot password?\" or \
                     ask the operator.",
                ));
            }
        };
        let factor = input.second_factor.unwrap_or(SecondFactor::Keep);
        let created = links::create(ctx.tx, ctx.environment, member.id, maker, factor.into())?;
        let link = json!({ "expires_at": created.expires_at, "second_factor": factor });
        ctx.changed("user", member.id.uuid(), "password_link", Value::Null, link);
        Ok(CreatedLink { user_id: member.id, path: created.path(), expires_at: created.expires_at })
    }
}

impl From<SecondFactor> for links::Factor {
    fn from(choice: SecondFactor) -> Self {
        match choice {
            SecondFactor::Keep => Self::Stays,
            SecondFactor::TurnOff => Self::Ends,
        }
    }
}
