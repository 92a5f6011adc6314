//! `tables/changes.csv`: the history, a row for each field that changed.

use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

use super::{Clock, any};
use crate::business::history::whole;
use crate::call::context::Change;
use crate::call::error::Result;
use crate::call::history::HistoryEntry;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const FILE: &str = "tables/changes.csv";
pub(super) const COLUMNS: &[&str] = &[
    "When",
    "Who",
    "Kind of actor",
    "Program",
    "API key",
    "What",
    "Kind of record",
    "Record id",
    "Field",
    "Before",
    "After",
    "Address",
    "Change id",
];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut before = Uuid::max();
        loop {
            let page = whole::page(tx, before, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            before = last.id.uuid();
            for entry in &page {
                if entry.changes.is_empty() {
                    sheet.row(cells(entry, None, clock).iter().map(String::as_str))?;
                }
                for change in &entry.changes {
                    sheet.row(cells(entry, Some(change), clock).iter().map(String::as_str))?;
                }
            }
        }
    })
}

fn cells(entry: &HistoryEntry, change: Option<&Change>, clock: &Clock) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| any(text.as_ref()).to_owned();
    let of_change = |read: fn(&Change) -> String| change.map(read).unwrap_or_default();
    [
        clock.show(entry.at),
        text(&entry.user_name),
        entry.actor_kind.clone(),
        text(&entry.client),
        text(&entry.key_name),
        entry.tool.clone(),
        of_change(|change| change.record_type.clone().into_owned()),
        of_change(|change| change.record_id.to_string()),
        of_change(|change| change.field.clone()),
        of_change(|change| cell(&change.old)),
        of_change(|change| cell(&change.new)),
        text(&entry.address),
        entry.id.to_string(),
    ]
}

/// A value of the history: text as it is, other values as JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
