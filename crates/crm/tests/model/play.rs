//! Plays a sequence against two processes of the product and a model, and compares their answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::calls::Call;
use super::contract::{self, Tool};
use super::duplicates::are_found;
use super::initial_state::{Copy, InitialState};
use super::process::{Answer, End, Process, Request, Task};
use super::rng::Rng;
use super::state::{Caller, Checked, Fresh, Predicted, Refusal, Tenant, milliseconds};
use super::steps::{self, Step};

/// The number of characters of the plan of a merge.
const PLAN_LENGTH: usize = 32;

pub(super) struct Play {
    pub(super) processes: [Process; 2],
    /// Number of processes that were started so far.
    started: u64,
    database: Copy,
    /// The possible states of each tenant. There is one state, unless the answers do not show which of two concurrent
    /// calls was first.
    pub(super) possible: Vec<Vec<Tenant>>,
    pub(super) now: i64,
    /// The latest time that the clock has shown.
    latest: i64,
    /// The calls with an idempotency key, and their times.
    keyed: Vec<(Call, i64)>,
    /// The calls so far, for the failure message.
    pub(super) transcript: Vec<String>,
    /// The notes whose removed files could not be brought back.
    pub(super) without_files: Vec<Value>,
}

impl Play {
    pub(super) fn new(initial: &InitialState) -> Self {
        let database = initial.copy();
        Self {
            processes: [0, 1].map(|seed| Process::start(&database.url, seed)),
            started: 2,
            database,
            possible: initial.tenants.iter().map(|tenant| vec![tenant.clone()]).collect(),
            now: initial.now,
            latest: initial.now,
            keyed: Vec::new(),
            transcript: Vec::new(),
            without_files: Vec::new(),
        }
    }

    /// The first possible state of each tenant.
    pub(super) fn tenants(&self) -> Vec<&Tenant> {
        self.possible.iter().map(|states| &states[0]).collect()
    }

    /// Applies `agrees` to each possible state of a tenant, and keeps the states that agree.
    pub(super) fn keep(
        &mut self,
        tenant: usize,
        mut agrees: impl FnMut(&mut Tenant) -> Checked,
    ) -> Checked {
        let mut reasons = Vec::new();
        let states = &mut self.possible[tenant];
        states.retain_mut(|state| agrees(state).map_err(|reason| reasons.push(reason)).is_ok());
        if states.is_empty() { Err(reasons.swap_remove(0)) } else { Ok(()) }
    }

    /// The index of the operator among the callers.
    pub(super) fn operator(&self) -> usize {
        self.tenants()[0].callers.len() - 1
    }

    pub(super) fn step(&mut self, rng: &mut Rng) -> Checked {
        match steps::step(rng, &self.tenants(), &self.keyed, self.now) {
            Step::Advance(milliseconds) => self.advance(milliseconds),
            Step::Sweep => {
                self.transcript.push("a sweep".to_owned());
                let process = rng.roll(2);
                self.request(process, Task::Sweep).map_err(|error| error.to_string())?;
                self.possible.iter_mut().flatten().for_each(|tenant| tenant.sweep(self.now));
            }
            Step::Restart(processes, end) => self.restart(processes, end),
            Step::Call(call, wait) => {
                if wait != 0 {
                    self.advance(wait);
                }
                self.record_keyed(&call);
                self.call(&call, rng)?;
            }
            Step::Pair(calls) => {
                for call in &calls {
                    self.record_keyed(call);
                }
                self.pair(calls, rng.roll(2))?;
            }
        }
        Ok(())
    }

    fn record_keyed(&mut self, call: &Call) {
        if call.arguments["idempotency_key"].is_string() {
            self.keyed.push((call.clone(), self.now));
        }
    }

    fn advance(&mut self, milliseconds: i64) {
        let before = self.now;
        self.now = steps::move_clock(before, milliseconds, &mut self.latest);
        self.transcript.push(format!("the clock moves by {} ms", self.now - before));
    }

    /// Restarts these processes. Ends all of them before it starts any.
    fn restart(&mut self, processes: &[usize], end: End) {
        self.transcript.push(format!("{end:?} and started again: {processes:?}"));
        for process in processes {
            self.processes[*process].end(end);
        }
        for process in processes {
            self.processes[*process] = Process::start(&self.database.url, self.started);
            self.started += 1;
        }
    }

    /// Stops all processes gracefully, like a server.
    pub(super) fn stop(&mut self) {
        self.processes.iter_mut().for_each(|process| process.end(End::Stopped));
    }

    /// Makes an extra call whose answer is compared like any other.
    pub(super) fn ask(
        &mut self,
        tenant: usize,
        caller: usize,
        tool: &str,
        arguments: Value,
    ) -> Checked {
        let call = Call { tenant, caller, tool: contract::find(tool), arguments };
        let seed = u64::try_from(self.transcript.len()).expect("a number");
        let checked = self.call(&call, &mut Rng::new(seed, u8::MAX));
        // A successful extra call does not contribute to a later failure.
        if checked.is_ok() {
            self.transcript.pop();
        }
        checked
    }

    /// A call as the transcript shows it.
    pub(super) fn describe(&self, call: &Call, process: usize) -> String {
        let name = self.caller(call).name;
        let tenant = ["acme", "beta"][call.tenant];
        format!("process {process}, {tenant} {name}: {} {}", call.tool.name, call.arguments)
    }

    fn call(&mut self, call: &Call, rng: &mut Rng) -> Checked {
        let process = rng.roll(2);
        self.transcript.push(self.describe(call, process));
        let mut found = self.call_product(process, call, call.tool.name, call.arguments.clone());
        if let (Ok(page), true) = (&found, call.tool.is_paged()) {
            found = Ok(self.pages(call, page.clone(), rng)?);
        }
        let fresh = self.fresh(call, &found)?;
        let now = self.now;
        self.keep(call.tenant, |tenant| {
            let expected = tenant.call(call.caller, call.tool, &call.arguments, &fresh, now);
            compare(call.tool, &found, &expected)?;
            if call.tool.verb() == "create" { tenant.check_order() } else { Ok(()) }
        })
    }

    pub(super) fn request(&mut self, process: usize, task: Task) -> Answer {
        let process = &mut self.processes[process];
        process.send(&Request { now: self.now, task });
        process.receive()
    }

    /// The task that makes a process run a call.
    pub(super) fn task(&self, call: &Call, tool: &str, arguments: Value) -> Task {
        let credential = self.caller(call).credential.clone();
        Task::Call { credential, tool: tool.to_owned(), arguments: arguments.to_string() }
    }

    fn caller(&self, call: &Call) -> &Caller {
        &self.tenants()[call.tenant].callers[call.caller]
    }

    fn call_product(
        &mut self,
        process: usize,
        call: &Call,
        tool: &str,
        arguments: Value,
    ) -> Answer {
        let task = self.task(call, tool, arguments);
        self.request(process, task)
    }

    /// Calls a tool as the operator in a tenant.
    pub(super) fn call_as_operator(
        &mut self,
        tenant: usize,
        tool: &str,
        arguments: Value,
    ) -> Checked<Value> {
        let credential = self.tenants()[tenant].callers[self.operator()].credential.clone();
        let arguments = arguments.to_string();
        let task = Task::Call { credential, tool: tool.to_owned(), arguments };
        let process = self.transcript.len() % 2;
        self.request(process, task).map_err(|error| format!("{tool} was rejected: {error}"))
    }

    /// The ids that a call created.
    pub(super) fn fresh(&mut self, call: &Call, found: &Answer) -> Checked<Fresh> {
        if let (Ok(answer), "customers.merge") = (found, call.tool.name) {
            let plan = answer["plan"].clone();
            if plan.as_str().is_some_and(|plan| plan.len() != PLAN_LENGTH) {
                return Err(format!("{plan} is not in the contract's format"));
            }
            return Ok(Fresh { plan, ..Fresh::default() });
        }
        let (Ok(answer), "create") = (found, call.tool.verb()) else { return Ok(Fresh::default()) };
        let id = answer["id"].as_str().ok_or("an answer without an id")?.to_owned();
        let uuid: zoop_db::Uuid = id.parse().map_err(|_| format!("{id} is not a UUID"))?;
        if uuid.get_version_num() != 7 || uuid.to_string() != id {
            return Err(format!("{id} is not in the contract's format"));
        }
        let in_id = i64::try_from(uuid.as_u128() >> 80).expect("48 bits");
        if let Some(created) = answer.get("created_at")
            && milliseconds(created) != in_id
        {
            return Err(format!("{created} is not the time in {id}"));
        }
        let mut fresh = Fresh { id, ..Fresh::default() };
        if call.tool.name == "customers.create" {
            let full =
                self.call_as_operator(call.tenant, "customers.get", json!({ "id": fresh.id }))?;
            let first = |list: &str| full[list][0]["id"].as_str().unwrap_or_default().to_owned();
            (fresh.contact, fresh.location) = (first("contacts"), first("locations"));
        }
        Ok(fresh)
    }

    /// Reads a list to its end, each page in a random process and with a random size. Returns all rows, as if on one
    /// page.
    fn pages(&mut self, call: &Call, mut page: Value, rng: &mut Rng) -> Checked<Value> {
        let default = call.tool.default_page_size().unwrap_or_default();
        let mut limit = call.arguments["limit"].as_u64().unwrap_or(default);
        let mut rows = Vec::new();
        loop {
            let found = page["rows"].as_array().ok_or("a list without rows")?.clone();
            let count = found.len() as u64;
            rows.extend(found);
            let Some(cursor) = page["nextCursor"].as_str() else {
                let is_last = page["hasMore"] == false && count <= limit;
                return if is_last { Ok(json!({ "rows": rows })) } else { Err(page.to_string()) };
            };
            // These rows are small, so only the limit can end a page.
            if page["hasMore"] != true || count != limit {
                return Err(format!("a page of {count} rows for limit {limit}: {page}"));
            }
            let cursor = cursor.to_owned();
            self.try_invalid_cursors(call, &cursor, rng)?;
            let mut next = if rng.one_in(3) { call.arguments.clone() } else { json!({}) };
            next["cursor"] = json!(cursor);
            limit = rng.roll(12) as u64 + 1;
            next["limit"] = json!(limit);
            page = self
                .call_product(rng.roll(2), call, call.tool.name, next)
                .map_err(|error| format!("the next page was rejected: {error}"))?;
        }
    }

    /// Sometimes sends an invalid cursor: a cursor is valid only for its list, its tenant and its filters.
    fn try_invalid_cursors(&mut self, call: &Call, cursor: &str, rng: &mut Rng) -> Checked {
        let notes = call.tool.name == "notes.list";
        let other_tool = if notes { "customers.search" } else { "notes.list" };
        let elsewhere = Call { tenant: 1 - call.tenant, caller: self.operator(), ..call.clone() };
        let here = Call { caller: self.operator(), ..call.clone() };
        let (filter, value) =
            if notes { ("created_before", "1999-01-01T00:00:00Z") } else { ("q", "another query") };
        let damaged = format!("{cursor}e");
        let (call, tool, arguments, field) = match rng.roll(8) {
            0 => (&elsewhere, call.tool, json!({ "cursor": cursor }), "cursor"),
            1 => (&here, contract::find(other_tool), json!({ "cursor": cursor }), "cursor"),
            2 => (&here, call.tool, json!({ "cursor": damaged }), "cursor"),
            3 => (&here, call.tool, json!({ "cursor": cursor, filter: value }), filter),
            _ => return Ok(()),
        };
        let refused = super::state::invalid_field(field);
        compare(tool, &self.call_product(rng.roll(2), call, tool.name, arguments), &Err(refused))
    }
}

pub(super) fn compare(tool: &Tool, found: &Answer, expected: &Predicted) -> Checked {
    match (found, expected) {
        (Ok(found), Ok(expected)) => {
            if is_same(found, expected) {
                return Ok(());
            }
            Err(format!("the product answers\n  {found}\nthe model\n  {expected}"))
        }
        (Err(error), Err(refusal)) => compare_refusals(tool, error, refusal),
        (Ok(found), Err(refusal)) => {
            Err(format!("the product answers\n  {found}\nthe model rejects: {refusal:?}"))
        }
        (Err(error), Ok(expected)) => {
            Err(format!("the product rejects: {error}\nthe model answers\n  {expected}"))
        }
    }
}

fn compare_refusals(tool: &Tool, error: &Value, refusal: &Refusal) -> Checked {
    let named = error["fields"].as_array().into_iter().flatten();
    let fields: BTreeSet<_> =
        named.filter_map(|field| field["field"].as_str()).map(str::to_owned).collect();
    let is_same = error["kind"] == refusal.kind
        && refusal.fields.as_ref().is_none_or(|expected| *expected == fields)
        && error.get("retry_after_s").and_then(Value::as_u64) == refusal.retry_after_s
        && (refusal.kind != "insufficient_scope" || error["required"] == json!([tool.scope]));
    if is_same {
        Ok(())
    } else {
        Err(format!("the product rejects: {error}\nthe model rejects: {refusal:?}"))
    }
}

/// Whether two answers are the same. Possible duplicates are only a hint: the contract does not order them, and the
/// product lists at most five.
/// Which similar rows a search offers is not modelled, only which rows they may be.
fn is_same(found: &Value, expected: &Value) -> bool {
    const MAX_SIMILAR: usize = 10;
    const MAX_DUPLICATES: usize = 5;
    const HINT: &str = "possible_duplicates";
    const LIKELY: &str = "likely_duplicates";
    if let Some(duplicates) = expected["duplicates"].as_array() {
        return are_found(found, duplicates);
    }
    if let (Some(similar), Some(rows)) = (expected["similar"].as_array(), found["rows"].as_array())
    {
        let is_known = |row: &Value| similar.contains(row);
        return rows.len() <= MAX_SIMILAR && rows.iter().all(is_known);
    }
    let (Some(Value::Array(hint)), Some(Value::Array(known))) =
        (found.get(HINT), expected.get(HINT))
    else {
        return found == expected;
    };
    let without = |answer: &Value| {
        let mut answer = answer.clone();
        answer[HINT] = Value::Null;
        answer.as_object_mut().expect("an object").remove(LIKELY);
        answer
    };
    // Those with the same phone or e-mail address come first, all of them; which others come is only bounded.
    let (known_first, others) = hint.split_at(hint.len().min(known.len().min(MAX_DUPLICATES)));
    known_first.len() == known.len().min(MAX_DUPLICATES)
        && hint.len() <= MAX_DUPLICATES
        && known_first.iter().all(|one| known.contains(one))
        && others.iter().all(|one| expected[LIKELY].as_array().is_some_and(|it| it.contains(one)))
        && without(found) == without(expected)
}
