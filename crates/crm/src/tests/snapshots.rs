//! Every tool as clients see it, one file each: a change of the contract is a change of a file.

use serde_json::json;

use crate::catalog;
use crate::definition::Action;
use crate::tool::ActorRule;

#[test]
fn every_tool_is_as_it_was() {
    for tool in catalog::tools() {
        let shown = json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.about,
            "scope": tool.scope.name(),
            "needs a person": tool.actor == ActorRule::User,
            "effect": match tool.action {
                Action::Query { .. } => "reads".to_owned(),
                Action::Command { effect, .. } => format!("{effect:?}"),
            },
            "input": tool.input_schema(),
            "output": tool.output_schema(),
        });
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../../tests/snapshots" }, {
            insta::assert_json_snapshot!(tool.name, shown);
        });
    }
}
