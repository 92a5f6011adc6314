//! The comparison at the end of a sequence, and the invariants checked during it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::contract::{LOCATION_TYPES, STATUSES, SUBJECT_TYPES};
use super::play::Play;
use super::pools;
use super::state::{Checked, caseless};

impl Play {
    /// The tools in each tenant's history, oldest entry first.
    pub(super) fn history(&mut self) -> Checked<Vec<Vec<String>>> {
        (0..self.possible.len()).map(|tenant| self.history_tools(tenant)).collect()
    }

    fn history_tools(&mut self, tenant: usize) -> Checked<Vec<String>> {
        let mut tools = Vec::new();
        let mut arguments = json!({ "limit": 100 });
        loop {
            let page = self.call_as_operator(tenant, "changes.list", arguments)?;
            let rows = page["rows"].as_array().expect("rows");
            tools.extend(rows.iter().map(|row| row["tool"].as_str().expect("a tool").to_owned()));
            if page["hasMore"] == false {
                tools.reverse();
                return Ok(tools);
            }
            arguments = json!({ "limit": 100, "cursor": page["nextCursor"] });
        }
    }

    /// Compares everything that can be read. `before` is the history from before the sequence.
    pub(super) fn compare_everything(&mut self, before: &[Vec<String>]) -> Checked {
        let histories = self.history()?;
        for (tenant, (history, before)) in histories.iter().zip(before).enumerate() {
            self.keep(tenant, |state| {
                let before = before.iter().map(String::as_str);
                let expected: Vec<_> = before.chain(state.history.iter().copied()).collect();
                if *history == expected {
                    return Ok(());
                }
                Err(format!("the history is\n  {history:?}\nthe model's\n  {expected:?}"))
            })?;
        }
        for tenant in 0..self.possible.len() {
            self.compare_customers(tenant)?;
            self.compare_notes(tenant)?;
            self.ask(tenant, 0, "tags.list", json!({}))?;
        }
        Ok(())
    }

    fn compare_customers(&mut self, tenant: usize) -> Checked {
        let reader = self.operator();
        let customer_ids = |tenant: usize, play: &Self| -> Vec<Value> {
            play.tenants()[tenant]
                .customers
                .iter()
                .map(|customer| customer.own["id"].clone())
                .collect()
        };
        for id in customer_ids(tenant, self) {
            self.ask(tenant, reader, "customers.get", json!({ "id": id }))?;
            let duplicates = json!({ "customer_id": id, "limit": 100 });
            self.ask(tenant, reader, "customers.find_duplicates", duplicates)?;
            for list in ["contacts.list", "locations.list"] {
                let archived = json!({ "customer_id": id, "archived": true });
                self.ask(tenant, reader, list, archived)?;
            }
        }
        // The other tenant's customers must not be found.
        for id in customer_ids(1 - tenant, self) {
            self.ask(tenant, reader, "customers.get", json!({ "id": id }))?;
        }
        for status in STATUSES {
            self.ask(tenant, reader, "customers.search", json!({ "status": status, "limit": 3 }))?;
        }
        self.ask(tenant, reader, "customers.search", json!({}))?;
        for q in pools::SEARCHES {
            self.ask(tenant, reader, "customers.search", json!({ "q": q, "limit": 4 }))?;
        }
        for email in pools::EMAILS {
            self.ask(tenant, reader, "customers.search", json!({ "email": email }))?;
        }
        let tags: Vec<_> =
            self.tenants().into_iter().flat_map(|tenant| &tenant.tags).cloned().collect();
        for tag in tags {
            self.ask(tenant, reader, "customers.search", json!({ "tag": tag["id"] }))?;
        }
        Ok(())
    }

    fn compare_notes(&mut self, tenant: usize) -> Checked {
        let reader = self.operator();
        let notes: Vec<_> = self
            .tenants()
            .into_iter()
            .flat_map(|tenant| &tenant.notes)
            .map(|note| note.shown.clone())
            .collect();
        for note in &notes {
            // As the owner, the office, the tech and the operator: only the author of a draft may see it.
            for caller in [0, 1, 2, reader] {
                self.ask(tenant, caller, "notes.get", json!({ "id": note["id"] }))?;
            }
        }
        let subjects: BTreeSet<_> = notes
            .iter()
            .filter_map(|note| note["subject_id"].as_str().map(str::to_owned))
            .collect();
        let people: BTreeSet<_> = self
            .tenants()
            .into_iter()
            .flat_map(|tenant| &tenant.callers)
            .filter_map(|caller| caller.user.clone())
            .collect();
        let mut filters = vec![
            json!({}),
            json!({ "pinned": true }),
            json!({ "pinned": false, "limit": 2 }),
            json!({ "subject_type": "standalone", "limit": 3 }),
        ];
        filters.extend(SUBJECT_TYPES.iter().map(|kind| json!({ "subject_type": kind })));
        filters.extend(pools::NOTE_SEARCHES.iter().map(|q| json!({ "q": q, "limit": 2 })));
        filters.extend(subjects.iter().map(|id| json!({ "subject_id": id })));
        filters.extend(people.iter().map(|id| json!({ "created_by": id, "limit": 1 })));
        filters.extend(people.iter().map(|id| json!({ "created_by": id, "q": "gate" })));
        let times = notes.iter().map(|note| &note["created_at"]);
        filters.extend(times.clone().map(|at| json!({ "created_after": at })));
        filters.extend(times.map(|at| json!({ "created_before": at, "pinned": true })));
        for filter in filters {
            self.ask(tenant, reader, "notes.list", filter)?;
        }
        Ok(())
    }

    /// Checks the invariants of every state.
    pub(super) fn check_invariants(&mut self) -> Checked {
        for tenant in 0..self.possible.len() {
            let mut numbers = BTreeSet::new();
            for status in STATUSES {
                let filters = json!({ "status": status, "limit": 100 });
                let found = self.call_as_operator(tenant, "customers.search", filters)?;
                for row in found["rows"].as_array().expect("rows") {
                    let full =
                        self.call_as_operator(tenant, "customers.get", json!({ "id": row["id"] }))?;
                    let customers = &self.tenants()[tenant].customers;
                    if !customers.iter().any(|customer| customer.own["id"] == row["id"]) {
                        return Err(format!("a customer of another tenant: {row}"));
                    }
                    if !numbers.insert(full["customer_number"].to_string()) {
                        return Err(format!("a duplicate customer number: {full}"));
                    }
                    check_primaries(&full)?;
                }
            }
            let tags = self.call_as_operator(tenant, "tags.list", json!({}))?;
            let rows = tags["rows"].as_array().expect("rows");
            let names: BTreeSet<_> = rows.iter().map(|tag| caseless(&tag["name"])).collect();
            if names.len() != rows.len() {
                return Err(format!("a duplicate tag name: {tags}"));
            }
        }
        Ok(())
    }
}

/// Checks that exactly one contact is primary, and at most one location of each type.
fn check_primaries(full: &Value) -> Checked {
    let primaries = |list: &str| {
        let rows = full[list].as_array().expect("a list");
        rows.iter().filter(|row| row["is_primary"] == true).cloned().collect::<Vec<_>>()
    };
    if primaries("contacts").len() != 1 {
        return Err(format!("not exactly one primary contact: {full}"));
    }
    let locations = primaries("locations");
    let of_type =
        |kind: &&str| locations.iter().filter(|row| row["location_type"] == **kind).count();
    if LOCATION_TYPES.iter().any(|kind| of_type(kind) > 1) {
        return Err(format!("two primary locations of one type: {full}"));
    }
    Ok(())
}
