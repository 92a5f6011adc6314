//! The tool by which an owner or the operator makes a password reset link.

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
        /// It stays as it is.
        Keep = "keep",
        /// It is turned off once the new password is chosen.
        TurnOff = "turn_off",
    }
}

input! {
    /// Whose password is lost.
    pub struct PasswordLinkInput {
        /// The person.
        pub id: Id<kinds::User>,
        /// What becomes of the second factor; default keep.
        pub second_factor: Option<SecondFactor>,
    }
}

/// A link for a new password: the only time that it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MadeLink {
    /// The person.
    pub user_id: Id<kinds::User>,
    /// The path of the link on this server. Send it on: it is not shown again.
    pub path: String,
    /// When the link stops working.
    pub expires_at: Moment,
}

/// `users.password_link`
pub struct PasswordLink;

impl Tool for PasswordLink {
    const NAME: &'static str = "users.password_link";
    const TITLE: &'static str = "Make a link for a new password";
    const ABOUT: &'static str = "Makes a link by which a person chooses a new password, once and within a \
                                 day. Only an owner of every business that the person works in can.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{office_user}"}"#;
    type Input = PasswordLinkInput;
    type Output = MadeLink;
}

impl Command for PasswordLink {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &PasswordLinkInput) -> Result<MadeLink> {
        let member = store::member(ctx.tx, input.id)?;
        let maker = match ctx.access.actor.user() {
            None => Maker::Operator,
            Some(owner) if owner == member.id => {
                return Err(Error::conflict(
                    "Change your own password on the page of your account.",
                ));
            }
            Some(owner) if links::is_owner_everywhere(ctx.tx, owner, member.id)? => {
                Maker::Owner(owner)
            }
            Some(_) => {
                return Err(Error::conflict(
                    "You cannot make a link for this person: they can use \"Forgot password?\" or \
                     ask the operator.",
                ));
            }
        };
        let factor = input.second_factor.unwrap_or(SecondFactor::Keep);
        let made = links::make(ctx.tx, ctx.environment, member.id, maker, factor.into())?;
        let link = json!({ "expires_at": made.expires_at, "second_factor": factor });
        ctx.changed("user", member.id.uuid(), "password_link", Value::Null, link);
        Ok(MadeLink { user_id: member.id, path: made.path(), expires_at: made.expires_at })
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
