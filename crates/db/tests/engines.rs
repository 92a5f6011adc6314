//! The guarantees of every engine: one snapshot per read, atomic writes, and answers in time.

mod common;

use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::{TestDatabase, far};
use zoop_db::{
    Db, Error, Migrate, Migration, Options, ReadTx, Reply, Tenant, Timestamp, Uuid, WriteTx, params,
};

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_init",
    sqlite: "CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT;
             CREATE TABLE things (
                 n INTEGER PRIMARY KEY, tenant_no INTEGER NOT NULL, id BLOB, small INTEGER,
                 flag INTEGER, real REAL, text TEXT, bytes BLOB, at INTEGER) STRICT;",
    postgres: "CREATE TABLE numbers (number bigint PRIMARY KEY);
               CREATE TABLE things (
                   n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_no integer NOT NULL,
                   id uuid, small smallint, flag boolean, real double precision, text text,
                   bytes bytea, at timestamptz);
               ALTER TABLE things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
               CREATE POLICY tenant ON things USING
                   (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
               CREATE POLICY sweep ON things USING (current_setting('app.sweep', true) = 'on');",
}];

zoop_db::statements! {
    ADD_THING = "INSERT INTO things (tenant_no, id, small, flag, real, text, bytes, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    THING = "SELECT id, small, flag, real, text, bytes, at FROM things \
             WHERE tenant_no = $1 AND n = $2";
    ADD_TEXT = "INSERT INTO things (tenant_no, text) VALUES ($1, $2)";
    KEYS = "SELECT n FROM things WHERE tenant_no = $1 AND text >= $2 ORDER BY n";
    TEXTS = "SELECT text FROM things WHERE tenant_no = $1 ORDER BY n DESC LIMIT $2";
}

zoop_db::global_statements! {
    INSERT = "INSERT INTO numbers (number) VALUES ($1)";
    INSERTED = "INSERT INTO numbers (number) VALUES ($1) RETURNING number + $2";
    COUNT = "SELECT count(*) FROM numbers";
    ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) \
               SELECT count(*) FROM n";
    SWEEP = "DELETE FROM things WHERE text < $1 RETURNING tenant_no";
    BROKEN = "SELECT nothing FROM nowhere";
}

both_engines! {
    values_come_back_as_they_were_stored
    a_refused_job_is_rolled_back
    a_constraint_rejects_a_row
    a_panic_rolls_back_only_its_own_job
    a_read_cannot_write_and_sees_one_snapshot
    a_read_that_waited_sees_what_was_committed_before_it_was_queued
    a_read_after_one_that_failed_has_a_snapshot_of_its_own
    a_statement_past_its_deadline_is_cancelled
    a_job_past_its_deadline_is_not_started
    a_job_whose_caller_has_left_is_skipped
    a_running_job_whose_caller_has_gone_is_cancelled
    a_loop_can_ask_whether_there_is_time
    a_full_queue_refuses_at_once
    queued_jobs_finish_before_the_engine_stops
    a_tenants_statement_needs_a_tenant
    a_plan_names_what_is_read
    pipelined_queries_each_get_their_own_answer
    a_sweep_removes_rows_of_every_tenant
}

fn open(database: &TestDatabase) -> Db {
    database.open(&Options::default(), MIGRATIONS, Migrate::Run).expect("a database")
}

/// Opens the database with one writer thread, which a test can block.
fn open_narrow(database: &TestDatabase) -> Db {
    let options = Options { writers: NonZeroUsize::new(1), write_queue: 2, ..Options::default() };
    database.open(&options, MIGRATIONS, Migrate::Run).expect("a database")
}

/// Blocks the writer until the sender is dropped. Returns as soon as the writer is blocked.
fn hold(db: &Db) -> (mpsc::Sender<()>, Reply<(), Error>) {
    let (release, released) = mpsc::channel();
    let (started, is_started) = mpsc::channel();
    let held = db.write(far(), move |_| {
        started.send(()).expect("the test waits");
        let _ = released.recv();
        Ok(())
    });
    is_started.recv().expect("the writer is held");
    (release, held)
}

fn insert(db: &Db, number: i64) -> Reply<usize, Error> {
    db.write(far(), move |tx| tx.global_execute(INSERT, params![number]))
}

fn count(db: &Db) -> i64 {
    db.read(far(), count_in).wait().expect("a count")
}

fn count_in(tx: &mut ReadTx<'_>) -> Result<i64, Error> {
    tx.global_first(COUNT, &[], |row| row.take())?.ok_or(Error::NoRow)
}

type Thing = (Uuid, u16, bool, f64, String, Vec<u8>, Timestamp);

fn values_come_back_as_they_were_stored(database: &TestDatabase) {
    let db = open(database);
    let thing: Thing =
        (Uuid::from_u128(7), 9, true, -0.5, "Đặng 🚿".to_owned(), vec![0, 255], Timestamp(-1));
    let stored = thing.clone();
    let keys = db.write::<_, Error>(far(), move |tx| {
        tx.bind(Tenant(3));
        let (id, small, flag, real, text, bytes, at) = &stored;
        let whole =
            tx.insert(ADD_THING, params![id, small, flag, real, text, bytes.as_slice(), at])?;
        let no = None::<String>;
        let empty = tx.insert(
            ADD_THING,
            params![
                None::<Uuid>,
                None::<u16>,
                None::<bool>,
                None::<f64>,
                no,
                None::<&[u8]>,
                None::<Timestamp>
            ],
        )?;
        Ok((whole, empty))
    });
    let (whole, empty) = keys.wait().expect("two rows");
    let read = db.read::<_, Error>(far(), move |tx| {
        tx.bind(Tenant(3));
        let whole = tx.first::<Thing, Error>(THING, params![whole], |row| {
            Ok((
                row.take()?,
                row.take()?,
                row.take()?,
                row.take()?,
                row.take()?,
                row.take()?,
                row.take()?,
            ))
        })?;
        let empty = tx.first::<_, Error>(THING, params![empty], |row| {
            Ok((
                row.take::<Option<Uuid>>()?,
                row.take::<Option<u16>>()?,
                row.take::<Option<bool>>()?,
            ))
        })?;
        tx.bind(Tenant(4));
        let others = tx.all::<String, Error>(TEXTS, params![9_i64], |row| row.take())?;
        Ok((whole, empty, others))
    });
    let (read, nothing, others) = read.wait().expect("two rows");
    assert_eq!(read, Some(thing));
    assert_eq!(nothing, Some((None, None, None)));
    assert_eq!(others, Vec::<String>::new());
}

fn a_refused_job_is_rolled_back(database: &TestDatabase) {
    let db = open(database);
    let refused = db.write::<(), Error>(far(), |tx| {
        tx.global_execute(INSERT, params![1_i64])?;
        assert_eq!(count_in(tx)?, 1);
        Err(Error::NoRow)
    });
    assert!(matches!(refused.wait(), Err(Error::NoRow)));
    assert_eq!(count(&db), 0);
    let kept = db.write::<_, Error>(far(), |tx| {
        tx.global_first::<i64, Error>(INSERTED, params![1_i64, 10_i64], |row| row.take())
    });
    assert_eq!(kept.wait().expect("a row"), Some(11));
    assert_eq!(count(&db), 1);
    assert!(db.gauges().commits >= 1);
}

fn a_constraint_rejects_a_row(database: &TestDatabase) {
    let db = open(database);
    insert(&db, 7).wait().expect("a row");
    assert!(matches!(insert(&db, 7).wait(), Err(Error::Unique(_))));
    insert(&db, 8).wait().expect("a row");
    assert!(db.takes_writes());
    let broken = db
        .read::<_, Error>(far(), |tx| tx.global_first::<i64, Error>(BROKEN, &[], |row| row.take()));
    assert!(matches!(broken.wait(), Err(Error::Statement(_))));
    assert_eq!(count(&db), 2);
}

fn a_panic_rolls_back_only_its_own_job(database: &TestDatabase) {
    let db = open_narrow(database);
    let panicking = db.write::<(), Error>(far(), |tx| {
        tx.global_execute(INSERT, params![1_i64])?;
        panic!("a defect of a tool");
    });
    assert!(matches!(panicking.wait(), Err(Error::Panicked)));
    let reading = db.read::<(), Error>(far(), |_| panic!("a defect of a tool"));
    assert!(matches!(reading.wait(), Err(Error::Panicked)));
    insert(&db, 2).wait().expect("a row");
    assert_eq!(count(&db), 1);
}

fn a_read_cannot_write_and_sees_one_snapshot(database: &TestDatabase) {
    let db = open(database);
    let written = db.read::<(), Error>(far(), |tx| {
        tx.global_first::<(), Error>(INSERT, params![1_i64], |_| Ok(()))?;
        Ok(())
    });
    assert!(matches!(written.wait(), Err(Error::Unavailable(_))), "the engine refuses");
    let writer = db.clone();
    let counts = db.read::<_, Error>(far(), move |tx| {
        let before = count_in(tx)?;
        insert(&writer, 1).wait().expect("a concurrent write");
        Ok((before, count_in(tx)?))
    });
    assert_eq!(counts.wait().expect("two counts"), (0, 0));
    assert_eq!(count(&db), 1);
}

/// Opens the database with one reader thread, which is blocked until the sender is dropped.
fn open_with_held_reader(database: &TestDatabase) -> (Db, mpsc::Sender<()>, Reply<i64, Error>) {
    let options = Options { readers: NonZeroUsize::new(1), ..Options::default() };
    let db = database.open(&options, MIGRATIONS, Migrate::Run).expect("a database");
    let (release, released) = mpsc::channel::<()>();
    let (started, is_started) = mpsc::channel();
    let holder = db.read(far(), move |tx| {
        let count = count_in(tx);
        started.send(()).expect("the test waits");
        let _ = released.recv();
        count
    });
    is_started.recv().expect("the only reader is held");
    (db, release, holder)
}

fn a_read_that_waited_sees_what_was_committed_before_it_was_queued(database: &TestDatabase) {
    let (db, release, holder) = open_with_held_reader(database);
    let mut waiting = Vec::new();
    for number in 0..5 {
        insert(&db, number).wait().expect("a write");
        waiting.push(db.read(far(), count_in));
    }
    drop(release);
    assert_eq!(holder.wait().expect("a count"), 0);
    for (index, reply) in waiting.into_iter().enumerate() {
        let min = i64::try_from(index).expect("small") + 1;
        assert!(reply.wait().expect("a count") >= min, "read {index}");
    }
}

fn a_read_after_one_that_failed_has_a_snapshot_of_its_own(database: &TestDatabase) {
    let (db, release, holder) = open_with_held_reader(database);
    let broken = db
        .read::<_, Error>(far(), |tx| tx.global_first::<i64, Error>(BROKEN, &[], |row| row.take()));
    let idle = db.read::<_, Error>(far(), |_| Ok(()));
    let late = db.read(Instant::now(), count_in);
    drop(db.read(far(), count_in));
    let reads = [db.read(far(), count_in), db.read(far(), count_in)];
    drop(release);
    holder.wait().expect("a count");
    assert!(matches!(broken.wait(), Err(Error::Statement(_))));
    idle.wait().expect("nothing was asked");
    assert!(matches!(late.wait(), Err(Error::Deadline)));
    for read in reads {
        assert_eq!(read.wait().expect("a count"), 0);
    }
    insert(&db, 1).wait().expect("a row");
    assert_eq!(count(&db), 1);
}

fn a_statement_past_its_deadline_is_cancelled(database: &TestDatabase) {
    let db = open(database);
    let soon = || Instant::now() + Duration::from_millis(300);
    let endless =
        |tx: &mut ReadTx<'_>| tx.global_first::<i64, Error>(ENDLESS, &[], |row| row.take());
    let reading = db.read(soon(), endless);
    let writing = db.write(soon(), move |tx: &mut WriteTx<'_>| {
        tx.global_execute(INSERT, params![1_i64])?;
        endless(tx)
    });
    assert!(matches!(reading.wait(), Err(Error::Deadline)));
    assert!(matches!(writing.wait(), Err(Error::Deadline)));
    assert_eq!(count(&db), 0);
}

fn a_job_past_its_deadline_is_not_started(database: &TestDatabase) {
    let db = open(database);
    let late = db.write(Instant::now(), |tx| tx.global_execute(INSERT, params![1_i64]));
    assert!(matches!(late.wait(), Err(Error::Deadline)));
    assert!(matches!(db.read(Instant::now(), count_in).wait(), Err(Error::Deadline)));
    assert_eq!(count(&db), 0);
}

fn a_job_whose_caller_has_left_is_skipped(database: &TestDatabase) {
    let db = open_narrow(database);
    let (release, held) = hold(&db);
    drop(insert(&db, 1));
    let kept = insert(&db, 2);
    drop(release);
    held.wait().expect("the holder's own job");
    kept.wait().expect("a good job");
    assert_eq!(count(&db), 1);
}

/// A loop in a job. It sends a message when it begins, and stops when the job has no time left or no caller.
fn loop_until_stopped(tx: &ReadTx<'_>, started: &mpsc::Sender<()>) -> Result<(), Error> {
    started.send(()).expect("the test waits");
    loop {
        tx.ensure_time()?;
        std::hint::spin_loop();
    }
}

fn a_loop_can_ask_whether_there_is_time(database: &TestDatabase) {
    let db = open(database);
    let soon = || Instant::now() + Duration::from_millis(50);
    let (started, _is_started) = mpsc::channel();
    let also_started = started.clone();
    let reading = db.read(soon(), move |tx| loop_until_stopped(tx, &started));
    let writing = db.write(soon(), move |tx| loop_until_stopped(tx, &also_started));
    assert!(matches!(reading.wait(), Err(Error::Deadline)));
    assert!(matches!(writing.wait(), Err(Error::Deadline)));
}

fn a_running_job_whose_caller_has_gone_is_cancelled(database: &TestDatabase) {
    let options = Options {
        readers: NonZeroUsize::new(1),
        writers: NonZeroUsize::new(1),
        ..Options::default()
    };
    let db = database.open(&options, MIGRATIONS, Migrate::Run).expect("a database");
    let (started, is_started) = mpsc::channel();
    let endless = |started: mpsc::Sender<()>| {
        move |tx: &mut ReadTx<'_>| {
            count_in(tx)?;
            started.send(()).expect("the test waits");
            tx.global_first::<i64, Error>(ENDLESS, &[], |row| row.take())
        }
    };
    let working =
        |started: mpsc::Sender<()>| move |tx: &mut ReadTx<'_>| loop_until_stopped(tx, &started);
    let (written, worked) = (endless(started.clone()), working(started.clone()));
    let reading = db.read(far(), endless(started.clone()));
    let writing = db.write(far(), move |tx: &mut WriteTx<'_>| {
        tx.global_execute(INSERT, params![1_i64])?;
        written(tx)
    });
    for _ in 0..2 {
        is_started.recv().expect("both run");
    }
    drop((reading, writing));
    // The only reader thread and the only writer thread are free again.
    let reading = db.read(far(), working(started.clone()));
    let writing = db.write(far(), move |tx: &mut WriteTx<'_>| {
        tx.global_execute(INSERT, params![2_i64])?;
        worked(tx)
    });
    for _ in 0..2 {
        is_started.recv().expect("both run");
    }
    drop((reading, writing));
    insert(&db, 3).wait().expect("a row");
    assert_eq!(count(&db), 1, "no other row was committed");
}

fn a_full_queue_refuses_at_once(database: &TestDatabase) {
    let db = open_narrow(database);
    let (release, held) = hold(&db);
    let waiting = [insert(&db, 1), insert(&db, 2)];
    assert_eq!(db.gauges().writes_waiting, 2);
    assert!(matches!(insert(&db, 3).wait(), Err(Error::Busy)));
    drop(release);
    held.wait().expect("the holder's own job");
    for reply in waiting {
        reply.wait().expect("a job that waited");
    }
    assert_eq!(count(&db), 2);
}

fn queued_jobs_finish_before_the_engine_stops(database: &TestDatabase) {
    let db = open_narrow(database);
    let (release, held) = hold(&db);
    let waiting = insert(&db, 1);
    drop(release);
    drop(db);
    held.wait().expect("the holder's own job");
    waiting.wait().expect("the job that waited");
}

fn a_tenants_statement_needs_a_tenant(database: &TestDatabase) {
    let db = open(database);
    let unbound = db.read::<_, Error>(far(), |tx| {
        tx.all::<String, Error>(TEXTS, params![9_i64], |row| row.take())
    });
    assert!(matches!(unbound.wait(), Err(Error::Unbound)));
}

fn a_plan_names_what_is_read(database: &TestDatabase) {
    let db = open(database);
    let plans = db.read::<_, Error>(far(), |tx| {
        tx.bind(Tenant(1));
        assert_eq!(tx.faults()?, Vec::<String>::new());
        assert!(tx.steps(TEXTS, params![9_i64])? >= 0);
        Ok([tx.explain(TEXTS, params![9_i64])?, tx.plan(TEXTS.postgres(), 2)?])
    });
    for plan in plans.wait().expect("plans") {
        assert!(plan.join("\n").contains("things"), "{plan:?}");
    }
}

/// Adds two rows with text to each of two tenants.
fn add_texts(db: &Db) {
    let added = db.write::<_, Error>(far(), |tx| {
        for (tenant, text) in [(1, "a"), (1, "b"), (2, "a"), (2, "c")] {
            tx.bind(Tenant(tenant));
            tx.execute(ADD_TEXT, params![text])?;
        }
        Ok(())
    });
    added.wait().expect("four rows");
}

fn pipelined_queries_each_get_their_own_answer(database: &TestDatabase) {
    let db = open(database);
    add_texts(&db);
    let read = db.read::<_, Error>(far(), |tx| {
        tx.bind(Tenant(2));
        let mut counts = 0;
        let pipelined = tx.pipelined(
            (TEXTS, params![9_i64], |row| row.take::<String>()),
            (KEYS, params!["b"], |row| row.take::<i64>()),
            (TEXTS, params![1_i64], |_| {
                counts += 1;
                Ok::<_, Error>(counts)
            }),
        )?;
        let refused = tx.pipelined(
            (TEXTS, params![9_i64], |row| row.take::<String>()),
            (KEYS, params!["b"], |_| Err::<(), _>(Error::NoRow)),
            (TEXTS, params![9_i64], |_| Ok(())),
        );
        assert!(matches!(refused, Err(Error::NoRow)));
        Ok(pipelined)
    });
    let (texts, keys, counts) = read.wait().expect("three answers");
    assert_eq!((texts, keys, counts), (vec!["c".to_owned(), "a".to_owned()], vec![4], vec![1]));
}

fn a_sweep_removes_rows_of_every_tenant(database: &TestDatabase) {
    let db = open(database);
    add_texts(&db);
    let swept = db.write::<_, Error>(far(), |tx| {
        tx.sweep::<i64, Error>(SWEEP, params!["b"], |row| row.take())
    });
    let mut swept = swept.wait().expect("a sweep");
    swept.sort_unstable();
    assert_eq!(swept, [1, 2]);
    let left = db.read::<_, Error>(far(), |tx| {
        let mut left = Vec::new();
        for tenant in [1, 2] {
            tx.bind(Tenant(tenant));
            left.extend(tx.all::<String, Error>(TEXTS, params![9_i64], |row| row.take())?);
        }
        Ok(left)
    });
    assert_eq!(left.wait().expect("the remaining rows"), ["b", "c"]);
}
