//! Duplicates: which customers may be the same, and why. `docs/duplicates.md` explains every rule.
//!
//! [`Profile::compare`] compares what is known of two customers, without a database: a sum of what counts for and
//! against decides whether they are likely the same, and [`Evidence`] says in words what is the same. `candidates.rs`
//! finds in the search index the customers that are worth comparing.

mod addresses;
mod candidates;
pub mod different;
mod evidence;
pub mod find_duplicates;
mod names;
pub(crate) mod store;
#[cfg(test)]
mod tests;

pub use evidence::{Comparison, Evidence, LIKELY, Likeness};

pub(crate) use candidates::{Among, Candidate, compare_with, find, find_unreached};
pub(crate) use store::STATEMENTS;

use addresses::Place;
use names::{Name, PersonName};

use super::index::SearchedLocation;
use crate::values::email;

/// How much the same phone or e-mail address counts.
const SAME: i32 = 8;
/// How much it counts if both have one and they differ: many have several.
const OTHER: i32 = -2;
/// How many places of a customer are compared.
const MAX_PLACES: usize = 5;

/// What is compared of a customer. Empty texts are not known.
#[derive(Debug, Clone, Default)]
pub struct Described<'a> {
    /// A company's name. A customer without one is a person.
    pub company_name: &'a str,
    /// A person's given name.
    pub first_name: &'a str,
    /// A person's family name.
    pub last_name: &'a str,
    /// Given and family names of its contacts.
    pub contacts: Vec<(&'a str, &'a str)>,
    /// Its own phones and those of its contacts, E.164.
    pub phones: Vec<&'a str>,
    /// Its own e-mail addresses and those of its contacts.
    pub emails: Vec<&'a str>,
    /// Its places.
    pub locations: Vec<&'a SearchedLocation>,
}

/// What is known of a customer, in the form in which it is compared.
#[derive(Debug, Clone)]
pub struct Profile {
    name: Name,
    contacts: Vec<PersonName>,
    phones: Vec<String>,
    emails: Vec<String>,
    places: Vec<Place>,
}

impl Profile {
    /// Reads the fields of a customer.
    #[must_use]
    pub fn new(described: &Described<'_>) -> Self {
        let Described { company_name, first_name, last_name, .. } = described;
        let name = if company_name.is_empty() {
            Name::Person(PersonName::new(first_name, last_name))
        } else {
            Name::company(company_name)
        };
        let contacts = described.contacts.iter();
        let locations = described.locations.iter().take(MAX_PLACES);
        Self {
            name,
            contacts: contacts.map(|(first, last)| PersonName::new(first, last)).collect(),
            phones: distinct(described.phones.iter().map(|&phone| phone.to_owned())),
            emails: distinct(described.emails.iter().map(|address| email::search_key(address))),
            places: locations.map(|location| Place::new(location)).collect(),
        }
    }

    /// Compares two customers. The evidence has the other's values.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        let mut found = Comparison::default();
        found.add(same(Likeness::Phone, &self.phones, &other.phones));
        found.add(same(Likeness::Email, &self.emails, &other.emails));
        found.add(names::compare((&self.name, &self.contacts), (&other.name, &other.contacts)));
        found.add(addresses::compare(&self.places, &other.places));
        found.only_if_telling()
    }
}

/// The values, each once: a person's own number is their contact's too.
fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

fn same(likeness: Likeness, ours: &[String], theirs: &[String]) -> Comparison {
    if let Some(same) = theirs.iter().find(|value| ours.contains(value)) {
        return Comparison::found(SAME, [Evidence::with(likeness, same.as_str())]);
    }
    let is_known = !ours.is_empty() && !theirs.is_empty();
    Comparison::found(if is_known { OTHER } else { 0 }, None)
}
