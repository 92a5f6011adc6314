//! The catalog of all tools. A new tool is added to its group's slice, a new group here.

use crate::definition::{Group, ToolDef};
use crate::tool::Doors;

/// The groups, in the order of every list and document.
pub static GROUPS: &[Group] = &[
    crate::customers::GROUP,
    crate::contacts::GROUP,
    crate::locations::GROUP,
    crate::tags::GROUP,
    crate::notes::GROUP,
    crate::subjects::GROUP,
    crate::history::GROUP,
    crate::tenants::GROUP,
    crate::users::GROUP,
    crate::invitations::GROUP,
    crate::keys::GROUP,
    crate::oauth::tools::GRANTS,
    crate::oauth::tools::CLIENTS,
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
        .filter(|(_, tool)| tool.doors == Doors::Everywhere)
}

/// The tool with this name.
pub fn find(name: &str) -> Option<&'static ToolDef> {
    tools().find(|tool| tool.name == name)
}
