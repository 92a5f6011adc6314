//! Compares the engines on a tenant with more rows than PostgreSQL scans one by one: 500 at first, some
//! thousand more if probes show that the word is common, and then it uses its index.

use serde_json::{Value, json};
use zoop_crm::testing::{Caller, TestEnv, on, public_error};
use zoop_db::Dialect;

use super::rng::Rng;
use super::state::Checked;
use super::{edge_cases, pools};

/// Rows of each list: more than the first scan reads.
pub(super) const SOME: usize = 560;
/// Rows of each list: more than are scanned for a rare word.
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
        self.env.call(&self.owner, tool, arguments.clone()).map_err(|error| public_error(&error))
    }
}

/// Calls both engines, which must give the same answer.
fn both(engines: &[Engine; 2], tool: &str, arguments: &Value) -> Checked<Value> {
    let [sqlite, postgres] = engines.each_ref().map(|engine| engine.call(tool, arguments));
    if sqlite != postgres {
        return Err(format!("{tool} {arguments}\nSQLite: {sqlite:?}\nPostgreSQL: {postgres:?}"));
    }
    Ok(sqlite.unwrap_or_else(|told| told))
}

/// Creates many rows and searches for parts of random ones.
pub(super) fn play(rows: usize, seed: u64) -> Checked {
    let mut rng = Rng::new(seed, u8::MAX);
    let engines = [Dialect::Sqlite, Dialect::Postgres].map(Engine::new);
    let mut texts = Vec::new();
    for row in 0..rows {
        let text = if row % 20 == 0 { edge_cases::text(&mut rng) } else { word(&mut rng) };
        let company = json!({ "customer_type": "company", "company_name": text });
        let made = both(&engines, "customers.create", &company)?;
        let note = json!({ "body": format!("{text} {}", word(&mut rng)) });
        both(&engines, "notes.create", &note)?;
        if rng.roll(16) == 0 && made["id"].is_string() {
            both(&engines, "customers.archive", &json!({ "id": made["id"] }))?;
        }
        texts.push(text);
    }
    let mut found = 0;
    for _ in 0..SEARCHES {
        let place = rng.roll(texts.len());
        let q = edge_cases::part(&mut rng, &texts[place]);
        for tool in ["customers.search", "notes.list"] {
            let mut arguments = json!({ "q": q, "limit": rng.roll(40) + 1 });
            loop {
                let page = both(&engines, tool, &arguments)?;
                found += page["rows"].as_array().map_or(0, Vec::len);
                let Some(cursor) = page["nextCursor"].as_str() else { break };
                arguments = json!({ "cursor": cursor, "limit": rng.roll(100) + 1 });
            }
        }
    }
    eprintln!("{SEARCHES} searches found {found} rows");
    if found < 10 * SEARCHES { Err("the searches find too few rows".to_owned()) } else { Ok(()) }
}

/// A common name, or a rare one.
fn word(rng: &mut Rng) -> String {
    let name = (*rng.of(pools::NAMES)).to_owned();
    if rng.roll(3) == 0 { format!("{name} {}", rng.roll(10_000)) } else { name }
}
