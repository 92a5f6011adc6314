//! `zoop grant`: the programs that people of a business have connected.

use anyhow::Result;
use serde_json::json;

use crate::arguments::Grant;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::{self, Output};

/// What the table shows.
const COLUMNS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("PROGRAM", "client_name"),
    ("OF", "user_name"),
    ("SCOPES", "scopes"),
    ("SINCE", "created_at"),
    ("LAST USED", "last_used_at"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: Grant, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    match command {
        Grant::List { of } => {
            let answer = operator.run(&About::Tenant(of.tenant), "grants.list", &json!({}))?;
            output.answer(&answer, || output::rows(&answer, COLUMNS))?;
        }
        Grant::Revoke { grant_id } => {
            // Its id alone says whose it is.
            let which = json!({ "id": grant_id });
            let answer = operator.run(&About::Installation, "grants.revoke", &which)?;
            output
                .answer(&answer, || format!("disconnected {grant_id}: it has stopped working"))?;
        }
    }
    Ok(())
}
