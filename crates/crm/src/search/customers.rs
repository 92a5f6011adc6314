//! Customers in the index: names and phones by any part of them, the rest by whole values.
//!
//! Here lives which tokens a customer has and which expression a `customers.search` is. Where names
//! and phones come from (the customer and its active contacts) is decided by whoever fills in the
//! document.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::{Expression, Place, QueryHasNoWord, Shelf, Space, TenantMark, Tokens, cut, numbered};
use crate::customers::{CustomerType, Status};
use crate::email;
use crate::fold::{self, Kind, Word};
use crate::phone::{self, Country, Phone};
use crate::text;

/// The least digits that a word of `q` must have to look for phones too: fewer are found in every
/// third phone.
const SHORTEST_PHONE_WORD: usize = 3;

/// What the index knows of one customer.
#[derive(Clone, Debug)]
pub struct CustomerDocument<'a> {
    /// Its state.
    pub status: Status,
    /// Its kind.
    pub kind: CustomerType,
    /// The number inside its customer number: 42 of `C-0042`.
    pub number: i64,
    /// Every name: the customer's, the company's, the active contacts'.
    pub names: Vec<&'a str>,
    /// Every phone: the customer's and the active contacts'.
    pub phones: Vec<Phone>,
    /// Every e-mail address: the customer's and the active contacts'.
    pub emails: Vec<&'a str>,
    /// The numbers of its tags.
    pub tags: Vec<i64>,
}

impl CustomerDocument<'_> {
    /// The customer's tokens, parted by spaces: the value of the index's one column.
    ///
    /// Its size grows with the sum of the names' lengths times at most 64 characters.
    #[must_use]
    pub fn tokens(&self, tenant: TenantMark) -> String {
        let mut tokens = Tokens::new(Place { tenant, shelf: shelf(Some(self.status)) });
        for name in &self.names {
            fold::each(name, |word, _| {
                tokens.add_tails(Space::Word, word);
                tokens.add(Space::WholeWord, word);
            });
        }
        for digits in self.phones.iter().flat_map(Phone::search_digits) {
            tokens.add_tails(Space::Phone, &digits);
            tokens.add(Space::WholePhone, &digits);
        }
        tokens.add(Space::Facet, EVERY_CUSTOMER);
        if let Some(facet) = status_facet(self.status) {
            tokens.add(Space::Facet, facet);
        }
        tokens.add(Space::Facet, kind_facet(self.kind));
        tokens.add(Space::Facet, &number_facet(self.number));
        for email in &self.emails {
            tokens.add(Space::Facet, &email_facet(email));
        }
        for tag in &self.tags {
            tokens.add(Space::Facet, &tag_facet(*tag));
        }
        tokens.finish()
    }
}

/// What a search asks for; what is `None` does not matter, but see `status`.
#[derive(Clone, Copy, Debug)]
pub struct CustomerQuery<'a> {
    /// Words or a phone, as typed.
    pub q: Option<&'a str>,
    /// The tenant's country, in whose formats a phone in `q` may be typed.
    pub country: Country,
    /// The state; `None` asks for all that are not archived.
    pub status: Option<Status>,
    /// The kind.
    pub kind: Option<CustomerType>,
    /// The number of a tag.
    pub tag: Option<i64>,
    /// A whole e-mail address, in any case.
    pub email: Option<&'a str>,
    /// The number inside a customer number.
    pub number: Option<i64>,
}

/// A search in the order of its answer: each row is found by one of the two at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// The rows that come first: every word, or the phone, is whole. Without `q` all rows.
    pub first: Expression,
    /// The other rows; `None` without `q`.
    pub rest: Option<Expression>,
}

impl CustomerQuery<'_> {
    /// The expressions that find the rows.
    ///
    /// # Errors
    /// There is a `q`, but no word in it.
    pub fn tiers(&self, tenant: TenantMark) -> Result<Tiers, QueryHasNoWord> {
        let place = Place { tenant, shelf: shelf(self.status) };
        let facets = self.facets(place);
        let Some(q) = self.q else {
            let every = || Expression::Token(place.token(Space::Facet, EVERY_CUSTOMER));
            let first = Expression::all(facets).unwrap_or_else(every);
            return Ok(Tiers { first, rest: None });
        };
        let sought = Sought::new(q, self.country);
        let with_facets =
            |sought: Expression| Expression::all([sought].into_iter().chain(facets.clone()));
        let first = sought.whole(place).and_then(with_facets).ok_or(QueryHasNoWord)?;
        let every = sought.part(place).and_then(with_facets).ok_or(QueryHasNoWord)?;
        let rest = Expression::Except(Box::new(every), Box::new(first.clone()));
        Ok(Tiers { first, rest: Some(rest) })
    }

    fn facets(&self, place: Place) -> Vec<Expression> {
        let facets = [
            self.number.map(number_facet),
            self.email.map(email_facet),
            self.tag.map(tag_facet),
            self.kind.map(|kind| kind_facet(kind).to_owned()),
            self.status.and_then(status_facet).map(str::to_owned),
        ];
        let token = |facet: String| Expression::Token(place.token(Space::Facet, &facet));
        facets.into_iter().flatten().map(token).collect()
    }
}

/// Finds the customers, archived ones aside, of which a phone is this one.
#[must_use]
pub fn with_phone(tenant: TenantMark, phone: &Phone) -> Expression {
    let digits: String = phone.e164().chars().filter_map(fold::ascii_digit).collect();
    whole_phone(Place { tenant, shelf: Shelf::Current }, &digits)
}

/// Finds the customers, archived ones aside, of which an e-mail address is this one.
#[must_use]
pub fn with_email(tenant: TenantMark, address: &str) -> Expression {
    Expression::Token(tenant.token(Space::Facet, &email_facet(address)))
}

/// The `q` of a search, understood both ways.
struct Sought {
    words: Vec<Word>,
    /// The digits of the one phone that `q` may be, in each way in which they may be stored; empty
    /// if it holds anything but digits and phone punctuation.
    phones: Vec<String>,
}

impl Sought {
    fn new(q: &str, country: Country) -> Self {
        Self { words: fold::words(q), phones: phone_forms(q, country) }
    }

    /// A phone or every word is there, also inside another.
    fn part(&self, place: Place) -> Option<Expression> {
        self.either(
            |word| {
                let inside = Expression::Prefix(place.token(Space::Word, cut(&word.text)));
                let phone = is_phone_word(word).then(|| phone_part(place, &word.text));
                Expression::any([Some(inside), phone].into_iter().flatten())
            },
            |digits| phone_part(place, digits),
        )
    }

    /// A phone or every word is there as a whole.
    fn whole(&self, place: Place) -> Option<Expression> {
        self.either(
            |word| {
                let whole = Expression::Token(place.token(Space::WholeWord, cut(&word.text)));
                let phone = is_phone_word(word).then(|| whole_phone(place, &word.text));
                Expression::any([Some(whole), phone].into_iter().flatten())
            },
            |digits| whole_phone(place, digits),
        )
    }

    fn either(
        &self,
        word: impl Fn(&Word) -> Option<Expression>,
        phone: impl Fn(&str) -> Expression,
    ) -> Option<Expression> {
        let words = Expression::all(self.words.iter().filter_map(word));
        Expression::any(self.phones.iter().map(|digits| phone(digits)).chain(words))
    }
}

fn phone_part(place: Place, digits: &str) -> Expression {
    Expression::Prefix(place.token(Space::Phone, cut(digits)))
}

fn whole_phone(place: Place, digits: &str) -> Expression {
    Expression::Token(place.token(Space::WholePhone, cut(digits)))
}

fn is_phone_word(word: &Word) -> bool {
    word.kind == Kind::Spaced
        && word.text.len() >= SHORTEST_PHONE_WORD
        && word.text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits under which a phone that is typed as `q` may be stored: those that were typed, those
/// without a trunk zero in parentheses, and, if it is a whole number, its international ones.
fn phone_forms(q: &str, country: Country) -> Vec<String> {
    let plain: String = q.nfkd().filter(|letter| !text::is_ignorable(*letter)).collect();
    let plain = without_extension(&plain);
    let is_phone = |letter| fold::ascii_digit(letter).is_some() || is_phone_punctuation(letter);
    let digits = |text: &str| text.chars().filter_map(fold::ascii_digit).collect::<String>();
    let international = || phone::parse(q, country).map(|phone| digits(phone.e164()));
    if !plain.chars().all(is_phone) {
        // Letters may stand for digits, but only the rules of whole numbers can tell. Such a number
        // begins with digits, and nearly no other query has any: those cost nothing.
        let has_digits = digits(plain).len() >= SHORTEST_PHONE_WORD;
        let spelled = (has_digits && phone::is_spelled(q)).then(international);
        return spelled.into_iter().flatten().collect();
    }
    let mut forms = vec![digits(plain), digits(&plain.replace("(0)", ""))];
    forms.extend(international().ok());
    forms.retain(|form| !form.is_empty());
    forms.dedup();
    forms
}

/// A phone as lists and links write it: without `tel:` before it and the extension behind it, which
/// is in no stored number.
fn without_extension(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end();
    let marks = ["extension", "ext.", "ext", "x", "#"];
    let marked = marks.iter().find_map(|mark| number.strip_suffix(mark));
    // Without a number before the mark, or without digits behind it, it is no extension.
    match marked {
        Some(number) if number.len() < text.len() && number.contains(char::is_numeric) => number,
        _ => text,
    }
}

fn is_phone_punctuation(letter: char) -> bool {
    const MINUS_SIGN: char = '\u{2212}';
    letter.is_whitespace()
        || matches!(
            letter,
            '+' | '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | MINUS_SIGN
        )
}

/// The facet that every customer has, so that a search without any filter is an expression too.
const EVERY_CUSTOMER: &str = "customer";

/// Where customers of a status are; those of no status in particular are all that are not archived.
const fn shelf(status: Option<Status>) -> Shelf {
    match status {
        Some(Status::Archived) => Shelf::Archived,
        Some(Status::Active | Status::Inactive) | None => Shelf::Current,
    }
}

/// The facet of a status that shares its shelf with another.
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

/// Half a SHA-256 of the address: short, free of characters that split a token, and as good as the
/// address where only equality is asked.
fn email_facet(address: &str) -> String {
    let hash = Sha256::digest(email::search_key(address));
    let half = hash.iter().take(16).map(|byte| format!("{byte:02x}"));
    half.fold("e:".to_owned(), |facet, byte| facet + &byte)
}
