//! Plays a sequence on both engines at once: the same calls at the same times with the same randomness
//! must get identical answers, including ids and times.
//!
//! Here the model only tracks the state, so that calls can refer to records. It does not check answers, so calls can
//! send strings that it does not understand.

use serde_json::{Value, json};

use super::calls::Call;
use super::contract::{self, Field, FieldType, STATUSES};
use super::edge_cases;
use super::initial_state::{Copy, InitialState};
use super::process::{Answer, End, Process, Request, Task};
use super::rng::Rng;
use super::state::{Checked, Fresh, Tenant};
use super::steps::{self, Step};

/// Number of recent unusual strings whose parts are searched for.
const RECENT: usize = 64;

pub(super) struct Engines {
    /// One process for each engine.
    processes: [Process; 2],
    /// Number of times that the processes were started.
    starts: u64,
    databases: [Copy; 2],
    model: Vec<Tenant>,
    now: i64,
    /// The latest time that the clock has shown.
    latest: i64,
    /// The calls with an idempotency key, and their times.
    keyed: Vec<(Call, i64)>,
    /// The unusual strings that were accepted most recently.
    recent: Vec<String>,
    /// The calls so far, for the failure message.
    pub(super) transcript: Vec<String>,
}

impl Engines {
    pub(super) fn new(initial_states: &[InitialState; 2]) -> Self {
        let [one, other] = initial_states;
        assert_eq!(one.tenants, other.tenants, "both engines must start alike");
        assert_eq!(one.now, other.now, "both engines must start alike");
        let databases = [one.copy(), other.copy()];
        Self {
            processes: [0, 1].map(|index| Process::start(&databases[index].url, 0)),
            starts: 1,
            databases,
            model: one.tenants.clone(),
            now: one.now,
            latest: one.now,
            keyed: Vec::new(),
            recent: Vec::new(),
            transcript: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, rng: &mut Rng) -> Checked {
        let tenants: Vec<_> = self.model.iter().collect();
        match steps::step(rng, &tenants, &self.keyed, self.now) {
            Step::Advance(milliseconds) => self.advance(milliseconds),
            Step::Sweep => {
                self.transcript.push("a sweep".to_owned());
                self.request_both(Task::Sweep)?.map_err(|error| error.to_string())?;
                self.model.iter_mut().for_each(|tenant| tenant.sweep(self.now));
            }
            Step::Restart(_, end) => self.restart(end),
            Step::Call(call, wait) => {
                if wait != 0 {
                    self.advance(wait);
                }
                self.call(call, rng)?;
            }
            // No concurrency here: each engine may order concurrent calls differently.
            Step::Pair([one, other]) => {
                self.call(one, rng)?;
                self.call(other, rng)?;
            }
        }
        if rng.roll(2) == 0 { self.search(rng) } else { Ok(()) }
    }

    fn advance(&mut self, milliseconds: i64) {
        let before = self.now;
        self.now = steps::move_clock(before, milliseconds, &mut self.latest);
        self.transcript.push(format!("the clock moves by {} ms", self.now - before));
    }

    fn restart(&mut self, end: End) {
        self.transcript.push(format!("{end:?} and started again"));
        for (process, database) in self.processes.iter_mut().zip(&self.databases) {
            process.end(end);
            *process = Process::start(&database.url, self.starts);
        }
        self.starts += 1;
    }

    /// The answer of both engines, which must be equal.
    fn request_both(&mut self, task: Task) -> Checked<Answer> {
        let request = Request { now: self.now, task };
        for process in &mut self.processes {
            process.send(&request);
        }
        let [sqlite, postgres] = self.processes.each_mut().map(Process::receive);
        if sqlite != postgres {
            let shown = |answer: &Answer| match answer {
                Ok(answer) => answer.to_string(),
                Err(error) => format!("rejected: {error}"),
            };
            let (sqlite, postgres) = (shown(&sqlite), shown(&postgres));
            return Err(format!("SQLite answers\n  {sqlite}\nPostgreSQL\n  {postgres}"));
        }
        match &sqlite {
            Err(error) if error["kind"] == "internal" => Err(format!("both fail: {error}")),
            _ => Ok(sqlite),
        }
    }

    fn ask(
        &mut self,
        (tenant, caller): (usize, usize),
        tool: &str,
        arguments: &Value,
    ) -> Checked<Answer> {
        let credential = self.model[tenant].callers[caller].credential.clone();
        let arguments = arguments.to_string();
        self.request_both(Task::Call { credential, tool: tool.to_owned(), arguments })
    }

    fn call(&mut self, mut call: Call, rng: &mut Rng) -> Checked {
        let mut edge_cases = Vec::new();
        if rng.roll(2) == 0 {
            self.make_unusual(call.tool.fields, &mut call.arguments, &mut edge_cases, rng);
        }
        if call.arguments["idempotency_key"].is_string() {
            self.keyed.push((call.clone(), self.now));
        }
        self.record(&call);
        let found = self.walk(&call, rng)?;
        if found.is_ok() && !call.tool.is_read() {
            self.recent.extend(edge_cases);
            self.recent.drain(..self.recent.len().saturating_sub(RECENT));
        }
        let fresh = self.fresh(&call, &found)?;
        let mut next = self.model[call.tenant].clone();
        let expected = next.call(call.caller, call.tool, &call.arguments, &fresh, self.now);
        // The model may be wrong about unusual strings.
        if expected.is_ok() && found.is_ok() {
            self.model[call.tenant] = next;
        }
        Ok(())
    }

    fn record(&mut self, call: &Call) {
        let name = self.model[call.tenant].callers[call.caller].name;
        let tenant = ["acme", "beta"][call.tenant];
        self.transcript.push(format!("{tenant} {name}: {} {}", call.tool.name, call.arguments));
    }

    /// Calls the tool and, for a list, reads all following pages. Sometimes sends a damaged cursor.
    fn walk(&mut self, call: &Call, rng: &mut Rng) -> Checked<Answer> {
        let (who, tool) = ((call.tenant, call.caller), call.tool.name);
        let first = self.ask(who, tool, &call.arguments)?;
        let mut cursor = next(&first);
        while let (Some(next_page), true) = (&cursor, call.tool.is_paged()) {
            if rng.one_in(8) {
                self.ask(who, tool, &json!({ "cursor": format!("{next_page}e") }))?
                    .err()
                    .ok_or("a damaged cursor was accepted")?;
            }
            let mut arguments = json!({ "cursor": next_page, "limit": rng.roll(12) + 1 });
            if rng.one_in(8) {
                arguments["q"] = json!(edge_cases::text(rng));
            }
            cursor = next(&self.ask(who, tool, &arguments)?);
        }
        Ok(first)
    }

    /// The ids that a call created.
    fn fresh(&mut self, call: &Call, found: &Answer) -> Checked<Fresh> {
        let (Ok(answer), "create") = (found, call.tool.verb()) else { return Ok(Fresh::default()) };
        let mut fresh = Fresh { id: id(answer), ..Fresh::default() };
        if call.tool.name == "customers.create" {
            let full =
                self.call_as_operator(call.tenant, "customers.get", json!({ "id": fresh.id }))?;
            fresh.contact = id(&full["contacts"][0]);
            fresh.location = id(&full["locations"][0]);
        }
        Ok(fresh)
    }

    fn operator(&self, tenant: usize) -> (usize, usize) {
        (tenant, self.model[tenant].callers.len() - 1)
    }

    /// Calls a tool as the operator in a tenant.
    fn call_as_operator(&mut self, tenant: usize, tool: &str, arguments: Value) -> Checked<Value> {
        let answer = self.ask(self.operator(tenant), tool, &arguments)?;
        answer.map_err(|error| format!("{tool} was rejected: {error}"))
    }

    /// Replaces some strings with unusual strings, and adds these to `edge_cases`.
    fn make_unusual(
        &self,
        fields: &[Field],
        arguments: &mut Value,
        edge_cases: &mut Vec<String>,
        rng: &mut Rng,
    ) {
        for (name, field_type, _) in fields {
            let Some(value) = arguments.get_mut(*name).filter(|value| !value.is_null()) else {
                continue;
            };
            match field_type {
                FieldType::Nested(fields) => self.make_unusual(fields, value, edge_cases, rng),
                FieldType::Text(_) if rng.roll(2) == 0 => {
                    let text = edge_cases::text(rng);
                    *value = json!(text);
                    edge_cases.push(text);
                }
                FieldType::Search => *value = json!(self.query(rng)),
                _ => {}
            }
        }
    }

    /// A search query, usually a part of a stored string.
    fn query(&self, rng: &mut Rng) -> String {
        if self.recent.is_empty() || rng.roll(4) == 0 {
            return edge_cases::text(rng);
        }
        let index = rng.roll(self.recent.len());
        edge_cases::part(rng, &self.recent[index])
    }

    /// Searches for an unusual string.
    fn search(&mut self, rng: &mut Rng) -> Checked {
        let (tenant, caller) = self.operator(usize::from(rng.roll(4) == 0));
        let tool = contract::find(rng.pick::<&str>(&["customers.search", "notes.list"]));
        let arguments = json!({ "q": self.query(rng), "limit": rng.roll(10) + 1 });
        let call = Call { tenant, caller, tool, arguments };
        self.record(&call);
        self.walk(&call, rng).map(drop)
    }

    /// Compares everything that can be read.
    pub(super) fn compare_everything(&mut self) -> Checked {
        self.transcript.push("a comparison of everything".to_owned());
        for tenant in 0..self.model.len() {
            let mut customers = Vec::new();
            for status in STATUSES {
                let filter = json!({ "status": status, "limit": 100 });
                customers.extend(self.list(tenant, "customers.search", filter)?);
            }
            for customer in &customers {
                self.call_as_operator(tenant, "customers.get", json!({ "id": customer["id"] }))?;
                for list in ["contacts.list", "locations.list"] {
                    let archived = json!({ "customer_id": customer["id"], "archived": true });
                    self.call_as_operator(tenant, list, archived)?;
                }
            }
            for note in self.list(tenant, "notes.list", json!({ "limit": 100 }))? {
                self.call_as_operator(tenant, "notes.get", json!({ "id": note["id"] }))?;
            }
            self.call_as_operator(tenant, "tags.list", json!({}))?;
            self.list(tenant, "changes.list", json!({ "limit": 100 }))?;
            for text in self.recent.clone() {
                for tool in ["customers.search", "notes.list"] {
                    let who = self.operator(tenant);
                    // Both must reject a string without a word.
                    drop(self.ask(who, tool, &json!({ "q": text, "limit": 100 }))?);
                }
            }
        }
        Ok(())
    }

    /// Reads all rows of a list.
    fn list(&mut self, tenant: usize, tool: &str, mut arguments: Value) -> Checked<Vec<Value>> {
        let mut rows = Vec::new();
        loop {
            let page = self.call_as_operator(tenant, tool, arguments)?;
            rows.extend(page["rows"].as_array().into_iter().flatten().cloned());
            let Some(cursor) = page["nextCursor"].as_str() else { return Ok(rows) };
            arguments = json!({ "limit": 100, "cursor": cursor });
        }
    }
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap_or_default().to_owned()
}

/// The cursor of the page after this one.
fn next(page: &Answer) -> Option<String> {
    page.as_ref().ok()?["nextCursor"].as_str().map(str::to_owned)
}
