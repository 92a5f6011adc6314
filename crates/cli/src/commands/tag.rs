//! `zoop tag`: tags of customers. Making tags is the work of the tools `tags.*`.

use anyhow::Result;
use serde_json::json;

use crate::arguments::Tag;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Tag, output: &mut Output<'_>) -> Result<()> {
    let (tool, done, assignment) = match command {
        Tag::Attach(assignment) => ("tags.attach", "has the tag now", assignment),
        Tag::Detach(assignment) => ("tags.detach", "is without the tag now", assignment),
    };
    let operator = Operator::open(config, Missing::Refuse)?;
    let which = json!({ "id": assignment.tag_id, "customer_id": assignment.customer_id });
    let answer = operator.run(&About::Tenant(assignment.of.tenant), tool, &which)?;
    output.answer(&answer, || format!("customer {} {done}", assignment.customer_id))?;
    Ok(())
}
