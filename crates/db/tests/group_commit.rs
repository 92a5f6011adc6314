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

struct Fixture {
    db: Db,
    folder: tempfile::TempDir,
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Options for batches that include every waiting job, however slow the machine is.
fn unlimited_batch_time() -> Options {
    Options { write_batch_time: Duration::MAX, ..Options::default() }
}

impl Fixture {
    fn new(options: &Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        let db = Db::open(&url, options, MIGRATIONS, Migrate::Run).expect("a database");
        Self { db, folder }
    }

    /// Blocks the writer until the sender is dropped. Returns as soon as the writer is blocked.
    fn hold(&self) -> (mpsc::Sender<()>, Reply<(), Error>) {
        let (release, released) = mpsc::channel();
        let (started, is_started) = mpsc::channel();
        let held = self.db.write(far(), move |_| {
            // If the job runs again, nobody waits for this message.
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
    let fixture = Fixture::new(&unlimited_batch_time());
    let (release, held) = fixture.hold();
    let good: Vec<_> = (0..45).map(|number| fixture.insert(number, 0)).collect();
    let rule = fixture.db.write(far(), |tx| {
        insert(tx, 100, 0)?;
        Err::<(), _>(Refused::Rule)
    });
    let unique = fixture.db.write(far(), |tx| {
        insert(tx, 101, 0)?;
        insert(tx, 7, 0)
    });
    let panicking = fixture.db.write::<(), Refused>(far(), |tx| {
        insert(tx, 102, 0)?;
        panic!("a defect of a tool");
    });
    let late = fixture.db.write(Instant::now(), |tx| insert(tx, 103, 0));
    let failed_read = fixture.db.write(far(), |tx| {
        insert(tx, 104, 0)?;
        // Only this read fails, so the transaction continues.
        tx.global_first::<i64, Refused>(COUNT, &[], |_| Err(Refused::Rule))?;
        Ok(())
    });
    let before = fixture.db.gauges().commits;
    assert_eq!(fixture.db.gauges().writes_waiting, 50);
    drop(release);
    held.wait().expect("the holder's own job");

    for reply in good {
        reply.wait().expect("a good job");
    }
    assert!(matches!(rule.wait(), Err(Refused::Rule)));
    assert!(matches!(unique.wait(), Err(Refused::Engine(Error::Unique(_)))));
    assert!(matches!(panicking.wait(), Err(Refused::Engine(Error::Panicked))));
    assert!(matches!(late.wait(), Err(Refused::Engine(Error::Deadline))));
    assert!(matches!(failed_read.wait(), Err(Refused::Rule)));
    assert_eq!(fixture.count(), 45);
    // The blocking job and the fifty share one batch.
    assert_eq!(fixture.db.gauges().commits - before, 1);
}

#[test]
fn a_write_that_came_too_late_is_not_in_doubt_while_its_batch_goes_on() {
    let fixture = Fixture::new(&unlimited_batch_time());
    let (release, held) = fixture.hold();
    let late = fixture.db.write(Instant::now(), |tx| insert(tx, 1, 0));
    let (end_batch, ended) = mpsc::channel::<()>();
    let last = fixture.db.write(far(), move |_| {
        let _ = ended.recv();
        Ok::<_, Error>(())
    });
    drop(release);
    assert!(matches!(late.wait(), Err(Refused::Engine(Error::Deadline))));
    drop(end_batch);
    held.wait().expect("the first job");
    last.wait().expect("the last job");
}

#[test]
fn an_interrupted_write_is_no_failure_of_the_storage_and_costs_the_others_one_rerun() {
    let fixture = Fixture::new(&unlimited_batch_time());
    let endless = |deadline| {
        fixture.db.write::<usize, Error>(deadline, |tx| tx.global_execute(ENDLESS_INSERT, &[]))
    };
    let alone = endless(Instant::now() + Duration::from_millis(200)).wait();
    assert!(matches!(alone, Err(Error::Deadline)), "{alone:?}");
    assert!(fixture.db.takes_writes());

    let (release, held) = fixture.hold();
    let good: Vec<_> = (0..5).map(|number| fixture.insert(number, 0)).collect();
    let interrupted = endless(Instant::now() + Duration::from_millis(200));
    let before = fixture.db.gauges().commits;
    drop(release);
    held.wait().expect("the holder's own job");
    assert!(matches!(interrupted.wait(), Err(Error::Deadline)));
    for reply in good {
        reply.wait().expect("a good job");
    }
    assert_eq!((fixture.count(), fixture.db.gauges().commits - before), (5, 1));
}

/// The number of times that a successful job runs in a batch with a failing job.
fn count_runs_with(
    failing: impl FnMut(&mut WriteTx<'_>) -> Result<(), Refused> + Send + 'static,
) -> usize {
    let fixture = Fixture::new(&unlimited_batch_time());
    let runs = Arc::new(AtomicUsize::new(0));
    let (release, held) = fixture.hold();
    let counted = runs.clone();
    let good = fixture.db.write(far(), move |tx| {
        counted.fetch_add(1, Ordering::Relaxed);
        insert(tx, 1, 0)
    });
    let failing = fixture.db.write(far(), failing);
    drop(release);
    held.wait().expect("the holder's own job");
    good.wait().expect("a good job");
    assert!(matches!(failing.wait(), Err(Refused::Rule)));
    assert_eq!(fixture.count(), 1);
    runs.load(Ordering::Relaxed)
}

#[test]
fn a_refusal_before_any_write_does_not_rerun_the_batch() {
    let runs = count_runs_with(|tx| {
        tx.global_first::<i64, Refused>(COUNT, &[], |row| Ok(row.take()?))?;
        Err(Refused::Rule)
    });
    assert_eq!(runs, 1);
}

#[test]
fn a_refusal_after_writing_makes_the_batch_run_again() {
    let runs = count_runs_with(|tx| {
        insert(tx, 2, 0)?;
        Err(Refused::Rule)
    });
    assert_eq!(runs, 2);
}

#[test]
fn a_batch_is_as_large_as_the_options_say() {
    for (batch, commits) in [(1, 13), (5, 3), (128, 1)] {
        let write_batch = NonZeroUsize::new(batch).expect("not zero");
        let fixture = Fixture::new(&Options { write_batch, ..unlimited_batch_time() });
        let (release, held) = fixture.hold();
        let waiting: Vec<_> = (0..12).map(|number| fixture.insert(number, 0)).collect();
        drop(release);
        held.wait().expect("the holder's own job");
        for reply in waiting {
            reply.wait().expect("a good job");
        }
        assert_eq!(fixture.db.gauges().commits, commits, "at most {batch} jobs in a batch");
    }
}

#[test]
fn a_batch_takes_no_further_job_once_its_time_is_over() {
    let fixture = Fixture::new(&Options { write_batch_time: Duration::ZERO, ..Options::default() });
    let (release, held) = fixture.hold();
    let waiting: Vec<_> = (0..12).map(|number| fixture.insert(number, 0)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    for reply in waiting {
        reply.wait().expect("a good job");
    }
    assert_eq!(fixture.db.gauges().commits, 13);
}

const MEGABYTE: i64 = 1 << 20;

/// A database whose log is emptied above eight megabytes.
fn short_log() -> Fixture {
    let write_batch = NonZeroUsize::new(8).expect("not zero");
    Fixture::new(&Options { write_batch, log_bytes: 8 << 20, ..Options::default() })
}

impl Fixture {
    /// Overwrites one of eight rows with a megabyte, so that only the log grows.
    fn replace(&self, number: i64) -> Reply<usize, Error> {
        self.db.write::<_, Error>(far(), move |tx| {
            tx.global_execute(REPLACE, params![number % 8, MEGABYTE])
        })
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("t.db-wal")).expect("the log").len()
    }
}

#[test]
fn the_log_stays_bounded_under_writes_that_never_pause() {
    let fixture = short_log();
    let (release, held) = fixture.hold();
    let waiting: Vec<_> = (0..200).map(|number| fixture.replace(number)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    for reply in waiting {
        reply.wait().expect("a good job");
    }
    // The bound and one more batch fit into this.
    assert!(fixture.log_bytes() < 20 << 20, "{} bytes", fixture.log_bytes());
}

#[test]
fn the_log_stays_bounded_while_reads_overlap() {
    let fixture = short_log();
    // Starts a read, which keeps its snapshot until the test drops the sender or the reply.
    let read = || {
        let (release, released) = mpsc::channel::<()>();
        let (started, is_started) = mpsc::channel();
        let reading = fixture.db.read::<_, Error>(far(), move |tx| {
            tx.global_first::<i64, Error>(COUNT, &[], |row| row.take())?;
            let _ = started.send(());
            while released.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
                tx.ensure_time()?;
            }
            Ok(())
        });
        is_started.recv().expect("the read has begun");
        (reading, release)
    };
    let mut running = read();
    for number in 0..50 {
        fixture.replace(number).wait().expect("writes continue");
        if number % 5 == 0 {
            // The next read starts before the previous read ends.
            running = read();
        }
        assert!(fixture.log_bytes() < 20 << 20, "{} bytes", fixture.log_bytes());
    }
    drop(running);
}

#[test]
fn a_short_read_is_waited_for_and_not_cancelled_when_the_log_is_emptied() {
    let fixture = short_log();
    for number in 0..40 {
        let counted = fixture.db.read::<i64, Error>(far(), |tx| {
            tx.global_first(COUNT, &[], |row| row.take())?.ok_or(Error::NoRow)
        });
        let replaced = fixture.replace(number);
        counted.wait().expect("a count");
        replaced.wait().expect("a write");
    }
    assert!(fixture.log_bytes() < 20 << 20, "{} bytes", fixture.log_bytes());
}

#[test]
fn a_full_disk_loses_no_answered_write_and_fails_only_jobs_that_do_not_fit() {
    let fixture = Fixture::new(&Options::default());
    fixture.insert(0, 0).wait().expect("room for one");
    let tight = fixture.db.write::<i64, Error>(far(), |tx| {
        tx.global_first::<i64, Error>(ALLOW_NO_GROWTH, &[], |row| row.take())?;
        tx.global_first(PAGES, &[], |row| row.take())?.ok_or(Error::NoRow)
    });
    tight.wait().expect("the limit is set to the file's size");
    let (release, held) = fixture.hold();
    let small: Vec<_> = (1..20).map(|number| fixture.insert(number, 0)).collect();
    let large = fixture.insert(50, 1 << 20);
    let after: Vec<_> = (20..40).map(|number| fixture.insert(number, 0)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    assert!(matches!(large.wait(), Err(Refused::Engine(Error::Unavailable(_)))));
    for reply in small.into_iter().chain(after) {
        reply.wait().expect("a job that fits");
    }
    assert_eq!(fixture.count(), 40);

    let room = fixture.db.write::<i64, Error>(far(), |tx| {
        tx.global_first(ALLOW_GROWTH, &[], |row| row.take())?.ok_or(Error::NoRow)
    });
    room.wait().expect("there is room again");
    fixture.insert(50, 1 << 20).wait().expect("the large row fits now");
    assert_eq!(fixture.count(), 41);
}

#[test]
fn a_write_cancelled_by_its_deadline_affects_no_other() {
    let fixture = Fixture::new(&Options::default());
    let (release, held) = fixture.hold();
    let good: Vec<_> = (0..10).map(|number| fixture.insert(number, 0)).collect();
    let soon = Instant::now() + Duration::from_millis(300);
    let endless = fixture.db.write::<i64, Refused>(soon, |tx| {
        insert(tx, 100, 0)?;
        Ok(tx.global_first(ENDLESS, &[], |row| row.take())?.unwrap_or(0))
    });
    let more: Vec<_> = (10..20).map(|number| fixture.insert(number, 0)).collect();
    drop(release);
    held.wait().expect("the holder's own job");
    assert!(matches!(endless.wait(), Err(Refused::Engine(Error::Deadline))));
    for reply in good.into_iter().chain(more) {
        reply.wait().expect("a good job");
    }
    assert_eq!(fixture.count(), 20);
}
