//! `zoop undo`: reverts one entry of the history.

use anyhow::Result;
use zoop_crm::arguments;
use zoop_crm::business::history::revert::RevertChanges;

use crate::arguments::Undo;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Undo, output: &mut Output<'_>) -> Result<()> {
    let Undo { entry, dry_run, of } = command;
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(of.tenant);
    let arguments = arguments!(RevertChanges { id: entry }).with("dry_run", dry_run);
    let answer = operator.command(&about, arguments)?;
    output.answer(&answer, || {
        let mut lines = answer.steps.clone();
        lines.extend(answer.more_steps.map(|more| format!("(and {more} more steps)")));
        let heading = if answer.reverted { "undone:" } else { "this would be done:" };
        format!("{heading}\n  {}", lines.join("\n  "))
    })?;
    Ok(())
}
