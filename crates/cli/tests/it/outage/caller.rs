//! A caller that sends each call to the next process, continues after every error, and remembers the answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::DEADLINE;
use crate::client::{Client, Reply};
use crate::env::text;

/// How much later than its deadline an answer may arrive on a busy machine.
const GRACE: Duration = Duration::from_secs(4);

/// What a caller knows about a customer that it tried to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// The customer exists, with this id.
    Answered(String),
    /// The customer does not exist.
    Refused,
    /// The customer may exist.
    Unknown { has_key: bool },
}

/// A caller's progress.
#[derive(Default)]
pub(super) struct Progress {
    answered: AtomicUsize,
    rejected: AtomicUsize,
}

impl Progress {
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    pub(super) fn rejected(&self) -> usize {
        self.rejected.load(Ordering::SeqCst)
    }
}

pub(super) struct Caller {
    number: usize,
    /// One client for each process.
    clients: Vec<Client>,
    /// Each customer's word and fate.
    pub(super) fates: Vec<(String, Fate)>,
}

impl Caller {
    pub(super) fn new(number: usize, urls: &[String], key: &str) -> Self {
        let clients = urls.iter().map(|url| Client::new(url, key)).collect();
        Self { number, clients, fates: Vec::new() }
    }

    /// Creates a customer. If that succeeds, searches for it in another process.
    pub(super) fn create(&mut self, progress: &Progress) {
        let turn = self.fates.len();
        let word = format!("w{}x{turn:05}", self.number);
        let has_key = turn.is_multiple_of(2);
        let process = (self.number + turn) % self.clients.len();
        let began = Instant::now();
        let outcome = self.clients[process].call("customers.create", &customer(&word, has_key));
        let took = began.elapsed();
        assert!(took < DEADLINE + GRACE, "{took:?} for {outcome:?}");
        let fate = match outcome {
            Ok(reply) if reply.status == 200 => {
                progress.answered.fetch_add(1, Ordering::SeqCst);
                let id = text(&reply.success(), "id");
                self.look_for(&word, &id, (process + 1) % self.clients.len());
                Fate::Answered(id)
            }
            Ok(reply) => {
                progress.rejected.fetch_add(1, Ordering::SeqCst);
                assert_unavailable(&reply);
                if reply.body["error"]["data"]["outcome"] == "unknown" {
                    Fate::Unknown { has_key }
                } else {
                    Fate::Refused
                }
            }
            // Only the killed process may leave a call without an answer.
            Err(_) => {
                assert_eq!(process, 0, "a running process answers");
                Fate::Unknown { has_key }
            }
        };
        self.fates.push((word, fate));
    }

    fn look_for(&self, word: &str, id: &str, process: usize) {
        match self.clients[process].call("customers.search", &json!({ "q": word })) {
            Ok(reply) if reply.status == 200 => {
                let rows = reply.success()["rows"].clone();
                let ids: Vec<_> =
                    rows.as_array().expect("rows").iter().map(|it| &it["id"]).collect();
                assert_eq!(ids, [id], "{word} is found in every process");
            }
            Ok(reply) => assert_unavailable(&reply),
            Err(_) => assert_eq!(process, 0, "a running process answers"),
        }
    }
}

/// Repeats a call that had a key; returns the customer's id.
pub(super) fn ask(client: &Client, word: &str) -> String {
    text(&client.ask("customers.create", &customer(word, true)), "id")
}

fn customer(word: &str, has_key: bool) -> Value {
    let mut customer = json!({
        "customer_type": "individual", "first_name": word, "source": word,
        "location": { "address_line1": word, "city": "Salem", "state": "OR", "postal_code": "97301" },
    });
    if has_key {
        customer["idempotency_key"] = json!(word);
    }
    customer
}

#[track_caller]
fn assert_unavailable(reply: &Reply) {
    assert!(reply.status == 503 && reply.retry_after.is_some(), "{reply:?}");
}
