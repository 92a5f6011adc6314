//! Finding and merging duplicates in one large business, in which many customers share a family name and a street. The
//! calls run in this process, one after another, so the time is the call's own, with a commit of what it writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::Error;
use zoop_crm::call::run::{self, Runner};
use zoop_crm::identity::authenticate::Bearer;
use zoop_crm::values::clock::Environment;
use zoop_crm::{catalog, schema};
use zoop_db::{Db, Migrate, Options};

use super::Run;
use crate::generate::{self, Parameters};
use crate::results::Results;
use crate::say;

/// The prefixes for the names of these results.
pub(crate) const HALF: &str = "duplicates, half: ";
pub(crate) const MOST: &str = "duplicates, 99 of 100: ";
/// A new customer with the family name and the street of many.
pub(crate) const CROWDED: &str =
    "`customers.create`, with the family name and the street of 10,000";
/// How many customers share a family name and a street.
const CROWD: usize = 10_000;
const CROWD_PER_BATCH: usize = 500;
/// How often each kind of call is made.
const CALLS: usize = 300;
const TIMEOUT: Duration = Duration::from_secs(600);
/// Given names of the crowd, together with a middle name.
const GIVEN: [&str; 16] = [
    "Anna", "Ben", "Carla", "Dora", "Emil", "Fay", "Gus", "Hana", "Ines", "Jonas", "Kim", "Luis",
    "Mona", "Nils", "Olga", "Paul",
];

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let customers = run.results.largest();
    run.results.facts.extend(measure_duplicates(customers)?.facts);
    Ok(())
}

/// Measures only these calls, in a business with this many customers.
pub(crate) fn measure_duplicates(customers: u32) -> Result<Results> {
    let alone = Parameters { notes: Some(0), tenants: Some(1), ..Parameters::of(customers) };
    let (base, landmarks) = generate::cached(&alone)?;
    let business = &landmarks.businesses[0];
    let crowded = crowded(&base, &business.owner_key)?;
    let fixture = Fixture::open(&crowded, &business.owner_key)?;
    let mut results = Results { sizes: vec![customers], ..Results::default() };
    for (kind, times) in fixture.times(&business.customer_ids)? {
        let [half, most] =
            [50, 99].map(|part| times[(times.len() * part / 100).min(times.len() - 1)]);
        say(&format!("{:8.2} ms {:8.2} ms  {kind}", half * 1e3, most * 1e3));
        results.note(&format!("{HALF}{kind}"), customers, half * 1e6);
        results.note(&format!("{MOST}{kind}"), customers, most * 1e6);
    }
    Ok(results)
}

/// The kinds of calls, in the order in which they were measured.
pub(crate) fn duplicates(results: &Results) -> Vec<&str> {
    results.facts.iter().filter_map(|fact| fact.name.strip_prefix(HALF)).collect()
}

/// The database with the crowd, which is written once.
fn crowded(base: &Path, key: &str) -> Result<PathBuf> {
    let path = base.with_extension("crowd.db");
    if path.exists() {
        return Ok(path);
    }
    let part = base.with_extension("crowd.part");
    for suffix in ["", "-wal", "-shm"] {
        // An interrupted run may have left these files.
        let _ = fs::remove_file(format!("{}{suffix}", part.display()));
    }
    say(&format!("writing {}", path.display()));
    fs::copy(base, &part)?;
    let fixture = Fixture::open(&part, key)?;
    for first in (0..CROWD).step_by(CROWD_PER_BATCH) {
        let batch: Vec<_> =
            (first..first + CROWD_PER_BATCH).map(|it| neighbor(it).to_string()).collect();
        let (environment, key) = (fixture.environment.clone(), fixture.key.clone());
        let tool = catalog::find("customers.create").context("a tool")?;
        let job = fixture.db.write::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
            for arguments in &batch {
                run::write(tx, &environment, &Bearer::new(key.clone()), tool, arguments, None)
                    .map_err(Refusal::of_own_credential)?;
            }
            Ok(())
        });
        job.wait().map_err(|error| anyhow!("{error:?}"))?;
    }
    drop(fixture);
    fs::rename(&part, &path)?;
    Ok(path)
}

/// One of those who share a family name and a street.
fn neighbor(number: usize) -> Value {
    json!({
        "customer_type": "individual",
        "first_name": format!("{} {}", GIVEN[number % GIVEN.len()], middle(number)),
        "last_name": "Featherstone",
        "phone": format!("+1510{:07}", 2_000_000 + number),
        "location": {
            "address_line1": format!("{} Long Street", number + 1), "city": "Oakland", "state": "CA",
            "postal_code": "94607",
        },
    })
}

/// A middle name of four letters, a different one for each number.
fn middle(number: usize) -> String {
    let letter = |index: usize| char::from(b'a' + u8::try_from(index % 26).unwrap_or_default());
    [number, number / 26, number / 676, number / 17_576].map(letter).into_iter().collect()
}

/// A customer that is unlike all others.
fn stranger(number: usize) -> Value {
    json!({
        "customer_type": "individual",
        "first_name": format!("Q{}", middle(number)),
        "last_name": format!("Z{}", middle(number * 7)),
        "phone": format!("+1707{:07}", 2_000_000 + number),
    })
}

struct Fixture {
    db: Db,
    environment: Environment,
    key: String,
}

/// A kind of call, and its times in seconds, ascending.
type Times = (&'static str, Vec<f64>);

impl Fixture {
    fn open(path: &Path, key: &str) -> Result<Self> {
        let url = format!("sqlite://{}", path.display());
        let db = Db::open(&url, &Options::default(), schema::MIGRATIONS, Migrate::Run)?;
        Ok(Self { db, environment: Environment::from_system()?, key: key.to_owned() })
    }

    fn call(&self, tool: &str, arguments: &Value) -> Result<(Value, f64)> {
        let tool = catalog::find(tool).context("a tool")?;
        let deadline = Instant::now() + TIMEOUT;
        let runner = Runner { db: &self.db, environment: &self.environment, deadline };
        let arguments = arguments.to_string();
        let begun = Instant::now();
        let answer = runner.call(Bearer::new(self.key.clone()), tool, arguments, None).wait();
        let seconds = begun.elapsed().as_secs_f64();
        let answer = answer.map_err(|error| anyhow!("{}: {error:?}", tool.name))?;
        Ok((serde_json::from_str(&answer)?, seconds))
    }

    /// Makes each kind of call many times.
    fn times(&self, customer_ids: &[String]) -> Result<Vec<Times>> {
        // No two runs add the same customers.
        let first = usize::try_from(self.environment.clock.now().0 / 1_000_000)? % 300_000;
        let new = |number: usize| neighbor(CROWD + first + number);
        let fields = |number: usize| {
            let customer = new(number);
            let location = &customer["location"];
            json!({
                "first_name": customer["first_name"], "last_name": customer["last_name"],
                "address_line1": location["address_line1"], "city": location["city"],
                "postal_code": location["postal_code"],
            })
        };
        let added = self.repeat("customers.create", new)?;
        let ids: Vec<_> = added.iter().map(|(answer, _)| answer["id"].clone()).collect();
        let strangers = self.repeat("customers.create", |number| stranger(first + number))?;
        let of = |ids: &[Value], number: usize| json!({ "customer_id": ids[number % ids.len()] });
        let any: Vec<_> = customer_ids.iter().map(|id| json!(id)).collect();
        let mut page = json!({ "limit": 50 });
        let mut pages = Vec::new();
        for _ in 0..CALLS {
            let (answer, seconds) = self.call("customers.find_duplicates", &page)?;
            page["cursor"] = answer["nextCursor"].clone();
            pages.push((answer, seconds));
        }
        let find = |arguments: &dyn Fn(usize) -> Value| {
            self.repeat("customers.find_duplicates", arguments)
        };
        let measured = vec![
            ("`customers.create`, of a customer unlike the others", strangers),
            (CROWDED, added),
            ("`customers.find_duplicates` of any customer", find(&|number| of(&any, number))?),
            (
                "`customers.find_duplicates` of one in that street",
                find(&|number| of(&ids, number))?,
            ),
            ("`customers.find_duplicates` of fields, in that street", find(&fields)?),
            ("`customers.find_duplicates`, a page of the account (50 customers)", pages),
            ("`customers.merge`, of two in that street", self.merges(&ids)?),
        ];
        Ok(measured.into_iter().map(|(kind, calls)| (kind, sorted(calls))).collect())
    }

    fn repeat(&self, tool: &str, arguments: impl Fn(usize) -> Value) -> Result<Vec<(Value, f64)>> {
        (0..CALLS).map(|number| self.call(tool, &arguments(number))).collect()
    }

    fn merges(&self, ids: &[Value]) -> Result<Vec<(Value, f64)>> {
        let pairs =
            ids.chunks_exact(2).map(|pair| json!({ "keep_id": pair[0], "merge_id": pair[1] }));
        pairs.map(|pair| self.call("customers.merge", &pair)).collect()
    }
}

fn sorted(calls: Vec<(Value, f64)>) -> Vec<f64> {
    let mut times: Vec<_> = calls.into_iter().map(|(_, seconds)| seconds).collect();
    times.sort_by(f64::total_cmp);
    times
}
