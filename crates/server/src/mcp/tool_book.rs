//! The tools of the endpoint, by name, and their JSON.
//!
//! The JSON of a tool does not change while the server runs, so it is built once for each form of names. The answer to
//! `tools/list` joins the JSON of the tools that the caller may see.

use std::collections::HashMap;

use serde_json::json;
use zoop_crm::call::definition::ToolDef;
use zoop_crm::catalog;

use super::context::Admitted;
use super::view::{Names, View};

/// Every tool of the endpoint, in the order of the catalog.
pub(crate) struct ToolBook {
    listed: Vec<Listed>,
    /// Both names of every tool, mapped to its index in `listed`.
    indexes: HashMap<String, usize>,
    toolsets: Vec<&'static str>,
    /// The size of the JSON of all tools, so that the buffer for a list never has to grow.
    max_list_bytes: usize,
}

/// One tool of the endpoint.
pub(crate) struct Listed {
    /// The name of the tool's group.
    pub(crate) group: &'static str,
    pub(crate) tool: &'static ToolDef,
    dotted: String,
    underscored: String,
}

impl ToolBook {
    pub(crate) fn new() -> Self {
        let tools: Vec<_> = catalog::mcp_tools().collect();
        let mut toolsets: Vec<_> = tools.iter().map(|(group, _)| group.name).collect();
        toolsets.dedup();
        let mut indexes = HashMap::new();
        let mut listed = Vec::new();
        for (index, (group, tool)) in tools.iter().enumerate() {
            indexes.insert(tool.name.to_owned(), index);
            indexes.insert(tool.underscored(), index);
            let dotted = tool_json(tool);
            // Descriptions mention other tools, so those names are replaced too.
            let underscored = tools.iter().fold(dotted.clone(), |json, (_, other)| {
                json.replace(other.name, &other.underscored())
            });
            listed.push(Listed { group: group.name, tool, dotted, underscored });
        }
        // Dotted and underscored names have the same length.
        let max_list_bytes =
            listed.iter().map(|listed: &Listed| listed.dotted.len() + 1).sum::<usize>() + 1;
        Self { listed, indexes, toolsets, max_list_bytes }
    }

    /// The tool with this name, dotted or underscored.
    pub(crate) fn find(&self, name: &str) -> Option<&Listed> {
        self.indexes.get(name).and_then(|index| self.listed.get(*index))
    }

    /// The names of the groups that have tools here.
    pub(super) fn toolsets(&self) -> &[&'static str] {
        &self.toolsets
    }

    /// The JSON array of the tools that a caller sees in this view.
    pub(super) fn json(&self, view: &View, admitted: Admitted) -> String {
        let mut out = String::with_capacity(self.max_list_bytes);
        out.push('[');
        for listed in &self.listed {
            if !admitted.sees(listed.tool) || !view.shows(listed.group, listed.tool) {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(match view.names() {
                Names::Dotted => &listed.dotted,
                Names::Underscored => &listed.underscored,
            });
        }
        out.push(']');
        out
    }
}

/// A tool as `tools/list` shows it.
///
/// Source: MCP schema, `Tool` and `ToolAnnotations`.
fn tool_json(tool: &ToolDef) -> String {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.about,
        "inputSchema": tool.input_schema(),
        "outputSchema": tool.output_schema(),
        "annotations": {
            "readOnlyHint": tool.is_read_only(),
            "destructiveHint": tool.is_destructive(),
            "idempotentHint": tool.is_idempotent(),
            // A tool accesses only this business's records.
            "openWorldHint": false,
        },
    })
    .to_string()
}
