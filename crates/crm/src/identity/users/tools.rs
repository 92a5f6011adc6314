//! The tools for users. Pages and the command line use them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zoop_db::Uuid;

use super::links::PasswordLink;
use super::{Member, join, store};
use crate::call::access::Role;
use crate::call::answer::{Page, done};
use crate::call::argument::{Email, Name, Ranged, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Found, List, Receipt, Replay, Tool};
use crate::identity::keys;
use crate::identity::oauth;
use crate::values::id::{Id, kinds};

/// The group of these tools.
pub const GROUP: Group = Group {
    name: "users",
    about: "The people of an account.",
    tools: &[
        ToolDef::command::<CreateUser>(),
        ToolDef::list::<ListUsers>(),
        ToolDef::command::<SetRole>(),
        ToolDef::command::<RemoveUser>(),
        ToolDef::command::<PasswordLink>(),
    ],
};

input! {
    /// A new team member.
    pub struct CreateUserInput {
        /// The person's name.
        pub name: Name,
        /// The person's e-mail address.
        pub email: Email,
        /// What they may do.
        pub role: Role,
    }
}

/// What `users.create` returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedUser {
    /// The person's id.
    pub user_id: Id<kinds::User>,
    /// What has to happen before the membership takes effect, if it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
}

/// `users.create`
pub struct CreateUser;

impl Tool for CreateUser {
    const NAME: &'static str = "users.create";
    const TITLE: &'static str = "Add a team member";
    const ABOUT: &'static str = "Adds a person to the account.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str =
        r#"{"name":"Avery Example","email":"avery@example.com","role":"office"}"#;
    type Input = CreateUserInput;
    type Output = CreatedUser;
}

impl Command for CreateUser {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateUserInput) -> Result<CreatedUser> {
        let (user_id, joined) = join(ctx, &input.name.0, &input.email.0, input.role)?;
        Ok(CreatedUser { user_id, waiting: joined.notice() })
    }
}

input! {
    /// No fields.
    pub struct ListUsersInput {}
}

/// A person as the list of an account shows them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedUser {
    /// The person.
    #[serde(flatten)]
    pub member: Member,
    /// Whether the membership is pending until they have confirmed their e-mail address.
    pub is_waiting: bool,
}

/// `users.list`
pub struct ListUsers;

impl Tool for ListUsers {
    const NAME: &'static str = "users.list";
    const TITLE: &'static str = "List team members";
    const ABOUT: &'static str = "Lists the account's members, then its pending memberships.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = ListUsersInput;
    type Output = Page<ListedUser>;
}

/// The sort key of a row: members come first, then pending memberships.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Position {
    /// Whether the membership is pending.
    is_waiting: bool,
    /// The user's id.
    id: Uuid,
}

impl List for ListUsers {
    type Row = ListedUser;
    type Position = Position;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListUsersInput,
        after: Option<Position>,
        count: usize,
    ) -> Result<Found<ListedUser, Position>> {
        let to_row = |is_waiting| {
            move |member: Member| {
                let position = Position { is_waiting, id: member.id.uuid() };
                (ListedUser { member, is_waiting }, position)
            }
        };
        let mut rows = Vec::new();
        let pending_after = match after {
            Some(Position { is_waiting: true, id }) => id,
            member => {
                let after = member.map_or(Uuid::nil(), |position| position.id);
                let members = store::members_after(ctx.tx, after, count)?;
                rows.extend(members.into_iter().map(to_row(false)));
                Uuid::nil()
            }
        };
        if rows.len() < count {
            let pending = store::pending_memberships(ctx.tx, pending_after, count - rows.len())?;
            rows.extend(pending.into_iter().map(to_row(true)));
        }
        Ok(Found::all(rows))
    }
}

input! {
    /// A team member's new role.
    pub struct SetRoleInput {
        /// The person.
        pub id: Id<kinds::User>,
        /// What they may do from now on.
        pub role: Role,
    }
}

/// What `users.set_role` returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RoleChanged {
    /// The person's id.
    pub user_id: Id<kinds::User>,
    /// Their role now.
    pub role: Role,
}

/// `users.set_role`
pub struct SetRole;

impl Tool for SetRole {
    const NAME: &'static str = "users.set_role";
    const TITLE: &'static str = "Change a team member's role";
    const ABOUT: &'static str =
        "Changes what a person may do. The last owner's role cannot be changed.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{office_user}","role":"tech"}"#;
    type Input = SetRoleInput;
    type Output = RoleChanged;
}

impl Command for SetRole {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &SetRoleInput) -> Result<RoleChanged> {
        if let Some(pending) = pending(ctx, input.id)? {
            store::set_pending_role(ctx.tx, input.id, input.role)?;
            let (old, new) = (pending.role.word().into(), input.role.word().into());
            ctx.changed("user", input.id.uuid(), "waiting_role", old, new);
            return Ok(RoleChanged { user_id: input.id, role: input.role });
        }
        let old = store::member(ctx.tx, input.id)?;
        if input.role != Role::Owner {
            require_another_owner(ctx, &old)?;
        }
        store::set_role(ctx.tx, input.id, input.role, ctx.now)?;
        ctx.updated(&old, &Member { role: input.role, ..old.clone() })?;
        Ok(RoleChanged { user_id: input.id, role: input.role })
    }
}

input! {
    /// A team member to remove.
    pub struct RemoveUserInput {
        /// The person.
        pub id: Id<kinds::User>,
    }
}

done!(
    /// What `users.remove` returns.
    Removed, removed, "The person's id."
);

/// `users.remove`
pub struct RemoveUser;

impl Tool for RemoveUser {
    const NAME: &'static str = "users.remove";
    const TITLE: &'static str = "Remove a team member";
    const ABOUT: &'static str = "Removes a person from the account. Their keys and connected programs stop working for good.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{office_user}"}"#;
    type Input = RemoveUserInput;
    type Output = Removed<kinds::User>;
}

impl Command for RemoveUser {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &RemoveUserInput) -> Result<Removed<kinds::User>> {
        if let Some(pending) = pending(ctx, input.id)? {
            store::remove_pending(ctx.tx, input.id)?;
            let old = pending.role.word().into();
            ctx.changed("user", input.id.uuid(), "waiting_role", old, Value::Null);
            return Ok(Removed::of(input.id));
        }
        let old = store::member(ctx.tx, input.id)?;
        require_another_owner(ctx, &old)?;
        store::remove_pending(ctx.tx, input.id)?;
        store::remove(ctx.tx, input.id, ctx.now)?;
        ctx.removed(&old)?;
        oauth::grants::revoke_all_of_user(ctx, input.id)?;
        keys::revoke_for_former_member(ctx, input.id)?;
        Ok(Removed::of(input.id))
    }
}

/// The user's pending membership. `None` if the user is a member, even with a leftover pending membership: a process
/// of the previous version does not remove it when it adds a member.
fn pending(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::User>) -> Result<Option<Member>> {
    match store::role(ctx.tx, id)? {
        Some(_) => Ok(None),
        None => store::pending_membership(ctx.tx, id),
    }
}

/// Rejects a change that would leave the tenant without an owner.
fn require_another_owner(ctx: &mut WriteCtx<'_, '_>, member: &Member) -> Result<()> {
    let is_owner = |member: &&Member| member.role == Role::Owner;
    if member.role == Role::Owner && store::members(ctx.tx)?.iter().filter(is_owner).count() == 1 {
        return Err(Error::conflict("This is the last owner: make another person an owner first."));
    }
    Ok(())
}
