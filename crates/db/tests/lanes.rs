//! Lanes: a caller that floods the storage waits behind its own jobs, and other callers do not.

mod common;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use common::{TestDatabase, far};
use zoop_db::{Db, Error, Lane, Migrate, Migration, Options, Reply, Tenant, params};

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_init",
    sqlite: "CREATE TABLE things (
                 n INTEGER PRIMARY KEY, tenant_no INTEGER NOT NULL, number INTEGER) STRICT;",
    postgres: "CREATE TABLE things (
                   n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_no integer NOT NULL,
                   number bigint);
               ALTER TABLE things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
               CREATE POLICY tenant ON things USING
                   (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
               CREATE POLICY sweep ON things USING (current_setting('app.sweep', true) = 'on');",
}];

zoop_db::statements! {
    ADD = "INSERT INTO things (tenant_no, number) VALUES ($1, $2)";
}

both_engines! {
    a_flood_of_slow_reads_leaves_threads_to_others
    a_flood_of_slow_writes_delays_anothers_by_one_job
    reads_of_tenants_are_served_in_turn
    writes_of_tenants_are_served_in_turn
    a_flood_of_strangers_leaves_room_in_the_queues
    an_answer_comes_soon_after_the_deadline_whatever_the_job_does
}

const FLOODER: Lane = Lane::Tenant { tenant: Tenant(1), member: 1 };
const OTHER: Lane = Lane::Tenant { tenant: Tenant(2), member: 1 };

fn open(database: &TestDatabase, options: &Options) -> Db {
    database.open(options, MIGRATIONS, Migrate::Run).expect("a database")
}

fn threads(number: usize) -> Options {
    let number = NonZeroUsize::new(number);
    Options { readers: number, writers: number, ..Options::default() }
}

/// Jobs that block their threads until this is dropped.
struct Flood {
    /// The number of jobs that have begun.
    begun: Arc<AtomicUsize>,
    begin_receiver: mpsc::Receiver<()>,
    release: mpsc::Sender<()>,
    jobs: Vec<Reply<(), Error>>,
}

/// A job that sends a message when it begins, and then blocks until it is released.
fn blocking_job(
    begun: &Arc<AtomicUsize>,
    begin_sender: &mpsc::Sender<()>,
    released: &Arc<std::sync::Mutex<mpsc::Receiver<()>>>,
) -> impl Fn() -> Result<(), Error> + Send + use<> {
    let (begun, begin_sender, released) = (begun.clone(), begin_sender.clone(), released.clone());
    move || {
        begun.fetch_add(1, Ordering::SeqCst);
        let _ = begin_sender.send(());
        let _ = released.lock().expect("no job panics").recv();
        Ok(())
    }
}

impl Flood {
    fn new(
        number: usize,
        add: impl Fn(Box<dyn Fn() -> Result<(), Error> + Send>) -> Reply<(), Error>,
    ) -> Self {
        let begun = Arc::new(AtomicUsize::new(0));
        let (begin_sender, begin_receiver) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let released = Arc::new(std::sync::Mutex::new(released));
        let jobs = (0..number)
            .map(|_| add(Box::new(blocking_job(&begun, &begin_sender, &released))))
            .collect();
        Self { begun, begin_receiver, release, jobs }
    }

    fn reads(db: &Db, number: usize) -> Self {
        Self::new(number, |job| db.read(far(), move |_| job()))
    }

    fn writes(db: &Db, number: usize) -> Self {
        Self::new(number, |job| db.write(far(), move |_| job()))
    }

    /// Waits until `number` more jobs have begun.
    fn wait_for(&self, number: usize) {
        for _ in 0..number {
            self.begin_receiver.recv().expect("jobs begin");
        }
    }

    fn release_one(&self) {
        self.release.send(()).expect("a job is blocked");
    }

    /// Lets every job end, and waits for them.
    fn end(self) {
        let Self { jobs, release, .. } = self;
        drop(release);
        for job in jobs {
            job.wait().expect("a good job");
        }
    }
}

fn a_flood_of_slow_reads_leaves_threads_to_others(database: &TestDatabase) {
    let db = open(database, &threads(4));
    let flood = Flood::reads(&db.lane(FLOODER), 20);
    flood.wait_for(2);
    // The flood now has as many threads as it may have, so reads of other lanes overtake its waiting jobs.
    for number in 0..50 {
        let other = Lane::Tenant { tenant: Tenant(2 + number), member: 1 };
        db.lane(other).read(far(), |_| Ok::<_, Error>(())).wait().expect("a read");
    }
    assert_eq!(flood.begun.load(Ordering::SeqCst), 2, "half of the threads");
    flood.end();
}

fn a_flood_of_slow_writes_delays_anothers_by_one_job(database: &TestDatabase) {
    // Each write is a batch of its own.
    let db = open(database, &Options { write_batch_time: Duration::ZERO, ..threads(4) });
    let flood = Flood::writes(&db.lane(FLOODER), 20);
    flood.wait_for(1);
    let other = db.lane(OTHER).write(far(), move |tx| {
        tx.bind(Tenant(2));
        tx.execute(ADD, params![1_i64])
    });
    flood.release_one();
    other.wait().expect("a write");
    assert!(flood.begun.load(Ordering::SeqCst) <= 2, "only one write of a tenant runs at a time");
    flood.end();
}

/// The order in which one thread serves jobs of two lanes, after a job of a third lane has blocked it until all wait.
fn service_order(
    db: &Db,
    block: impl FnOnce(&Db) -> Flood,
    add: impl Fn(&Db, Box<dyn Fn() -> Result<(), Error> + Send>) -> Reply<(), Error>,
) -> String {
    let blocked = block(&db.lane(Lane::Anonymous { member: 1 }));
    blocked.wait_for(1);
    let (order_sender, order_receiver) = mpsc::channel();
    let mut waiting = Vec::new();
    for (lane, name, number) in [(FLOODER, 'f', 8), (OTHER, 'o', 3)] {
        for _ in 0..number {
            let order_sender = order_sender.clone();
            let job = move || {
                order_sender.send(name).expect("the test waits");
                Ok(())
            };
            waiting.push(add(&db.lane(lane), Box::new(job)));
        }
    }
    blocked.end();
    for job in waiting {
        job.wait().expect("a good job");
    }
    drop(order_sender);
    order_receiver.iter().collect()
}

fn assert_fair(order: &str) {
    assert_eq!(order.len(), 11, "{order}");
    // All jobs cost about the same, so the lane with fewer jobs must be done first.
    let last = order.rfind('o').expect("the smaller lane was served");
    assert!(last < 9, "{order}");
}

fn reads_of_tenants_are_served_in_turn(database: &TestDatabase) {
    let db = open(database, &threads(1));
    assert_fair(&service_order(
        &db,
        |db| Flood::reads(db, 1),
        |db, job| db.read(far(), move |_| job()),
    ));
}

fn writes_of_tenants_are_served_in_turn(database: &TestDatabase) {
    let db = open(database, &threads(1));
    assert_fair(&service_order(
        &db,
        |db| Flood::writes(db, 1),
        |db, job| db.write(far(), move |_| job()),
    ));
}

fn a_flood_of_strangers_leaves_room_in_the_queues(database: &TestDatabase) {
    let options = Options { read_queue: 16, write_queue: 16, ..threads(1) };
    let db = open(database, &options);
    let held = Flood::reads(&db, 1);
    held.wait_for(1);
    let strangers: Vec<_> = (0..20)
        .map(|member| db.lane(Lane::Anonymous { member }).read(far(), |_| Ok::<_, Error>(())))
        .collect();
    let known = db.lane(OTHER).read(far(), |_| Ok::<_, Error>(()));
    held.end();
    known.wait().expect("there was room");
    let refused = strangers.into_iter().map(Reply::wait);
    let refused = refused.filter(|answer| matches!(answer, Err(Error::Busy))).count();
    assert_eq!(refused, 16, "four of twenty may wait");
}

fn an_answer_comes_soon_after_the_deadline_whatever_the_job_does(database: &TestDatabase) {
    let db = open(database, &threads(1));
    let soon = || Instant::now() + Duration::from_millis(50);
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let released_for_write = released.clone();
    // Neither job asks whether there is time left.
    let read = db.read(soon(), move |_| {
        let _ = released.lock().expect("no job panics").recv();
        Ok::<_, Error>(())
    });
    assert!(matches!(read.wait(), Err(Error::Deadline)));
    let behind = db.read(soon(), |_| Ok::<_, Error>(()));
    assert!(matches!(behind.wait(), Err(Error::Deadline)));
    let (begin_sender, begin_receiver) = mpsc::channel();
    let write = db.write(soon(), move |_| {
        let _ = begin_sender.send(());
        let _ = released_for_write.lock().map(|it| it.recv());
        Ok::<_, Error>(())
    });
    begin_receiver.recv().expect("the write begins");
    assert!(matches!(write.wait(), Err(Error::Unknown(_))), "the write may still be committed");
    let behind = db.write(soon(), |_| Ok::<_, Error>(()));
    assert!(matches!(behind.wait(), Err(Error::Deadline)), "the write never began");
    drop(release);
}
