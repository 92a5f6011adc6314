//! `zoop tag`: tags of customers. Making tags is the work of the tools `tags.*`.

use anyhow::Result;
use serde_json::json;

use crate::arguments::Tag;
use crate::config::Config;
use crate::database::Missing;
use crate::names::Kind;
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Tag, output: &mut Output<'_>) -> Result<()> {
    let (tool, done, assignment) = match command {
        Tag::Attach(assignment) => ("tags.attach", "now has the tag", assignment),
        Tag::Detach(assignment) => ("tags.detach", "no longer has the tag", assignment),
    };
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(assignment.of.tenant);
    let tag = operator.named(&about, Kind::Tag, &assignment.tag)?;
    let customer = operator.named(&about, Kind::Customer, &assignment.customer)?;
    let which = json!({ "id": tag.id, "customer_id": customer.id });
    let answer = operator.run(&about, tool, &which)?;
    output.answer(&answer, || format!("{} {done} {}", customer.shown, tag.shown))?;
    Ok(())
}
