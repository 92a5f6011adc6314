//! One business does its worst; another one does not notice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::connection::{Connection, request};
use super::{Pace, Results, load_of, on_postgres, read, serve, write};
use crate::client::Client;
use crate::env::{Folder, text};

const TIME: Duration = Duration::from_secs(4);
/// The connections of the business that does its worst.
const GREEDY: u32 = 64;
/// The calls of the other one per second, over two connections.
const CALM: f64 = 50.0;
/// Notes through which a search goes, and their length in characters.
const NOTES: usize = 40;
const READ: usize = 20_000;
/// The length of the notes that are written.
const WRITTEN: usize = 1_000;
/// What the processor's time slices cost a caller while all cores are busy, however fair the server is.
const SLICES: Duration = Duration::from_millis(20);

#[test]
fn a_business_that_does_its_worst_slows_no_other() {
    beside_the_worst(&Folder::new());
}

#[test]
fn a_business_on_postgres_that_does_its_worst_slows_no_other() {
    beside_the_worst(&on_postgres());
}

fn beside_the_worst(folder: &Folder) {
    let (server, calm) = serve(folder, "");
    let greedy = other_business(folder);
    let subject = long_notes(&server.url, &greedy);
    let reads = || calls(&server.url, |_| read(&calm));
    let writes = || calls(&server.url, |number| write(number, &calm));
    let quiet = (reads(), writes());

    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let beside = std::thread::scope(|scope| {
        for number in 0..GREEDY {
            let bytes = worst(&greedy, &subject, number);
            let (url, over, answered) = (&server.url, &over, &answered);
            scope.spawn(move || {
                let mut connection = Connection::open(url);
                while !over.load(Ordering::Relaxed) {
                    connection.send(&bytes).expect("the server reads");
                    connection.receive().expect("an answer");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let beside = (reads(), writes());
        over.store(true, Ordering::Relaxed);
        beside
    });
    let answered = answered.load(Ordering::Relaxed);
    for (what, quiet, beside) in [("reads", &quiet.0, &beside.0), ("writes", &quiet.1, &beside.1)] {
        assert_eq!((beside.rejected, beside.wrong.len()), (0, 0), "{what}: {:?}", beside.wrong);
        let (quiet, beside) =
            [quiet, beside].map(|it| (it.percentile(50), it.percentile(99))).into();
        eprintln!(
            "{what}: half and 99 % within {quiet:?}; beside {answered} calls of the other business {beside:?}"
        );
        assert!(beside.1 < quiet.1 * 5 + SLICES, "{what}: {:?}", (beside.1, quiet.1));
    }
    assert!(answered > 100, "it did its worst: {answered}");
}

fn calls(url: &str, call: impl Fn(u32) -> Vec<u8> + Sync) -> Results {
    load_of(call, url, 2, Pace::PerSecond(CALM), TIME)
}

/// A second business; its key.
fn other_business(folder: &Folder) -> String {
    let names = ["--name", "Greedy", "--owner-name", "G. Reedy", "--owner-email", "g@example.com"];
    let made = folder.json(&[&["tenant", "create"], &names[..]].concat());
    let scopes = "read:customers,write:customers read:notes,write:notes";
    let owner = text(&made, "owner_id");
    let key = ["key", "create", "--tenant", "Greedy", "--user", &owner, "--scope", scopes];
    text(&folder.json(&key), "key")
}

/// A customer with long notes; its id.
fn long_notes(url: &str, key: &str) -> String {
    let client = Client::new(url, key);
    let company = json!({ "customer_type": "company", "company_name": "Company" });
    let subject = text(&client.ask("customers.create", &company), "id");
    for _ in 0..NOTES {
        client.ask("notes.create", &note(&subject, READ));
    }
    subject
}

fn note(subject: &str, characters: usize) -> serde_json::Value {
    let body: String = "gate sticks. ".chars().cycle().take(characters).collect();
    json!({ "body": body, "subject_type": "customer", "subject_id": subject })
}

/// What one of the greedy connections calls again and again: a search through long notes, and in every fourth
/// a long note.
fn worst(key: &str, subject: &str, number: u32) -> Vec<u8> {
    if number.is_multiple_of(4) {
        request(key, "notes.create", &note(subject, WRITTEN))
    } else {
        let search =
            json!({ "subject_type": "customer", "subject_id": subject, "q": "sticky gates" });
        request(key, "notes.list", &search)
    }
}
