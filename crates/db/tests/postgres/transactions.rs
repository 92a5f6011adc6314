//! Concurrent writes: those of one tenant run in order, deadlocks are retried, and failures are never lost.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Instant;

use zoop_db::{Db, Earlier, Error, Migrate, Options, Reply, Tenant, WriteTx, params};

use crate::{
    ADD, COUNT, COUNTED, FAIL, GREATEST, MIGRATIONS, NUMBERS, RAISE, SWEEP, add, count, database,
    far, open,
};

/// Adds the number that follows the greatest.
fn add_next(tx: &mut WriteTx<'_>) -> Result<i64, Error> {
    tx.bind(Tenant(1));
    let greatest = tx.first::<Option<i64>, Error>(GREATEST, &[], |row| row.take())?.flatten();
    tx.insert(ADD, params![greatest.unwrap_or(0) + 1])
}

#[test]
fn the_writes_of_one_tenant_run_one_after_another_in_all_processes() {
    let database = database();
    let engines = [open(database.url()), open(database.url())];
    let writes: Vec<Reply<i64, Error>> =
        (0..60).map(|turn| engines[turn % 2].write(far(), add_next)).collect();
    for write in writes {
        write.wait().expect("a write that waited");
    }
    let numbers = engines[0].read(far(), |tx| {
        tx.bind(Tenant(1));
        tx.all::<i64, Error>(NUMBERS, &[], |row| row.take())
    });
    assert_eq!(numbers.wait().expect("numbers"), (1..=60).collect::<Vec<_>>());
    let commits: u64 = engines.iter().map(|engine| engine.gauges().commits).sum();
    assert_eq!(commits, 60);
}

#[test]
fn writes_that_block_each_other_both_succeed() {
    let database = database();
    let db = open(database.url());
    let both_have_one = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicUsize::new(0));
    let raise = |tenant, first: &'static str, second: &'static str| {
        let (barrier, runs) = (both_have_one.clone(), runs.clone());
        let mut is_first_run = true;
        db.write::<_, Error>(far(), move |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            tx.bind(Tenant(tenant));
            tx.global_execute(RAISE, params![first])?;
            if std::mem::take(&mut is_first_run) {
                barrier.wait();
            }
            tx.global_execute(RAISE, params![second])
        })
    };
    let writes = [raise(1, "x", "y"), raise(2, "y", "x")];
    for write in writes {
        assert_eq!(write.wait().expect("one after the other"), 1);
    }
    assert!(runs.load(Ordering::SeqCst) >= 3, "one of them ran again");
    let counted = db.read::<_, Error>(far(), |tx| {
        tx.global_first::<i64, Error>(COUNTED, params!["x"], |row| row.take())
    });
    assert_eq!(counted.wait().expect("a count"), Some(2));
}

/// Declares a function that fails with an SQLSTATE a given number of times. It counts with a sequence, because a
/// rollback does not reset a sequence.
const FAILING: &str = "CREATE SEQUENCE failures;
    CREATE FUNCTION fail(code text, times bigint) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('failures') <= times THEN
            RAISE EXCEPTION 'a test failure' USING ERRCODE = code;
        END IF;
        RETURN true;
    END $$";

/// The maximum number of retries of a write.
const RETRIES: usize = 3;

/// Adds a number in a job whose first transactions fail. Returns the caller's answer, the number of times that the job
/// ran, and the number of rows.
fn add_after_failures(code: &'static str, times: i64) -> (Result<i64, Error>, usize, i64) {
    let database = database();
    database.run(FAILING).expect("a function");
    let db = open(database.url());
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let added = db.write::<_, Error>(far(), move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        tx.bind(Tenant(1));
        let key = tx.insert(ADD, params![1_i64])?;
        tx.global_first::<bool, Error>(FAIL, params![code, times], |row| row.take())?;
        Ok(key)
    });
    let answer = added.wait();
    (answer, runs.load(Ordering::SeqCst), count(&db).expect("a count"))
}

/// The SQLSTATEs of a serialization failure and of a deadlock.
const CONFLICTS: [&str; 2] = ["40001", "40P01"];

#[test]
fn a_write_that_met_a_conflict_runs_again() {
    for code in CONFLICTS {
        for (times, expected) in [(1, 2), (3, RETRIES + 1)] {
            let (answer, runs, count) = add_after_failures(code, times);
            assert!(answer.is_ok(), "{code}: {answer:?}");
            assert_eq!((runs, count), (expected, 1), "{code}");
        }
    }
}

#[test]
fn a_write_that_always_meets_a_conflict_is_given_up() {
    for code in CONFLICTS {
        let (answer, runs, count) = add_after_failures(code, i64::MAX);
        assert!(matches!(answer, Err(Error::Locked)), "{code}: {answer:?}");
        assert_eq!((runs, count), (RETRIES + 1, 0), "{code}");
    }
}

#[test]
fn a_write_that_is_refused_for_another_reason_does_not_run_again() {
    let (answer, runs, count) = add_after_failures("22012", 1);
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
    assert_eq!((runs, count), (1, 0));
}

#[test]
fn a_job_that_continues_after_a_failure_is_not_committed() {
    let database = database();
    let db = open(database.url());
    add(&db, 1).expect("a row");
    let swallowed = db.write::<_, Error>(far(), |tx| {
        tx.bind(Tenant(1));
        tx.insert(ADD, params![2_i64])?;
        assert!(matches!(tx.insert(ADD, params![1_i64]), Err(Error::Unique(_))));
        assert!(tx.insert(ADD, params![3_i64]).is_err());
        Ok(())
    });
    assert!(matches!(swallowed.wait(), Err(Error::Unique(_))));
    assert_eq!(count(&db).expect("a count"), 1);
}

#[test]
fn a_parameter_type_mismatch_is_a_defect_and_shows_no_value() {
    let database = database();
    let db = open(database.url());
    let misused = db.write(far(), |tx| {
        tx.bind(Tenant(1));
        tx.insert(ADD, params!["a secret"])
    });
    let Err(error @ Error::Statement(_)) = misused.wait() else { panic!("expected a defect") };
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    let twice = db.write(far(), |tx| {
        tx.bind(Tenant(1));
        tx.insert(ADD, params![1_i64, 2_i64])
    });
    assert!(matches!(twice.wait(), Err(Error::Statement(_))));
}

#[test]
fn only_a_sweep_sees_rows_of_every_tenant() {
    let database = database();
    let db = open(database.url());
    add(&db, 1).expect("a row");
    let seen = db.write::<_, Error>(far(), |tx| {
        let unbound = tx.global_execute(SWEEP, &[])?;
        tx.bind(Tenant(2));
        let another = tx.global_execute(SWEEP, &[])?;
        let swept = tx.sweep::<i64, Error>(SWEEP, &[], |row| row.take())?.len();
        tx.bind(Tenant(1));
        tx.insert(ADD, params![1_i64])?;
        tx.bind(Tenant(2));
        let after = tx.global_execute(SWEEP, &[])?;
        Ok([unbound, another, swept, after])
    });
    assert_eq!(seen.wait().expect("four sweeps"), [0, 0, 1, 0]);
}

/// Counts the writes that wait for a lock in this database.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[test]
fn after_waiting_for_its_turn_a_write_knows_that_its_reads_may_be_stale() {
    let database = database();
    let engines = [open(database.url()), open(database.url())];
    let (lock_sender, lock_receiver) = mpsc::channel();
    let (release_sender, release_receiver) = mpsc::channel();
    let is_locked = Arc::new(AtomicBool::new(true));
    let still_locked = is_locked.clone();
    let first = engines[0].write::<_, Error>(far(), move |tx| {
        add_next(tx)?;
        lock_sender.send(()).expect("the test waits");
        release_receiver.recv().expect("the test releases the write");
        Ok(())
    });
    lock_receiver.recv().expect("the first write has the lock");
    let second = engines[1].write::<_, Error>(far(), move |tx| {
        tx.global_first::<i64, Error>(COUNTED, params!["x"], |row| row.take())?;
        let earlier = tx.bind(Tenant(1));
        tx.take_turn()?;
        Ok((earlier, still_locked.load(Ordering::SeqCst)))
    });
    let deadline = far();
    while database.run(WAITING).expect("a count").trim() != "1" {
        assert!(Instant::now() < deadline, "the second write waits");
    }
    is_locked.store(false, Ordering::SeqCst);
    release_sender.send(()).expect("the first write waits");
    first.wait().expect("the first write");
    assert_eq!(second.wait().expect("the second write"), (Earlier::MayBeStale, false));
}

#[test]
fn processes_know_of_each_other() {
    let database = database();
    let db = open(database.url());
    let others = || db.read::<_, Error>(far(), |tx| tx.others()).wait().expect("a count");
    assert_eq!(others(), 0, "a process does not count its own connections");
    // Opens the database under the application name of another process.
    let separator = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}application_name=zoop-0", database.url());
    let other = open(&url);
    // Each connection is opened by its own thread, so at least one exists after a read.
    let seen = other.read::<_, Error>(far(), |tx| tx.others()).wait().expect("a count");
    assert!(seen > 0, "the other process should see the first");
    assert!(others() > 0);
    drop(other);
}

#[test]
fn a_read_behind_a_failed_one_sees_one_snapshot() {
    let database = database();
    let options = Options { readers: NonZeroUsize::new(1), ..Options::default() };
    let db = Db::open(database.url(), &options, MIGRATIONS, Migrate::Run).expect("opens");
    let (queued, is_queued) = mpsc::channel();
    let failed = db.read::<_, Error>(far(), move |tx| {
        let refused = tx.global_first::<(), Error>(RAISE, params!["x"], |_| Ok(()));
        is_queued.recv().expect("the next read is queued");
        refused
    });
    let writer = db.clone();
    let counts = db.read::<_, Error>(far(), move |tx| {
        tx.bind(Tenant(1));
        let mut count = || tx.first::<i64, Error>(COUNT, &[], |row| row.take());
        let before = count()?;
        add(&writer, 1).expect("a concurrent write");
        Ok((before, count()?))
    });
    queued.send(()).expect("the first read waits");
    assert!(matches!(failed.wait(), Err(Error::Unavailable(_))), "a read writes nothing");
    assert_eq!(counts.wait().expect("two counts"), (Some(0), Some(0)));
}
