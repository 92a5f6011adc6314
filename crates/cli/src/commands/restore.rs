//! `zoop restore`: brings an archived record back.

use anyhow::Result;
use serde_json::json;

use crate::arguments::Restore;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Restore, output: &mut Output<'_>) -> Result<()> {
    let Restore { kind, id, of } = command;
    let operator = Operator::open(config, Missing::Refuse)?;
    let tool = format!("{kind}s.restore");
    let answer = operator.run(&About::Tenant(of.tenant), &tool, &json!({ "id": id }))?;
    output.answer(&answer, || format!("restored the {kind} {id}"))?;
    Ok(())
}
