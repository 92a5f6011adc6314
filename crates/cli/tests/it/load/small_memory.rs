//! A server with half a gibibyte of address space, while ten businesses do their worst with ten keys each. It
//! answers or refuses each request, and survives.

use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::connection::{Connection, head, request};
use super::{SETTINGS, status};
use crate::client::Client;
use crate::env::{Folder, Server, is_long, text};

/// The address space of the server, in bytes.
const ADDRESS_SPACE: u64 = 512 << 20;
const BUSINESSES: usize = 10;
/// The number of keys of each business. Each key has a caller.
const KEYS: usize = 10;
/// The largest body that the server reads.
const BODY: usize = 2 << 20;

/// Creates the businesses, and starts a server without request limits. Returns the server and each business's keys.
fn start_small_server(folder: &mut Folder) -> (Server, Vec<Vec<String>>) {
    folder.write("zoop.toml", SETTINGS);
    let keys = (0..BUSINESSES).map(|number| create_business(folder, number)).collect();
    // The same allocator settings as in the Debian package's service.
    let allocator = ["MALLOC_ARENA_MAX=2", "MALLOC_MMAP_THRESHOLD_=131072"].map(str::to_owned);
    let limit = ["prlimit".to_owned(), format!("--as={ADDRESS_SPACE}")];
    folder.launch_with([&["env".to_owned()][..], &allocator, &limit].concat());
    (folder.serve(&[]), keys)
}

fn create_business(folder: &Folder, number: usize) -> Vec<String> {
    let (name, owner) = (format!("Business {number}"), format!("owner{number}@example.com"));
    let made = folder.json(&[
        "tenant",
        "create",
        "--name",
        &name,
        "--owner-name",
        "Owner",
        "--owner-email",
        &owner,
    ]);
    let tenant = text(&made, "tenant_id");
    let scopes = "read:customers,write:customers,read:notes,write:notes";
    let create = ["key", "create", "--tenant", &tenant, "--user", &owner, "--scope", scopes];
    (0..KEYS).map(|_| text(&folder.json(&create), "key")).collect()
}

#[test]
fn half_a_gibibyte_is_enough_whatever_callers_send() {
    let time = Duration::from_secs(if is_long() { 300 } else { 20 });
    let mut folder = Folder::new();
    let (mut server, keys) = start_small_server(&mut folder);
    for keys in &keys {
        let client = Client::new(&server.url, &keys[0]);
        let note = json!({ "body": "😀".repeat(100_000) });
        (0..3).for_each(|_| drop(client.ask("notes.create", &note)));
    }
    let end = Instant::now() + time;
    let all_ended_well = thread::scope(|scope| {
        let mut callers = Vec::new();
        for (number, key) in keys.iter().flat_map(|keys| keys.iter().enumerate()) {
            let url = &server.url;
            callers.push(scope.spawn(move || match number % 5 {
                0 | 1 => read_nothing(url, key, end),
                2 | 3 => send_long_bodies(url, key, end),
                _ => read_and_write(url, key, end),
            }));
        }
        // Waits for every caller, so that a failure can show what the server printed.
        callers.into_iter().fold(true, |all, caller| all & caller.join().is_ok())
    });
    if !all_ended_well {
        server.kill();
        panic!("{}", server.rest());
    }
    eprintln!(
        "{} threads; at most {} KiB of address space, {} KiB in memory; then {} KiB in memory",
        status(&server, "Threads"),
        status(&server, "VmPeak"),
        status(&server, "VmHWM"),
        status(&server, "VmRSS")
    );
    Client::new(&server.url, &keys[0][0]).ask("notes.list", &json!({}));
    server.terminate();
    assert!(server.wait().success());
    let rest = server.rest();
    assert!(!rest.contains("panicked") && !rest.contains("ERROR"), "{rest}");
}

/// Sends calls with long answers and reads none, on one connection after another.
fn read_nothing(url: &str, key: &str, end: Instant) {
    let calls = request(key, "notes.list", &json!({})).repeat(20);
    while Instant::now() < end {
        let connection = Connection::open(url);
        connection.stream().set_nonblocking(true).expect("an option");
        let _ = connection.send(&calls);
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until.min(end) {
            let is_over = match connection.stream().peek(&mut [0]) {
                Err(error) => error.kind() != ErrorKind::WouldBlock,
                Ok(read) => read == 0,
            };
            if is_over {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Sends very long bodies: many small values, and notes that are too long.
fn send_long_bodies(url: &str, key: &str, end: Instant) {
    let numbers = "1,".repeat(BODY / 2 - 200);
    let values = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"tags.create","arguments":{{"name":[{numbers}1]}}}}}}"#
    );
    let values = [head(key, values.len()), values.into_bytes()].concat();
    let note = request(key, "notes.create", &json!({ "body": "😀".repeat(400_000) }));
    for call in [values, note].iter().cycle() {
        let mut connection = Connection::open(url);
        // The server may refuse a request without reading all of it.
        if connection.send(call).is_ok() {
            let _ = connection.receive();
        }
        if Instant::now() > end {
            return;
        }
    }
}

/// Reads and writes long notes as fast as it can.
fn read_and_write(url: &str, key: &str, end: Instant) {
    let note = json!({ "body": "😀".repeat(50_000) });
    let calls = [
        request(key, "notes.list", &json!({ "limit": 100 })),
        request(key, "notes.list", &json!({ "q": "filler", "limit": 100 })),
        request(key, "customers.search", &json!({ "q": "a" })),
        request(key, "notes.create", &note),
    ];
    let mut connection = Connection::open(url);
    for call in calls.iter().cycle() {
        match connection.send(call).and_then(|()| connection.receive()) {
            Ok(head) if head.status == 200 => {}
            // There was no room for the request, or its body did not arrive in time on a busy machine.
            Ok(head) if matches!(head.status, 408 | 503) => connection = Connection::open(url),
            other => panic!("{other:?}"),
        }
        if Instant::now() > end {
            return;
        }
    }
}
