//! The tools of users, for pages and the command line.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::links::PasswordLink;
use super::{Member, join, store};
use crate::call::access::Role;
use crate::call::answer::{Rows, done};
use crate::call::argument::{Email, Name, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Query, Receipt, Replay, Tool};
use crate::identity::keys;
use crate::identity::oauth;
use crate::values::id::{Id, kinds};

/// The group of these tools.
pub const GROUP: Group = Group {
    name: "users",
    about: "The people of an account.",
    tools: &[
        ToolDef::command::<CreateUser>(),
        ToolDef::query::<ListUsers>(),
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
    /// What has to happen before the membership counts, if anything.
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
    /// Whether the membership waits until they have shown that the mailbox is theirs.
    pub is_waiting: bool,
}

/// `users.list`
pub struct ListUsers;

impl Tool for ListUsers {
    const NAME: &'static str = "users.list";
    const TITLE: &'static str = "List team members";
    const ABOUT: &'static str =
        "Lists the account's people, oldest first, then those who wait to be members.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = ListUsersInput;
    type Output = Rows<ListedUser>;
}

impl Query for ListUsers {
    fn run(ctx: &mut ReadCtx<'_, '_>, _: &ListUsersInput) -> Result<Rows<ListedUser>> {
        let members = store::members(ctx.tx)?.into_iter();
        let members = members.map(|member| ListedUser { member, is_waiting: false });
        let waiting = store::waiting(ctx.tx)?.into_iter();
        let waiting = waiting.map(|member| ListedUser { member, is_waiting: true });
        Ok(Rows { rows: members.chain(waiting).collect() })
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
pub struct RoleSet {
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
    const ABOUT: &'static str = "Changes what a person may do; the last owner stays one.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{office_user}","role":"tech"}"#;
    type Input = SetRoleInput;
    type Output = RoleSet;
}

impl Command for SetRole {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &SetRoleInput) -> Result<RoleSet> {
        if let Some(waiting) = waiting(ctx, input.id)? {
            store::set_waiting_role(ctx.tx, input.id, input.role)?;
            let (old, new) = (waiting.role.word().into(), input.role.word().into());
            ctx.changed("user", input.id.uuid(), "waiting_role", old, new);
            return Ok(RoleSet { user_id: input.id, role: input.role });
        }
        let old = store::member(ctx.tx, input.id)?;
        if input.role != Role::Owner {
            keep_an_owner(ctx, &old)?;
        }
        store::set_role(ctx.tx, input.id, input.role, ctx.now)?;
        ctx.updated(&old, &Member { role: input.role, ..old.clone() })?;
        Ok(RoleSet { user_id: input.id, role: input.role })
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
    const ABOUT: &'static str =
        "Removes a person from the account; their keys and connected programs end for good.";
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
        if let Some(waiting) = waiting(ctx, input.id)? {
            store::stop_waiting(ctx.tx, input.id)?;
            let old = waiting.role.word().into();
            ctx.changed("user", input.id.uuid(), "waiting_role", old, Value::Null);
            return Ok(Removed::of(input.id));
        }
        let old = store::member(ctx.tx, input.id)?;
        keep_an_owner(ctx, &old)?;
        store::stop_waiting(ctx.tx, input.id)?;
        store::remove(ctx.tx, input.id, ctx.now)?;
        ctx.removed(&old)?;
        oauth::grants::end_of_member(ctx, input.id)?;
        keys::end_of_member(ctx, input.id)?;
        Ok(Removed::of(input.id))
    }
}

/// The user's waiting membership, unless they are a member: a process of the previous version adds members
/// without checking for a waiting membership.
fn waiting(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::User>) -> Result<Option<Member>> {
    match store::role(ctx.tx, id)? {
        Some(_) => Ok(None),
        None => store::waiting_one(ctx.tx, id),
    }
}

/// Refuses a change that would leave the tenant without an owner.
fn keep_an_owner(ctx: &mut WriteCtx<'_, '_>, member: &Member) -> Result<()> {
    let owners = |member: &&Member| member.role == Role::Owner;
    if member.role == Role::Owner && store::members(ctx.tx)?.iter().filter(owners).count() == 1 {
        return Err(Error::conflict("This is the last owner: make another person an owner first."));
    }
    Ok(())
}
