//! A writer: one caller with a key of its own who changes its own records until the server is gone.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::state::{Change, Operation, State, Word, word};
use super::tables::Tables;
use crate::client::Client;

/// A writer, its answers, and the resulting expected state.
pub(crate) struct Writer {
    number: usize,
    pub(crate) key: String,
    random: StdRng,
    issued: usize,
    /// The state after all answered changes.
    state: State,
    /// The ids of the customers, notes and tags, by the words that they were created with. No call needs a contact's id.
    ids: HashMap<Word, String>,
    /// The words that were sent in this round.
    pub(crate) words: Vec<Word>,
    /// The unanswered operation; at most one, because one is sent at a time.
    unanswered: Option<(Operation, Value)>,
    /// The newest answered operation that had an idempotency key: its tool, arguments, answer.
    keyed: Option<(&'static str, Value, Value)>,
}

/// A writer's main kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// All kinds of small changes.
    Mixed,
    /// Long notes, which fill the write-ahead log.
    Long,
}

impl Writer {
    pub(crate) fn new(number: usize, key: String, seed: u64) -> Self {
        Self {
            number,
            key,
            random: StdRng::seed_from_u64(seed),
            issued: 0,
            state: State::default(),
            ids: HashMap::new(),
            words: Vec::new(),
            unanswered: None,
            keyed: None,
        }
    }

    /// Writes until the server no longer answers.
    pub(crate) fn write(&mut self, url: &str, task: Work) {
        let client = Client::new(url, &self.key);
        self.words.clear();
        while self.unanswered.is_none() {
            let operation = self.next(task);
            let arguments = operation.arguments(|word| self.ids[word].clone(), &self.state);
            match client.call(operation.tool(), &arguments) {
                Ok(reply) => self.record_answer(&operation, arguments, reply.success()),
                Err(_) => self.unanswered = Some((operation, arguments)),
            }
        }
    }

    fn record_answer(&mut self, operation: &Operation, arguments: Value, answer: Value) {
        self.state.apply(operation);
        let keeps_id = !matches!(
            operation.change,
            Change::RenameCustomer { .. } | Change::CreateContact { .. } | Change::RenameTag { .. }
        );
        if let Change::DeleteTag { tag } = &operation.change {
            self.ids.remove(tag);
        } else if keeps_id {
            let id = answer["id"].as_str().expect("an id").to_owned();
            self.ids.insert(operation.word.clone(), id);
        }
        if operation.has_key {
            self.keyed = Some((operation.tool(), arguments, answer));
        }
    }

    /// The next operation, which changes an existing record or creates one.
    fn next(&mut self, task: Work) -> Operation {
        self.issued += 1;
        let word = word(self.number, self.issued);
        self.words.push(word.clone());
        let customer = self.state.customers.keys().choose(&mut self.random).cloned();
        let tag = self.state.tags.keys().choose(&mut self.random).cloned();
        let choice = self.random.random_range(0..10);
        let change = match (choice, customer, tag) {
            _ if task == Work::Long => Change::CreateNote {
                customer: None,
                fillers: self.random.random_range(4_000..13_000),
            },
            (0..2, Some(customer), _) => Change::RenameCustomer { customer },
            (2..4, Some(customer), _) => {
                let is_primary = self.random.random();
                Change::CreateContact { customer, is_primary }
            }
            (4..6, customer, _) => {
                Change::CreateNote { customer, fillers: self.random.random_range(0..60) }
            }
            (6, _, Some(tag)) => Change::RenameTag { tag },
            (7, _, Some(tag)) => Change::DeleteTag { tag },
            (6..8, ..) => Change::CreateTag,
            (8, ..) => Change::CreateCompany,
            _ => Change::CreateIndividual,
        };
        Operation { change, word, has_key: self.random.random() }
    }

    /// Fails unless the tables contain all answered changes, and the unanswered operation completely or not at all.
    /// Returns whether that operation was applied; `None` if there is none.
    pub(crate) fn check(&mut self, tables: &Tables) -> Option<bool> {
        let stored = &tables.states[self.number];
        for (word, id) in &self.ids {
            // The unanswered operation may have deleted a tag.
            if let Some(stored) = tables.ids.get(word) {
                assert_eq!(*stored, id.replace('-', ""), "the id of {word}");
            }
        }
        let Some((operation, _)) = &self.unanswered else {
            assert_same(stored, &self.state, "nothing was unanswered");
            return None;
        };
        let mut with = self.state.clone();
        with.apply(operation);
        let was_applied = *stored == with;
        if !was_applied {
            assert_same(stored, &self.state, &format!("{operation:?} was not answered"));
        }
        Some(was_applied)
    }

    /// Retries the unanswered operation if it has a key. Then it is applied, whether or not the killed server had
    /// already applied it. An operation without a key stays unanswered.
    pub(crate) fn retry_at_once(&mut self, url: &str) {
        if let Some((operation, arguments)) = self.unanswered.take_if(|(it, _)| it.has_key) {
            let answer = Client::new(url, &self.key).ask(operation.tool(), &arguments);
            self.record_answer(&operation, arguments, answer);
        }
    }

    /// Retries the unanswered operation if it has a key; otherwise `was_applied` is its outcome. Then repeats the
    /// newest answered operation that has a key, which must change nothing.
    pub(crate) fn retry(&mut self, url: &str, was_applied: Option<bool>, tables: &Tables) {
        let client = Client::new(url, &self.key);
        if let Some((operation, arguments)) = self.unanswered.take() {
            if operation.has_key {
                let answer = client.ask(operation.tool(), &arguments);
                assert_eq!(client.ask(operation.tool(), &arguments), answer, "{operation:?}");
                self.record_answer(&operation, arguments, answer);
            } else if was_applied == Some(true) {
                let id = tables.ids.get(&operation.word).map_or("", String::as_str);
                self.record_answer(&operation, arguments, json!({ "id": hyphened(id) }));
            }
        }
        if let Some((tool, arguments, answer)) = &self.keyed {
            assert_eq!(client.ask(tool, arguments), *answer, "{tool} {arguments}");
        }
    }

    /// Fails unless a search for each of these words finds exactly what the tables contain.
    pub(crate) fn search(&self, url: &str, words: &[Word]) {
        let client = Client::new(url, &self.key);
        let found = |tool: &str, word: &str| -> Vec<String> {
            let page = client.ask(tool, &json!({ "q": word, "limit": 100 }));
            let rows = page["rows"].as_array().expect("rows").iter();
            // Words differ in a digit, so a word that no customer has is similar to others.
            let rows = rows.filter(|row| row["match"] != "similar");
            rows.map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
        };
        for word in words {
            let expected = self.state.customers_with(word);
            let mut ids: Vec<_> =
                expected.iter().map(|known_by| self.ids[known_by].clone()).collect();
            let mut customers = found("customers.search", word);
            ids.sort();
            customers.sort();
            assert_eq!(customers, ids, "customers found by {word}");
            let note = self.state.notes.contains_key(word).then(|| self.ids[word].clone());
            assert_eq!(found("notes.list", word), Vec::from_iter(note), "notes found by {word}");
        }
    }

    /// The number of customers.
    pub(crate) fn customers(&self) -> usize {
        self.state.customers.len()
    }

    /// Every word that was ever sent.
    pub(crate) fn all_words(&self) -> Vec<Word> {
        (1..=self.issued).map(|number| word(self.number, number)).collect()
    }
}

/// Compares record by record, so that a failure shows one record and not thousands.
#[track_caller]
fn assert_same(stored: &State, expected: &State, why: &str) {
    assert_records(&stored.customers, &expected.customers, why);
    assert_records(&stored.notes, &expected.notes, why);
    assert_records(&stored.tags, &expected.tags, why);
    assert_eq!(stored.entries, expected.entries, "entries of the history; {why}");
    assert_eq!(stored.keys, expected.keys, "remembered keys; {why}");
}

#[track_caller]
fn assert_records<R: PartialEq + Debug>(
    stored: &BTreeMap<Word, R>,
    expected: &BTreeMap<Word, R>,
    why: &str,
) {
    for word in stored.keys().chain(expected.keys()) {
        assert_eq!(stored.get(word), expected.get(word), "{word}; {why}");
    }
}

fn hyphened(id: &str) -> String {
    let part = |range| id.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}
