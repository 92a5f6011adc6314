//! Many idle connections, and more connections than the system allows.

use std::time::Duration;

use serde_json::json;

use super::connection::{Connection, request};
use super::{memory, serve};
use crate::client::Client;
use crate::env::{Folder, Server};

const IDLE: u64 = 1_000;
/// Maximum memory of an idle connection, in KiB.
const MAX_KIB_EACH: u64 = 32;
/// The limit on file descriptors. The server needs about thirty for itself.
const DESCRIPTORS: usize = 80;

#[test]
fn a_thousand_idle_connections_cost_little_and_others_are_served() {
    rlimit::increase_nofile_limit(4 * IDLE).expect("a limit of open files");
    let folder = Folder::new();
    let (server, key) = serve(&folder, "");
    let client = Client::new(&server.url, &key);
    client.ask("tags.list", &json!({}));
    let before = memory(&server);
    let call = request(&key, "tags.list", &json!({}));
    let idle: Vec<_> = (0..IDLE)
        .map(|_| {
            let mut connection = Connection::open(&server.url);
            connection.send(&call).expect("the server reads");
            assert_eq!(connection.receive().expect("an answer").status, 200);
            connection
        })
        .collect();
    client.ask("tags.list", &json!({}));
    let each = memory(&server).saturating_sub(before) / IDLE;
    eprintln!("{each} KiB a connection");
    assert!(each <= MAX_KIB_EACH, "{each} KiB a connection");
    drop(idle);
    client.ask("tags.list", &json!({}));
}

#[test]
fn without_file_descriptors_open_connections_are_served_and_new_ones_wait() {
    let mut folder = Folder::new();
    let limit = format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}");
    folder.launch_with(vec!["prlimit".to_owned(), limit]);
    let (server, key) = serve(&folder, "");
    let call = request(&key, "tags.list", &json!({}));
    let mut connections: Vec<_> = (0..2 * DESCRIPTORS)
        .map(|_| {
            let connection = Connection::open(&server.url);
            connection.send(&call).expect("the system accepts it for the server");
            connection
        })
        .collect();
    let logged = server.log_line("could not be accepted");
    assert_eq!(logged["level"], "WARN");
    let mut first = connections.remove(0);
    for _ in 0..2 {
        assert_eq!(first.receive().expect("an answer").status, 200);
        first.send(&call).expect("the server reads");
    }

    let (before, window) = (processor_time(&server), Duration::from_secs(2));
    std::thread::sleep(window);
    let spent = processor_time(&server).saturating_sub(before);
    assert!(spent < window / 4, "the server waits without spinning: {spent:?} of {window:?}");

    drop(first);
    for mut connection in connections {
        assert_eq!(connection.receive().expect("an answer in its turn").status, 200);
    }
    Client::new(&server.url, &key).ask("tags.list", &json!({}));
    let logged = server.log_lines_until(|line| line["message"] == "connections are accepted again");
    assert_eq!(logged.len(), 1, "the failures are logged once, and their end once: {logged:?}");
}

/// The processor time that a server has used.
fn processor_time(server: &Server) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let path = format!("/proc/{}/stat", server.id());
    let stat = std::fs::read_to_string(path).expect("the server runs");
    // After the process name, which may contain anything, fields 12 and 13 are the ticks in user and system mode.
    let (_, fields) = stat.rsplit_once(") ").expect("Linux's form");
    let ticks =
        fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().expect("ticks"));
    TICK * ticks.sum::<u32>()
}
