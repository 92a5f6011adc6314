//! A COMMIT whose answer never came: what was kept is found out, and nothing is kept twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use zoop_db::{Db, Error, Tenant, params};

use crate::proxy::{Fault, Proxy};
use crate::{ADD, count, database, open};

/// Longer than a sound test takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Adds a number over a proxy with a fault: what the caller hears, how often the job ran, and how many
/// numbers there are.
fn add_with(fault: Fault, patience: Duration) -> (Result<i64, Error>, usize, i64, Db) {
    let database = database();
    let (proxy, url) = Proxy::before(database.url());
    let db = open(&url);
    let direct = open(database.url());
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    proxy.fail_next(fault);
    let added = db.write::<_, Error>(Instant::now() + patience, move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        tx.bind(Tenant(1));
        tx.insert(ADD, params![1_i64])
    });
    let answer = added.wait();
    (answer, runs.load(Ordering::SeqCst), count(&direct).expect("a count"), db)
}

#[test]
fn a_write_whose_answer_was_lost_is_kept_once_and_told_so() {
    let (answer, runs, count, db) = add_with(Fault::Answer, PATIENCE);
    assert_eq!(answer.expect("kept"), 1);
    assert_eq!((runs, count), (1, 1));
    assert!(db.takes_writes());
}

#[test]
fn a_write_whose_commit_was_lost_runs_again() {
    let (answer, runs, count, _) = add_with(Fault::Commit, PATIENCE);
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!((runs, count), (2, 1));
}

#[test]
fn a_write_of_which_nothing_can_be_learnt_in_time_is_told_as_that() {
    let (answer, runs, count, db) = add_with(Fault::Server, Duration::from_secs(1));
    assert!(matches!(answer, Err(Error::Unknown(_))), "{answer:?}");
    assert_eq!((runs, count), (1, 0));
    assert!(!db.takes_writes());
}
