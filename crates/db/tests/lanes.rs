//! Lanes: whoever floods the storage waits behind its own jobs, and nobody else does.

mod common;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use common::{Place, far};
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

both! {
    a_flood_of_slow_reads_leaves_threads_to_others
    a_flood_of_slow_writes_delays_anothers_by_one_job
    reads_of_tenants_are_served_in_turn
    writes_of_tenants_are_served_in_turn
    a_flood_of_strangers_leaves_room_in_the_queues
    an_answer_comes_soon_after_the_deadline_whatever_the_job_does
}

const FLOODER: Lane = Lane::Tenant { tenant: Tenant(1), member: 1 };
const OTHER: Lane = Lane::Tenant { tenant: Tenant(2), member: 1 };

fn open(place: &Place, options: &Options) -> Db {
    place.open(options, MIGRATIONS, Migrate::Run).expect("a database")
}

fn threads(number: usize) -> Options {
    let number = NonZeroUsize::new(number);
    Options { readers: number, writers: number, ..Options::default() }
}

/// Jobs that block their threads until this is dropped.
struct Flood {
    /// What has begun.
    begun: Arc<AtomicUsize>,
    is_begun: mpsc::Receiver<()>,
    release: mpsc::Sender<()>,
    jobs: Vec<Reply<(), Error>>,
}

/// A job that says that it begins, and then blocks until the flood ends.
fn blocking(
    begun: &Arc<AtomicUsize>,
    begins: &mpsc::Sender<()>,
    released: &Arc<std::sync::Mutex<mpsc::Receiver<()>>>,
) -> impl Fn() -> Result<(), Error> + Send + use<> {
    let (begun, begins, released) = (begun.clone(), begins.clone(), released.clone());
    move || {
        begun.fetch_add(1, Ordering::SeqCst);
        let _ = begins.send(());
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
        let (begins, is_begun) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let released = Arc::new(std::sync::Mutex::new(released));
        let jobs =
            (0..number).map(|_| add(Box::new(blocking(&begun, &begins, &released)))).collect();
        Self { begun, is_begun, release, jobs }
    }

    fn reads(db: &Db, number: usize) -> Self {
        Self::new(number, |job| db.read(far(), move |_| job()))
    }

    fn writes(db: &Db, number: usize) -> Self {
        Self::new(number, |job| db.write(far(), move |_| job()))
    }

    /// Waits until so many have begun.
    fn wait_for(&self, number: usize) {
        for _ in 0..number {
            self.is_begun.recv().expect("jobs begin");
        }
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

fn a_flood_of_slow_reads_leaves_threads_to_others(place: &Place) {
    let db = open(place, &threads(4));
    let flood = Flood::reads(&db.lane(FLOODER), 20);
    flood.wait_for(2);
    // No thread that it could have is left to it, and the others' reads pass it.
    for number in 0..50 {
        let other = Lane::Tenant { tenant: Tenant(2 + number), member: 1 };
        db.lane(other).read(far(), |_| Ok::<_, Error>(())).wait().expect("a read");
    }
    assert_eq!(flood.begun.load(Ordering::SeqCst), 2, "half of the threads");
    flood.end();
}

fn a_flood_of_slow_writes_delays_anothers_by_one_job(place: &Place) {
    let db = open(place, &threads(4));
    let flood = Flood::writes(&db.lane(FLOODER), 20);
    flood.wait_for(1);
    let number = flood.begun.load(Ordering::SeqCst);
    assert_eq!(number, 1, "one write of a tenant runs at once");
    let begun = flood.begun.clone();
    let other = db.lane(OTHER).write(far(), move |tx| {
        tx.bind(Tenant(2));
        tx.execute(ADD, params![1_i64])?;
        Ok::<_, Error>(begun.load(Ordering::SeqCst))
    });
    flood.end();
    let before = other.wait().expect("a write");
    assert!(before <= 2, "it was {before} jobs of the flood late");
}

/// The order in which jobs of two lanes are served by one thread, which a third lane holds until all wait.
fn order(
    db: &Db,
    holder: impl FnOnce(&Db) -> Flood,
    add: impl Fn(&Db, Box<dyn Fn() -> Result<(), Error> + Send>) -> Reply<(), Error>,
) -> String {
    let held = holder(&db.lane(Lane::Anonymous { member: 1 }));
    held.wait_for(1);
    let (says, said) = mpsc::channel();
    let mut waiting = Vec::new();
    for (lane, name, number) in [(FLOODER, 'f', 8), (OTHER, 'o', 3)] {
        for _ in 0..number {
            let says = says.clone();
            let job = move || {
                says.send(name).expect("the test waits");
                Ok(())
            };
            waiting.push(add(&db.lane(lane), Box::new(job)));
        }
    }
    held.end();
    for job in waiting {
        job.wait().expect("a good job");
    }
    drop(says);
    said.iter().collect()
}

fn is_fair(order: &str) {
    assert_eq!(order.len(), 11, "{order}");
    // The jobs cost the same but for the machine's mood: the fewer ones are not behind the many.
    let last = order.rfind('o').expect("they were served");
    assert!(last < 9, "{order}");
}

fn reads_of_tenants_are_served_in_turn(place: &Place) {
    let db = open(place, &threads(1));
    is_fair(&order(&db, |db| Flood::reads(db, 1), |db, job| db.read(far(), move |_| job())));
}

fn writes_of_tenants_are_served_in_turn(place: &Place) {
    let db = open(place, &threads(1));
    is_fair(&order(&db, |db| Flood::writes(db, 1), |db, job| db.write(far(), move |_| job())));
}

fn a_flood_of_strangers_leaves_room_in_the_queues(place: &Place) {
    let options = Options { read_queue: 16, write_queue: 16, ..threads(1) };
    let db = open(place, &options);
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
    assert_eq!(refused, 16, "four may wait");
}

fn an_answer_comes_soon_after_the_deadline_whatever_the_job_does(place: &Place) {
    let db = open(place, &threads(1));
    let soon = || Instant::now() + Duration::from_millis(50);
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let also = released.clone();
    // Neither asks whether there is time.
    let read = db.read(soon(), move |_| {
        let _ = released.lock().expect("no job panics").recv();
        Ok::<_, Error>(())
    });
    assert!(matches!(read.wait(), Err(Error::Deadline)));
    let behind = db.read(soon(), |_| Ok::<_, Error>(()));
    assert!(matches!(behind.wait(), Err(Error::Deadline)));
    let (begins, begun) = mpsc::channel();
    let write = db.write(soon(), move |_| {
        let _ = begins.send(());
        let _ = also.lock().map(|it| it.recv());
        Ok::<_, Error>(())
    });
    begun.recv().expect("it begins");
    assert!(matches!(write.wait(), Err(Error::Unknown(_))), "it may still be kept");
    let behind = db.write(soon(), |_| Ok::<_, Error>(()));
    assert!(matches!(behind.wait(), Err(Error::Deadline)), "it never began");
    drop(release);
}
