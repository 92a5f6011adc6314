//! The history as people read it: names in the place of ids, and a new record on one line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use crate::operator::{About, Operator};
use crate::output::cell;
use crate::table::{minute, terminal_width, wrapped};

/// How wide lines are where there is no terminal.
const WIDTH: usize = 100;
/// Fields of a new or removed record that its heading tells already.
const UNTOLD: &[&str] = &["id", "created_at", "updated_at"];

/// What ids are called.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// The names of all that entries mention and that has one.
    pub(super) fn of(operator: &Operator, about: &About, entries: &[Value]) -> Result<Self> {
        let mut names = Self(BTreeMap::new());
        // What is gone since is known by what its entries tell of it.
        let changes = || entries.iter().filter_map(|entry| entry["changes"].as_array()).flatten();
        for change in changes().filter(|change| change["field"] == "name") {
            let name = if change["new"].is_null() { &change["old"] } else { &change["new"] };
            names.0.entry(text(&change["record_id"])).or_insert_with(|| cell(name));
        }
        for tool in ["users.list", "keys.list", "tags.list"] {
            let list = operator.run(about, tool, &json!({}))?;
            for row in list["rows"].as_array().into_iter().flatten() {
                names.0.insert(text(&row["id"]), cell(&row["name"]));
            }
        }
        for id in changes().flat_map(customers) {
            if let Entry::Vacant(place) = names.0.entry(id) {
                let which = json!({ "id": place.key() });
                // One that cannot be read keeps its id.
                if let Ok(customer) = operator.run(about, "customers.get", &which) {
                    let (number, name) = (&customer["customer_number"], &customer["display_name"]);
                    place.insert(format!("{} {}", cell(number), cell(name)));
                }
            }
        }
        Ok(names)
    }

    fn name(&self, id: &Value) -> String {
        self.0.get(&text(id)).cloned().unwrap_or_else(|| cell(id))
    }

    /// A field's value; an id as what it is called.
    fn value(&self, value: &Value) -> String {
        match value {
            Value::String(_) => self.name(value),
            other => cell(other),
        }
    }
}

/// The customers that a change mentions.
fn customers(change: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    if change["record_type"] == "customer" {
        ids.push(text(&change["record_id"]));
    }
    if change["field"] == "customer_id" {
        ids.extend(
            [&change["old"], &change["new"]].into_iter().filter(|id| id.is_string()).map(text),
        );
    }
    ids
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Every entry as a line, and under it each record with the fields that were changed.
pub(super) fn entries(rows: &[Value], names: &Names) -> String {
    if rows.is_empty() {
        return "(none)".to_owned();
    }
    let width = terminal_width().unwrap_or(WIDTH);
    let mut lines = String::new();
    for entry in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}", wrapped(&heading(entry, names), width, "    "));
        let changes = entry["changes"].as_array().map_or(&[][..], Vec::as_slice);
        if changes.is_empty() {
            let _ = writeln!(lines, "  (changed nothing)");
        }
        for record in changes.chunk_by(|a, b| a["record_id"] == b["record_id"]) {
            for line in record_lines(record, names) {
                let _ = writeln!(lines, "{}", wrapped(&line, width, "      "));
            }
        }
    }
    lines
}

/// When, what, who, from where and through what.
fn heading(entry: &Value, names: &Names) -> String {
    let user = &entry["user_id"];
    let actor = match entry["actor_kind"].as_str() {
        _ if !user.is_null() => names.name(user),
        Some("tenant") => "the business".to_owned(),
        Some("operator") => "the command line".to_owned(),
        _ => cell(&entry["actor_kind"]),
    };
    let mut heading = format!("{}  {}  by {actor}", minute(&entry["at"]), cell(&entry["tool"]));
    let credential = &entry["credential_id"];
    if names.0.contains_key(&text(credential)) {
        let _ = write!(heading, ", key {}", names.name(credential));
    }
    for (word, key) in [("from", "address"), ("through", "client")] {
        if !entry[key].is_null() {
            let _ = write!(heading, ", {word} {}", cell(&entry[key]));
        }
    }
    heading
}

/// The changes of one record: a new or removed one on one line, others field by field.
fn record_lines(changes: &[Value], names: &Names) -> Vec<String> {
    let Some(first) = changes.first() else { return Vec::new() };
    let record = format!("{} {}", cell(&first["record_type"]), names.name(&first["record_id"]));
    let id = changes.iter().find(|change| change["field"] == "id");
    let told = changes.iter().filter(|change| !UNTOLD.iter().any(|it| change["field"] == *it));
    let (mark, side) = match id {
        Some(id) if id["old"].is_null() => ('+', "new"),
        Some(_) => ('-', "old"),
        None => {
            let field = |change: &Value| {
                let (old, new) = (names.value(&change["old"]), names.value(&change["new"]));
                format!("    {}: {old} → {new}", cell(&change["field"]))
            };
            let heading = std::iter::once(format!("  {record}"));
            return heading.chain(told.map(field)).collect();
        }
    };
    let values: Vec<String> = told
        .filter(|change| !change[side].is_null())
        .map(|change| format!("{} {}", cell(&change["field"]), names.value(&change[side])))
        .collect();
    vec![format!("  {mark} {record}: {}", values.join(", "))]
}
