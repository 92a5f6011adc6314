//! `zoop quote`: sets the lines of a quote from a file, as a person does on the quote's page.

use std::fs;
use std::io;

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use zoop_crm::business::quotes::tools::SetLines;
use zoop_crm::call::argument::Arguments;

use crate::arguments::Quote;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Quote, output: &mut Output<'_>) -> Result<()> {
    let Quote::Lines { quote, file, of } = command;
    let text = match file.as_os_str().to_str() {
        Some("-") => io::read_to_string(io::stdin()).context("cannot read the lines")?,
        _ => {
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?
        }
    };
    let mut lines: Map<String, Value> = serde_json::from_str(&text).context(
        "the file is not a JSON object: write one such as \
         {\"line_items\": [{\"description\": \"Pipe\", \"quantity\": 2, \"unit_price\": \"8.50\"}]}",
    )?;
    lines.insert("id".to_owned(), quote.into());
    let operator = Operator::open(config, Missing::Refuse)?;
    let answer =
        operator.command(&About::Tenant(of.tenant), Arguments::<SetLines>::from_json(lines))?;
    output.answer(&answer, || {
        let count = answer.line_items.len();
        let noun = if count == 1 { "line" } else { "lines" };
        let (number, total) = (answer.quote_number, &answer.total);
        format!("{number} has {count} {noun} and comes to {total} {}", answer.currency.code())
    })?;
    Ok(())
}
