//! Two concurrent calls, one in each process: their answers must be those of some sequential order
//! (linearizability, Herlihy and Wing 1990, for two calls).

use serde_json::{Value, json};

use super::calls::Call;
use super::play::{Play, compare};
use super::process::{Answer, Request};
use super::state::{Checked, Fresh, Tenant};

/// Maximum number of rows on a page.
const PAGE_SIZE: usize = 100;

/// Two concurrent calls and their results.
struct Executed {
    calls: [Call; 2],
    found: [Answer; 2],
    fresh: [Fresh; 2],
    /// The tools of the tenant's two newest history entries, newest first.
    entries: Vec<String>,
    now: i64,
}

impl Play {
    /// Runs the first call in `process` and the second call in the other process. Keeps the model states of every
    /// order that explains the answers.
    pub(super) fn pair(&mut self, mut calls: [Call; 2], process: usize) -> Checked {
        for call in calls.iter_mut().filter(|call| call.tool.is_paged()) {
            // Several pages would not be one atomic read.
            call.arguments["limit"] = json!(PAGE_SIZE);
        }
        let processes = [process, 1 - process];
        let [one, other] = [0, 1].map(|index| self.describe(&calls[index], processes[index]));
        self.transcript.push(format!("concurrently: {one}\n              {other}"));
        for (call, process) in calls.iter().zip(processes) {
            let task = self.task(call, call.tool.name, call.arguments.clone());
            self.processes[process].send(&Request { now: self.now, task });
        }
        let found = processes.map(|process| self.processes[process].receive().map(without_cursor));
        let fresh = [self.fresh(&calls[0], &found[0])?, self.fresh(&calls[1], &found[1])?];
        let tenant = calls[0].tenant;
        let entries = self.call_as_operator(tenant, "changes.list", json!({ "limit": 2 }))?;
        let entries = entries["rows"].as_array().expect("rows").iter();
        let entries = entries.filter_map(|row| row["tool"].as_str().map(str::to_owned)).collect();
        let executed = Executed { calls, found, fresh, entries, now: self.now };
        let mut reasons = Vec::new();
        let mut possible = Vec::new();
        for state in &self.possible[tenant] {
            for order in [[0, 1], [1, 0]] {
                let mut state = state.clone();
                match executed.check_in_order(order, &mut state) {
                    // Usually both orders give the same state.
                    Ok(()) if possible.contains(&state) => {}
                    Ok(()) => possible.push(state),
                    Err(reason) => reasons.push(reason),
                }
            }
        }
        if possible.is_empty() {
            let [one, other] = [&reasons[0], &reasons[1]];
            return Err(format!("in the order sent\n{one}\n\nin the other order\n{other}"));
        }
        self.possible[tenant] = possible;
        Ok(())
    }
}

impl Executed {
    fn check_in_order(&self, order: [usize; 2], model: &mut Tenant) -> Checked {
        for index in order {
            let (call, fresh) = (&self.calls[index], &self.fresh[index]);
            let expected = model.call(call.caller, call.tool, &call.arguments, fresh, self.now);
            compare(call.tool, &self.found[index], &expected.map(page))?;
        }
        model.check_order()?;
        let entries = model.history.iter().rev().zip(&self.entries);
        if entries.clone().any(|(expected, found)| expected != found) {
            return Err(format!("the newest history entries are {:?}", self.entries));
        }
        Ok(())
    }
}

/// The first page of a list.
fn page(mut list: Value) -> Value {
    if let Some(Value::Array(rows)) = list.get_mut("rows") {
        rows.truncate(PAGE_SIZE);
    }
    list
}

/// A page without the fields that say whether there is another page.
fn without_cursor(mut page: Value) -> Value {
    if let Some(page) = page.as_object_mut() {
        page.remove("nextCursor");
        page.remove("hasMore");
    }
    page
}
