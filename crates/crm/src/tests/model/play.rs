//! Plays a sequence against the product and the model at once, and compares what they answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::calls::{self, Call, Step};
use super::contract::{self, OPERATE, Tool};
use super::dice::Dice;
use super::notes::WRITES_PER_MINUTE;
use super::state::{Caller, Fresh, Outcome, Refusal, Tenant, milliseconds};
use crate::access::{Access, Scope};
use crate::error::{Error, Result};
use crate::maintenance;
use crate::testing::{Business, World, told};

const EVERYTHING: &[&str] = &["read:customers", "write:customers", "read:notes", "write:notes"];

/// A disagreement, in words.
pub(super) type Checked<T = ()> = std::result::Result<T, String>;

pub(super) struct Play {
    pub(super) world: World,
    pub(super) accounts: Vec<Business>,
    accesses: Vec<Vec<Access>>,
    pub(super) tenants: Vec<Tenant>,
    now: i64,
    /// The calls that had an idempotency key, and when they were made.
    keyed: Vec<(Call, i64)>,
    /// What was called so far, for whoever reads a failure.
    pub(super) transcript: Vec<String>,
}

impl Play {
    pub(super) fn new() -> Self {
        let mut world = World::new();
        world.environment.note_writes_per_minute = WRITES_PER_MINUTE;
        let accounts: Vec<_> = ["Acme", "Beta"].map(|name| world.empty_business(name)).into();
        let (mut accesses, mut tenants) = (Vec::new(), Vec::new());
        for business in &accounts {
            let (access, callers) = people(&world, business);
            accesses.push(access);
            tenants.push(Tenant { callers, ..Tenant::default() });
        }
        let now = world.environment.clock.now().0 / 1_000;
        let (keyed, transcript) = (Vec::new(), Vec::new());
        Self { world, accounts, accesses, tenants, now, keyed, transcript }
    }

    /// The place of the caller of whom the contract asks nothing.
    pub(super) fn operator(&self) -> usize {
        self.tenants[0].callers.len() - 1
    }

    pub(super) fn step(&mut self, dice: &mut Dice) -> Checked {
        match calls::step(dice, &self.tenants, &self.keyed, self.now) {
            Step::Advance(milliseconds) => self.advance(milliseconds),
            Step::Sweep => {
                self.transcript.push("what is out of date is swept".to_owned());
                let environment = self.world.environment.clone();
                self.world
                    .write(move |tx| maintenance::sweep(tx, &environment))
                    .map_err(|error| format!("{error:?}"))?;
                self.tenants.iter_mut().for_each(|tenant| tenant.sweep(self.now));
            }
            Step::Call(call, wait) => {
                if wait != 0 {
                    self.advance(wait);
                }
                if call.arguments["idempotency_key"].is_string() {
                    self.keyed.push((call.clone(), self.now));
                }
                self.call(&call, dice)?;
            }
        }
        Ok(())
    }

    fn advance(&mut self, milliseconds: i64) {
        self.transcript.push(format!("the clock moves by {milliseconds} ms"));
        self.world.clock.advance(milliseconds);
        self.now += milliseconds;
    }

    /// Asks for something whose answer is compared like every other.
    pub(super) fn ask(
        &mut self,
        tenant: usize,
        caller: usize,
        tool: &str,
        arguments: Value,
    ) -> Checked {
        let call = Call { tenant, caller, tool: contract::find(tool), arguments };
        let seed = u64::try_from(self.transcript.len()).expect("a number");
        let checked = self.call(&call, &mut Dice::new(seed, u8::MAX));
        // Questions of the check are no part of what led to a disagreement.
        if checked.is_ok() {
            self.transcript.pop();
        }
        checked
    }

    fn call(&mut self, call: &Call, dice: &mut Dice) -> Checked {
        let name = self.tenants[call.tenant].callers[call.caller].name;
        let place = ["acme", "beta"][call.tenant];
        self.transcript.push(format!("{place} {name}: {} {}", call.tool.name, call.arguments));
        let found = if call.tool.is_paged() {
            self.pages(call, dice)?
        } else {
            self.product(call, call.tool, call.arguments.clone())
        };
        let fresh = self.fresh(call, &found)?;
        let tenant = &mut self.tenants[call.tenant];
        let expected = tenant.call(call.caller, call.tool, &call.arguments, &fresh, self.now);
        compare(call.tool, found, expected)
    }

    fn product(&self, call: &Call, tool: &Tool, arguments: Value) -> Result<Value> {
        self.world.call(&self.accesses[call.tenant][call.caller], tool.name, arguments)
    }

    /// The ids that a call made.
    fn fresh(&self, call: &Call, found: &Result<Value>) -> Checked<Fresh> {
        let (Ok(answer), "create") = (found, call.tool.verb()) else { return Ok(Fresh::default()) };
        let id = answer["id"].as_str().ok_or("an answer without an id")?.to_owned();
        let uuid: zoop_db::Uuid = id.parse().map_err(|_| format!("{id} is no UUID"))?;
        if uuid.get_version_num() != 7 || uuid.to_string() != id {
            return Err(format!("{id} is not written as the contract says"));
        }
        let inside = i64::try_from(uuid.as_u128() >> 80).expect("48 bits");
        if let Some(created) = answer.get("created_at")
            && milliseconds(created) != inside
        {
            return Err(format!("{created} is not the millisecond inside {id}"));
        }
        let mut fresh = Fresh { id, ..Fresh::default() };
        if call.tool.name == "customers.create" {
            let operator = &self.accesses[call.tenant][self.operator()];
            let full = self.world.call(operator, "customers.get", json!({ "id": fresh.id }));
            let full = full.map_err(|error| format!("the new customer is not there: {error:?}"))?;
            let first = |list: &str| full[list][0]["id"].as_str().unwrap_or_default().to_owned();
            (fresh.contact, fresh.location) = (first("contacts"), first("locations"));
        }
        Ok(fresh)
    }

    /// Walks a list to its end with pages of all sizes; its rows as if there were one page.
    fn pages(&self, call: &Call, dice: &mut Dice) -> Checked<Result<Value>> {
        let mut page = match self.product(call, call.tool, call.arguments.clone()) {
            Ok(page) => page,
            refused => return Ok(refused),
        };
        let mut limit = call.arguments["limit"].as_u64().unwrap_or(25);
        let mut rows = Vec::new();
        loop {
            let found = page["rows"].as_array().ok_or("a list without rows")?.clone();
            let count = found.len() as u64;
            rows.extend(found);
            let Some(cursor) = page["nextCursor"].as_str() else {
                let is_last = page["hasMore"] == false && count <= limit;
                return if is_last {
                    Ok(Ok(json!({ "rows": rows })))
                } else {
                    Err(page.to_string())
                };
            };
            // Rows here are small, so only the limit ends a page.
            if page["hasMore"] != true || count != limit {
                return Err(format!("a page of {count} rows for limit {limit}: {page}"));
            }
            let cursor = cursor.to_owned();
            self.try_wrong_cursors(call, &cursor, dice)?;
            let mut next = if dice.one_in(3) { call.arguments.clone() } else { json!({}) };
            next["cursor"] = json!(cursor);
            limit = dice.roll(6) as u64 + 1;
            next["limit"] = json!(limit);
            page = self
                .product(call, call.tool, next)
                .map_err(|error| format!("the next page is refused: {}", told(&error)))?;
        }
    }

    /// A cursor is bound to its list, its tenant and its filters.
    fn try_wrong_cursors(&self, call: &Call, cursor: &str, dice: &mut Dice) -> Checked {
        let notes = call.tool.name == "notes.list";
        let other_tool = if notes { "customers.search" } else { "notes.list" };
        let elsewhere = Call { tenant: 1 - call.tenant, caller: self.operator(), ..call.clone() };
        let here = Call { caller: self.operator(), ..call.clone() };
        let (filter, value) =
            if notes { ("created_before", "1999-01-01T00:00:00Z") } else { ("q", "quite other") };
        let damaged = format!("{cursor}e");
        let (call, tool, arguments, field) = match dice.roll(8) {
            0 => (&elsewhere, call.tool, json!({ "cursor": cursor }), "cursor"),
            1 => (&here, contract::find(other_tool), json!({ "cursor": cursor }), "cursor"),
            2 => (&here, call.tool, json!({ "cursor": damaged }), "cursor"),
            3 => (&here, call.tool, json!({ "cursor": cursor, filter: value }), filter),
            _ => return Ok(()),
        };
        let refused = super::state::wrong_field(field);
        compare(tool, self.product(call, tool, arguments), Err(refused))
    }
}

/// The callers of a business, as the product and as the model knows them.
fn people(world: &World, business: &Business) -> (Vec<Access>, Vec<Caller>) {
    let user = |access: &Access| Business::user(access).to_string();
    let key = |person: Option<&Access>, scopes: &[Scope]| {
        let person = person.map(user);
        world.access(&world.key(business.account, person.as_deref(), scopes))
    };
    let office = Some(&business.office);
    let writes = [Scope::WriteCustomers, Scope::WriteNotes];
    let reads = [Scope::ReadCustomers, Scope::ReadNotes];
    let operator = Access::operator(Some(business.account));
    let callers: [(&'static str, &'static [&'static str], Access); 8] = [
        ("owner", EVERYTHING, business.owner.clone()),
        ("office", EVERYTHING, business.office.clone()),
        ("tech", &["read:customers", "read:notes", "write:notes"], business.tech.clone()),
        ("tenant", EVERYTHING, business.tenant.clone()),
        ("writer", &["write:customers", "write:notes"], key(office, &writes)),
        ("reader", &["read:customers", "read:notes"], key(office, &reads)),
        ("keeper", &["write:customers"], key(None, &[Scope::WriteCustomers])),
        (
            "operator",
            &["read:customers", "write:customers", "read:notes", "write:notes", OPERATE],
            operator,
        ),
    ];
    let mut both = (Vec::new(), Vec::new());
    for (name, scopes, access) in callers {
        let user = access.actor.user().map(|user| user.to_string());
        both.1.push(Caller { name, scopes, user, is_owner: name == "owner" });
        both.0.push(access);
    }
    both
}

fn compare(tool: &Tool, found: Result<Value>, expected: Outcome) -> Checked {
    match (found, expected) {
        (Ok(mut found), Ok(mut expected)) => {
            compare_duplicates(&mut found, &mut expected)?;
            if found == expected {
                return Ok(());
            }
            Err(format!("the product answers\n  {found}\nthe model\n  {expected}"))
        }
        (Err(error), Err(refusal)) => compare_refusals(tool, &error, &refusal),
        (Ok(found), Err(refusal)) => {
            Err(format!("the product answers\n  {found}\nthe model refuses: {refusal:?}"))
        }
        (Err(error), Ok(expected)) => {
            Err(format!("the product refuses: {error:?}\nthe model answers\n  {expected}"))
        }
    }
}

fn compare_refusals(tool: &Tool, error: &Error, refusal: &Refusal) -> Checked {
    let told = told(error);
    let named = told["fields"].as_array().into_iter().flatten();
    let fields: BTreeSet<_> =
        named.filter_map(|field| field["field"].as_str()).map(str::to_owned).collect();
    let is_same = told["kind"] == refusal.kind
        && refusal.fields.as_ref().is_none_or(|expected| *expected == fields)
        && told.get("retry_after_s").and_then(Value::as_u64) == refusal.retry_after_s
        && (refusal.kind != "insufficient_scope" || told["required"] == json!([tool.scope]));
    if is_same { Ok(()) } else { Err(format!("the product says {told}\nthe model {refusal:?}")) }
}

/// Possible duplicates are a hint: the contract gives them no order, and the product names five at
/// most.
fn compare_duplicates(found: &mut Value, expected: &mut Value) -> Checked {
    const MOST: usize = 5;
    let (Some(found), Some(expected)) = (found.as_object_mut(), expected.as_object_mut()) else {
        return Ok(());
    };
    let (Some(Value::Array(found)), Some(Value::Array(expected))) =
        (found.remove("possible_duplicates"), expected.remove("possible_duplicates"))
    else {
        return Ok(());
    };
    let is_known = found.iter().all(|one| expected.contains(one));
    if is_known && found.len() == expected.len().min(MOST) {
        return Ok(());
    }
    Err(format!("possible duplicates\n  {found:?}\nwhere the model knows\n  {expected:?}"))
}
