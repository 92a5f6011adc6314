//! What a round of the background work does.

use std::pin::pin;

use serde_json::json;
use zoop_both::both;
use zoop_crm::business::customers::erase;
use zoop_crm::call::access::Account;
use zoop_crm::call::history::former;
use zoop_crm::call::run;
use zoop_crm::call::run::Runner;
use zoop_crm::call::sweep;
use zoop_crm::catalog;
use zoop_crm::testing::{Caller, TestEnv};
use zoop_crm::values::id::Id;
use zoop_crm::values::zone::Zone;

use super::*;
use crate::app::Settings;

#[both]
fn a_round_drops_what_is_out_of_date() {
    let env = TestEnv::new();
    let owner = env.empty_business("Acme").owner;
    let environment = env.environment.clone();
    let tool = catalog::find("customers.create").unwrap();
    let arguments = json!({ "customer_type": "company", "company_name": "A" }).to_string();
    env.write(move |tx| run::write(tx, &environment, &owner, tool, &arguments, Some("k"))).unwrap();
    let app = app(&env);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(round(&app.shared, &mut Upkeep::default()));
    assert_eq!(count_answers(&env), 1);
    env.clock.advance(24 * 60 * 60 * 1_000);
    runtime.block_on(round(&app.shared, &mut Upkeep::default()));
    assert_eq!(count_answers(&env), 0);
}

#[both]
fn a_round_indexes_notes_again_that_an_earlier_version_has_indexed() {
    let env = TestEnv::new();
    let owner = env.empty_business("Acme").owner;
    env.call(&owner, "notes.create", json!({ "body": "Leaks" })).expect("a note");
    // The entry of an earlier version has no stems.
    let old = "0001:leaks 0001=note";
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).unwrap();
            assert_eq!(file.execute("UPDATE note_search SET tokens = ?1", [old]).unwrap(), 1);
        }
        Some(server) => {
            let old = format!(
                "UPDATE note_search SET tokens = \
                 array_to_tsvector(string_to_array('{old}', ' '))"
            );
            server.run_as_superuser(&old).unwrap();
        }
    }
    let found = |q: &str| {
        let page = env.call(&owner, "notes.list", json!({ "q": q })).expect("a page");
        page["rows"].as_array().expect("rows").len()
    };
    assert_eq!((found("leaks"), found("leaking")), (1, 0));
    let app = app(&env);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(round(&app.shared, &mut Upkeep::default()));
    assert_eq!((found("leaks"), found("leaking")), (1, 1));
}

#[both]
fn a_round_moves_the_history_of_an_earlier_version() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let nobody = "00000000-0000-0000-0000-000000000000";
    let entry = |id: &str, credential: &str| {
        format!(
            "INSERT INTO history (tenant_no, id, actor_kind, credential_id, tool, changes) \
             VALUES (1, {id}, 'operator', {credential}, 'sign_out', '[]')"
        )
    };
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).unwrap();
            file.execute(&entry("zeroblob(16)", "zeroblob(16)"), []).unwrap();
        }
        Some(server) => {
            let id = format!("'{nobody}'::uuid");
            server.run_as_superuser(&entry(&id, &id)).unwrap();
        }
    }
    let is_former =
        || matches!(env.read(|tx| former::next(tx, Tenant(0))).unwrap(), former::Next::Step(_));
    let oldest = || {
        let page = json!({ "tool": "sign_out" });
        env.call_as_operator(Some(acme.account), "changes.list", page)["rows"][0].clone()
    };
    let before = oldest();
    assert!(is_former() && before["id"] == nobody, "{before}");
    let app = app(&env);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(round(&app.shared, &mut Upkeep::default()));
    assert!(!is_former());
    assert_eq!(oldest(), before);
}

#[both]
fn a_round_writes_entries_of_an_older_version_to_the_search_index_again() {
    let env = TestEnv::new();
    let owner = env.empty_business("Acme").owner;
    let app = app(&env);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(create(&env, &owner));
    write_old_entry(&env);
    let outdated = |env: &TestEnv| env.read(maintenance::outdated).unwrap().len();
    assert_eq!(outdated(&env), 1);
    let mut upkeep = Upkeep::default();
    runtime.block_on(round(&app.shared, &mut upkeep));
    assert_eq!(outdated(&env), 0);
    // Once none are left, the next search for them is an hour later.
    write_old_entry(&env);
    runtime.block_on(round(&app.shared, &mut upkeep));
    assert_eq!(outdated(&env), 1);
    env.clock.advance(60 * 60 * 1_000);
    runtime.block_on(round(&app.shared, &mut upkeep));
    assert_eq!(outdated(&env), 0);
}

/// What an erasure of the only customer says: whether the files were written again, and when that is due.
fn erasure(env: &TestEnv, account: Account, id: &str) -> (Option<Timestamp>, Option<Timestamp>) {
    let id = Id::parse(id).expect("an id");
    let read = env.read(move |tx| {
        tx.bind(account.number);
        erase::get(tx, id)
    });
    let erasure = read.expect("what is stored").expect("an erasure");
    (erasure.rewritten_at.map(|at| at.0), erasure.due_at.map(|at| at.0))
}

#[both]
fn in_the_night_after_an_erasure_one_server_writes_the_files_again() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let zone = json!({ "time_zone": "America/Los_Angeles" });
    env.call_as_operator(Some(acme.account), "tenants.update", zone);
    let new = json!({ "customer_type": "company", "company_name": "Quibnark" });
    let id = env.create(&acme.owner, "customers.create", new);
    env.call_as_operator(Some(acme.account), "customers.erase", json!({ "id": id }));
    let (rewritten, due) = erasure(&env, acme.account, &id);
    let due = due.expect("a time");
    assert_eq!(rewritten, None);
    let civil = Zone::parse("America/Los_Angeles").expect("a zone").civil(due);
    assert!(civil.ends_with(" 03:00:00"), "{civil}");
    let until_due = due.0 - env.environment.clock.now().0;
    assert!((1..=24 * 3_600_000_000).contains(&until_due), "{until_due}");

    let apps = [app(&env), app(&env)];
    let mut upkeeps = [Upkeep::default(), Upkeep::default()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut rounds = || {
        for (app, upkeep) in apps.iter().zip(&mut upkeeps) {
            runtime.block_on(round(&app.shared, upkeep));
        }
    };
    rounds();
    env.clock.advance(until_due / 1_000 - 1);
    rounds();
    assert_eq!(erasure(&env, acme.account, &id), (None, Some(due)), "it is too early");
    env.clock.advance(1);
    let has_name = |env: &TestEnv| match env.server() {
        None => {
            let bytes = std::fs::read(env.path()).unwrap();
            bytes.windows(7).any(|part| part.eq_ignore_ascii_case(b"uibnark"))
        }
        Some(_) => false,
    };
    rounds();
    let now = env.environment.clock.now();
    let done = erasure(&env, acme.account, &id);
    // If it had failed, it would be due in the next night.
    let next = done.1.map(|due| due.0.div_euclid(1_000_000) * 1_000_000);
    assert_eq!((done.0, next), (Some(now), Some(due.0 + 24 * 3_600_000_000)));
    assert!(!has_name(&env));
    // The other one found nothing to do, and neither do later rounds.
    env.clock.advance(25 * 3_600 * 1_000);
    rounds();
    assert_eq!(erasure(&env, acme.account, &id), done);
}

#[both]
fn a_search_for_erasures_that_fails_is_not_repeated_at_once() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let new = json!({ "customer_type": "company", "company_name": "Quibnark" });
    let id = env.create(&acme.owner, "customers.create", new);
    env.call_as_operator(Some(acme.account), "customers.erase", json!({ "id": id }));
    env.clock.advance(24 * 3_600 * 1_000);
    let (app, mut upkeep) = (app(&env), Upkeep::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let rename = |from: &str, to: &str| {
        let script = format!("ALTER TABLE {from} RENAME TO {to}");
        match env.server() {
            None => {
                rusqlite::Connection::open(env.path()).unwrap().execute_batch(&script).unwrap();
            }
            Some(server) => drop(server.run_as_superuser(&script).unwrap()),
        }
    };
    let mut round = || runtime.block_on(round(&app.shared, &mut upkeep));
    let is_rewritten = || erasure(&env, acme.account, &id).0.is_some();
    rename("erasures", "gone");
    round();
    rename("gone", "erasures");
    round();
    assert!(!is_rewritten(), "the next search is an hour later");
    env.clock.advance(3_600 * 1_000);
    round();
    assert!(is_rewritten());
}

#[test]
fn a_round_merges_the_parts_of_the_search_indexes() {
    let env = TestEnv::new();
    let owner = env.empty_business("Acme").owner;
    for number in 0..30 {
        let name = json!({ "customer_type": "company", "company_name": format!("Acme {number}") });
        env.call(&owner, "customers.create", name).expect("a customer");
        env.call(&owner, "notes.create", json!({ "body": "Leaks" })).expect("a note");
    }
    let parts = |index: &str| {
        let file = rusqlite::Connection::open(env.path()).unwrap();
        let count = format!("SELECT count(DISTINCT segid) FROM {index}_idx");
        file.query_one(&count, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    let search = || env.call(&owner, "customers.search", json!({ "q": "cme 2" })).expect("a page");
    let before = search();
    let indexes = ["customer_search", "note_search"];
    assert!(indexes.map(parts).iter().all(|parts| *parts > 2), "{:?}", indexes.map(parts));
    let app = app(&env);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(round(&app.shared, &mut Upkeep::default()));
    assert!(indexes.map(parts).iter().all(|parts| *parts <= 2), "{:?}", indexes.map(parts));
    assert_eq!(search(), before);
}

/// Replaces the only customer's entry in the search index by one of an older form.
fn write_old_entry(env: &TestEnv) {
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).unwrap();
            let old = "DELETE FROM customer_search WHERE rowid = 1; \
                       INSERT INTO customer_search (rowid, tokens) VALUES (1, '0001=customer')";
            file.execute_batch(old).unwrap();
        }
        Some(server) => {
            let old =
                "UPDATE customer_search SET tokens = array_to_tsvector(ARRAY['0001=customer'])";
            server.run_as_superuser(old).unwrap();
        }
    }
}

fn app(env: &TestEnv) -> App {
    let settings = Settings::new("http://t.test".parse().unwrap());
    App::new(env.db.clone(), env.environment.clone(), settings)
}

/// The number of remembered answers.
fn count_answers(env: &TestEnv) -> i64 {
    let count = "SELECT count(*) FROM idempotency";
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).unwrap();
            file.query_row(count, [], |row| row.get(0)).unwrap()
        }
        Some(server) => server.run_as_superuser(count).unwrap().trim().parse().unwrap(),
    }
}

/// Adds remembered answers of 1,000 characters each, dated 1970.
fn add_expired_answers(env: &TestEnv, answers: usize) {
    const COLUMNS: &str = "INSERT INTO idempotency (tenant_no, credential_id, idempotency_key, \
        tool, fingerprint, answer, answered_at)";
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).unwrap();
            let add = format!(
                "WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n LIMIT ?2) \
                 {COLUMNS} SELECT 1, zeroblob(16), printf('%08d', n), 't', zeroblob(32), \
                 replace(hex(zeroblob(500)), '0', 'a'), n FROM n"
            );
            // In key order and in batches: otherwise the write-ahead log would fill the disk.
            for first in (0..answers).step_by(20_000) {
                let batch = [first, 20_000].map(|number| i64::try_from(number).unwrap());
                assert_eq!(file.execute(&add, batch).unwrap(), 20_000);
            }
        }
        Some(server) => {
            let add = format!(
                "{COLUMNS} SELECT 1, gen_random_uuid(), 'k', 't', '', repeat('a', 1000), \
                 to_timestamp(n * 0.000001) FROM generate_series(1, {answers}) n"
            );
            server.run_as_superuser(&add).unwrap();
        }
    }
}

/// Creates a customer. Returns how long that took.
async fn create(env: &TestEnv, owner: &Caller) -> Duration {
    let tool = catalog::find("customers.create").unwrap();
    let arguments = json!({ "customer_type": "company", "company_name": "A" }).to_string();
    let started = Instant::now();
    let deadline = started + TIMEOUT;
    let runner = Runner { db: &env.db, environment: &env.environment, deadline };
    runner.call(owner.clone(), tool, arguments, None).await.expect("a customer");
    started.elapsed()
}

fn percentile_99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

#[both]
fn other_writes_come_between_the_steps_of_a_sweep_however_much_has_piled_up() {
    let is_long = std::env::var_os("ZOOP_TEST_LONG").is_some();
    let answers = if is_long { 2_000_000 } else { 20_000 };
    let env = TestEnv::new();
    let owner = env.empty_business("Acme").owner;
    let app = app(&env);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (mut before, mut during) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            before.push(create(&env, &owner).await);
        }
        add_expired_answers(&env, answers);
        let started = Instant::now();
        let mut upkeep = Upkeep::default();
        let mut sweeping = pin!(round(&app.shared, &mut upkeep));
        loop {
            tokio::select! {
                biased;
                () = &mut sweeping => break,
                time = create(&env, &owner) => during.push(time),
            }
        }
        // Shown with `--no-capture`.
        eprintln!(
            "{answers} answers swept in {:?}; a create took {:?} before, {:?} meanwhile ({} creates)",
            started.elapsed(), percentile_99(before), percentile_99(during.clone()), during.len()
        );
        assert_eq!(count_answers(&env), 0);
        let steps = answers / sweep::STEP;
        assert!(during.len() >= steps / 4, "{} writes during {steps} steps", during.len());
    });
}
