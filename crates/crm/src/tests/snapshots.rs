//! Snapshots of the catalog and of every tool: what clients see, and the rules that calls must meet. Every change to
//! the API changes a snapshot.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use insta::with_settings;
use serde_json::json;

use crate::call::definition::{ToolDef, ToolKind};
use crate::call::tool::ActorRule;
use crate::catalog;

fn effect(tool: &ToolDef) -> String {
    match tool.kind {
        ToolKind::Query { .. } => "reads".to_owned(),
        ToolKind::Command { effect, .. } => format!("{effect:?}"),
    }
}

/// Most other tests take the tools from the catalog, so they do not notice if a tool is gone.
#[test]
fn the_catalog_matches_its_snapshot() {
    let mut list = String::new();
    for group in catalog::GROUPS {
        let _ = writeln!(list, "{}: {}", group.name, group.about);
        for tool in group.tools {
            let fields = tool.fields().into_iter();
            let fields: Vec<_> = fields
                .map(|field| format!("{}{}", field.name, if field.required { "*" } else { "" }))
                .collect();
            let _ = writeln!(
                list,
                "  {}: {} ({}, {:?}, {:?}, {})\n    {}",
                tool.name,
                tool.title,
                tool.scope.name(),
                tool.actor,
                tool.exposure,
                effect(tool),
                fields.join(" ")
            );
        }
    }
    with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../../tests/snapshots" }, {
        insta::assert_snapshot!("catalog", list);
    });
}

#[test]
fn every_tool_matches_its_snapshot() {
    for tool in catalog::tools() {
        let shown = json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.about,
            "scope": tool.scope.name(),
            "needs a person": tool.actor != ActorRule::Anyone,
            "effect": effect(tool),
            "input": tool.input_schema(),
            "output": tool.output_schema(),
        });
        with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../../tests/snapshots" }, {
            insta::assert_json_snapshot!(tool.name, shown);
        });
    }
}

#[test]
fn every_tool_has_a_snapshot_and_every_snapshot_has_a_tool() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let files = std::fs::read_dir(folder)
        .expect("the snapshots")
        .map(|file| file.expect("a snapshot").file_name().into_string().expect("UTF-8"));
    let found: BTreeSet<_> =
        files.filter_map(|name| Some(name.strip_suffix(".snap")?.to_owned())).collect();
    let tools = catalog::tools().map(|tool| tool.name).chain(["catalog"]);
    assert_eq!(found, tools.map(str::to_owned).collect());
}
