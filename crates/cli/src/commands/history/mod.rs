//! `zoop history`: who changed what, newest first.

mod text;

use anyhow::Result;
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::business::history::tools::ListChanges;

use crate::arguments::History;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::Output;

/// The maximum number of entries in one page of the tool.
const MAX_PAGE_ROWS: u32 = 100;

/// Runs the command.
pub(crate) fn run(config: &Config, command: History, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(command.of.tenant);
    let record = match &command.record {
        Some(record) => Some(operator.find_any(&about, record)?.id),
        None => None,
    };
    let max_entries = match command.limit {
        0 => usize::MAX,
        limit => usize::try_from(limit)?,
    };
    let mut rows = Vec::new();
    let mut cursor = None;
    while rows.len() < max_entries {
        let limit = u32::try_from(max_entries - rows.len())
            .map_or(MAX_PAGE_ROWS, |left| left.min(MAX_PAGE_ROWS));
        let arguments = arguments!(ListChanges { record_id: record.as_ref() }).page(cursor, limit);
        let page = operator.list(&about, arguments)?;
        rows.extend(page.rows);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if output.is_json() {
        output.object(&json!({ "rows": rows }))?;
        return Ok(());
    }
    let more = if cursor.is_none() { "" } else { "\n(there are more entries: raise --limit)" };
    let names = text::Names::of(&operator, &about, &rows)?;
    output.text(&format!("{}{more}", text::entries(&rows, &names)))?;
    Ok(())
}
