//! `kill -9` at random moments: an answered write is stored, an unanswered write is stored completely or not at all,
//! and a call repeated with the same key is never applied twice.
//!
//! The operating system keeps what a killed process has written, so these tests cannot show that a write also
//! survives a loss of power. The engine's `synchronous=FULL` ensures that.
//!
//! `ZOOP_CRASH_SEED` repeats the choices of a failed run, which prints its seed; the moments depend on
//! the machine.

pub(crate) mod source;
mod state;
mod tables;
mod writer;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::client::Client;
use crate::env::{Folder, Server, is_long, text, wait_until};
use source::Source;
use tables::Tables;
use writer::{Work, Writer};

const WRITERS: usize = 8;
/// The number of kills on one growing database.
const KILLS: usize = 20;
/// The number of kills on one PostgreSQL database.
const POSTGRES_KILLS: usize = 5;
/// No request limits; other tests cover them.
const SETTINGS: &str = "[limits]\ncredential = 0\ntenant = 0\nnote_writes = 0\n";
/// If the log is larger than this, each commit starts a checkpoint.
const CHECKPOINTED_BYTES: u64 = 4 << 20;

#[test]
fn a_kill_under_concurrent_writes_loses_no_answered_write() {
    let first = seed();
    let databases = if is_long() { 10 } else { 1 };
    for seed in first..first + databases {
        kill_again_and_again(seed, KILLS, &Folder::new());
    }
}

#[test]
fn a_kill_under_concurrent_writes_on_postgres_loses_no_answered_write() {
    let first = seed();
    let databases = if is_long() { 10 } else { 1 };
    for seed in first..first + databases {
        kill_again_and_again(seed, POSTGRES_KILLS, &on_postgres());
    }
}

#[test]
fn a_server_killed_while_creating_its_database_starts_again() {
    kill_starts(if is_long() { 100 } else { 10 }, Folder::new);
}

#[test]
fn a_server_killed_while_creating_its_tables_on_postgres_starts_again() {
    kill_starts(if is_long() { 50 } else { 5 }, on_postgres);
}

fn on_postgres() -> Folder {
    Folder::over(zoop_postgres_cluster::database().expect("a database"))
}

/// Kills servers during their first start, each on a new database.
fn kill_starts(kills: usize, new: impl Fn() -> Folder) {
    let seed = seed();
    eprintln!("ZOOP_CRASH_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    drop(new().serve(&[]));
    let start = began.elapsed();
    for _ in 0..kills {
        let folder = new();
        kill_a_start(&folder, start, &mut random);
        let server = folder.serve(&[]);
        let (_, _, key) = folder.business();
        let company = json!({ "customer_type": "company", "company_name": "Acme" });
        Client::new(&server.url, &key).ask("customers.create", &company);
        Source::of(&folder).assert_sound();
    }
}

/// Starts a server and kills it within the time that a start takes.
fn kill_a_start(folder: &Folder, start: Duration, random: &mut StdRng) {
    let moment = start.mul_f64(random.random());
    let mut server = folder.start_to_serve(&[]);
    std::thread::sleep(moment);
    server.kill();
}

fn kill_again_and_again(seed: u64, kills: usize, folder: &Folder) {
    eprintln!("ZOOP_CRASH_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    folder.write("zoop.toml", SETTINGS);
    let (keys, mut writers) = writers(folder, &mut random);
    let source = Source::of(folder);
    let began = Instant::now();
    let mut server = folder.serve(&[]);
    let start = began.elapsed();
    let (mut kept, mut absent) = (0, 0);
    for round in 0..kills {
        let work = if round % 4 == 3 { Work::Long } else { Work::Mixed };
        write_and_kill(&mut writers, server, work, &source, &mut random);
        let old_sessions = source.sessions();
        if random.random_ratio(1, 3) {
            kill_a_start(folder, start, &mut random);
        }
        server = folder.serve(&[]);
        if round % 2 == 1 {
            retry_at_once(&mut writers, &server.url);
        }
        // The database's server may still work on what a killed process has sent.
        wait_until("the database's server has finished the killed process's work", || {
            source.sessions().is_disjoint(&old_sessions)
        });
        source.assert_sound();
        let tables = Tables::read(&source, &keys);
        for writer in &mut writers {
            let was_applied = writer.check(&tables);
            match was_applied {
                Some(true) => kept += 1,
                Some(false) => absent += 1,
                None => {}
            }
            writer.retry(&server.url, was_applied, &tables);
            writer.search(&server.url, &writer.words);
        }
        let after = Tables::read(&source, &keys);
        for writer in &mut writers {
            writer.check(&after);
        }
    }
    for writer in &writers {
        writer.search(&server.url, &writer.all_words());
    }
    assert_lists_all(&server, &writers);
    source.assert_sound();
    eprintln!("{kills} kills; of the unanswered writes {kept} were kept and {absent} were not");
}

/// All writers retry their unanswered calls that have a key, while the first attempts may still be running.
fn retry_at_once(writers: &mut [Writer], url: &str) {
    std::thread::scope(|scope| {
        for writer in writers {
            scope.spawn(move || writer.retry_at_once(url));
        }
    });
}

/// All writers write, and the server is killed at a random moment. In a round of long notes, an SQLite file's log is
/// then so large that every commit starts a checkpoint.
fn write_and_kill(
    writers: &mut [Writer],
    mut server: Server,
    work: Work,
    source: &Source<'_>,
    random: &mut StdRng,
) {
    let moment = Duration::from_millis(random.random_range(20..500));
    std::thread::scope(|scope| {
        for writer in writers {
            let url = server.url.clone();
            scope.spawn(move || writer.write(&url, work));
        }
        if work == Work::Long {
            wait_until("the log is large", || {
                source.log_bytes().is_none_or(|bytes| bytes > CHECKPOINTED_BYTES)
            });
        }
        std::thread::sleep(moment);
        server.kill();
    });
}

/// Creates writers with a key each; returns the ids of the keys too.
fn writers(folder: &Folder, random: &mut StdRng) -> (Vec<String>, Vec<Writer>) {
    let (_, owner, _) = folder.business();
    let scopes = "read:customers,write:customers,read:notes,write:notes";
    let writer = |number| {
        let made = folder.json(&["key", "create", "--user", &owner, "--scope", scopes]);
        (text(&made, "key_id"), Writer::new(number, text(&made, "key"), random.random()))
    };
    (0..WRITERS).map(writer).unzip()
}

/// Fails unless the list of customers contains each customer exactly once.
fn assert_lists_all(server: &Server, writers: &[Writer]) {
    let client = Client::new(&server.url, &writers[0].key);
    let mut arguments = json!({ "limit": 100 });
    let mut ids = Vec::new();
    loop {
        let page = client.ask("customers.search", &arguments);
        ids.extend(page["rows"].as_array().expect("rows").iter().map(|row| text(row, "id")));
        if page["hasMore"] != true {
            break;
        }
        arguments["cursor"] = page["nextCursor"].clone();
    }
    let listed = ids.len();
    ids.sort();
    ids.dedup();
    let expected: usize = writers.iter().map(Writer::customers).sum();
    assert_eq!((listed, ids.len()), (expected, expected));
}

fn seed() -> u64 {
    let given = std::env::var("ZOOP_CRASH_SEED").ok();
    given.map_or_else(rand::random, |seed| seed.parse().expect("ZOOP_CRASH_SEED is a number"))
}
