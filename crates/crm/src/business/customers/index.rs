//! Customers in the index: names and phones match by any part, everything else by the whole value.
//!
//! Defines the tokens of a customer and the expression of a `customers.search`. The code that fills
//! in the document decides where names and phones come from (the customer and its active contacts).

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::business::customers::{CustomerType, Status};
use crate::search::{Expression, Field, Namespace, Prefix, TenantMark, Tokens, cut, numbered};
use crate::values::email;
use crate::values::fold::QueryHasNoWord;
use crate::values::fold::{self, Kind, Word};
use crate::values::phone::{self, NumberingPlan, Phone};
use crate::values::text;

/// Minimum number of digits for a word of `q` to match phones too: every third phone contains any
/// shorter sequence.
const MIN_PHONE_DIGITS: usize = 3;

/// The indexed fields of one customer.
#[derive(Clone, Debug)]
pub struct CustomerDocument<'a> {
    /// Active, inactive or archived.
    pub status: Status,
    /// Individual or company.
    pub kind: CustomerType,
    /// The numeric part of the customer number: 42 for `C-0042`.
    pub number: i64,
    /// Every name: the customer's own first, then the active contacts'.
    pub names: Vec<&'a str>,
    /// Every phone: the customer's own first, then the active contacts'.
    pub phones: Vec<Phone>,
    /// Every e-mail address: the customer's and the active contacts'.
    pub emails: Vec<&'a str>,
    /// The internal numbers of its tags.
    pub tags: Vec<i64>,
}

impl CustomerDocument<'_> {
    /// The customer's tokens, space-separated: the value of the index's only column. There are a bounded
    /// number: a customer with very many or very long names of contacts is no longer found by the inner
    /// parts of some, then by some contacts at all. Its own name and telephone number are always found.
    #[must_use]
    pub fn tokens(&self, tenant: TenantMark) -> String {
        let mut tokens = Tokens::new(Prefix { tenant, namespace: namespace(Some(self.status)) });
        let own_name = self.names.len().min(1);
        let own_phone = self.phones.len().min(1);
        add_texts(&mut tokens, &self.names[..own_name], &self.phones[..own_phone]);
        self.add_facets(&mut tokens);
        add_texts(&mut tokens, &self.names[own_name..], &self.phones[own_phone..]);
        tokens.finish()
    }

    fn add_facets(&self, tokens: &mut Tokens) {
        tokens.add(Field::Facet, EVERY_CUSTOMER);
        if let Some(facet) = status_facet(self.status) {
            tokens.add(Field::Facet, facet);
        }
        tokens.add(Field::Facet, kind_facet(self.kind));
        tokens.add(Field::Facet, &number_facet(self.number));
        for email in &self.emails {
            tokens.add(Field::Facet, &email_facet(email));
        }
        for tag in &self.tags {
            tokens.add(Field::Facet, &tag_facet(*tag));
        }
    }
}

/// Adds phones and names as long as there is room: whole ones first, then the inner parts of all.
fn add_texts(tokens: &mut Tokens, names: &[&str], phones: &[Phone]) {
    let digits: Vec<String> = phones.iter().flat_map(Phone::search_digits).collect();
    for digits in &digits {
        tokens.add(Field::WholePhone, digits);
        tokens.add(Field::Phone, digits);
    }
    let mut words = Vec::new();
    for name in names {
        if !tokens.has_room() {
            return;
        }
        fold::each(name, |word, _| {
            tokens.add(Field::WholeWord, word);
            tokens.add(Field::Word, word);
            words.push(word.to_owned());
        });
    }
    for digits in &digits {
        tokens.add_inner(Field::Phone, digits);
    }
    for word in &words {
        tokens.add_inner(Field::Word, word);
    }
}

/// The filters of a search. `None` means no filter, except for `status`.
#[derive(Clone, Copy, Debug)]
pub struct CustomerQuery<'a> {
    /// Words or a phone number, as typed.
    pub q: Option<&'a str>,
    /// The tenant's country: `q` may contain a phone in its formats.
    pub country: NumberingPlan,
    /// The status; `None` matches every customer that is not archived.
    pub status: Option<Status>,
    /// Individual or company.
    pub kind: Option<CustomerType>,
    /// The internal number of a tag.
    pub tag: Option<i64>,
    /// A whole e-mail address, in any case.
    pub email: Option<&'a str>,
    /// The numeric part of a customer number.
    pub number: Option<i64>,
}

/// The two expressions of a search, in result order. A row matches at most one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// The rows that come first: every word, or the phone, matches as a whole. All rows without `q`.
    pub first: Expression,
    /// The other rows; `None` without `q`.
    pub rest: Option<Expression>,
}

impl CustomerQuery<'_> {
    /// The expressions that find the rows.
    ///
    /// # Errors
    /// `q` is set but contains no word.
    pub fn tiers(&self, tenant: TenantMark) -> Result<Tiers, QueryHasNoWord> {
        let place = Prefix { tenant, namespace: namespace(self.status) };
        let facets = self.facets(place);
        let Some(q) = self.q else {
            let every = || Expression::Token(place.token(Field::Facet, EVERY_CUSTOMER));
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

    fn facets(&self, place: Prefix) -> Vec<Expression> {
        let facets = [
            self.number.map(number_facet),
            self.email.map(email_facet),
            self.tag.map(tag_facet),
            self.kind.map(|kind| kind_facet(kind).to_owned()),
            self.status.and_then(status_facet).map(str::to_owned),
        ];
        let token = |facet: String| Expression::Token(place.token(Field::Facet, &facet));
        facets.into_iter().flatten().map(token).collect()
    }
}

/// Finds the customers with this phone, except archived ones.
#[must_use]
pub fn with_phone(tenant: TenantMark, phone: &Phone) -> Expression {
    let digits: String = phone.e164().chars().filter_map(fold::ascii_digit).collect();
    whole_phone(Prefix { tenant, namespace: Namespace::Current }, &digits)
}

/// Finds the customers with this e-mail address, except archived ones.
#[must_use]
pub fn with_email(tenant: TenantMark, address: &str) -> Expression {
    Expression::Token(tenant.token(Field::Facet, &email_facet(address)))
}

/// The `q` of a search, read both as words and as a phone.
struct Sought {
    words: Vec<Word>,
    /// The digits of the phone that `q` may be, in every form in which it may be stored. Empty if
    /// `q` contains anything other than digits and phone punctuation, unless it spells a number.
    phones: Vec<String>,
}

impl Sought {
    fn new(q: &str, country: NumberingPlan) -> Self {
        Self { words: fold::words(q), phones: phone_forms(q, country) }
    }

    /// The phone, or every word, occurs, possibly inside a longer one.
    fn part(&self, place: Prefix) -> Option<Expression> {
        self.either(
            |word| {
                let inside = Expression::Prefix(place.token(Field::Word, cut(&word.text)));
                let phone = is_phone_word(word).then(|| phone_part(place, &word.text));
                Expression::any([Some(inside), phone].into_iter().flatten())
            },
            |digits| phone_part(place, digits),
        )
    }

    /// The phone, or every word, occurs as a whole.
    fn whole(&self, place: Prefix) -> Option<Expression> {
        self.either(
            |word| {
                let whole = Expression::Token(place.token(Field::WholeWord, cut(&word.text)));
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

fn phone_part(place: Prefix, digits: &str) -> Expression {
    Expression::Prefix(place.token(Field::Phone, cut(digits)))
}

fn whole_phone(place: Prefix, digits: &str) -> Expression {
    Expression::Token(place.token(Field::WholePhone, cut(digits)))
}

fn is_phone_word(word: &Word) -> bool {
    word.kind == Kind::Spaced
        && word.text.len() >= MIN_PHONE_DIGITS
        && word.text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits under which the phone in `q` may be stored: as typed, without a trunk zero in
/// parentheses, and, for a complete number, in international form.
fn phone_forms(q: &str, country: NumberingPlan) -> Vec<String> {
    let plain: String = q.nfkd().filter(|letter| !text::is_ignorable(*letter)).collect();
    let plain = without_extension(&plain);
    let is_phone = |letter| fold::ascii_digit(letter).is_some() || is_phone_punctuation(letter);
    let digits = |text: &str| text.chars().filter_map(fold::ascii_digit).collect::<String>();
    let international = || phone::parse(q, country).map(|phone| digits(phone.e164()));
    if !plain.chars().all(is_phone) {
        // Letters may stand for digits, but only parsing the complete number can tell. Such a number
        // begins with digits. Almost no other query has digits, so those skip the parsing.
        let has_digits = digits(plain).len() >= MIN_PHONE_DIGITS;
        let spelled = (has_digits && phone::is_spelled(q)).then(international);
        return spelled.into_iter().flatten().collect();
    }
    let mut forms = vec![digits(plain), digits(&plain.replace("(0)", ""))];
    forms.extend(international().ok());
    forms.retain(|form| !form.is_empty());
    forms.dedup();
    forms
}

/// Strips what lists and links add to a phone: a leading `tel:` and a trailing extension, which no
/// stored number contains.
fn without_extension(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end();
    let marks = ["extension", "ext.", "ext", "x", "#"];
    let marked = marks.iter().find_map(|mark| number.strip_suffix(mark));
    // It is an extension only with a number before the mark and digits after it.
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

/// The facet of every customer, so that a search without filters still has an expression.
const EVERY_CUSTOMER: &str = "customer";

/// The namespace of the customers with a status. `None` means every customer that is not archived.
const fn namespace(status: Option<Status>) -> Namespace {
    match status {
        Some(Status::Archived) => Namespace::Archived,
        Some(Status::Active | Status::Inactive) | None => Namespace::Current,
    }
}

/// The facet of a status. Archived has none, because it has its own namespace.
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

/// Half of the address's SHA-256: short, free of characters that split a token, and enough to test
/// for equality.
fn email_facet(address: &str) -> String {
    let hash = Sha256::digest(email::search_key(address));
    let half = hash.iter().take(16).map(|byte| format!("{byte:02x}"));
    half.fold("e:".to_owned(), |facet, byte| facet + &byte)
}
