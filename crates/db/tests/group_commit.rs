//! Group commit: waiting writes share one transaction, and each job gets its own answer.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zoop_db::{Db, Error, Migrate, Migration, Options, Reply, WriteTx, params};

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_numbers",
    sqlite: "CREATE TABLE numbers (number INTEGER PRIMARY KEY, filler BLOB) STRICT;",
    postgres: "",
}];

zoop_db::global_statements! {
    INSERT = "INSERT INTO numbers (number, filler) VALUES ($1, zeroblob($2))";
    REPLACE = "INSERT OR REPLACE INTO numbers (number, filler) VALUES ($1, zeroblob($2))";
    COUNT = "SELECT count(*) FROM numbers";
    PAGES = "PRAGMA page_count";
    ALLOW_NO_GROWTH = "PRAGMA max_page_count = 1";
    ALLOW_GROWTH = "PRAGMA max_page_count = 1000000";
    ENDLESS_INSERT = "INSERT INTO numbers (number) WITH RECURSIVE n(i) AS \
                      (SELECT 1000 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
               SELECT count(*) FROM n";
}

/// The errors of a job in these tests.
#[derive(Debug)]
enum Refused {
    Rule,
    Engine(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

struct Bench {
    db: Db,
    folder: tempfile::TempDir,
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Batches that take every job that waits, however slow the machine is.
fn patient() -> Options {
    Options { write_batch_time: Duration::MAX, ..Options::default() }
}

impl Bench {
    fn new(options: &Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        let db = Db::open(&url, options, MIGRATIONS, Migrate::Run).expect("a database");
        Self { db, folder }
    }

    /// Blocks the writer until the sender is dropped; returns once it is blocked.
    fn hold(&self) -> (mpsc::Sender<()>, Reply<(), Error>) {
        let (release, released) = mpsc::channel();
        let (started, is_started) = mpsc::channel();
        let held = self.db.write(far(), move |_| {
            // When it runs again, nobody waits for it.
            let _ = started.send(());
            let _ = released.recv();
            Ok(())
        });
        is_started.recv().expect("the writer is held");
        (release, held)
    }

    fn insert(&self, number: i64, bytes: i64) -> Reply<(), Refused> {
        self.db.write(far(), move |tx| insert(tx, number, bytes))
    }

    fn count(&self) -> i64 {
        let counted = self.db.read::<i64, Error>(far(), |tx| {
            tx.global_first(COUNT, &[], |row| row.take())?.ok_or(Error::NoRow)
        });
        counted.wait().expect("a count")
    }
}

fn insert(tx: &mut WriteTx<'_>, number: i64, bytes: i64) -> Result<(), Refused> {
    tx.global_execute(INSERT, params![number, bytes])?;
    Ok(())
}

#[test]
fn fifty_jobs_are_one_commit_although_five_fail_in_five_ways() {
    let bench = Bench::new(&patient());
    let (release, held) = bench.hold();
    let good: Vec<_> = (0..45).map(|number| bench.insert(number, 0)).collect();
    let rule = bench.db.write(far(), |tx| {
        insert(tx, 100, 0)?;
        Err::<(), _>(Refused::Rule)
    });
    let unique = bench.db.write(far(), |tx| {
        insert(tx, 101, 0)?;
        insert(tx, 7, 0)
    });
    let panicking = bench.db.write::<(), Refused>(far(), |tx| {
        insert(tx, 102, 0)?;
        panic!("a defect of a tool");
    });
    let late = bench.db.write(Instant::now(), |tx| insert(tx, 103, 0));
    let endless = bench.db.write(far(), |tx| {
        insert(tx, 104, 0)?;
        // Only this read fails, so the transaction continues.
        tx.global_first::<i64, Refused>(COUNT, &[], |_| Err(Refused::Rule))?;
        Ok(())
    });
    let before = bench.db.gauges().commits;
    assert_eq!(bench.db.gauges().writes_waiting, 50);
    drop(release);
    held.wait().expect("the holder's own job");

    for reply in good {
        reply.wait().expect("a good job");
    }
    assert!(matches!(rule.wait(), Err(Refused::Rule)));
    assert!(matches!(unique.wait(), Err(Refused::Engine(Error::Unique(_)))));
    assert!(matches!(panicking.wait(), Err(Refused::Engine(Error::Panicked))));
    assert!(matches!(late.wait(), Err(Refused::Engine(Error::Deadline))));
    assert!(matches!(endless.wait(), Err(Refused::Rule)));
    assert_eq!(bench.count(), 45);
    // The blocking job and one batch for the fifty.
    assert_eq!(bench.db.gauges().commits - before, 1);
}

#[test]
fn an_interrupted_write_is_no_failure_of_the_storage_and_costs_the_others_one_rerun() {
    let bench = Bench::new(&patient());
    let endless = |deadline| {
        bench.db.write::<usize, Error>(deadline, |tx| tx.global_execute(ENDLESS_INSERT, &[]))
    };
    let alone = endless(Instant::now() + Duration::from_millis(200)).wait();
    assert!(matches!(alone, Err(Error::Deadline)), "{alone:?}");
    assert!(bench.db.takes_writes());

    let (release, held) = bench.hold();
    let good: Vec<_> = (0..5).map(|number| bench.insert(number, 0)).collect();
    let beside = endless(Instant::now() + Duration::from_millis(200));
    let before = bench.db.gauges().commits;
    drop(release);
    held.wait().expect("the holder's own job");
    assert!(matches!(beside.wait(), Err(Error::Deadline)));
    for reply in good {
        reply.wait().expect("a good job");
    }
    assert_eq!((bench.count(), bench.db.gauges().commits - before), (5, 1));
}

/// How often a successful job ran in a batch with a failing one.
fn runs_beside(
    failing: impl FnMut(&mut WriteTx<'_>) -> Result<(), Refused> + Send + 'static,
) -> usize {
    let bench = Bench::new(&patient());
    let runs = Arc::new(AtomicUsize::new(0));
    let (release, held) = bench.hold();
    let counted = runs.clone();
    let good = bench.db.write(far(), move |tx| {
        counted.fetch_add(1, Ordering::Relaxed);
        insert(tx, 1, 0)
    });
    let failing = bench.db.write(far(), failing);
    drop(release);
    held.wait().expect("the holder's own job");
    good.wait().expect("a good job");
    assert!(matches!(failing.wait(), Err(Refused::Rule)));
    assert_eq!(bench.count(), 1);
    runs.load(Ordering::Relaxed)
}

#[test]
fn a_refusal_before_any_write_does_not_rerun_the_batch() {
    let runs = runs_beside(|tx| {
        tx.global_first::<i64, Refused>(COUNT, &[], |row| Ok(row.take()?))?;
        Err(Refused::Rule)
    });
    assert_eq!(runs, 1);
}

#[test]
fn a_refusal_after_writing_makes_the_batch_run_again() {
    let runs = runs_beside(|tx| {
        insert(tx, 2, 0)?;
        Err(Refused::Rule)
    });
    assert_eq!(runs, 2);
}

#[test]
fn a_batch_is_as_large_as_the_options_say() {
    for (batch, commits) in [(1, 13), (5, 3), (128, 1)] {
        let write_batch = NonZeroUsize::new(batch).expect("not zero");
        let bench = Bench::new(&Options { write_batch, ..patient() });
        let (release, held) = bench.hold();
        let waiting: Vec<_> = (0..12).map(|number| bench.insert(number, 0)).collect();
        drop(release);
        held.wait().expect("the holder's own job");
        for reply in waiting {
            reply.wait().expect("a good job");
        }
        assert_eq!(bench.db.gauges().commits, commits, "{batch} a batch");
    }
}

#[test]
fn a_batch_takes_no_further_job_once_its_time_is_over() {
    let bench = Bench::new(&Options { write_batch_time: Duration::ZERO, ..Options::default() });
    let (release, held) = bench.hold();
    let waiting: Vec<_> = (0..12).map(|number| bench.insert(number, 0)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    for reply in waiting {
        reply.wait().expect("a good job");
    }
    assert_eq!(bench.db.gauges().commits, 13);
}

const MEGABYTE: i64 = 1 << 20;

/// A database whose log is emptied above eight megabytes.
fn short_log() -> Bench {
    let write_batch = NonZeroUsize::new(8).expect("not zero");
    Bench::new(&Options { write_batch, log_bytes: 8 << 20, ..Options::default() })
}

impl Bench {
    /// Writes a megabyte over another one, so that only the log grows.
    fn replace(&self, place: i64) -> Reply<usize, Error> {
        self.db.write::<_, Error>(far(), move |tx| {
            tx.global_execute(REPLACE, params![place % 8, MEGABYTE])
        })
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("t.db-wal")).expect("the log").len()
    }
}

#[test]
fn the_log_stays_bounded_under_writes_that_never_pause() {
    let bench = short_log();
    let (release, held) = bench.hold();
    let waiting: Vec<_> = (0..200).map(|place| bench.replace(place)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    for reply in waiting {
        reply.wait().expect("a good job");
    }
    // The bound, and one batch.
    assert!(bench.log_bytes() < 20 << 20, "{} bytes", bench.log_bytes());
}

#[test]
fn the_log_stays_bounded_while_reads_overlap() {
    let bench = short_log();
    // A read that has its snapshot, and ends when the test lets it or nobody waits for it.
    let read = || {
        let (release, released) = mpsc::channel::<()>();
        let (started, is_started) = mpsc::channel();
        let reading = bench.db.read::<_, Error>(far(), move |tx| {
            tx.global_first::<i64, Error>(COUNT, &[], |row| row.take())?;
            let _ = started.send(());
            while released.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
                tx.ensure_time()?;
            }
            Ok(())
        });
        is_started.recv().expect("it has begun");
        (reading, release)
    };
    let mut running = read();
    for place in 0..50 {
        bench.replace(place).wait().expect("writes go on");
        if place % 5 == 0 {
            // Never a moment without one.
            running = read();
        }
        assert!(bench.log_bytes() < 20 << 20, "{} bytes", bench.log_bytes());
    }
    drop(running);
}

#[test]
fn a_short_read_is_waited_for_and_not_cancelled_when_the_log_is_emptied() {
    let bench = short_log();
    for place in 0..40 {
        let counted = bench.db.read::<i64, Error>(far(), |tx| {
            tx.global_first(COUNT, &[], |row| row.take())?.ok_or(Error::NoRow)
        });
        let replaced = bench.replace(place);
        counted.wait().expect("a count");
        replaced.wait().expect("a write");
    }
    assert!(bench.log_bytes() < 20 << 20, "{} bytes", bench.log_bytes());
}

#[test]
fn a_full_disk_loses_no_answered_write_and_fails_only_jobs_that_do_not_fit() {
    let bench = Bench::new(&Options::default());
    bench.insert(0, 0).wait().expect("room for one");
    let tight = bench.db.write::<i64, Error>(far(), |tx| {
        tx.global_first::<i64, Error>(ALLOW_NO_GROWTH, &[], |row| row.take())?;
        tx.global_first(PAGES, &[], |row| row.take())?.ok_or(Error::NoRow)
    });
    tight.wait().expect("the limit is set to the file's size");
    let (release, held) = bench.hold();
    let small: Vec<_> = (1..20).map(|number| bench.insert(number, 0)).collect();
    let large = bench.insert(50, 1 << 20);
    let after: Vec<_> = (20..40).map(|number| bench.insert(number, 0)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    assert!(matches!(large.wait(), Err(Refused::Engine(Error::Unavailable(_)))));
    for reply in small.into_iter().chain(after) {
        reply.wait().expect("a job that fits");
    }
    assert_eq!(bench.count(), 40);

    let room = bench.db.write::<i64, Error>(far(), |tx| {
        tx.global_first(ALLOW_GROWTH, &[], |row| row.take())?.ok_or(Error::NoRow)
    });
    room.wait().expect("there is room again");
    bench.insert(50, 1 << 20).wait().expect("it fits now");
    assert_eq!(bench.count(), 41);
}

#[test]
fn a_write_cancelled_by_its_deadline_affects_no_other() {
    let bench = Bench::new(&Options::default());
    let (release, held) = bench.hold();
    let good: Vec<_> = (0..10).map(|number| bench.insert(number, 0)).collect();
    let soon = Instant::now() + Duration::from_millis(300);
    let endless = bench.db.write::<i64, Refused>(soon, |tx| {
        insert(tx, 100, 0)?;
        Ok(tx.global_first(ENDLESS, &[], |row| row.take())?.unwrap_or(0))
    });
    let more: Vec<_> = (10..20).map(|number| bench.insert(number, 0)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    assert!(matches!(endless.wait(), Err(Refused::Engine(Error::Deadline))));
    for reply in good.into_iter().chain(more) {
        reply.wait().expect("a good job");
    }
    assert_eq!(bench.count(), 20);
}
