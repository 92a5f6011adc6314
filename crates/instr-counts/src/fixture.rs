//! The database for the calls, and a server for it in this process. The product's own tools write the database.
//! The server does everything between a request's bytes and its answer's, without a socket.
//!
//! Clock and randomness are repeatable, so that two runs do the same.

use std::fmt::Debug;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use zoop_crm::call::error::Error;
use zoop_crm::call::proof::Proof;
use zoop_crm::call::run;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::catalog;
use zoop_crm::identity::authenticate::{Bearer, Operator};
use zoop_crm::schema::MIGRATIONS;
use zoop_crm::values::clock::{Clock, Entropy, Environment};
use zoop_crm::values::id::Id;
use zoop_crm::values::size::Size;
use zoop_db::{Db, Migrate, Options, Timestamp};
use zoop_server::{App, Limits, Settings, WebOrigin};

use crate::cases::Case;

/// Customers in the database.
const CUSTOMERS: u32 = 2_000;
/// Customers created in one transaction.
const BATCH: u32 = 250;
/// Notes on the first customer, in addition to the one note that every customer has.
const EXTRA_NOTES: u32 = 60;
/// Longer than any job takes, even under callgrind.
const TIMEOUT: Duration = Duration::from_secs(600);
/// When the database is written, in microseconds since 1970.
const WRITTEN_AT: i64 = 1_780_000_020_000_000;
/// When the calls are made: a day later, each seconds after the one before, so that no limit a minute is reached.
const CALLED_AT: i64 = WRITTEN_AT + 86_400_000_000;

/// A token in the form of a key that does not exist.
const UNKNOWN: &str = "zoop_uk_UnknownUnknownUnknownUnknownUnknownUnknown132aaXh";

const FIRST_NAMES: &[&str] =
    &["Hana", "Marco", "Lena", "Tom", "Aiko", "Sofía", "Bilal", "Grace", "Ivan", "Noor", "Ada"];
const LAST_NAMES: &[&str] = &[
    "Nguyen",
    "Reyes",
    "Okafor",
    "Schmidt",
    "Tanaka",
    "Silva",
    "Haddad",
    "Murphy",
    "Petrov",
    "Lindqvist",
    "O’Brien",
    "Guyot",
    "Kowalski",
];

/// What a run must know about the database.
#[derive(Serialize, Deserialize)]
pub(crate) struct Facts {
    key: String,
    customers: Vec<String>,
}

impl Facts {
    /// The id of customer number `n`; the numbers start again after the last customer.
    pub(crate) fn customer(&self, n: u32) -> &str {
        &self.customers[n as usize % self.customers.len()]
    }
}

/// The database, and a server for it.
pub(crate) struct Fixture {
    runtime: Runtime,
    router: Router,
    facts: Facts,
}

/// A clock that advances by `step` microseconds whenever it is read.
struct Ticking {
    now: AtomicI64,
    step: i64,
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.fetch_add(self.step, Ordering::Relaxed))
    }
}

fn environment(start: i64, step: i64) -> Environment {
    Environment {
        clock: Arc::new(Ticking { now: AtomicI64::new(start), step }),
        entropy: Entropy::seeded(42),
        note_writes_per_minute: 1_000_000,
        storage_limit: Size(0),
        files_limit: Size(0),
        dropped_client_keys: Arc::default(),
    }
}

fn open(folder: &Path, migrate: Migrate) -> Result<Db> {
    let url = format!("sqlite://{}", folder.join("zoop.db").display());
    let options = Options { readers: NonZeroUsize::new(1), ..Options::default() };
    Ok(Db::open(&url, &options, MIGRATIONS, migrate)?)
}

impl Fixture {
    /// Opens the fixture in a folder that [`make`] has filled.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        // A request's log line is part of its cost.
        let lines = tracing_subscriber::fmt().json().flatten_event(true).with_writer(io::sink);
        tracing::subscriber::set_global_default(lines.finish())?;
        let facts = serde_json::from_slice(&fs::read(folder.join("facts.json"))?)?;
        let settings = Settings {
            limits: Limits { credential: 1_000_000, tenant: 1_000_000 },
            request_deadline: TIMEOUT,
            ..Settings::new(WebOrigin::default())
        };
        let app =
            App::new(open(folder, Migrate::Refuse)?, environment(CALLED_AT, 2_000_000), settings);
        let runtime = Builder::new_current_thread().enable_time().build()?;
        Ok(Self { runtime, router: app.public_router(), facts })
    }

    /// Repeats a call; each must succeed.
    pub(crate) fn repeat(&self, case: &Case, times: u32) -> Result<()> {
        for n in 0..times {
            let answer = self.ask(case, n)?;
            // Every run has the same number of these checks, so their cost is subtracted from the count.
            if n == 0 || n + 1 == times {
                let is_good =
                    !answer.contains(r#""isError":true"#) && !answer.contains(r#""rows":[]"#);
                ensure!(is_good, "{} failed or found nothing: {answer}", case.name);
            }
        }
        Ok(())
    }

    fn ask(&self, case: &Case, n: u32) -> Result<String> {
        let token = if case.status == 401 { UNKNOWN } else { &self.facts.key };
        let request = Request::post("/api/mcp")
            .header("host", "127.0.0.1:8080")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("user-agent", "instructions/1.0")
            .body(Body::from((case.body)(&self.facts, n)))?;
        let router = self.router.clone();
        self.runtime.block_on(async {
            let response = router.oneshot(request).await?;
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), usize::MAX).await?;
            let body = String::from_utf8(body.into())?;
            ensure!(status == case.status, "{} was answered {status}: {body}", case.name);
            Ok(body)
        })
    }
}

/// Writes the database and the facts about it into a folder.
pub(crate) fn make(folder: &Path) -> Result<()> {
    let db = open(folder, Migrate::Run)?;
    let environment = environment(WRITTEN_AT, 1_000);
    let business =
        json!({ "name": "Copper Creek", "owner_name": "Dana", "owner_email": "d@example.com" });
    let made =
        write(&db, Operator::OUTSIDE_TENANTS, &environment, vec![("tenants.create", business)])?;
    let tenant = Id::parse(text(&made[0], "tenant_id")?).context("a tenant's id")?;
    let grant = json!({ "user": text(&made[0], "owner_id")?, "name": "instructions",
                        "scopes": Scopes::of(Scope::GRANTABLE).list() });
    let made = write(&db, Operator::of(tenant), &environment, vec![("keys.create", grant)])?;
    let key = text(&made[0], "key")?.to_owned();
    let owner = Bearer::new(key.clone());
    let mut customers = Vec::new();
    for start in (0..CUSTOMERS).step_by(BATCH as usize) {
        let calls = (start..start + BATCH).map(|n| ("customers.create", customer(n))).collect();
        for made in write(&db, owner.clone(), &environment, calls)? {
            customers.push(text(&made, "id")?.to_owned());
        }
    }
    let subjects = customers.iter().chain(std::iter::repeat_n(&customers[0], EXTRA_NOTES as usize));
    let notes = subjects.enumerate().map(|(n, customer)| {
        let body = format!("Visit {n}: checked the boiler and the valve in the garage.");
        (
            "notes.create",
            json!({ "body": body, "subject_type": "customer", "subject_id": customer }),
        )
    });
    write(&db, owner.clone(), &environment, notes.collect())?;
    fs::write(folder.join("facts.json"), serde_json::to_vec(&Facts { key, customers })?)?;
    Ok(())
}

fn customer(n: u32) -> Value {
    let pick = |names: &[&'static str], n: u32| names[n as usize % names.len()];
    json!({
        "customer_type": "individual",
        "first_name": pick(FIRST_NAMES, n),
        "last_name": pick(LAST_NAMES, n / 3),
        "phone": format!("(510) 200-{n:04}"),
        "email": format!("customer{n}@example.com"),
        "location": { "address_line1": format!("{n} Oak Street"), "city": "Oakland", "state": "CA",
                      "postal_code": "94607" },
    })
}

/// Calls tools in one transaction; returns their answers.
fn write<P>(
    db: &Db,
    proof: P,
    environment: &Environment,
    calls: Vec<(&'static str, Value)>,
) -> Result<Vec<Value>>
where
    P: Proof<Refusal: Debug + Send> + Send + 'static,
{
    let environment = environment.clone();
    db.write::<_, P::Refusal>(Instant::now() + TIMEOUT, move |tx| {
        let mut answers = Vec::new();
        for (tool, arguments) in &calls {
            let tool = catalog::find(tool).ok_or(Error::not_found("tool"))?;
            let arguments = arguments.to_string();
            let answer = run::write(tx, &environment, &proof, tool, &arguments, None)?;
            answers.push(serde_json::from_str(&answer).map_err(Error::internal)?);
        }
        Ok(answers)
    })
    .wait()
    .map_err(to_anyhow)
}

fn text<'a>(answer: &'a Value, key: &str) -> Result<&'a str> {
    answer[key].as_str().with_context(|| format!("{key} in {answer}"))
}

fn to_anyhow(error: impl Debug) -> anyhow::Error {
    anyhow!("{error:?}")
}
