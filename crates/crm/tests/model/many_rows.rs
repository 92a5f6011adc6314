//! Compares the engines on a tenant with more rows than PostgreSQL scans one by one. PostgreSQL scans 500 rows first,
//! then a few thousand more if samples show that the word is common, and then uses its index.

use serde_json::{Value, json};
use zoop_crm::testing::{Caller, TestEnv, error_json, on};
use zoop_db::Dialect;

use super::rng::Rng;
use super::state::Checked;
use super::{edge_cases, pools};

/// Number of rows in each list: more than the first scan reads.
pub(super) const SOME: usize = 560;
/// Number of rows in each list: more than are scanned for a rare word.
pub(super) const MANY: usize = 2_700;
const SEARCHES: usize = 120;

/// A test environment on an engine, and its caller.
struct Engine {
    env: TestEnv,
    owner: Caller,
}

impl Engine {
    fn new(engine: Dialect) -> Self {
        let env = on(engine, TestEnv::new);
        let owner = env.empty_business("Acme").owner;
        Self { env, owner }
    }

    fn call(&self, tool: &str, arguments: &Value) -> Result<Value, Value> {
        self.env.clock.advance(1_000);
        self.env.call(&self.owner, tool, arguments.clone()).map_err(|error| error_json(&error))
    }
}

/// Calls both engines, which must give the same answer.
fn call_both(engines: &[Engine; 2], tool: &str, arguments: &Value) -> Checked<Value> {
    let [sqlite, postgres] = engines.each_ref().map(|engine| engine.call(tool, arguments));
    if sqlite != postgres {
        return Err(format!("{tool} {arguments}\nSQLite: {sqlite:?}\nPostgreSQL: {postgres:?}"));
    }
    Ok(sqlite.unwrap_or_else(|error| error))
}

/// Creates many rows, and searches for parts of random rows.
pub(super) fn play(rows: usize, seed: u64) -> Checked {
    let mut rng = Rng::new(seed, u8::MAX);
    let engines = [Dialect::Sqlite, Dialect::Postgres].map(Engine::new);
    let mut texts = Vec::new();
    for row in 0..rows {
        let text = if row % 20 == 0 { edge_cases::text(&mut rng) } else { name(&mut rng) };
        let company = json!({ "customer_type": "company", "company_name": text });
        let created = call_both(&engines, "customers.create", &company)?;
        let note = json!({ "body": format!("{text} {}", name(&mut rng)) });
        call_both(&engines, "notes.create", &note)?;
        if rng.roll(16) == 0 && created["id"].is_string() {
            call_both(&engines, "customers.archive", &json!({ "id": created["id"] }))?;
        }
        texts.push(text);
    }
    let mut found = 0;
    for _ in 0..SEARCHES {
        let index = rng.roll(texts.len());
        let q = edge_cases::part(&mut rng, &texts[index]);
        for tool in ["customers.search", "notes.list"] {
            let mut arguments = json!({ "q": q, "limit": rng.roll(40) + 1 });
            loop {
                let page = call_both(&engines, tool, &arguments)?;
                found += page["rows"].as_array().map_or(0, Vec::len);
                let Some(cursor) = page["nextCursor"].as_str() else { break };
                arguments = json!({ "cursor": cursor, "limit": rng.roll(100) + 1 });
            }
        }
    }
    eprintln!("{SEARCHES} searches found {found} rows");
    if found < 10 * SEARCHES { Err("the searches find too few rows".to_owned()) } else { Ok(()) }
}

/// A common name, or a rare name.
fn name(rng: &mut Rng) -> String {
    let name = (*rng.pick(pools::NAMES)).to_owned();
    if rng.roll(3) == 0 { format!("{name} {}", rng.roll(10_000)) } else { name }
}
