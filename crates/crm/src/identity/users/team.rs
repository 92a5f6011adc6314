//! `team.list`: the members of a tenant, for every caller who reads. Managing them is in [`super::tools`].

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::Uuid;

use super::{Member, store};
use crate::call::access::{Access, Actor, Role};
use crate::call::answer::Page;
use crate::call::argument::{Ranged, input};
use crate::call::context::ReadCtx;
use crate::call::definition::{Group, ToolDef};
use crate::call::error::Result;
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::id::{Id, kinds};

/// The group of this tool.
pub const GROUP: Group = Group {
    name: "team",
    about: "The people who work in the account.",
    tools: &[ToolDef::list::<ListTeam>()],
};

input! {
    /// No fields.
    pub struct ListTeamInput {}
}

/// A member as the team sees them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TeamMember {
    /// The person's user id.
    pub id: Id<kinds::User>,
    /// The person's name in this account.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The person's e-mail address; only shown to owners and the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// `team.list`
pub struct ListTeam;

impl Tool for ListTeam {
    const NAME: &'static str = "team.list";
    const TITLE: &'static str = "List the team";
    const ABOUT: &'static str = "Lists the account's people with their user ids and roles.";
    const SCOPE: Scope = Scope::AnyRead;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = "{}";
    type Input = ListTeamInput;
    type Output = Page<TeamMember>;
}

impl List for ListTeam {
    type Row = TeamMember;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListTeamInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<TeamMember, Uuid>> {
        let sees_email = sees_email_addresses(ctx.access);
        let members = store::members_after(ctx.tx, after.unwrap_or(Uuid::nil()), count)?;
        let rows = members.into_iter().map(|Member { id, name, email, role }| TeamMember {
            id,
            name,
            role,
            email: sees_email.then_some(email),
        });
        Ok(page::with_positions(rows.collect(), |row| row.id.uuid()))
    }
}

/// Whether a caller sees the e-mail addresses of the team.
const fn sees_email_addresses(access: &Access) -> bool {
    match access.actor {
        Actor::User { role, .. } => matches!(role, Role::Owner | Role::Office),
        Actor::Operator => true,
        Actor::Tenant => false,
    }
}
