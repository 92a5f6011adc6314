//! `zoop history`: who changed what, newest first.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use crate::arguments::History;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::{self, Output};

/// Entries that one page of the tool can hold.
const PAGE: usize = 100;

/// Runs the command.
pub(crate) fn run(config: &Config, command: History, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(command.of.tenant);
    let most = usize::try_from(command.limit)?;
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor = Value::Null;
    while rows.len() < most {
        let limit = PAGE.min(most - rows.len());
        let page = json!({ "record": command.record, "cursor": cursor, "limit": limit });
        let mut page = operator.run(&about, "history.list", &page)?;
        if let Value::Array(entries) = page["rows"].take() {
            rows.extend(entries);
        }
        cursor = page["nextCursor"].take();
        if cursor.is_null() {
            break;
        }
    }
    let has_more = !cursor.is_null();
    output.answer(&json!({ "rows": rows }), || {
        let more = if has_more { "\n(there is more: raise --limit)" } else { "" };
        format!("{}{more}", text(&rows))
    })?;
    Ok(())
}

/// Every entry as a line, and under it each record with the fields that were changed.
fn text(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "(none)".to_owned();
    }
    let mut text = String::new();
    for entry in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", heading(entry));
        if entry["changes"].as_array().is_some_and(Vec::is_empty) {
            let _ = writeln!(text, "  (changed nothing)");
        }
        let mut record = String::new();
        for change in entry["changes"].as_array().into_iter().flatten() {
            let value = |key: &str| output::cell(&change[key]);
            let changed = format!("{} {}", value("record_type"), value("record_id"));
            if changed != record {
                let _ = writeln!(text, "  {changed}");
                record = changed;
            }
            let (field, old, new) = (value("field"), value("old"), value("new"));
            let _ = writeln!(text, "    {field}: {old} → {new}");
        }
    }
    text
}

/// When, what and who.
fn heading(entry: &Value) -> String {
    let value = |key: &str| output::cell(&entry[key]);
    let mut heading = format!("{}  {}  by {}", value("at"), value("tool"), value("actor_kind"));
    for (word, key) in [("", "user_id"), ("key ", "credential_id"), ("through ", "client")] {
        if !entry[key].is_null() {
            let _ = write!(heading, "  {word}{}", value(key));
        }
    }
    heading
}
