//! Customers in the search index: the tokens of a customer, and in `query.rs` the expressions of
//! `customers.search`. A search finds names and phones by any part, addresses by words and their beginnings, and
//! everything else by the whole value.
//!
//! `store.rs` collects the fields, from the customer and its active contacts and locations.

mod matching;
pub(in crate::business::customers) mod nicknames;
mod query;
pub(in crate::business::customers) mod said;
pub(in crate::business::customers) mod similar;
mod terms;

use sha2::{Digest, Sha256};

use crate::business::customers::{CustomerType, Status};
use crate::search::{Expression, Field, Namespace, Prefix, TenantMark, Tokens, numbered};
use crate::values::email;
use crate::values::fold;
use crate::values::phone::Phone;

pub use query::CustomerQuery;

pub use matching::{Match, MatchedField};
pub use query::{Search, Tier};

pub(crate) use matching::{Place, PlaceText};
pub(crate) use said::address_words;

/// The indexed fields of one customer.
#[derive(Clone, Debug)]
pub struct CustomerDocument<'a> {
    /// Active, inactive or archived.
    pub status: Status,
    /// Individual or company.
    pub kind: CustomerType,
    /// The numeric parts of the customer numbers that lead to it, such as 42 for `C-0042`: its own, and those of the
    /// customers that were merged into it.
    pub numbers: Vec<i64>,
    /// Every name: the customer's own first, then the active contacts'.
    pub names: Vec<&'a str>,
    /// Every phone: the customer's own first, then the active contacts'.
    pub phones: Vec<Phone>,
    /// Every e-mail address: the customer's and the active contacts'.
    pub emails: Vec<&'a str>,
    /// The numbers of its tags in the search index.
    pub tags: Vec<i64>,
    /// Whether the team marked it as very important.
    pub is_vip: bool,
    /// Whether the team must not contact it.
    pub do_not_contact: bool,
    /// Its active locations.
    pub locations: Vec<SearchedLocation>,
}

/// The searched fields of a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchedLocation {
    /// A nickname, such as Warehouse.
    pub label: Option<String>,
    /// Street address.
    pub address_line1: String,
    /// Unit, suite and the like.
    pub address_line2: Option<String>,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// ZIP or postal code.
    pub postal_code: String,
}

impl SearchedLocation {
    /// All of its texts that a search finds.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let optional = [self.label.as_ref(), self.address_line2.as_ref()].into_iter().flatten();
        let required = [&self.address_line1, &self.city, &self.state, &self.postal_code];
        required.into_iter().chain(optional).map(String::as_str)
    }
}

impl CustomerDocument<'_> {
    /// The customer's tokens, space-separated: the value of the index's only column. Their number is limited. If
    /// the names of the contacts and the addresses are too long, inner parts of words are left out first, then words of
    /// addresses, and then whole names. The customer's own name and all phones, e-mail addresses, cities, postal codes
    /// and tags are always indexed.
    #[must_use]
    pub fn tokens(&self, tenant: TenantMark) -> String {
        let mut tokens = Tokens::new(Prefix { tenant, namespace: namespace(Some(self.status)) });
        let own = Texts::add(&mut tokens, self.names.iter().take(1), self.phones.iter().take(1));
        own.add_inner(&mut tokens);
        self.add_facets(&mut tokens);
        let others = Texts::add(&mut tokens, self.names.iter().skip(1), self.phones.iter().skip(1));
        self.add_addresses(&mut tokens);
        others.add_inner(&mut tokens);
        tokens.finish()
    }

    fn add_facets(&self, tokens: &mut Tokens) {
        tokens.add(Field::Facet, EVERY_CUSTOMER);
        if let Some(facet) = status_facet(self.status) {
            tokens.add(Field::Facet, facet);
        }
        tokens.add(Field::Facet, kind_facet(self.kind));
        for number in &self.numbers {
            tokens.add(Field::Facet, &number_facet(*number));
        }
        for email in &self.emails {
            tokens.add(Field::Facet, &email_facet(email));
        }
        for tag in &self.tags {
            tokens.add(Field::Facet, &tag_facet(*tag));
        }
        tokens.add(Field::Facet, FORM);
        let flags = [
            Flag::Vip(self.is_vip),
            Flag::DoNotContact(self.do_not_contact),
            Flag::HasPhone(!self.phones.is_empty()),
        ];
        for flag in flags {
            tokens.add(Field::Facet, &flag.facet());
        }
        for email in &self.emails {
            let (local, domain) = email_parts(email);
            tokens.add(Field::Facet, &local_part_facet(&local));
            tokens.add(Field::Facet, &domain_facet(&domain));
        }
        for location in &self.locations {
            tokens.add(Field::Facet, &city_facet(&location.city));
            for facet in postal_code_facets(&location.postal_code) {
                tokens.add(Field::Facet, &facet);
            }
        }
    }

    /// Adds the words of the addresses while there is room.
    fn add_addresses(&self, tokens: &mut Tokens) {
        let texts = self.locations.iter().flat_map(SearchedLocation::texts);
        for text in beginning(texts, MAX_TEXT_BYTES) {
            if !tokens.has_room() {
                return;
            }
            fold::each(text, |word, _| tokens.add(Field::AddressWord, word));
        }
    }
}

/// Names and phones that are in the index as a whole.
struct Texts {
    digits: Vec<String>,
    words: Vec<String>,
}

impl Texts {
    /// Adds all whole phones and, while there is room, the whole words of the names.
    fn add<'a>(
        tokens: &mut Tokens,
        names: impl Iterator<Item = &'a &'a str>,
        phones: impl Iterator<Item = &'a Phone>,
    ) -> Self {
        let digits: Vec<String> = phones.flat_map(Phone::search_digits).collect();
        for digits in &digits {
            tokens.add(Field::WholePhone, digits);
            tokens.add(Field::Phone, digits);
        }
        let mut words = Vec::new();
        for name in beginning(names.copied(), MAX_TEXT_BYTES) {
            if !tokens.has_room() {
                break;
            }
            fold::each(name, |word, _| {
                tokens.add(Field::WholeWord, word);
                tokens.add(Field::Word, word);
                for code in similar::sounds(word) {
                    tokens.add(Field::Sound, &code);
                }
                words.push(word.to_owned());
            });
        }
        Self { digits, words }
    }

    /// Adds the inner parts while there is room.
    fn add_inner(&self, tokens: &mut Tokens) {
        for digits in &self.digits {
            tokens.add_inner(Field::Phone, digits);
        }
        for word in &self.words {
            tokens.add_inner(Field::Word, word);
        }
    }
}

/// Finds the customers with this phone (E.164), except archived ones.
#[must_use]
pub fn with_phone(tenant: TenantMark, e164: &str) -> Expression {
    let digits: String = e164.chars().filter_map(fold::ascii_digit).collect();
    terms::whole_phone(Prefix { tenant, namespace: Namespace::Current }, &digits)
}

/// Finds the customers with this e-mail address, except archived ones.
#[must_use]
pub fn with_email(tenant: TenantMark, address: &str) -> Expression {
    Expression::Token(tenant.token(Field::Facet, &email_facet(address)))
}

/// The customers whose entry in the index was written by an older version of this program, which knew fewer tokens.
/// Archived customers have their own namespace.
pub(crate) fn outdated(tenant: TenantMark) -> Expression {
    let of = |namespace| {
        let facet = |facet| {
            Box::new(Expression::Token(Prefix { tenant, namespace }.token(Field::Facet, facet)))
        };
        Expression::Except(facet(EVERY_CUSTOMER), facet(FORM))
    };
    Expression::Any(vec![of(Namespace::Current), of(Namespace::Archived)])
}

/// The facet of all entries that have every token of this version. It changes whenever customers get more tokens:
/// entries without it are written again, a few at a time.
const FORM: &str = "form:2";

/// The names of a customer's contacts are indexed up to this length, all together, and so are its addresses: two
/// hundred usual addresses have half of it. Folding more would take milliseconds, while every other write waits.
const MAX_TEXT_BYTES: usize = 32 * 1024;
/// The number of characters of a city that tell it from others.
const MAX_CITY: usize = 48;

/// The first texts that are not longer than `max_bytes` together.
fn beginning<'a>(
    texts: impl Iterator<Item = &'a str>,
    max_bytes: usize,
) -> impl Iterator<Item = &'a str> {
    let mut bytes = 0;
    texts.take_while(move |text| {
        bytes += text.len();
        bytes <= max_bytes
    })
}

/// The facet that every customer has, for searches without `q` and without any other facet.
const EVERY_CUSTOMER: &str = "customer";

/// The namespace of the customers with this status. `None` means every customer that is not archived.
const fn namespace(status: Option<Status>) -> Namespace {
    match status {
        Some(Status::Archived) => Namespace::Archived,
        Some(Status::Active | Status::Inactive) | None => Namespace::Current,
    }
}

/// The facet of a status. Archived customers need none, because they have their own namespace.
const fn status_facet(status: Status) -> Option<&'static str> {
    match status {
        Status::Active => Some("active"),
        Status::Inactive => Some("inactive"),
        Status::Archived => None,
    }
}

fn kind_facet(kind: CustomerType) -> &'static str {
    match kind {
        CustomerType::Individual => "individual",
        CustomerType::Company => "company",
    }
}

fn tag_facet(tag: i64) -> String {
    numbered("tag", tag)
}

fn number_facet(number: i64) -> String {
    numbered("n", number)
}

/// A filter that is either true or false. Each value has a facet of its own, so that an entry of an older form,
/// which has neither, is never taken for one without the flag.
#[derive(Clone, Copy, Debug)]
enum Flag {
    Vip(bool),
    DoNotContact(bool),
    HasPhone(bool),
}

impl Flag {
    fn facet(self) -> String {
        let (name, is_set) = match self {
            Self::Vip(is_set) => ("vip", is_set),
            Self::DoNotContact(is_set) => ("dnc", is_set),
            Self::HasPhone(is_set) => ("phone", is_set),
        };
        numbered(name, i64::from(is_set))
    }
}

/// The facet of an e-mail address: half of its SHA-256. It is short, contains no characters that split a token, and
/// is enough to test for equality.
fn email_facet(address: &str) -> String {
    hashed("e", &email::search_key(address), 16)
}

/// What stands before the `@` of an e-mail address, and what stands after it, in the form in which they are compared.
fn email_parts(address: &str) -> (String, String) {
    let key = email::search_key(address);
    let (local, domain) = key.rsplit_once('@').unwrap_or((&key, ""));
    (local.to_owned(), domain.to_owned())
}

fn local_part_facet(local: &str) -> String {
    hashed("l", local, 8)
}

fn domain_facet(domain: &str) -> String {
    hashed("d", domain, 8)
}

/// The facet of a city: its folded words.
pub(in crate::business::customers) fn city_facet(city: &str) -> String {
    let end = city.char_indices().nth(MAX_CITY).map_or(city.len(), |(end, _)| end);
    let words: Vec<_> = fold::words(&city[..end]).into_iter().map(|word| word.text).collect();
    hashed("c", &words.join(" "), 8)
}

/// The facets of a postal code: of all of it, and of the five digits before the dash of an American one.
fn postal_code_facets(code: &str) -> impl Iterator<Item = String> {
    let short = code.split_once('-').map(|(short, _)| short.trim());
    let short =
        short.filter(|short| short.len() == 5 && short.bytes().all(|it| it.is_ascii_digit()));
    std::iter::once(postal_code_facet(code)).chain(short.map(postal_code_facet))
}

/// The facet of a postal code without regard to case and to spaces: `SW1A 1AA` is `sw1a1aa`.
pub(in crate::business::customers) fn postal_code_facet(code: &str) -> String {
    let words: String = fold::words(code).into_iter().map(|word| word.text).collect();
    hashed("z", &words, 8)
}

/// A facet with the first bytes of the SHA-256 of a text, at most 16.
fn hashed(name: &str, text: &str, bytes: usize) -> String {
    let hash = Sha256::digest(text);
    let first = hash.iter().take(bytes).fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
    format!("{name}:{first:0width$x}", width = 2 * bytes)
}
