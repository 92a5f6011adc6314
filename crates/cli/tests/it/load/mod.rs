//! High load, overload, slow clients, many connections: the server keeps serving, and rejects what exceeds its
//! capacity.

mod connection;
mod connections;
mod fairness;
mod flood;
mod overload;
mod slow;
mod small_memory;
mod soak;

use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::env::{Folder, Server};
use connection::{Connection, Head, request};

/// No request limits, because other tests cover them, and no log line for each request.
const SETTINGS: &str = "[limits]\ncredential = 0\ntenant = 0\nnote_writes = 0\n\
                        [log]\nlevel = 'warn,zoop=info,zoop_server=warn'\n";

/// A folder that uses a database on a PostgreSQL server.
fn on_postgres() -> Folder {
    Folder::over(zoop_postgres_cluster::database().expect("a database"))
}

/// Creates a business, and starts a server with these settings in the section `server`. Returns the server and a key
/// of the business.
fn serve(folder: &Folder, settings: &str) -> (Server, String) {
    folder.write("zoop.toml", &format!("{SETTINGS}[server]\n{settings}"));
    let (_, _, key) = folder.business();
    (folder.serve(&[]), key)
}

/// The results of a load.
#[derive(Default)]
struct Results {
    /// The times of answered requests, ascending.
    answered: Vec<Duration>,
    /// Requests that were answered 503 with `Retry-After`.
    rejected: usize,
    /// All other outcomes.
    wrong: Vec<Head>,
    took: Duration,
}

impl Results {
    /// The number of answered requests per second.
    #[expect(clippy::cast_precision_loss, reason = "no test answers so many")]
    fn rate(&self) -> f64 {
        self.answered.len() as f64 / self.took.as_secs_f64()
    }

    /// The average number of requests that are answered at once (Little's law: the rate of requests times the seconds
    /// that each takes).
    fn concurrency(&self) -> f64 {
        let answered: Duration = self.answered.iter().sum();
        answered.as_secs_f64() / self.took.as_secs_f64()
    }

    /// A percentile of the answer times.
    fn percentile(&self, percent: usize) -> Duration {
        self.answered[(self.answered.len() - 1) * percent / 100]
    }
}

/// The pace of a load's calls.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// Each caller sends its next call as soon as it has an answer.
    Steady,
    /// All callers together send this many calls per second, or fewer if answers are late.
    PerSecond(f64),
}

/// Runs many callers for a while, each on its own connection, with four reads for each write.
fn load(url: &str, key: &str, callers: u32, pace: Pace, time: Duration) -> Results {
    load_with(|number| read_or_write(number, key), url, callers, pace, time)
}

/// Runs many callers for a while, each on its own connection. `call` makes the bytes of a call from its number.
fn load_with(
    call: impl Fn(u32) -> Vec<u8> + Sync,
    url: &str,
    callers: u32,
    pace: Pace,
    time: Duration,
) -> Results {
    let ready = Barrier::new(callers as usize);
    let run_caller = |caller: u32| {
        let mut connection = Connection::open(url);
        let mut results = Results::default();
        let pause = match pace {
            Pace::Steady => Duration::ZERO,
            Pace::PerSecond(rate) => Duration::from_secs_f64(f64::from(callers) / rate),
        };
        ready.wait();
        let began = Instant::now();
        // Each caller starts a little later than the last one, so that they do not all call at once.
        let mut next = began + pause * caller / callers;
        let mut number = caller;
        while began.elapsed() < time {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            next = Instant::max(next + pause, Instant::now());
            number += 1;
            let bytes = call(number);
            let sent = Instant::now();
            connection.send(&bytes).expect("the server reads");
            match connection.receive().expect("an answer") {
                Head { status: 200, .. } => results.answered.push(sent.elapsed()),
                Head { status: 503, has_retry_after: true } => results.rejected += 1,
                head => results.wrong.push(head),
            }
        }
        results.took = began.elapsed();
        results
    };
    std::thread::scope(|scope| {
        let run_caller = &run_caller;
        let callers: Vec<_> =
            (0..callers).map(|caller| scope.spawn(move || run_caller(caller))).collect();
        let mut all = Results::default();
        for caller in callers {
            let results = caller.join().expect("a caller");
            all.answered.extend(results.answered);
            all.rejected += results.rejected;
            all.wrong.extend(results.wrong);
            all.took = all.took.max(results.took);
        }
        all.answered.sort();
        all
    })
}

fn read_or_write(number: u32, key: &str) -> Vec<u8> {
    if number.is_multiple_of(5) { write(number, key) } else { read(key) }
}

fn write(number: u32, key: &str) -> Vec<u8> {
    let name = format!("Company {number}");
    let company = json!({ "customer_type": "company", "company_name": name });
    request(key, "customers.create", &company)
}

fn read(key: &str) -> Vec<u8> {
    request(key, "customers.search", &json!({ "q": "company", "limit": 10 }))
}

/// A server's memory in KiB, without its file mappings.
fn memory(server: &Server) -> u64 {
    status(server, "RssAnon")
}

/// A number that Linux reports about a server's process, such as KiB of memory.
fn status(server: &Server, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()));
    let status = status.expect("the server runs");
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(known, _)| *known == name).expect("Linux reports it");
    value.trim().trim_end_matches(" kB").parse().expect("a number")
}
