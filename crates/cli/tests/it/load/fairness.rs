//! While one business does its worst, the calls of another one stay fast.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::connection::{Connection, request};
use super::{Pace, Results, load_with, on_postgres, read, serve, write};
use crate::client::Client;
use crate::env::{Folder, text};

const TIME: Duration = Duration::from_secs(8);
/// The number of connections of the business that does its worst.
const GREEDY_CALLERS: u32 = 64;
/// The number of calls per second of the calm business, over two connections. Its writes run one at a time and take up to
/// 40 ms while all cores are busy: at a higher rate they would wait for each other, and not for the greedy business.
const CALM_RATE: f64 = 20.0;
/// The number of notes that a search reads.
const NOTES: usize = 40;
/// Their length in characters.
const READ_LENGTH: usize = 20_000;
/// The length in characters of the notes that are written.
const WRITTEN_LENGTH: usize = 1_000;
/// How long a caller may wait for a processor while all cores are busy. The server cannot change this.
const PROCESSOR_WAIT: Duration = Duration::from_millis(20);

#[test]
fn a_business_that_does_its_worst_slows_no_other() {
    calm_calls_stay_fast(&Folder::new());
}

#[test]
fn a_business_on_postgres_that_does_its_worst_slows_no_other() {
    calm_calls_stay_fast(&on_postgres());
}

fn calm_calls_stay_fast(folder: &Folder) {
    let (server, calm) = serve(folder, "");
    let greedy = create_greedy_business(folder);
    let subject = create_long_notes(&server.url, &greedy);
    let reads = || load_calm(&server.url, |_| read(&calm));
    let writes = || load_calm(&server.url, |number| write(number, &calm));
    let quiet = (reads(), writes());

    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let loaded = std::thread::scope(|scope| {
        for number in 0..GREEDY_CALLERS {
            let bytes = greedy_call(&greedy, &subject, number);
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
        let loaded = (reads(), writes());
        over.store(true, Ordering::Relaxed);
        loaded
    });
    let answered = answered.load(Ordering::Relaxed);
    for (what, quiet, loaded) in [("reads", &quiet.0, &loaded.0), ("writes", &quiet.1, &loaded.1)] {
        assert_eq!((loaded.rejected, loaded.wrong.len()), (0, 0), "{what}: {:?}", loaded.wrong);
        let (quiet, loaded) =
            [quiet, loaded].map(|it| (it.percentile(50), it.percentile(99))).into();
        eprintln!(
            "{what}: half and 99 % within {quiet:?}; during {answered} calls of the other business {loaded:?}"
        );
        assert!(loaded.1 < quiet.1 * 5 + PROCESSOR_WAIT, "{what}: {:?}", (loaded.1, quiet.1));
    }
    assert!(answered > 100, "the greedy business made many calls: {answered}");
}

fn load_calm(url: &str, call: impl Fn(u32) -> Vec<u8> + Sync) -> Results {
    load_with(call, url, 2, Pace::PerSecond(CALM_RATE), TIME)
}

/// Creates the greedy business, and returns a key.
fn create_greedy_business(folder: &Folder) -> String {
    let names = ["--name", "Greedy", "--owner-name", "G. Reedy", "--owner-email", "g@example.com"];
    let made = folder.json(&[&["tenant", "create"], &names[..]].concat());
    let scopes = "read:customers,write:customers read:notes,write:notes";
    let owner = text(&made, "owner_id");
    let key = ["key", "create", "--tenant", "Greedy", "--user", &owner, "--scope", scopes];
    text(&folder.json(&key), "key")
}

/// Creates a customer with long notes, and returns the customer's id.
fn create_long_notes(url: &str, key: &str) -> String {
    let client = Client::new(url, key);
    let company = json!({ "customer_type": "company", "company_name": "Company" });
    let subject = text(&client.ask("customers.create", &company), "id");
    for _ in 0..NOTES {
        client.ask("notes.create", &note(&subject, READ_LENGTH));
    }
    subject
}

fn note(subject: &str, characters: usize) -> serde_json::Value {
    let body: String = "gate sticks. ".chars().cycle().take(characters).collect();
    json!({ "body": body, "subject_type": "customer", "subject_id": subject })
}

/// The call that a greedy connection repeats: a search through long notes, or on every fourth connection, a write.
fn greedy_call(key: &str, subject: &str, number: u32) -> Vec<u8> {
    if number.is_multiple_of(4) {
        request(key, "notes.create", &note(subject, WRITTEN_LENGTH))
    } else {
        let search =
            json!({ "subject_type": "customer", "subject_id": subject, "q": "sticky gates" });
        request(key, "notes.list", &search)
    }
}
