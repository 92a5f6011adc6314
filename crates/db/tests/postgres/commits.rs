//! A COMMIT whose answer never came: its outcome is determined, and nothing is committed twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use zoop_db::{Db, Error, Tenant, params};
use zoop_postgres_cluster::{Cluster, Fault, Proxy, own_database};

use crate::{ADD, NUMBER, count, open};

/// A time limit that a passing test never reaches.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Adds a number through a proxy with a fault. Returns the caller's answer, the number of times that the job ran, the
/// number of rows, and the database behind the proxy.
fn add_with(fault: Fault, timeout: Duration) -> (Result<i64, Error>, usize, i64, Db) {
    let database = own_database().expect("a database");
    let (proxy, url) = Proxy::before(database.url());
    let db = open(&url);
    let direct = open(database.url());
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    proxy.fail_next(fault);
    let added = db.write::<_, Error>(Instant::now() + timeout, move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        tx.bind(Tenant(1));
        tx.insert(ADD, params![1_i64])
    });
    let answer = added.wait();
    (answer, runs.load(Ordering::SeqCst), count(&direct).expect("a count"), db)
}

#[test]
fn a_write_whose_answer_was_lost_is_kept_once_and_reported_as_kept() {
    let (answer, runs, count, db) = add_with(Fault::Answer, TIMEOUT);
    assert_eq!(answer.expect("kept"), 1);
    assert_eq!((runs, count), (1, 1));
    assert!(db.takes_writes());
}

#[test]
fn a_write_whose_commit_was_lost_runs_again() {
    let (answer, runs, count, _) = add_with(Fault::Commit, TIMEOUT);
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!((runs, count), (2, 1));
}

#[test]
fn a_write_with_an_unknown_outcome_is_reported_as_unknown() {
    let (answer, runs, count, db) = add_with(Fault::Server, Duration::from_secs(1));
    assert!(matches!(answer, Err(Error::Unknown(_))), "{answer:?}");
    assert_eq!((runs, count), (1, 0));
    assert!(!db.takes_writes());
}

/// Loses the COMMIT of a write, crashes the server, which then has forgotten the write, and runs other transactions.
/// `others` gets the write's transaction number and the number that the server assigns next, and returns how many
/// to run. Returns the caller's answer and the number of rows.
fn add_before_a_crash(others: fn(i64, i64) -> i64) -> (Result<i64, Error>, i64) {
    let mut cluster = Cluster::start().expect("a cluster");
    let database = cluster.fresh_database().expect("a database");
    // Keeps uncommitted writes off the disk until the server crashes.
    for setting in ["ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()"] {
        database.run_as_superuser(setting).expect("a setting");
    }
    let (proxy, url) = Proxy::before(database.url());
    let db = open(&url);
    proxy.fail_next(Fault::Server);
    let number = Arc::new(AtomicI64::new(0));
    let stored_number = number.clone();
    let added = db.write::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
        tx.bind(Tenant(1));
        let n = tx.insert(ADD, params![1_i64])?;
        let number = tx.global_first::<i64, Error>(NUMBER, &[], |row| row.take())?;
        stored_number.store(number.unwrap_or_default(), Ordering::SeqCst);
        Ok(n)
    });
    while !proxy.is_down() {
        std::thread::yield_now();
    }
    cluster.stop_immediately().expect("stopped");
    cluster.restart().expect("started");
    let lost = number.load(Ordering::SeqCst);
    let next = "SELECT pg_snapshot_xmax(pg_current_snapshot())";
    let next = database.run(next).expect("a number").trim().parse().expect("a number");
    assert!(next <= lost, "the server has not forgotten the number {lost}: it gives out {next}");
    for _ in 0..others(lost, next) {
        database.run("SELECT pg_current_xact_id()").expect("a transaction");
    }
    proxy.heal();
    (added.wait(), count(&open(database.url())).expect("a count"))
}

#[test]
fn a_transaction_number_reused_after_a_crash_is_not_taken_for_the_lost_write() {
    let (answer, count) = add_before_a_crash(|lost, next| lost - next + 1);
    assert!(matches!(answer, Err(Error::Unknown(_))), "{answer:?}");
    assert_eq!(count, 0);
}

#[test]
fn a_write_that_a_crashed_server_has_forgotten_runs_again() {
    let (answer, count) = add_before_a_crash(|_, _| 0);
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(count, 1);
}
