//! `zoop restore`: brings an archived record back.

use anyhow::Result;
use serde_json::json;

use crate::arguments::Restore;
use crate::config::Config;
use crate::database::Missing;
use crate::names::{Kind, Named};
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Restore, output: &mut Output<'_>) -> Result<()> {
    let Restore { kind, record, of } = command;
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(of.tenant);
    // The others have no names: a customer's contacts and locations are told apart by their ids.
    let record = match kind.as_str() {
        "customer" => operator.named(&about, Kind::ArchivedCustomer, &record)?,
        _ => Named { id: record.clone(), shown: record },
    };
    let tool = format!("{kind}s.restore");
    let answer = operator.run(&about, &tool, &json!({ "id": record.id }))?;
    output.answer(&answer, || format!("restored the {kind} {}", record.shown))?;
    Ok(())
}
