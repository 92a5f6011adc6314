//! Overload, slow and disconnected clients, and stopping the server.

use std::io;
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;
use zoop_both::both;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_db::{Db, Lane, Options, Reply as Job};

use crate::http::{self, Connection};
use crate::server::{Server, message, wait_until};

/// One thread and one place in the queue for reads, and the same for writes.
const TIGHT: Options = Options {
    readers: NonZeroUsize::new(1),
    writers: NonZeroUsize::new(1),
    read_queue: 1,
    write_queue: 1,
    write_batch: NonZeroUsize::MIN,
    write_batch_time: Duration::ZERO,
    log_bytes: 256 << 20,
};

/// One reader thread, so that a test can block it.
fn one_reader() -> Options {
    Options { readers: NonZeroUsize::new(1), ..Options::default() }
}

/// One writer thread, so that a test can block it.
fn one_writer() -> Options {
    Options { writers: NonZeroUsize::new(1), ..Options::default() }
}

/// A job that blocks a database thread until it is dropped.
pub(crate) struct Blocker {
    release: Option<mpsc::Sender<()>>,
    _job: Job<(), Error>,
}

impl Blocker {
    pub(crate) fn reader(db: &Db) -> Self {
        let (begin_sender, begin_receiver) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let job = db.read(far(), move |_| {
            begin_sender.send(()).expect("the test waits");
            let _ = released.recv();
            Ok(())
        });
        begin_receiver.recv().expect("the job begins");
        Self { release: Some(release), _job: job }
    }

    fn writer(db: &Db) -> Self {
        let (begin_sender, begin_receiver) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let job = db.write(far(), move |_| {
            begin_sender.send(()).expect("the test waits");
            let _ = released.recv();
            Ok(())
        });
        begin_receiver.recv().expect("the job begins");
        Self { release: Some(release), _job: job }
    }
}

impl Drop for Blocker {
    fn drop(&mut self) {
        drop(self.release.take());
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// The lane of a caller, because the program's own jobs have a separate queue.
const CALLER: Lane = Lane::Anonymous { member: 0 };

fn waiting_read(db: &Db) -> Job<(), Error> {
    db.read(far(), |_| Ok(()))
}

fn waiting_write(db: &Db) -> Job<(), Error> {
    db.lane(CALLER).write(far(), |_| Ok(()))
}

#[both]
fn a_full_queue_of_the_database_is_answered_503_and_the_server_recovers() {
    let server = Server::start_with(|_| {}, Some(&TIGHT));
    server.owner("ping", json!({}));
    wait_until("the key's last use is written", || server.db.gauges().writes_waiting == 0);
    let create = || {
        server.call("customers.create", json!({ "customer_type": "company", "company_name": "A" }))
    };
    {
        let _held = Blocker::reader(&server.db);
        let _queued = waiting_read(&server.db.lane(CALLER));
        let reply = server.call("customers.search", json!({}));
        assert_eq!((reply.status, reply.code()), (503, Some(-32004)), "{reply:?}");
        assert_eq!((reply.header("retry-after"), &reply.json()["id"]), (Some("1"), &json!(7)));
        let list = server.owner("tools/list", json!({}));
        assert_eq!((list.status, list.header("retry-after")), (503, Some("1")));
        assert!(server.metrics().contains("\nzoop_reads_waiting 1\n"));
        let ready = http::get(server.public, "/readyz");
        assert_eq!((ready.status, &ready.json()["status"]), (503, &json!("not_ready")));
        assert_eq!(http::get(server.public, "/healthz").status, 200);
    }
    {
        let _held = Blocker::writer(&server.db);
        let _queued = waiting_write(&server.db);
        assert_eq!(create().status, 503);
        assert!(server.metrics().contains("\nzoop_writes_waiting 1\n"));
    }
    wait_until("the queues are empty", || {
        let gauges = server.db.gauges();
        gauges.reads_waiting + gauges.writes_waiting == 0
    });
    assert!(!create().tool().0);
}

#[both]
fn strangers_who_fill_their_queue_keep_no_known_caller_out() {
    let readers = NonZeroUsize::new(2);
    let options = Options { readers, read_queue: 8, ..Options::default() };
    let server = Server::start_with(|_| {}, Some(&options));
    let unknown = server.key(&[Scope::ReadCustomers], true);
    assert_eq!(server.owner("ping", json!({})).status, 200, "the server knows the owner's key now");
    {
        // The strangers use one of two threads, and all their places in the queue.
        let _held = Blocker::reader(&server.db.lane(CALLER));
        let stranger_lane = |member| server.db.lane(Lane::Anonymous { member });
        let _queued = [1, 2].map(|network| waiting_read(&stranger_lane(network)));
        let stranger = server.ask(&unknown, "/api/mcp", "ping", json!({}));
        assert_eq!((stranger.status, stranger.header("retry-after")), (503, Some("1")));
        assert_eq!(server.owner("ping", json!({})).status, 200);
    }
    wait_until("the queue is empty", || server.db.gauges().reads_waiting == 0);
    assert_eq!(server.ask(&unknown, "/api/mcp", "ping", json!({})).status, 200);
}

/// Sends a ping as the owner on a new connection, without waiting for the answer.
fn ping(server: &Server) -> Connection {
    let body = message("ping", json!({}));
    let token = format!("Bearer {}", server.business.owner_key);
    let length = body.len().to_string();
    let headers = [("Authorization", token.as_str()), ("Content-Length", &length)];
    let mut connection = Connection::open(server.public);
    connection.send_head("POST", "/api/mcp", &headers);
    connection.send(&body);
    connection
}

#[both]
fn requests_wait_for_a_seat_and_past_the_last_place_they_are_answered_503() {
    let server = Server::start_with(|settings| settings.in_flight = 2, Some(&one_reader()));
    // From now on, the key's tenant is known, and may use half of the places. There are eight places for each seat.
    assert_eq!(ping(&server).receive().status, 200);
    let mut waiting: Vec<_>;
    {
        let _held = Blocker::reader(&server.db);
        waiting = (0..8).map(|_| ping(&server)).collect();
        let all_wait = "\nzoop_requests_waiting 7\n";
        wait_until("one has a seat, seven wait", || server.metrics().contains(all_wait));
        let last = ping(&server).receive();
        assert_eq!((last.status, last.header("retry-after")), (503, Some("1")), "{last:?}");
        assert_eq!(last.json()["id"], json!(7));
    }
    for one in &mut waiting {
        assert_eq!(one.receive().status, 200);
    }
    assert_eq!(ping(&server).receive().status, 200);
}

#[both]
fn a_request_that_waits_for_a_seat_too_long_is_answered_503() {
    let change = |settings: &mut zoop_server::Settings| {
        settings.in_flight = 1;
        settings.request_deadline = Duration::from_secs(2);
    };
    let server = Server::start_with(change, Some(&one_reader()));
    let _held = Blocker::reader(&server.db);
    let _first = ping(&server);
    wait_until("the first request waits", || server.db.gauges().reads_waiting == 1);
    let began = Instant::now();
    let second = ping(&server).receive();
    assert_eq!((second.status, &second.json()["id"]), (503, &json!(7)), "{second:?}");
    assert!(began.elapsed() >= Duration::from_secs(1), "half of the deadline");
}

#[both]
fn a_thousand_requests_at_once_are_answered() {
    let change = |settings: &mut zoop_server::Settings| {
        settings.limits = zoop_server::Limits { credential: 0, tenant: 0 };
        // The machine that runs the test may be slow to send the requests.
        settings.request_deadline = Duration::from_secs(60);
    };
    let server = Server::start_with(change, Some(&one_reader()));
    assert_eq!(ping(&server).receive().status, 200);
    let mut thousand: Vec<_>;
    {
        let _held = Blocker::reader(&server.db);
        thousand = (0..1_000).map(|_| ping(&server)).collect();
        let all_arrived = "\nzoop_requests_in_flight 1000\n";
        wait_until("all have arrived", || server.metrics().contains(all_arrived));
    }
    for one in &mut thousand {
        assert_eq!(one.receive().status, 200);
    }
}

#[both]
fn a_slow_body_does_not_block_others() {
    let server = Server::start_with(|settings| settings.in_flight = 1, None);
    let body = message("ping", json!({}));
    let token = format!("Bearer {}", server.business.owner_key);
    let length = body.len().to_string();
    let mut first = Connection::open(server.public);
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Length", &length),
        ("Expect", "100-continue"),
    ];
    first.send_head("POST", "/api/mcp", &headers);
    assert_eq!(first.receive().status, 100, "the server waits for the body");
    assert_eq!(server.owner("ping", json!({})).status, 200);
    first.send(&body);
    assert_eq!(first.receive().status, 200);
    assert_eq!(server.owner("ping", json!({})).status, 200);
}

#[both]
fn a_body_that_does_not_arrive_in_time_is_refused() {
    let change = |settings: &mut zoop_server::Settings| {
        settings.request_deadline = Duration::from_millis(50);
    };
    let server = Server::start_with(change, None);
    let token = format!("Bearer {}", server.business.owner_key);
    let headers = [("Authorization", token.as_str()), ("Content-Length", "100")];
    let mut connection = Connection::open(server.public);
    connection.send_head("POST", "/api/mcp", &headers);
    connection.send(b"{");
    let reply = connection.receive();
    assert_eq!((reply.status, reply.code()), (408, Some(-32600)), "{reply:?}");
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(connection.is_closed());
}

#[both]
fn a_job_that_waits_past_the_deadline_is_answered_503() {
    let change = |settings: &mut zoop_server::Settings| {
        settings.request_deadline = Duration::ZERO;
    };
    let server = Server::start_with(change, None);
    let reply = server.call("customers.search", json!({}));
    assert_eq!((reply.status, reply.code()), (503, Some(-32004)), "{reply:?}");
}

#[both]
fn a_write_of_a_disconnected_caller_is_never_started() {
    let server = Server::start_with(|_| {}, Some(&one_writer()));
    let held = Blocker::writer(&server.db);
    let arguments = json!({ "customer_type": "company", "company_name": "Gone" });
    let body = message("tools/call", json!({ "name": "customers.create", "arguments": arguments }));
    let token = format!("Bearer {}", server.business.owner_key);
    let length = body.len().to_string();
    let mut caller = Connection::open(server.public);
    let headers = [("Authorization", token.as_str()), ("Content-Length", &length)];
    caller.send_head("POST", "/api/mcp", &headers);
    caller.send(&body);
    wait_until("the write is queued", || server.db.gauges().writes_waiting == 1);
    drop(caller);
    let counted = r#"zoop_requests_total{tool="customers.create",outcome="abandoned"} 1"#;
    wait_until("the server notices", || server.metrics().contains(counted));
    drop(held);
    let (_, page) = server.call("customers.search", json!({})).tool();
    server.db.write(far(), |_| Ok::<_, Error>(())).wait().expect("the writer");
    let (_, later) = server.call("customers.search", json!({})).tool();
    assert_eq!((&page["rows"], &later["rows"]), (&json!([]), &json!([])));
}

#[both]
fn a_stop_finishes_requests_in_flight_and_accepts_no_new_ones() {
    let mut server = Server::start_with(|_| {}, Some(&one_writer()));
    // An idle connection must not delay the stop.
    let mut idle = Connection::open(server.public);
    idle.send_head("GET", "/healthz", &[]);
    assert_eq!(idle.receive().status, 200);
    let held = Blocker::writer(&server.db);
    let arguments = json!({ "customer_type": "company", "company_name": "Last" });
    let body = message("tools/call", json!({ "name": "customers.create", "arguments": arguments }));
    let token = format!("Bearer {}", server.business.owner_key);
    let length = body.len().to_string();
    let mut caller = Connection::open(server.public);
    let headers = [("Authorization", token.as_str()), ("Content-Length", &length)];
    caller.send_head("POST", "/api/mcp", &headers);
    caller.send(&body);
    wait_until("the write is queued", || server.db.gauges().writes_waiting == 1);
    server.stop();
    assert!(idle.is_closed());
    wait_until("the port is closed", || {
        TcpStream::connect(server.public)
            .is_err_and(|it| it.kind() == io::ErrorKind::ConnectionRefused)
    });
    drop(held);
    let reply = caller.receive();
    assert!(!reply.tool().0, "{reply:?}");
    assert_eq!(reply.header("connection"), Some("close"));
    server.wait_until_stopped().expect("a clean end");
}

#[both]
fn answers_come_over_one_connection_one_after_another() {
    let server = Server::start();
    let body = message("ping", json!({}));
    let token = format!("Bearer {}", server.business.owner_key);
    let length = body.len().to_string();
    let headers = [("Authorization", token.as_str()), ("Content-Length", &length)];
    let mut connection = Connection::open(server.public);
    for _ in 0..3 {
        connection.send_head("POST", "/api/mcp", &headers);
        connection.send(&body);
        assert_eq!(connection.receive().status, 200);
    }
}
