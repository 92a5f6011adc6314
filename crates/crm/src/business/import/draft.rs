//! A customer as it will be added: what its rows say, in the types of the tools that add customers.

use serde::{Deserialize, Serialize};

use super::cells::name::PersonName;
use super::facts::{Colleague, Facts, Marks, Place};
use crate::business::customers::contacts::PrimaryContactInput;
use crate::business::customers::contacts::tools::CreateContact;
use crate::business::customers::duplicates::{Described, Profile};
use crate::business::customers::index::SearchedLocation;
use crate::business::customers::locations::LocationInput;
use crate::business::customers::locations::tools::CreateLocation;
use crate::business::customers::tools::create::{CreateCustomer, CreateCustomerInput};
use crate::business::notes::MAX_BODY;
use crate::call::argument::{Arguments, Fields, Input, Json, ParseContext};
use crate::call::error::FieldProblem;

/// From how many notes on they are joined into one.
const MAX_NOTES: usize = 20;
/// Maximum number of places and of contacts of an imported customer.
const MAX_PARTS: usize = 100;

/// A customer that a file describes.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where its rows begin in the file.
    pub lines: Vec<u32>,
    /// What tells its rows from all others.
    pub(super) digest: [u8; 16],
    pub(super) customer: CreateCustomerInput,
    /// Its contacts beside the first.
    pub(super) contacts: Vec<PrimaryContactInput>,
    /// Its places beside the first.
    pub(super) locations: Vec<LocationInput>,
    pub(super) notes: Vec<String>,
    pub(super) is_archived: bool,
    /// How many addresses are kept in a note because they have no state.
    pub(super) without_state: usize,
    pub(super) profile: Profile,
    /// As a person reads it.
    pub shown: Shown,
}

/// A customer of a file as a person reads it before it is added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Its first phone number, as typed.
    pub phone: String,
    /// Its first e-mail address.
    pub email: String,
    /// Its first address, in one line.
    pub address: String,
    /// How many more places it has.
    pub more_locations: usize,
    /// Its tags.
    pub tags: Vec<String>,
    /// How many notes it will have.
    pub notes: usize,
    /// What was done with cells that have more than one value, or that could not be filed.
    pub said: Vec<String>,
}

impl Draft {
    /// How many records it will be.
    pub(super) fn records(&self) -> usize {
        1 + self.contacts.len() + self.locations.len() + self.notes.len()
    }

    /// Its id in another system.
    pub(super) fn external_id(&self) -> Option<&str> {
        self.customer.external_id.as_ref().map(|id| id.0.as_str())
    }

    /// The customer that rows describe. `file` is named in the note with what could not be filed.
    ///
    /// # Errors
    /// Why it cannot be added, in words that follow the number of the line.
    pub(super) fn of(
        facts: Facts,
        lines: Vec<u32>,
        digest: [u8; 16],
        file: &str,
        context: ParseContext,
    ) -> Result<Self, String> {
        Drafting { facts, said: Vec::new(), context }.finish(lines, digest, file)
    }
}

struct Drafting {
    facts: Facts,
    said: Vec<String>,
    context: ParseContext,
}

impl Drafting {
    fn finish(mut self, lines: Vec<u32>, digest: [u8; 16], file: &str) -> Result<Draft, String> {
        let contacts = self.contacts();
        let locations: Vec<_> = self.facts.places.iter().map(location).collect();
        if contacts.len().max(locations.len()) > MAX_PARTS {
            return Err(format!("has more than {MAX_PARTS} places or people"));
        }
        let mut contacts = contacts.into_iter();
        let primary = if self.facts.is_company { contacts.next() } else { None };
        let mut locations = locations.into_iter();
        let customer = self.customer(primary, locations.next());
        let customer: CreateCustomerInput = self.read(customer)?;
        let contacts = contacts.map(|it| self.read(it)).collect::<Result<Vec<_>, _>>()?;
        let locations = locations.map(|it| self.read(it)).collect::<Result<Vec<_>, _>>()?;
        let notes = self.notes(file, &lines);
        let notes = if notes.len() > MAX_NOTES { vec![notes.join("\n\n")] } else { notes };
        if notes.iter().any(|note| note.chars().count() > MAX_BODY) {
            return Err(format!("has a note of more than {MAX_BODY} characters"));
        }
        let profile = self.profile();
        let shown = self.shown(&notes);
        let Facts { marks: Marks { is_archived, .. }, without_state, .. } = self.facts;
        Ok(Draft {
            lines,
            digest,
            customer,
            contacts,
            locations,
            notes,
            is_archived,
            without_state,
            profile,
            shown,
        })
    }

    /// Reads the arguments of a tool, as if they had been sent.
    fn read<T: Input, Tool>(&self, arguments: Arguments<Tool>) -> Result<T, String> {
        let mut fields = Fields::new(arguments.into_object(), self.context);
        let input = T::read(&mut fields);
        fields.finish(input).map_err(|problems| {
            let problems: Vec<_> = problems
                .iter()
                .map(|FieldProblem { field, problem }| format!("{field} {problem}"))
                .collect();
            problems.join("; ")
        })
    }

    fn name(&self) -> String {
        let person = self.facts.person.as_ref().map(PersonName::joined);
        if self.facts.is_company { self.facts.company.clone() } else { person.unwrap_or_default() }
    }

    fn customer(
        &self,
        contact: Option<Arguments<CreateContact>>,
        location: Option<Arguments<CreateLocation>>,
    ) -> Arguments<CreateCustomer> {
        let facts = &self.facts;
        let person = facts.person.clone().filter(|_| !facts.is_company).unwrap_or_default();
        let kind = if facts.is_company { "company" } else { "individual" };
        let company = Some(&facts.company).filter(|_| facts.is_company);
        Arguments::none()
            .with("customer_type", kind)
            .with("first_name", filled(&person.first))
            .with("last_name", filled(&person.last))
            .with("company_name", company)
            .with("phone", facts.phones.first().map(|it| it.phone.raw()))
            .with("email", facts.emails.first())
            .with("is_vip", facts.marks.is_vip)
            .with("do_not_contact", facts.marks.do_not_contact)
            .with("source", filled(&facts.source))
            .with("external_id", filled(&facts.external_id))
            .with("tags", facts.tags.iter().map(String::as_str).collect::<Vec<_>>())
            .with("primary_contact", contact.map(|it| Json::Object(it.into_object())))
            .with("location", location.map(|it| Json::Object(it.into_object())))
    }

    /// The people of a company, or who lives with a person; and further phones and e-mail addresses, because a caller
    /// is found by any of them.
    fn contacts(&mut self) -> Vec<Arguments<CreateContact>> {
        let facts = &self.facts;
        let mut people: Vec<PersonName> = Vec::new();
        if facts.is_company {
            people.extend(facts.person.clone());
        }
        people.extend(facts.second.clone());
        let (named, unnamed): (Vec<_>, Vec<_>) = people
            .into_iter()
            .partition(|person| !person.first.is_empty() && !person.last.is_empty());
        let mut contacts: Vec<_> = named.iter().map(contact).collect();
        if let Some(first) = contacts.first_mut().filter(|_| facts.is_company) {
            *first = first.clone().with("title", filled(&facts.job_title));
        }
        let mut said = Vec::new();
        if let (Some(one), Some(other)) = (&facts.person, &facts.second) {
            said.push(format!("two people: {} and {}", one.joined(), other.joined()));
        }
        let reachable = named.first().or(facts.person.as_ref()).cloned();
        let reachable = reachable.filter(|it| !it.first.is_empty() && !it.last.is_empty());
        let mut notes = Vec::new();
        notes.extend(unnamed.iter().map(|person| format!("Contact: {}", person.joined())));
        let is_titled = facts.is_company && !named.is_empty();
        if !is_titled && !facts.job_title.is_empty() {
            notes.push(format!("Job title: {}", facts.job_title));
        }
        let mut emails = facts.emails.iter().skip(1);
        for further in facts.phones.iter().skip(1) {
            let (raw, label) = (further.phone.raw(), further.label);
            match &reachable {
                Some(person) => {
                    let title = if label.is_empty() { "Other phone" } else { label };
                    let contact = contact(person).with("title", title).with("phone", raw);
                    contacts.push(contact.with("email", emails.next()));
                    said.push(format!("another phone: {raw}"));
                }
                None => notes.push(format!("{label} phone: {raw}").trim().to_owned()),
            }
        }
        for address in emails {
            match &reachable {
                Some(person) => {
                    contacts
                        .push(contact(person).with("title", "Other e-mail").with("email", address));
                    said.push(format!("another e-mail address: {address}"));
                }
                None => notes.push(format!("E-mail: {address}")),
            }
        }
        for colleague in &facts.colleagues {
            Self::add_colleague(colleague, &mut contacts, &mut notes);
        }
        if !notes.is_empty() {
            said.push(format!("kept in a note: {}", notes.join("; ")));
            self.facts.notes.push(notes.join("\n"));
        }
        self.said = said;
        contacts
    }

    /// A further person at a company, with a contact for each phone and e-mail address.
    fn add_colleague(
        colleague: &Colleague,
        contacts: &mut Vec<Arguments<CreateContact>>,
        notes: &mut Vec<String>,
    ) {
        let Colleague { name, job_title, phones, emails } = colleague;
        if name.first.is_empty() || name.last.is_empty() {
            let phones = phones.iter().map(|it| it.phone.raw().to_owned());
            let said = [name.joined(), job_title.clone()]
                .into_iter()
                .chain(phones)
                .chain(emails.iter().cloned());
            let said: Vec<_> = said.filter(|it| !it.is_empty()).collect();
            notes.push(format!("Contact: {}", said.join(", ")));
            return;
        }
        for at in 0..phones.len().max(emails.len()).max(1) {
            let phone = phones.get(at).map(|it| it.phone.raw());
            let contact = contact(name).with("title", filled(job_title));
            contacts.push(contact.with("phone", phone).with("email", emails.get(at)));
        }
    }

    /// The notes of the file, and one with all that could not be filed.
    fn notes(&mut self, file: &str, lines: &[u32]) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.facts.notes);
        if !self.facts.kept.is_empty() {
            let kept: Vec<_> = self
                .facts
                .kept
                .iter()
                .map(|kept| format!("{}: {}", kept.column, kept.text))
                .collect();
            self.said.extend(kept.iter().map(|it| format!("kept in a note: {it}")));
            let lines = lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            notes.push(format!("From {file}, line {lines}:\n{}", kept.join("\n")));
        }
        notes
    }

    /// All by which a customer of the account may be the same.
    fn profile(&self) -> Profile {
        let facts = &self.facts;
        let person = facts.person.clone().unwrap_or_default();
        let colleagues = facts.colleagues.iter();
        let second = facts.second.iter().chain(facts.person.iter().filter(|_| facts.is_company));
        let contacts = second.chain(colleagues.clone().map(|it| &it.name));
        let phones = facts.phones.iter().chain(colleagues.clone().flat_map(|it| &it.phones));
        let emails = facts.emails.iter().chain(colleagues.flat_map(|it| &it.emails));
        let places: Vec<_> = facts.places.iter().map(searched).collect();
        let is_person = !facts.is_company;
        Profile::new(&Described {
            company_name: if facts.is_company { &facts.company } else { "" },
            first_name: if is_person { &person.first } else { "" },
            last_name: if is_person { &person.last } else { "" },
            contacts: contacts.map(|it| (&*it.first, &*it.last)).collect(),
            phones: phones.map(|it| it.phone.e164()).collect(),
            emails: emails.map(String::as_str).collect(),
            locations: places.iter().collect(),
        })
    }

    fn shown(&self, notes: &[String]) -> Shown {
        let facts = &self.facts;
        let place = facts.places.first();
        Shown {
            name: self.name(),
            phone: facts.phones.first().map(|it| it.phone.raw().to_owned()).unwrap_or_default(),
            email: facts.emails.first().cloned().unwrap_or_default(),
            address: place.map(in_one_line).unwrap_or_default(),
            more_locations: facts.places.len().saturating_sub(1),
            tags: facts.tags.clone(),
            notes: notes.len(),
            said: self.said.clone(),
        }
    }
}

fn contact(person: &PersonName) -> Arguments<CreateContact> {
    Arguments::none().with("first_name", &person.first).with("last_name", &person.last)
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn searched(place: &Place) -> SearchedLocation {
    let address = place.address.clone();
    SearchedLocation {
        label: None,
        address_line1: address.line1,
        address_line2: Some(address.line2).filter(|line| !line.is_empty()),
        city: address.city,
        state: address.state,
        postal_code: address.postal_code,
    }
}

fn in_one_line(place: &Place) -> String {
    let address = &place.address;
    let parts =
        [&address.line1, &address.line2, &address.city, &address.state, &address.postal_code];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ")
}

fn location(place: &Place) -> Arguments<CreateLocation> {
    let address = &place.address;
    Arguments::none()
        .with("address_line1", &address.line1)
        .with("address_line2", filled(&address.line2))
        .with("city", &address.city)
        .with("state", &address.state)
        .with("postal_code", &address.postal_code)
        .with("country", place.country.as_ref().map(|country| country.code()))
        .with("location_type", place.location_type.word())
        .with("label", filled(&place.label))
        .with("service_notes", filled(&place.notes))
}
