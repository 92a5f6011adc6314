//! Two calls at once, one in each process: what they answer must be what they answer one after the
//! other, in one order or the other (linearisability, Herlihy and Wing 1990, of two calls).

use serde_json::{Value, json};

use super::calls::Call;
use super::play::{Play, compare};
use super::process::{Answer, Request};
use super::state::{Checked, Fresh, Tenant};

/// Rows of a page at most.
const PAGE: usize = 100;

/// What is known of two calls that ran at once.
struct Ran {
    calls: [Call; 2],
    found: [Answer; 2],
    fresh: [Fresh; 2],
    /// The tools of the tenant's newest two entries of history, the newest first.
    entries: Vec<String>,
    now: i64,
}

impl Play {
    /// Runs the first call in `process` and the second in the other, and takes over the order that
    /// explains what they answered, or both.
    pub(super) fn pair(&mut self, mut calls: [Call; 2], process: usize) -> Checked {
        for call in calls.iter_mut().filter(|call| call.tool.is_paged()) {
            // A walk through pages is no single moment.
            call.arguments["limit"] = json!(PAGE);
        }
        let processes = [process, 1 - process];
        let [one, other] = [0, 1].map(|place| self.written(&calls[place], processes[place]));
        self.transcript.push(format!("at once: {one}\n         {other}"));
        for (call, process) in calls.iter().zip(processes) {
            let asked = self.asked(call, call.tool.name, call.arguments.clone());
            self.processes[process].send(&Request { now: self.now, asked });
        }
        let found = processes.map(|process| self.processes[process].receive().map(without_cursor));
        let fresh = [self.fresh(&calls[0], &found[0])?, self.fresh(&calls[1], &found[1])?];
        let tenant = calls[0].tenant;
        let entries = self.operate(tenant, "history.list", json!({ "limit": 2 }))?;
        let entries = entries["rows"].as_array().expect("rows").iter();
        let entries = entries.filter_map(|row| row["tool"].as_str().map(str::to_owned)).collect();
        let ran = Ran { calls, found, fresh, entries, now: self.now };
        let mut reasons = Vec::new();
        let mut possible = Vec::new();
        for state in &self.possible[tenant] {
            for order in [[0, 1], [1, 0]] {
                let mut state = state.clone();
                match ran.explained_by(order, &mut state) {
                    // Mostly it is all the same which was first.
                    Ok(()) if possible.contains(&state) => {}
                    Ok(()) => possible.push(state),
                    Err(reason) => reasons.push(reason),
                }
            }
        }
        if possible.is_empty() {
            let [one, other] = [&reasons[0], &reasons[1]];
            return Err(format!("in the order of sending\n{one}\n\nin the other order\n{other}"));
        }
        self.possible[tenant] = possible;
        Ok(())
    }
}

impl Ran {
    fn explained_by(&self, order: [usize; 2], model: &mut Tenant) -> Checked {
        for place in order {
            let (call, fresh) = (&self.calls[place], &self.fresh[place]);
            let expected = model.call(call.caller, call.tool, &call.arguments, fresh, self.now);
            compare(call.tool, &self.found[place], &expected.map(page))?;
        }
        model.check_order()?;
        let entries = model.history.iter().rev().zip(&self.entries);
        if entries.clone().any(|(expected, found)| expected != found) {
            return Err(format!("the newest history is {:?}", self.entries));
        }
        Ok(())
    }
}

/// The first page of a list.
fn page(mut list: Value) -> Value {
    if let Some(Value::Array(rows)) = list.get_mut("rows") {
        rows.truncate(PAGE);
    }
    list
}

/// A page as if it were the only one.
fn without_cursor(mut page: Value) -> Value {
    if let Some(page) = page.as_object_mut() {
        page.remove("nextCursor");
        page.remove("hasMore");
    }
    page
}
