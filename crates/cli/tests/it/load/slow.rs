//! Slow, silent and disconnected clients.

use std::io::{ErrorKind, Read, Write};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::connection::{Connection, head, request};
use super::{memory, serve};
use crate::client::Client;
use crate::env::{Folder, wait_until};

#[test]
fn a_body_of_two_mebibytes_may_arrive_byte_by_byte() {
    const LENGTH: usize = 2 * 1024 * 1024;
    let folder = Folder::new();
    let (server, key) = serve(&folder, "request_deadline = '60s'\n");
    let before = memory(&server);
    let whole = request(&key, "tags.list", &json!({}));
    let start = whole.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
    let mut connection = Connection::open(&server.url);
    connection.send(&head(&key, LENGTH)).expect("the server reads");
    let body = whole[start..].iter().copied().chain(std::iter::repeat(b' ')).take(LENGTH);
    for byte in body {
        connection.send(&[byte]).expect("the server reads");
    }
    assert_eq!(connection.receive().expect("an answer").status, 200);
    assert!(memory(&server) < before + 64 * 1024, "{} KiB", memory(&server));
}

#[test]
fn many_long_bodies_at_once_take_little_memory_and_each_is_answered() {
    const BODIES: usize = 256;
    const LENGTH: usize = 2 * 1024 * 1024;
    /// 64 MiB for the bodies, and the rest for the connections and the calls.
    const MAX_KIB: u64 = 160 * 1024;
    let folder = Folder::new();
    let (server, key) = serve(&folder, "request_deadline = '120s'\n");
    Client::new(&server.url, &key).ask("tags.list", &json!({}));
    let before = memory(&server);
    let mut whole = request(&key, "tags.list", &json!({}));
    let start = whole.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
    let body = whole.split_off(start);
    let whole: Vec<u8> = head(&key, LENGTH)
        .into_iter()
        .chain(body.into_iter().chain(std::iter::repeat(b' ')).take(LENGTH))
        .collect();
    let (whole, url) = (&whole, &server.url);
    // Each sender sends all but the last byte, as far as the server accepts it. Then it waits for the barrier.
    let all_but_one = whole.len() - 1;
    let barrier = Barrier::new(BODIES + 1);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..BODIES)
            .map(|_| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut connection = Connection::open(url);
                    let mut sent = 0;
                    let timeout = Some(Duration::from_secs(1));
                    connection.stream().set_write_timeout(timeout).expect("an option");
                    while sent < all_but_one {
                        match connection.stream().write(&whole[sent..all_but_one]) {
                            Ok(bytes) => sent += bytes,
                            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    barrier.wait();
                    connection.stream().set_write_timeout(None).expect("an option");
                    connection.send(&whole[sent..]).expect("the server reads");
                    connection.receive().expect("an answer").status
                })
            })
            .collect();
        barrier.wait();
        let taken = memory(&server).saturating_sub(before);
        eprintln!("{taken} KiB for {BODIES} incomplete bodies");
        let statuses: Vec<_> =
            senders.into_iter().map(|sender| sender.join().expect("a sender")).collect();
        assert_eq!(statuses, [200; BODIES]);
        assert!(taken < MAX_KIB, "{taken} KiB");
    });
    let taken = memory(&server).saturating_sub(before);
    assert!(taken < MAX_KIB, "{taken} KiB afterwards");
}

#[test]
fn endless_bodies_are_rejected_at_the_deadline_and_others_are_served_meanwhile() {
    let folder = Folder::new();
    let (server, key) = serve(&folder, "request_deadline = '2s'\n");
    let mut slow: Vec<_> = (0..100)
        .map(|_| {
            let connection = Connection::open(&server.url);
            connection.send(&head(&key, 2 * 1024 * 1024)).expect("the server reads");
            connection
        })
        .collect();
    let client = Client::new(&server.url, &key);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        for connection in &slow {
            connection.send(b" ").expect("the server reads");
        }
        client.ask("tags.list", &json!({}));
    }
    for connection in &mut slow {
        assert_eq!(connection.receive().expect("an answer").status, 408);
    }
}

#[test]
fn silent_and_stalled_clients_are_disconnected() {
    let folder = Folder::new();
    let (server, key) = serve(&folder, "");
    let client = Client::new(&server.url, &key);
    let note = json!({ "body": "filler ".repeat(14_000) });
    (0..3).for_each(|_| drop(client.ask("notes.create", &note)));

    let silent = Connection::open(&server.url);
    let slow = Connection::open(&server.url);
    // Sends requests and reads no answers, until no more can be sent.
    let stalled = Connection::open(&server.url);
    stalled.stream().set_nonblocking(true).expect("an option");
    let list = request(&key, "notes.list", &json!({}));
    wait_until("the server cannot answer any more", || {
        let mut pieces = std::iter::repeat_with(|| stalled.send(&list)).take(1_000);
        pieces.any(|sent| sent.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
    });
    let is_closed = |connection: &Connection| {
        connection.stream().set_nonblocking(true).expect("an option");
        match connection.stream().read(&mut [0]) {
            Err(error) => error.kind() != ErrorKind::WouldBlock,
            Ok(read) => read == 0,
        }
    };
    let before = memory(&server);
    wait_until("the silent and the slow client are disconnected", || {
        let _ = slow.send(b"x");
        client.ask("tags.list", &json!({}));
        thread::sleep(Duration::from_millis(50));
        is_closed(&silent) && is_closed(&slow)
    });
    wait_until("the stalled client is disconnected", || {
        stalled.send(&list).is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
    });
    assert!(memory(&server) < before + 16 * 1024, "{} KiB", memory(&server));
    client.ask("tags.list", &json!({}));
}
