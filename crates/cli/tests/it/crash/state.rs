//! The expected database contents of one writer's records, derived from the writer's own changes.
//!
//! Every record is identified by the word that it was created with, in a field that never changes: the
//! ids of unanswered calls are unknown to their writer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A unique word: the writer's digit and a number. All words have the same length, so that none is part of another.
pub(crate) type Word = String;

/// The word of a writer's change.
pub(crate) fn word(writer: usize, number: usize) -> Word {
    format!("w{writer:x}{number:05x}")
}

/// The writer to which a word belongs.
pub(crate) fn writer(word: &str) -> usize {
    usize::from_str_radix(&word[1..2], 16).expect("a word")
}

/// A tag's color, which encodes the word that it was created with.
pub(crate) fn color(word: &str) -> String {
    format!("#{}", &word[1..]).to_uppercase()
}

/// One call of a tool that writes.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) change: Change,
    /// The word that the change adds. It identifies a created record.
    pub(crate) word: Word,
    /// Whether the call has an idempotency key, which is then the word.
    pub(crate) has_key: bool,
}

/// A change. Its words identify existing records.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    CreateIndividual,
    CreateCompany,
    RenameCustomer { customer: Word },
    CreateContact { customer: Word, is_primary: bool },
    CreateNote { customer: Option<Word>, fillers: usize },
    CreateTag,
    RenameTag { tag: Word },
    DeleteTag { tag: Word },
}

/// A writer's records, its history entries and its remembered idempotency keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) customers: BTreeMap<Word, Customer>,
    pub(crate) notes: BTreeMap<Word, Note>,
    pub(crate) tags: BTreeMap<Word, Tag>,
    pub(crate) entries: u32,
    pub(crate) keys: BTreeSet<Word>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    pub(crate) kind: String,
    pub(crate) name: Word,
    pub(crate) notes_internal: Word,
    pub(crate) contacts: BTreeMap<Word, Contact>,
    /// The first address line of each location, and the tools that touched it.
    pub(crate) locations: BTreeMap<Word, Tools>,
    pub(crate) tools: Tools,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contact {
    pub(crate) name: Word,
    pub(crate) is_primary: bool,
    pub(crate) tools: Tools,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    pub(crate) characters: usize,
    pub(crate) customer: Option<Word>,
    pub(crate) tools: Tools,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tag {
    pub(crate) name: Word,
    pub(crate) tools: Tools,
}

/// The tools of a record's history entries, oldest first.
pub(crate) type Tools = Vec<String>;

impl Operation {
    pub(crate) fn tool(&self) -> &'static str {
        match self.change {
            Change::CreateIndividual | Change::CreateCompany => "customers.create",
            Change::RenameCustomer { .. } => "customers.update",
            Change::CreateContact { .. } => "contacts.create",
            Change::CreateNote { .. } => "notes.create",
            Change::CreateTag => "tags.create",
            Change::RenameTag { .. } => "tags.update",
            Change::DeleteTag { .. } => "tags.delete",
        }
    }

    /// The call's arguments; `id` returns the id of a word's record.
    pub(crate) fn arguments(&self, id: impl Fn(&str) -> String, state: &State) -> Value {
        let word = &self.word;
        let location = json!({ "address_line1": word, "city": "Salem", "state": "OR", "postal_code": "97301" });
        let mut arguments = match &self.change {
            Change::CreateIndividual => json!({
                "customer_type": "individual", "first_name": word, "source": word,
                "notes_internal": word, "location": location,
            }),
            Change::CreateCompany => json!({
                "customer_type": "company", "company_name": word, "source": word,
                "notes_internal": word, "location": location,
                "primary_contact": { "first_name": word, "last_name": "Tester", "title": word },
            }),
            Change::RenameCustomer { customer } => {
                let is_company = state.customers[customer].kind == "company";
                let name = if is_company { "company_name" } else { "first_name" };
                json!({ "id": id(customer), "notes_internal": word, name: word })
            }
            Change::CreateContact { customer, is_primary } => json!({
                "customer_id": id(customer), "first_name": word, "last_name": "Tester",
                "title": word, "is_primary": is_primary,
            }),
            Change::CreateNote { customer, fillers } => {
                let body = format!("{word}{}", " filler".repeat(*fillers));
                let mut note = json!({ "body": body });
                if let Some(customer) = customer {
                    note["subject_type"] = json!("customer");
                    note["subject_id"] = json!(id(customer));
                }
                note
            }
            Change::CreateTag => json!({ "name": word, "color": color(word) }),
            Change::RenameTag { tag } => json!({ "id": id(tag), "name": word }),
            Change::DeleteTag { tag } => json!({ "id": id(tag) }),
        };
        if self.has_key {
            arguments["idempotency_key"] = json!(word);
        }
        arguments
    }
}

impl State {
    /// Applies an operation's change.
    pub(crate) fn apply(&mut self, operation: &Operation) {
        let (word, tool) = (&operation.word, operation.tool().to_owned());
        match &operation.change {
            Change::CreateIndividual => self.create_customer("individual", word, &tool),
            Change::CreateCompany => self.create_customer("company", word, &tool),
            Change::RenameCustomer { customer } => {
                let known = self.customers.get_mut(customer).expect("a customer");
                known.name.clone_from(word);
                known.notes_internal.clone_from(word);
                // Renaming an individual also renames the contact that was created with it.
                if let Some(own) = known.contacts.get_mut(customer)
                    && known.kind == "individual"
                {
                    own.name.clone_from(word);
                    own.tools.push(tool.clone());
                }
                known.tools.push(tool);
            }
            Change::CreateContact { customer, is_primary } => {
                let known = self.customers.get_mut(customer).expect("a customer");
                for other in known.contacts.values_mut().filter(|it| *is_primary && it.is_primary) {
                    other.is_primary = false;
                    other.tools.push(tool.clone());
                }
                let tools = vec![tool];
                let contact = Contact { name: word.clone(), is_primary: *is_primary, tools };
                known.contacts.insert(word.clone(), contact);
            }
            Change::CreateNote { customer, fillers } => {
                let characters = word.len() + " filler".len() * fillers;
                let note = Note { characters, customer: customer.clone(), tools: vec![tool] };
                self.notes.insert(word.clone(), note);
            }
            Change::CreateTag => {
                self.tags.insert(word.clone(), Tag { name: word.clone(), tools: vec![tool] });
            }
            Change::RenameTag { tag } => {
                let known = self.tags.get_mut(tag).expect("a tag");
                known.name.clone_from(word);
                known.tools.push(tool);
            }
            Change::DeleteTag { tag } => {
                self.tags.remove(tag);
            }
        }
        self.entries += 1;
        if operation.has_key {
            self.keys.insert(word.clone());
        }
    }

    fn create_customer(&mut self, kind: &str, word: &Word, tool: &str) {
        let tools = vec![tool.to_owned()];
        let contact = Contact { name: word.clone(), is_primary: true, tools: tools.clone() };
        let customer = Customer {
            kind: kind.to_owned(),
            name: word.clone(),
            notes_internal: word.clone(),
            contacts: BTreeMap::from([(word.clone(), contact)]),
            locations: BTreeMap::from([(word.clone(), tools.clone())]),
            tools,
        };
        self.customers.insert(word.clone(), customer);
    }

    /// The customers that a search for a word must find.
    pub(crate) fn customers_with(&self, word: &str) -> BTreeSet<Word> {
        let has_word = |customer: &Customer| {
            customer.name == word
                || customer.contacts.values().any(|contact| contact.name == word)
                || customer.locations.contains_key(word)
        };
        let found = self.customers.iter().filter(|(_, customer)| has_word(customer));
        found.map(|(known_by, _)| known_by.clone()).collect()
    }
}
