//! Undoing everything: after a sequence, its changes are reverted, newest first. Then every record must be as it was
//! before the sequence, except for the time of its last change. What the sequence added must be gone or archived.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::play::Play;
use super::process::Task;
use super::state::Checked;

/// Records by their ids.
type Records = BTreeMap<String, Value>;

/// A tenant before a sequence.
pub(super) struct Before {
    records: Records,
    /// The id of the latest history entry.
    entry: String,
}

impl Play {
    /// Each tenant as it is now.
    pub(super) fn before(&mut self) -> Checked<Vec<Before>> {
        (0..self.possible.len())
            .map(|tenant| {
                let newest =
                    self.call_as_operator(tenant, "changes.list", json!({ "limit": 1 }))?;
                let entry = newest["rows"][0]["id"].as_str().unwrap_or_default().to_owned();
                Ok(Before { records: self.records(tenant)?, entry })
            })
            .collect()
    }

    /// Reverts everything since then, and compares the records.
    pub(super) fn undo_everything(&mut self, before: &[Before]) -> Checked {
        for (tenant, before) in before.iter().enumerate() {
            for entry in self.entries_after(tenant, &before.entry)? {
                self.revert(tenant, &entry)?;
            }
            let mut now = self.records(tenant)?;
            leave_out_added(&mut now, &before.records);
            let mut before = before.records.clone();
            for note in self.without_files.iter().filter_map(Value::as_str) {
                for records in [&mut now, &mut before] {
                    records.get_mut(note).map(|note| note["attachments"].take());
                }
            }
            for id in now.keys().chain(before.keys()) {
                let (now, before) = (now.get(id), before.get(id));
                if now != before {
                    return Err(format!(
                        "after undoing everything:\n  {now:?}\nbefore:\n  {before:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The entries after this one, newest first.
    fn entries_after(&mut self, tenant: usize, last: &str) -> Checked<Vec<Value>> {
        let rows = self.rows(tenant, "changes.list", json!({ "limit": 100 }))?;
        Ok(rows.into_iter().take_while(|row| row["id"] != last).collect())
    }

    /// Reverts an entry. Only what changed no record has nothing to revert.
    fn revert(&mut self, tenant: usize, entry: &Value) -> Checked {
        let credential = self.tenants()[tenant].callers[self.operator()].credential.clone();
        let arguments = json!({ "id": entry["id"] }).to_string();
        let task = Task::Call { credential, tool: "changes.revert".to_owned(), arguments };
        let process = self.transcript.len() % 2;
        self.transcript.push(format!("undo {} {}", entry["tool"], entry["id"]));
        let Err(error) = self.request(process, task) else { return Ok(()) };
        let fields = entry["changes"].as_array().expect("changes").iter();
        let mut fields = fields.filter(|change| change["field"] != "updated_at");
        match error["message"].as_str() {
            // Its content may be deleted by now.
            Some(message) if message.starts_with("A removed file can come back for a day") => {
                let of_note = |change: &&Value| change["record_type"] == "note";
                let note = entry["changes"].as_array().expect("changes").iter().find(of_note);
                self.without_files.extend(note.map(|change| change["record_id"].clone()));
                Ok(())
            }
            Some("There is nothing to undo.") if fields.next().is_none() => Ok(()),
            Some(message) if message.starts_with("Only changes of customers") => {
                let kinds = ["customer", "contact", "location", "tag", "note"];
                let is_ours =
                    |change: &Value| kinds.iter().any(|kind| change["record_type"] == *kind);
                if fields.any(is_ours) { Err(format!("{error}: {entry}")) } else { Ok(()) }
            }
            _ => Err(format!("{error}: {entry}")),
        }
    }

    /// All customers, contacts, locations, tags and notes, without the times of their last changes.
    fn records(&mut self, tenant: usize) -> Checked<Records> {
        let mut records = self.rows(tenant, "tags.list", json!({}))?;
        records.extend(self.rows(tenant, "notes.list", json!({ "limit": 100 }))?);
        for status in ["active", "inactive", "archived"] {
            let found = json!({ "status": status, "limit": 100 });
            for row in self.rows(tenant, "customers.search", found)? {
                let get = json!({ "id": row["id"] });
                let mut customer = self.call_as_operator(tenant, "customers.get", get)?;
                for part in ["contacts", "locations"] {
                    customer.as_object_mut().expect("a record").remove(part);
                    for archived in [false, true] {
                        let of = json!({ "customer_id": row["id"], "archived": archived });
                        records.extend(self.rows(tenant, &format!("{part}.list"), of)?);
                    }
                }
                records.push(customer);
            }
        }
        let by_id = records.into_iter().map(|mut record| {
            let fields = record.as_object_mut().expect("a record");
            fields.remove("updated_at");
            (record["id"].as_str().expect("an id").to_owned(), record)
        });
        Ok(by_id.collect())
    }

    /// The rows of all pages.
    fn rows(&mut self, tenant: usize, list: &str, mut arguments: Value) -> Checked<Vec<Value>> {
        let mut rows = Vec::new();
        loop {
            let page = self.call_as_operator(tenant, list, arguments.clone())?;
            rows.extend(page["rows"].as_array().ok_or("a list without rows")?.iter().cloned());
            if page["hasMore"] == false {
                return Ok(rows);
            }
            arguments["cursor"] = page["nextCursor"].clone();
        }
    }
}

/// Removes the archived records that were not there before, and the contacts and locations of such customers.
fn leave_out_added(now: &mut Records, before: &Records) {
    now.retain(|id, record| before.contains_key(id) || record["archived_at"].is_null());
    let left: Vec<_> = now.keys().cloned().collect();
    now.retain(|id, record| match record["customer_id"].as_str() {
        Some(customer) => before.contains_key(id) || left.iter().any(|id| id == customer),
        None => true,
    });
}
