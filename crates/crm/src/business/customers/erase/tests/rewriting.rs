//! Erasures whose files wait to be written again, and cannot be.

use std::time::{Duration, Instant};

use serde_json::json;
use zoop_both::both;
use zoop_db::{Tenant, Timestamp};
use zoop_postgres_cluster::Database;

use crate::business::customers::erase::rewriting::{self, Claim, Waiting};
use crate::business::customers::erase::{self, Erasure};
use crate::maintenance;
use crate::testing::{Business, TestEnv};
use crate::values::clock::parse_rfc3339;
use crate::values::id::Id;
use crate::values::zone::Zone;

/// An hour, in microseconds.
const HOURS: i64 = 3_600_000_000;

/// Erases the sample customer of a business whose clocks are those of Los Angeles.
fn erase(env: &TestEnv, business: &Business) {
    let account = Some(business.account);
    env.call_as_operator(account, "tenants.update", json!({ "time_zone": "America/Los_Angeles" }));
    env.call_as_operator(account, "customers.erase", json!({ "id": business.id("customer") }));
}

/// What is stored about it.
fn stored(env: &TestEnv, business: &Business) -> Erasure {
    let (tenant, id) = (business.account.number, Id::parse(business.id("customer")));
    let read = env.read(move |tx| {
        tx.bind(tenant);
        erase::get(tx, id.expect("an id"))
    });
    read.expect("what is stored").expect("an erasure")
}

fn waiting(env: &TestEnv) -> Vec<Waiting> {
    let search = env.read(|tx| rewriting::search(tx, Tenant(0))).expect("those that wait");
    let next = search.next.expect("the next businesses");
    let more = env.read(move |tx| rewriting::search(tx, next)).expect("those that wait");
    assert!(more.waiting.is_empty() && more.next.is_none());
    search.waiting
}

fn claim(env: &TestEnv, waiting: &[Waiting], now: Timestamp) -> Vec<Claim> {
    let waiting = waiting.to_vec();
    env.write(move |tx| rewriting::claim_due(tx, &waiting, now)).expect("a claim")
}

/// The time as the clocks of Los Angeles show it, without seconds.
fn civil(time: Timestamp) -> String {
    let mut civil = Zone::parse("America/Los_Angeles").expect("a zone").civil(time);
    civil.truncate("2026-06-13 11:00".len());
    civil
}

/// Keeps the files from being written again, as long as what it returns is there.
fn prevent(env: &TestEnv) -> Prevented<'_> {
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            file.execute_batch("BEGIN IMMEDIATE").expect("the lock");
            Prevented::Locked(file)
        }
        Some(server) => {
            let role = server.run("SELECT current_user").expect("the role").trim().to_owned();
            server.run_as_superuser("ALTER TABLE notes OWNER TO CURRENT_USER").expect("an owner");
            Prevented::Owned(server, role)
        }
    }
}

enum Prevented<'e> {
    /// By a write of another process.
    Locked(rusqlite::Connection),
    /// By another owner of a table: the database, and the role that owned it.
    Owned(&'e Database, String),
}

impl Prevented<'_> {
    /// Checks the error.
    fn check(&self, error: &zoop_db::Error) {
        match self {
            Self::Locked(_) => assert!(matches!(error, zoop_db::Error::Locked), "{error}"),
            Self::Owned(..) => assert!(error.to_string().contains("does not own notes"), "{error}"),
        }
    }

    fn end(self) {
        match self {
            Self::Locked(file) => drop(file),
            Self::Owned(server, role) => {
                let back = format!("ALTER TABLE notes OWNER TO {role}");
                server.run_as_superuser(&back).expect("the owner");
            }
        }
    }
}

#[both]
fn an_erasure_whose_files_cannot_be_written_again_waits_until_they_are() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    erase(&env, &acme);
    let due = stored(&env, &acme).due_at.expect("it waits").0;
    let prevented = prevent(&env);
    let (begun, patience) = (Instant::now(), Duration::from_secs(6));
    prevented.check(&maintenance::rewrite(env.url(), patience).expect_err("it is prevented"));
    match prevented {
        Prevented::Owned(..) => {
            prevented
                .check(&maintenance::check_rewrite(env.url()).expect_err("it is known before"));
        }
        // The first step is tried for as long as the others.
        Prevented::Locked(_) => assert!(begun.elapsed() >= patience),
    }
    prevented.end();
    maintenance::check_rewrite(env.url()).expect("nothing is in the way");
    // It is claimed once, and due again in another night.
    let found = waiting(&env);
    assert_eq!(found, [Waiting { tenant: acme.account.number, due_at: due }]);
    assert_eq!(claim(&env, &found, Timestamp(due.0 - 5 * HOURS)), [], "it is too early");
    let first = claim(&env, &found, due);
    assert_eq!((first.len(), claim(&env, &found, due)), (1, vec![]));
    let again = waiting(&env);
    let now = again[0].due_at;
    let second = claim(&env, &again, now);
    maintenance::rewrite(env.url(), maintenance::REWRITE_PATIENCE).expect("it is written again");
    let done = move |tx: &mut zoop_db::WriteTx<'_>| {
        // The first claim is not the one after which they were.
        rewriting::rewritten(tx, &first, due)?;
        rewriting::rewritten(tx, &second, now)
    };
    env.write(done).expect("it is stored");
    assert_eq!(waiting(&env), []);
    assert_eq!(stored(&env, &acme).rewritten_at.map(|at| at.0), Some(now));
}

#[both]
fn files_that_could_not_be_written_again_are_written_at_night() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    erase(&env, &acme);
    for (claimed, expected) in [
        ("2026-07-01T10:00:00Z", "2026-07-02 03:00"),
        // Somewhere it is day: by another business, or by the command.
        ("2026-07-01T06:00:00Z", "2026-07-02 03:00"),
        ("2026-07-01T20:00:00Z", "2026-07-02 03:00"),
        ("2026-07-02T02:00:00.5Z", "2026-07-03 03:00"),
        ("2026-10-31T20:00:00Z", "2026-11-01 03:00"),
    ] {
        let (found, now) = (waiting(&env), parse_rfc3339(claimed).expect("a time"));
        let claimed = env.write(move |tx| rewriting::claim_all(tx, &found, now));
        assert_eq!(claimed.expect("a claim").len(), 1);
        let due = waiting(&env)[0].due_at;
        assert_eq!(civil(due), expected);
        // No other process claims it at once, and an erasure of the next days is due at another time.
        assert_eq!(claim(&env, &waiting(&env), now), []);
        assert_ne!(due.0 % HOURS, 0);
    }
}

#[both]
fn what_is_due_in_one_night_is_claimed_by_one_process() {
    let env = TestEnv::new();
    let [acme, borealis, cobalt] = ["Acme", "Borealis", "Cobalt"].map(|name| env.business(name));
    for business in [&acme, &borealis, &cobalt] {
        erase(&env, business);
    }
    let found = waiting(&env);
    let due = found[0].due_at;
    assert_eq!(found.len(), 3);
    assert_eq!(claim(&env, &found[..1], due).len(), 1);
    // Another process that found the same ones leaves them to the first.
    assert_eq!(claim(&env, &found, due), []);
    assert_eq!(claim(&env, &waiting(&env), due).len(), 2);
}
