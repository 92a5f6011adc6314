//! Work that no caller waits for: clean-up and upkeep of the search index every minute, and recording when credentials
//! were used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{self, MissedTickBehavior};
use zoop_crm::business::notes::reindex;
use zoop_crm::call::caller::Used;
use zoop_crm::call::error::{Error, Result};
use zoop_crm::call::history::former;
use zoop_crm::call::sweep::Sweep;
use zoop_crm::identity::authenticate;
use zoop_crm::maintenance;
use zoop_db::{Tenant, Timestamp};

use crate::app::{App, Shared};
use crate::reindexing::Reindexing;
use crate::stored;

/// The time between two rounds.
const INTERVAL: Duration = Duration::from_secs(60);
/// The time limit for a database job of this module.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The time limit for one step of a sweep. It is short, because the next round tries again.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one round merges the search indexes.
const MERGING_TIME: Duration = Duration::from_secs(20);
/// How long one round indexes notes again.
const REINDEXING_TIME: Duration = Duration::from_secs(20);
/// How long one round moves entries of the history.
const MOVING_TIME: Duration = Duration::from_secs(20);

/// Runs until the server stops.
pub(crate) async fn maintain(app: App, mut stopping: watch::Receiver<()>) {
    let mut rounds = time::interval_at(time::Instant::now() + INTERVAL, INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reindexing = Reindexing::default();
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = rounds.tick() => {}
        }
        // A round can take long, so stopping the server interrupts it.
        tokio::select! {
            _ = stopping.changed() => return,
            () = round(&app.shared, &mut reindexing) => {}
        }
    }
}

/// Compares the clocks, drops idle callers' state from memory, sweeps expired rows from the database, and renews outdated
/// entries of the search index.
async fn round(shared: &Shared, reindexing: &mut Reindexing) {
    compare_clocks(shared).await;
    let now = shared.environment.clock.now();
    shared.limiter.drop_idle(now);
    shared.last_use.drop_idle(now);
    shared.anonymous_limits.drop_idle(now);
    sweep(shared, now).await;
    if let Err(error) = reindex_notes(shared, now).await {
        tracing::warn!(?error, "notes could not be indexed again");
    }
    if let Err(error) = move_history(shared).await {
        tracing::warn!(?error, "the history could not be moved; the next round tries again");
    }
    if let Err(error) = stored::watch(shared, now).await {
        tracing::warn!(?error, "the storage of the businesses could not be measured");
    }
    if let Err(error) = reindexing.round(shared, now).await {
        tracing::warn!(?error, "the search index could not be renewed; the next round tries again");
    }
    if let Err(error) = merge_search_indexes(shared).await {
        tracing::warn!(
            ?error,
            "the search indexes could not be merged; the next round tries again"
        );
    }
}

/// Removes all rows that have expired at `now`. Each step is a write of its own, so that other writes come between
/// the steps. If a sweep fails, the next ones still run.
async fn sweep(shared: &Shared, now: Timestamp) {
    let mut postponed = Vec::new();
    for sweep in maintenance::sweeps() {
        match sweep_all(shared, now, sweep).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, of = sweep.rows, "swept"),
            Err(Error::Unavailable { cause }) => postponed.push((sweep.rows, cause)),
            Err(Error::Internal { cause }) => {
                tracing::error!(of = sweep.rows, %cause, "a sweep failed");
            }
            Err(error) => tracing::error!(of = sweep.rows, kind = error.kind(), "a sweep failed"),
        }
    }
    // A storage failure postpones all sweeps, and is logged once.
    if let Some((_, cause)) = postponed.last() {
        let of: Vec<_> = postponed.iter().map(|(rows, _)| *rows).collect();
        tracing::warn!(of = of.join(", "), %cause, "sweeps were postponed");
    }
}

/// Runs one sweep step by step until it is done. Returns the number of removed rows.
async fn sweep_all(shared: &Shared, now: Timestamp, sweep: &'static Sweep) -> Result<usize> {
    let mut rows = 0;
    loop {
        let step = shared.db.write(Instant::now() + STEP_TIMEOUT, move |tx| sweep.step(tx, now));
        let swept = step.await?;
        rows += swept.rows;
        if swept.is_done {
            return Ok(rows);
        }
    }
}

/// Indexes notes again that an earlier version has indexed, for a while. The next round goes on.
async fn reindex_notes(shared: &Shared, now: Timestamp) -> Result<()> {
    let end = Instant::now() + REINDEXING_TIME;
    let mut from = Tenant(0);
    while Instant::now() < end {
        let next = shared.db.read(Instant::now() + TIMEOUT, move |tx| reindex::next(tx, from, now));
        let Some(step) = next.await? else { return Ok(()) };
        from = step.tenant();
        let write = shared.db.write(Instant::now() + TIMEOUT, move |tx| reindex::write(tx, &step));
        write.await?;
    }
    Ok(())
}

/// Moves entries of the history into their lasting form, for a while. The next round goes on.
async fn move_history(shared: &Shared) -> Result<()> {
    let end = Instant::now() + MOVING_TIME;
    let (mut from, mut entries) = (Tenant(0), 0);
    while Instant::now() < end {
        let next = shared.db.read(Instant::now() + TIMEOUT, move |tx| former::next(tx, from));
        let Some(step) = next.await? else { break };
        from = step.tenant();
        entries += step.count();
        let write = shared.db.write(Instant::now() + TIMEOUT, move |tx| former::write(tx, &step));
        write.await?;
    }
    if entries > 0 {
        tracing::info!(entries, "entries of the history were moved into their smaller form");
    }
    Ok(())
}

/// Merges the search indexes, for a while. The next round goes on.
async fn merge_search_indexes(shared: &Shared) -> Result<()> {
    let end = Instant::now() + MERGING_TIME;
    while Instant::now() < end {
        let step =
            shared.db.write(Instant::now() + STEP_TIMEOUT, maintenance::merge_search_indexes);
        if !step.await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Compares this process's clock with the database's and logs a difference, even if nothing queries the server's
/// readiness.
async fn compare_clocks(shared: &Shared) {
    let clock = shared.environment.clock.clone();
    let read = shared.db.read::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
        let database = tx.clock()?;
        Ok((clock.now(), database))
    });
    // A database that does not answer is reported by the requests that need it.
    if let Ok((here, database)) = read.await {
        shared.clock_skew.agree(here, database);
    }
}

/// Queues a write that records a credential's use, at most once a minute. Does not wait for the write.
pub(crate) fn record_use(shared: &Arc<Shared>, used: Used) {
    let now = shared.environment.clock.now();
    if !shared.last_use.should_record_use(used, now) {
        return;
    }
    let write = shared
        .db
        .write::<_, Error>(Instant::now() + TIMEOUT, move |tx| authenticate::touch(tx, used, now));
    let shared = shared.clone();
    // The engine skips a job whose caller has gone, so a task waits for this job.
    tokio::spawn(async move {
        if let Err(error) = write.await {
            // Only at debug level: the next call tries again, so this may be logged for every call.
            tracing::debug!(?error, "a credential's last use could not be recorded");
            shared.last_use.forget(used);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use serde_json::json;
    use zoop_both::both;
    use zoop_crm::call::run;
    use zoop_crm::call::run::Runner;
    use zoop_crm::call::sweep;
    use zoop_crm::catalog;
    use zoop_crm::testing::{Caller, TestEnv};

    use super::*;
    use crate::app::Settings;

    #[both]
    fn a_round_drops_what_is_out_of_date() {
        let env = TestEnv::new();
        let owner = env.empty_business("Acme").owner;
        let environment = env.environment.clone();
        let tool = catalog::find("customers.create").unwrap();
        let arguments = json!({ "customer_type": "company", "company_name": "A" }).to_string();
        env.write(move |tx| run::write(tx, &environment, &owner, tool, &arguments, Some("k")))
            .unwrap();
        let app = app(&env);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(round(&app.shared, &mut Reindexing::default()));
        assert_eq!(count_answers(&env), 1);
        env.clock.advance(24 * 60 * 60 * 1_000);
        runtime.block_on(round(&app.shared, &mut Reindexing::default()));
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
        runtime.block_on(round(&app.shared, &mut Reindexing::default()));
        assert_eq!((found("leaks"), found("leaking")), (1, 1));
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
        let mut reindexing = Reindexing::default();
        runtime.block_on(round(&app.shared, &mut reindexing));
        assert_eq!(outdated(&env), 0);
        // Once none are left, the next search for them is an hour later.
        write_old_entry(&env);
        runtime.block_on(round(&app.shared, &mut reindexing));
        assert_eq!(outdated(&env), 1);
        env.clock.advance(60 * 60 * 1_000);
        runtime.block_on(round(&app.shared, &mut reindexing));
        assert_eq!(outdated(&env), 0);
    }

    #[test]
    fn a_round_merges_the_parts_of_the_search_indexes() {
        let env = TestEnv::new();
        let owner = env.empty_business("Acme").owner;
        for number in 0..30 {
            let name =
                json!({ "customer_type": "company", "company_name": format!("Acme {number}") });
            env.call(&owner, "customers.create", name).expect("a customer");
            env.call(&owner, "notes.create", json!({ "body": "Leaks" })).expect("a note");
        }
        let parts = |index: &str| {
            let file = rusqlite::Connection::open(env.path()).unwrap();
            let count = format!("SELECT count(DISTINCT segid) FROM {index}_idx");
            file.query_one(&count, [], |row| row.get::<_, u32>(0)).unwrap()
        };
        let search =
            || env.call(&owner, "customers.search", json!({ "q": "cme 2" })).expect("a page");
        let before = search();
        let indexes = ["customer_search", "note_search"];
        assert!(indexes.map(parts).iter().all(|parts| *parts > 2), "{:?}", indexes.map(parts));
        let app = app(&env);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(round(&app.shared, &mut Reindexing::default()));
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
            let mut reindexing = Reindexing::default();
            let mut sweeping = pin!(round(&app.shared, &mut reindexing));
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
}
