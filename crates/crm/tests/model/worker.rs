//! What a worker process does: it runs each call as the server does, and reads the credential in the call's own
//! transaction.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::Result;
use zoop_crm::call::run::Runner;
use zoop_crm::identity::authenticate::{Bearer, Operator};
use zoop_crm::testing::{error_json, sweep};
use zoop_crm::values::clock::{Clock, Entropy, Environment};
use zoop_crm::values::id::Id;
use zoop_crm::values::size::Size;
use zoop_crm::{catalog, schema};
use zoop_db::{Db, Migrate, Options, Timestamp};

use super::notes::WRITES_PER_MINUTE;
use super::process::{Answer, Credential, Request, Task};

/// Longer than any call takes, so that a call that hangs fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A clock that shows the time of the last request, in microseconds.
struct RequestClock(AtomicI64);

impl Clock for RequestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Answers requests until there are no more.
pub(super) fn work(database: &str, seed: u64) {
    let clock = Arc::new(RequestClock(AtomicI64::new(0)));
    let environment = Environment {
        clock: clock.clone(),
        entropy: Entropy::seeded(seed),
        note_writes_per_minute: WRITES_PER_MINUTE,
        storage_limit: Size(0),
        files_limit: Size(0),
        dropped_client_keys: Arc::default(),
    };
    let one = NonZeroUsize::new(1);
    let options = Options { readers: one, writers: one, ..Options::default() };
    let db = Db::open(database, &options, schema::MIGRATIONS, Migrate::Refuse)
        .expect("the database should open");
    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lines() {
        let request = line.expect("a line");
        let request: Request = serde_json::from_str(&request).expect("a request");
        clock.0.store(request.now * 1_000, Ordering::SeqCst);
        let answer = answer(&db, &environment, request.task);
        let answer = serde_json::to_string(&answer).expect("an answer in JSON");
        writeln!(answers, "{answer}").expect("the test should read the answer");
    }
}

fn answer(db: &Db, environment: &Environment, task: Task) -> Answer {
    let outcome = match task {
        Task::Sweep => sweep(db, environment.clock.now()).map(Value::from),
        Task::Call { credential, tool, arguments } => {
            call(db, environment, credential, &tool, arguments)
        }
    };
    outcome.map_err(|error| {
        if matches!(error.kind(), "internal" | "unavailable") {
            eprintln!("{error:?}");
        }
        error_json(&error)
    })
}

fn call(
    db: &Db,
    environment: &Environment,
    credential: Credential,
    tool: &str,
    arguments: String,
) -> Result<Value> {
    let deadline = Instant::now() + TIMEOUT;
    let runner = Runner { db, environment, deadline };
    let tool = catalog::find(tool).expect("a tool of the catalog");
    let answer = match credential {
        Credential::Key(secret) => runner
            .call(Bearer::new(secret), tool, arguments, None)
            .wait()
            .map_err(Refusal::of_own_credential),
        Credential::Operator(tenant) => {
            let tenant = Id::parse(&tenant).expect("a tenant's id");
            runner.call(Operator::of(tenant), tool, arguments, None).wait()
        }
    };
    Ok(serde_json::from_str(&answer?).expect("an answer in JSON"))
}
