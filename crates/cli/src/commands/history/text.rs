//! The history as text, with names instead of ids, and each new record on one line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};
use zoop_crm::arguments;
use zoop_crm::business::customers::FullCustomer;
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::business::tags::tools::ListTags;
use zoop_crm::call::context::Change;
use zoop_crm::call::history::HistoryEntry;
use zoop_crm::identity::keys::tools::ListKeys;
use zoop_crm::identity::users::tools::ListUsers;

use crate::operator::{About, Operator};
use crate::output::cell;
use crate::table::{terminal_width, to_the_minute, wrap};

/// The line width without a terminal.
const DEFAULT_WIDTH: usize = 100;
/// Fields that are not listed, because the heading already shows the record and the time.
const HIDDEN_FIELDS: &[&str] = &["id", "created_at", "updated_at"];

/// The name of each record, by its id.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// The names of the records that the entries mention.
    pub(super) fn of(operator: &Operator, about: &About, entries: &[HistoryEntry]) -> Result<Self> {
        let mut names = Self(BTreeMap::new());
        // The names of deleted records come from their entries.
        let changes = || entries.iter().flat_map(|entry| &entry.changes);
        for change in changes().filter(|change| change.field == "name") {
            let name = if change.new.is_null() { &change.old } else { &change.new };
            names.0.entry(change.record_id.to_string()).or_insert_with(|| cell(name));
        }
        let users = operator.all::<ListUsers>(about)?;
        names.add(users.into_iter().map(|user| (user.member.id.to_string(), user.member.name)));
        let keys = operator.all::<ListKeys>(about)?;
        names.add(keys.into_iter().map(|key| (key.id.to_string(), key.name)));
        let tags = operator.all::<ListTags>(about)?;
        names.add(tags.into_iter().map(|tag| (tag.id.to_string(), tag.name)));
        for id in changes().flat_map(customers) {
            if let Entry::Vacant(slot) = names.0.entry(id) {
                let which = arguments!(GetCustomer { id: slot.key() });
                // A customer that cannot be read is shown by its id.
                if let Ok(FullCustomer { customer, .. }) = operator.query(about, which) {
                    let (number, name) = (customer.customer_number, customer.display_name);
                    slot.insert(format!("{} {}", cell(&json!(number)), cell(&json!(name))));
                }
            }
        }
        Ok(names)
    }

    fn add(&mut self, named: impl Iterator<Item = (String, String)>) {
        self.0.extend(named.map(|(id, name)| (id, cell(&json!(name)))));
    }

    fn name(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| cell(&json!(id)))
    }

    /// A field's value; the name of the record replaces an id.
    fn value(&self, value: &Value) -> String {
        match value {
            Value::String(text) => self.name(text),
            other => cell(other),
        }
    }
}

/// The customers that a change mentions.
fn customers(change: &Change) -> Vec<String> {
    let mut ids = Vec::new();
    if change.record_type == "customer" {
        ids.push(change.record_id.to_string());
    }
    if change.field == "customer_id" {
        let ends = [&change.old, &change.new];
        ids.extend(ends.into_iter().filter_map(Value::as_str).map(str::to_owned));
    }
    ids
}

/// The entries as text: a line for each, followed by its records and their changed fields.
pub(super) fn entries(entries: &[HistoryEntry], names: &Names) -> String {
    if entries.is_empty() {
        return "(none)".to_owned();
    }
    let width = terminal_width().unwrap_or(DEFAULT_WIDTH);
    let mut lines = String::new();
    for entry in entries {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}", wrap(&heading(entry, names), width, "    "));
        if entry.changes.is_empty() {
            let _ = writeln!(lines, "  (changed nothing)");
        }
        for record in entry.changes.chunk_by(|a, b| a.record_id == b.record_id) {
            for line in record_lines(record, names) {
                let _ = writeln!(lines, "{}", wrap(&line, width, "      "));
            }
        }
        if let Some(more) = entry.more_changes {
            let _ = writeln!(lines, "  (and {more} more changes)");
        }
        if entry.can_revert {
            let _ = writeln!(lines, "  undo: {}", entry.id);
        }
    }
    lines
}

/// The line for an entry: when, which tool, by whom, from where and through which client.
fn heading(entry: &HistoryEntry, names: &Names) -> String {
    let actor = match (entry.user_id, entry.actor_kind.as_str()) {
        (Some(user), _) => names.name(&user.to_string()),
        (None, "tenant") => "the business".to_owned(),
        (None, "operator") => "the command line".to_owned(),
        (None, other) => cell(&json!(other)),
    };
    let (at, tool) = (to_the_minute(&json!(entry.at)), cell(&json!(entry.tool)));
    let mut heading = format!("{at}  {tool}  by {actor}");
    let key = entry.credential_id.and_then(|id| names.0.get(&id.to_string()));
    if let Some(key) = key {
        let _ = write!(heading, ", key {key}");
    }
    for (word, source) in [("from", &entry.address), ("through", &entry.client)] {
        if let Some(source) = source {
            let _ = write!(heading, ", {word} {}", cell(&json!(source)));
        }
    }
    heading
}

/// The changes to one record: a new or removed record is one line, otherwise each field is a line.
fn record_lines(changes: &[Change], names: &Names) -> Vec<String> {
    let Some(first) = changes.first() else { return Vec::new() };
    let record = names.name(&first.record_id.to_string());
    let record = format!("{} {record}", cell(&json!(first.record_type)));
    let id = changes.iter().find(|change| change.field == "id");
    let shown = changes.iter().filter(|change| !HIDDEN_FIELDS.contains(&change.field.as_str()));
    let field = |change: &Change| cell(&json!(change.field));
    let Some(id) = id else {
        let line = |change: &Change| {
            let (old, new) = (names.value(&change.old), names.value(&change.new));
            format!("    {}: {old} → {new}", field(change))
        };
        return std::iter::once(format!("  {record}")).chain(shown.map(line)).collect();
    };
    let is_new = id.old.is_null();
    let side = |change: &Change| if is_new { change.new.clone() } else { change.old.clone() };
    let values: Vec<String> = shown
        .map(|change| (change, side(change)))
        .filter(|(_, value)| !value.is_null())
        .map(|(change, value)| format!("{} {}", field(change), names.value(&value)))
        .collect();
    let mark = if is_new { '+' } else { '-' };
    vec![format!("  {mark} {record}: {}", values.join(", "))]
}
