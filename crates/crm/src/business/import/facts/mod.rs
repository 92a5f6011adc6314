//! What a row of a file says of a customer. Cells that cannot be filed are kept whole, each with its column.

mod places;

use super::cells::name::{self, Named, PersonName};
use super::cells::{address, is_no, is_nothing, is_yes, parts, phone};
use super::columns::{BILLING, Columns, Meaning, SERVICE, SERVICE2};
use super::sheet::{Sheet, SheetRow};
use crate::business::customers::CustomerType;
use crate::business::customers::locations::LocationType;
use crate::call::argument::{Email, Json, Parse as _, ParseContext};
use crate::values::country::Country;
use crate::values::fold;
use crate::values::phone::Phone;

/// What separates several values in a cell. Google writes ` ::: `.
const LIST: &[char] = &[',', ';', '|', '\n', ':'];
const EMAILS: &[char] = &[',', ';', '|', '\n', ' ', '/'];
/// Columns with phone numbers, and what kind they are.
const PHONES: &[(Meaning, &str)] = &[
    (Meaning::Phone, ""),
    (Meaning::Mobile, "Mobile"),
    (Meaning::HomePhone, "Home"),
    (Meaning::WorkPhone, "Work"),
];
/// Titles that say nothing that people search or write to.
const PLAIN_TITLES: &[&str] =
    &["and", "&", "und", "mr", "mrs", "ms", "miss", "mx", "herr", "frau", "sr", "sra"];
/// Groups that programs make by themselves.
const OWN_GROUPS: &[&str] = &["0", "* mycontacts", "mycontacts", "* starred", "starred"];
/// A cell, or several of one address, that could not be filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) column: String,
    pub(super) text: String,
}

/// A phone number, and what kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LabeledPhone {
    pub(super) label: &'static str,
    pub(super) phone: Phone,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) location_type: LocationType,
    pub(super) label: String,
    pub(super) address: address::Address,
    pub(super) country: Option<Country>,
    pub(super) notes: String,
}

/// A further person at a company, whom another row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Colleague {
    pub(super) name: PersonName,
    pub(super) job_title: String,
    pub(super) phones: Vec<LabeledPhone>,
    pub(super) emails: Vec<String>,
}

/// What a customer is marked as.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) is_vip: bool,
    pub(super) do_not_contact: bool,
    pub(super) is_archived: bool,
}

/// What a row says.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) company: String,
    pub(super) is_company: bool,
    /// Whether the file says so, and not only a word of the name.
    pub(super) is_surely_company: bool,
    pub(super) person: Option<PersonName>,
    /// Who lives with the person.
    pub(super) second: Option<PersonName>,
    pub(super) job_title: String,
    /// The people of other rows about the same company.
    pub(super) colleagues: Vec<Colleague>,
    pub(super) phones: Vec<LabeledPhone>,
    pub(super) emails: Vec<String>,
    pub(super) places: Vec<Place>,
    pub(super) tags: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) source: String,
    pub(super) external_id: String,
    pub(super) marks: Marks,
    /// The part of the customer that the row is about, such as a place of a company.
    part: String,
    pub(super) kept: Vec<Kept>,
    /// How many addresses were kept because they have no state.
    pub(super) without_state: usize,
}

/// Reads rows of one file.
pub(super) struct RowReader<'f> {
    pub(super) sheet: &'f Sheet,
    pub(super) columns: &'f Columns,
    /// What blank cells of a meaning have.
    pub(super) defaults: &'f [(Meaning, String)],
    pub(super) country: Country,
}

impl RowReader<'_> {
    /// What a row says.
    pub(super) fn facts(&self, row: &SheetRow) -> Facts {
        let cells = Cells { reader: self, row };
        let mut facts = Facts::default();
        cells.names(&mut facts);
        cells.reach(&mut facts);
        let kind = |meaning| {
            if is_yes(&cells.first(meaning)) {
                LocationType::Billing
            } else {
                LocationType::Service
            }
        };
        cells.place(&SERVICE, kind(Meaning::ServiceIsBilling), &mut facts);
        cells.place(&SERVICE2, kind(Meaning::Service2IsBilling), &mut facts);
        cells.place(&BILLING, LocationType::Billing, &mut facts);
        facts.settle_places();
        for (column, text) in cells.all(Meaning::Tags) {
            let tags = parts(text, LIST).filter(|it| !OWN_GROUPS.contains(&&*it.to_lowercase()));
            for tag in tags {
                if tag.chars().count() > MAX_TAG {
                    facts.keep(column, tag);
                } else if !facts.tags.iter().any(|known| known.eq_ignore_ascii_case(tag)) {
                    facts.tags.push(tag.to_owned());
                }
            }
        }
        facts.notes.extend(cells.all(Meaning::Notes).map(|(_, text)| text.to_owned()));
        facts.source = cells.first(Meaning::Source);
        facts.external_id = cells.external_id();
        facts.marks.is_vip = cells.says_yes(Meaning::Vip, &mut facts);
        facts.marks.do_not_contact = cells.says_yes(Meaning::DoNotContact, &mut facts);
        cells.keep_unused(&mut facts);
        let archived = cells.first(Meaning::Archived).to_lowercase();
        facts.marks.is_archived |= is_yes(&archived)
            || ["inactive", "not active", "not-active", "archived", "deleted"]
                .contains(&&*archived);
        facts
    }
}

/// The greatest length of a tag's name, in characters.
const MAX_TAG: usize = 64;

/// The cells of one row, by what they mean.
struct Cells<'r, 'f> {
    reader: &'r RowReader<'f>,
    row: &'r SheetRow,
}

impl Cells<'_, '_> {
    /// The filled cells of columns with a meaning, each with the name of its column.
    fn all(&self, meaning: Meaning) -> impl Iterator<Item = (&str, &str)> {
        let meanings = self.reader.columns.meanings().iter().enumerate();
        let filled = meanings.filter(move |(_, it)| **it == Some(meaning)).filter_map(|(at, _)| {
            let text = self.row.cells.get(at)?.trim();
            (!text.is_empty() && !is_nothing(text))
                .then_some((self.reader.sheet.columns[at].as_str(), text))
        });
        filled
    }

    /// The customer's id in the other system. Jobber writes the id of the property behind it: `61000103_72000104`.
    fn external_id(&self) -> String {
        let own = self.first(Meaning::ExternalId);
        if !own.is_empty() {
            return own;
        }
        let with_property = self.first(Meaning::ClientAndProperty);
        with_property.split('_').next().unwrap_or_default().to_owned()
    }

    /// Whether a cell says yes. What it says beside that is kept: a person may have written why.
    fn says_yes(&self, meaning: Meaning, facts: &mut Facts) -> bool {
        let Some((column, text)) = self.all(meaning).next() else {
            return is_yes(&self.first(meaning));
        };
        if !is_yes(text) && !is_no(text) {
            facts.keep(column, text);
            return true;
        }
        is_yes(text)
    }

    /// Keeps the further cells of what a customer has once.
    fn keep_unused(&self, facts: &mut Facts) {
        for meaning in
            [Meaning::ExternalId, Meaning::Source, Meaning::JobTitle, Meaning::CompanyName]
        {
            let used = self.first(meaning);
            for (column, text) in
                self.all(meaning).filter(|(_, text)| *text != used).collect::<Vec<_>>()
            {
                facts.keep(column, text);
            }
        }
        if let Some((column, text)) =
            self.all(Meaning::CustomerType).next().filter(|it| kind(it.1).is_none())
        {
            facts.keep(column, text);
        }
        let part = facts.part.clone();
        if !facts.places.iter().any(|place| place.label == part) {
            facts.keep("Part", &part);
        }
    }

    fn has_column(&self, meaning: Meaning) -> bool {
        self.reader.columns.meanings().contains(&Some(meaning))
    }

    /// The first filled cell, or what blank ones have.
    fn first(&self, meaning: Meaning) -> String {
        let own = self.all(meaning).next().map(|(_, text)| text);
        let defaults = self.reader.defaults.iter();
        let default = || defaults.clone().find(|it| it.0 == meaning).map(|it| it.1.as_str());
        own.or_else(default).unwrap_or_default().to_owned()
    }

    /// Who the customer is.
    fn names(&self, facts: &mut Facts) {
        let kind = kind(&self.first(Meaning::CustomerType));
        let whole = facts.take_marks(self.first(Meaning::Name));
        facts.company = facts.take_marks(self.first(Meaning::CompanyName));
        let (first, last) = self.given_and_family();
        let has_person = !first.is_empty() || !last.is_empty();
        let named = if has_person {
            Some(self.read_person(&first, &last, &whole))
        } else if whole.is_empty() || whole == facts.company {
            None
        } else if kind == Some(CustomerType::Company) && facts.company.is_empty() {
            Some(Named::Company(whole.clone()))
        } else {
            Some(name::read(&whole))
        };
        facts.take_names(named, kind);
        if has_person && !facts.is_named(&whole) {
            facts.keep("Name", &whole);
        }
        facts.job_title = self.first(Meaning::JobTitle);
    }

    fn read_person(&self, first: &str, last: &str, whole: &str) -> Named {
        match name::read(whole) {
            // Only the whole name may say that it is two people.
            couple @ Named::Couple(..) => couple,
            // Where the file has no family names apart, the given name may be the whole one.
            _ if last.is_empty() && whole.is_empty() && !self.has_column(Meaning::LastName) => {
                name::read(first)
            }
            _ if first.is_empty() => {
                Named::Person(PersonName { first: last.to_owned(), last: String::new() })
            }
            _ => name::read_parts(first, last),
        }
    }

    fn given_and_family(&self) -> (String, String) {
        let join = |one: String, other: String| {
            [one, other].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
        };
        let title = self.first(Meaning::Prefix);
        let is_plain = title
            .split_whitespace()
            .all(|word| PLAIN_TITLES.contains(&&*word.trim_end_matches('.').to_lowercase()));
        let first = self.first(Meaning::FirstName);
        let title = if is_plain || first.is_empty() { String::new() } else { title };
        let first = join(title, join(first, self.first(Meaning::MiddleName)));
        let last = self.first(Meaning::LastName);
        // Beside a given name alone, the name is the family name, as in German lists.
        let is_beside = last.is_empty() && !first.is_empty() && !self.has_column(Meaning::LastName);
        let last = if is_beside { self.first(Meaning::Name) } else { last };
        let suffix = if last.is_empty() { String::new() } else { self.first(Meaning::Suffix) };
        (first, join(last, suffix))
    }

    /// Phones and e-mail addresses.
    fn reach(&self, facts: &mut Facts) {
        let plan = self.reader.country.numbering_plan();
        for (meaning, label) in PHONES {
            for (column, text) in self.all(*meaning) {
                let found = phone::read(text, plan);
                if found.has_more {
                    facts.keep(column, text);
                }
                for phone in found.numbers {
                    if !facts.phones.iter().any(|it| it.phone.e164() == phone.e164()) {
                        facts.phones.push(LabeledPhone { label, phone });
                    }
                }
            }
        }
        let context = ParseContext { country: self.reader.country };
        for (column, text) in self.all(Meaning::Email) {
            let mut is_kept = false;
            for part in parts(text, EMAILS).filter(|part| *part != ":::") {
                let part = part.strip_prefix("mailto:").unwrap_or(part);
                match Email::parse(Json::Text(part.to_owned()), context) {
                    Ok(Email(address)) => {
                        if !facts.emails.iter().any(|it| it.eq_ignore_ascii_case(&address)) {
                            facts.emails.push(address);
                        }
                    }
                    Err(_) => is_kept = true,
                }
            }
            if is_kept {
                facts.keep(column, text);
            }
        }
    }
}

/// What a word says of the kind of a customer.
fn kind(word: &str) -> Option<CustomerType> {
    match &*word.trim().to_lowercase() {
        "individual" | "false" | "no" | "residential" | "person" | "homeowner" | "private"
        | "household" => Some(CustomerType::Individual),
        "company" | "true" | "yes" | "commercial" | "business" | "organization"
        | "organisation" => Some(CustomerType::Company),
        _ => None,
    }
}

impl PersonName {
    /// Given and family name.
    pub(super) fn joined(&self) -> String {
        format!("{} {}", self.first, self.last).trim().to_owned()
    }
}

impl Facts {
    /// A name without what programs write behind it: that it was deleted, or a part of the customer, such as a place.
    fn take_marks(&mut self, name: String) -> String {
        let name = match name.strip_suffix("(deleted)") {
            Some(name) => {
                self.marks.is_archived = true;
                name.trim().to_owned()
            }
            None => name,
        };
        match name.split_once(':') {
            Some((customer, part)) if !customer.is_empty() && !part.trim().is_empty() => {
                part.trim().clone_into(&mut self.part);
                customer.trim().to_owned()
            }
            _ => name,
        }
    }

    fn take_names(&mut self, named: Option<Named>, kind: Option<CustomerType>) {
        self.is_surely_company = !self.company.is_empty() || kind == Some(CustomerType::Company);
        match named {
            Some(Named::Person(person)) => self.person = Some(person),
            Some(Named::Couple(one, other)) => {
                (self.person, self.second) = (Some(one), Some(other));
            }
            Some(Named::Company(company)) if self.company.is_empty() => {
                self.is_surely_company |= name::has_legal_form(&company);
                self.company = company;
            }
            Some(Named::Company(other)) => self.keep("Name", &other),
            None => {}
        }
        self.is_company = match kind {
            Some(CustomerType::Company) => true,
            Some(CustomerType::Individual) => self.person.is_none(),
            None => !self.company.is_empty(),
        };
        if self.is_company && self.company.is_empty() {
            self.company = self.person.take().unwrap_or_default().joined();
        }
        if !self.is_company && !self.company.is_empty() {
            let company = std::mem::take(&mut self.company);
            self.keep("Company", &company);
        }
    }

    pub(super) fn keep(&mut self, column: &str, text: &str) {
        let kept = Kept { column: column.to_owned(), text: text.to_owned() };
        if !text.is_empty() && !self.kept.contains(&kept) {
            self.kept.push(kept);
        }
    }

    /// Whether a name says nothing more than the customer's names.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let person =
            |it: &Option<PersonName>| it.as_ref().map(PersonName::joined).unwrap_or_default();
        let known = [self.company.clone(), person(&self.person), person(&self.second)];
        let kept = self.kept.iter().map(|it| it.text.clone());
        let known: Vec<_> =
            known.into_iter().chain(kept).flat_map(|text| fold::words(&text)).collect();
        fold::words(name).iter().all(|word| {
            let is_plain = PLAIN_TITLES.contains(&&*word.text) || word.text == "dr";
            is_plain || known.contains(word) || !word.text.contains(char::is_alphanumeric)
        })
    }
}
