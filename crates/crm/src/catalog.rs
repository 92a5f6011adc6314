//! The catalog of all tools. A new tool is added to its group's slice, and a new group to [`GROUPS`].

use crate::call::definition::{Group, ToolDef};
use crate::call::scope::{Scope, Scopes};
use crate::call::tool::ActorRule;

/// The groups, in the order of every list and document.
pub static GROUPS: &[Group] = &[
    crate::business::customers::GROUP,
    crate::business::customers::contacts::GROUP,
    crate::business::customers::locations::GROUP,
    crate::business::tags::GROUP,
    crate::business::notes::GROUP,
    crate::business::jobs::GROUP,
    crate::business::quotes::GROUP,
    crate::business::tax_rates::GROUP,
    crate::business::catalog_categories::GROUP,
    crate::business::catalog_items::GROUP,
    crate::business::account::GROUP,
    crate::identity::users::team::GROUP,
    crate::business::subjects::GROUP,
    crate::business::history::GROUP,
    crate::identity::tenants::GROUP,
    crate::identity::users::GROUP,
    crate::identity::invitations::GROUP,
    crate::identity::keys::GROUP,
    crate::identity::oauth::tools::GRANTS,
    crate::identity::oauth::tools::CLIENTS,
];

/// Every tool, in order.
pub fn tools() -> impl Iterator<Item = &'static ToolDef> {
    GROUPS.iter().flat_map(|group| group.tools)
}

/// Every tool of the MCP endpoint with its group, in order.
pub fn mcp_tools() -> impl Iterator<Item = (&'static Group, &'static ToolDef)> {
    GROUPS
        .iter()
        .flat_map(|group| group.tools.iter().map(move |tool| (group, tool)))
        .filter(|(_, tool)| tool.is_public())
}

/// The scopes with which a caller who is not a user can do anything, such as a tenant key.
pub fn scopes_without_user() -> Scopes {
    let tools = mcp_tools().filter(|(_, tool)| tool.actor == ActorRule::Anyone);
    let scopes: Vec<_> = tools.map(|(_, tool)| tool.scope).collect();
    Scopes::of(&scopes).and(Scopes::of(Scope::GRANTABLE))
}

/// The tool with this name.
pub fn find(name: &str) -> Option<&'static ToolDef> {
    tools().find(|tool| tool.name == name)
}
