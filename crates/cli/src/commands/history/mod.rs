//! `zoop history`: who changed what, newest first.

mod text;

use anyhow::Result;
use serde_json::{Value, json};

use crate::arguments::History;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::Output;

/// Entries that one page of the tool can hold.
const PAGE: usize = 100;

/// Runs the command.
pub(crate) fn run(config: &Config, command: History, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(command.of.tenant);
    let record = match &command.record {
        Some(record) => Some(operator.any_named(&about, record)?.id),
        None => None,
    };
    let most = match command.limit {
        0 => usize::MAX,
        limit => usize::try_from(limit)?,
    };
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor = Value::Null;
    while rows.len() < most {
        let limit = PAGE.min(most - rows.len());
        let page = json!({ "record": record, "cursor": cursor, "limit": limit });
        let mut page = operator.run(&about, "history.list", &page)?;
        if let Value::Array(entries) = page["rows"].take() {
            rows.extend(entries);
        }
        cursor = page["nextCursor"].take();
        if cursor.is_null() {
            break;
        }
    }
    if output.is_json() {
        output.object(&json!({ "rows": rows }))?;
        return Ok(());
    }
    let more = if cursor.is_null() { "" } else { "\n(there is more: raise --limit)" };
    let names = text::Names::of(&operator, &about, &rows)?;
    output.text(&format!("{}{more}", text::entries(&rows, &names)))?;
    Ok(())
}
