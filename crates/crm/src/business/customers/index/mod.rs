//! Customers in the search index: the tokens of a customer and the expressions of `customers.search`. A search
//! finds names and phones by any part, and everything else by the whole value.
//!
//! `store.rs` collects the names and phones, from the customer and its active contacts.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::business::customers::{CustomerType, Status};
use crate::search::{Expression, Field, Namespace, Prefix, TenantMark, Tokens, cut, numbered};
use crate::values::email;
use crate::values::fold::QueryHasNoWord;
use crate::values::fold::{self, Kind, Word};
use crate::values::phone::{self, NumberingPlan, Phone};
use crate::values::text;

/// Minimum number of digits that a word of `q` needs to match phones too. Too many phones contain a shorter
/// sequence.
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
    /// The numbers of its tags in the search index.
    pub tags: Vec<i64>,
}

impl CustomerDocument<'_> {
    /// The customer's tokens, space-separated: the value of the index's only column. Their number is limited. If
    /// the names of the contacts are too long, inner parts of words are left out first, and then whole names. The
    /// customer's own name and all phones, e-mail addresses and tags are always indexed.
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

/// Adds all whole phones. While there is room, adds whole words of the names, then the inner parts of both.
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
    /// The tenant's country. `q` may contain a phone as it is written there.
    pub country: NumberingPlan,
    /// The status; `None` matches every customer that is not archived.
    pub status: Option<Status>,
    /// Individual or company.
    pub kind: Option<CustomerType>,
    /// The number of a tag in the search index.
    pub tag: Option<i64>,
    /// A whole e-mail address, in any case.
    pub email: Option<&'a str>,
    /// The numeric part of a customer number.
    pub number: Option<i64>,
}

/// The two expressions of a search, in result order. A row matches at most one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// Finds the rows that come first: every word, or the phone, matches as a whole. Without `q`, finds all rows.
    pub first: Expression,
    /// Finds all other rows. `None` without `q`.
    pub rest: Option<Expression>,
}

impl CustomerQuery<'_> {
    /// The expressions of the search.
    ///
    /// # Errors
    /// `q` is set but contains no word.
    pub fn tiers(&self, tenant: TenantMark) -> Result<Tiers, QueryHasNoWord> {
        let prefix = Prefix { tenant, namespace: namespace(self.status) };
        let facets = self.facets(prefix);
        let Some(q) = self.q else {
            let every_customer = || Expression::Token(prefix.token(Field::Facet, EVERY_CUSTOMER));
            let first = Expression::all(facets).unwrap_or_else(every_customer);
            return Ok(Tiers { first, rest: None });
        };
        let terms = SearchTerms::new(q, self.country);
        let with_facets =
            |text: Expression| Expression::all([text].into_iter().chain(facets.clone()));
        let first = terms.whole(prefix).and_then(with_facets).ok_or(QueryHasNoWord)?;
        let partial = terms.partial(prefix).and_then(with_facets).ok_or(QueryHasNoWord)?;
        let rest = Expression::Except(Box::new(partial), Box::new(first.clone()));
        Ok(Tiers { first, rest: Some(rest) })
    }

    fn facets(&self, prefix: Prefix) -> Vec<Expression> {
        let facets = [
            self.number.map(number_facet),
            self.email.map(email_facet),
            self.tag.map(tag_facet),
            self.kind.map(|kind| kind_facet(kind).to_owned()),
            self.status.and_then(status_facet).map(str::to_owned),
        ];
        let token = |facet: String| Expression::Token(prefix.token(Field::Facet, &facet));
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
struct SearchTerms {
    words: Vec<Word>,
    /// The digits of `q` as a phone, in every form that may be stored. Empty if `q` cannot be a phone.
    phones: Vec<String>,
}

impl SearchTerms {
    fn new(q: &str, country: NumberingPlan) -> Self {
        Self { words: fold::words(q), phones: phone_forms(q, country) }
    }

    /// Finds rows in which the phone, or every word, occurs as a whole or inside a longer one.
    fn partial(&self, prefix: Prefix) -> Option<Expression> {
        self.words_or_phone(
            |word| {
                let inside = Expression::Prefix(prefix.token(Field::Word, cut(&word.text)));
                let phone = is_phone_word(word).then(|| partial_phone(prefix, &word.text));
                Expression::any([Some(inside), phone].into_iter().flatten())
            },
            |digits| partial_phone(prefix, digits),
        )
    }

    /// Finds rows in which the phone, or every word, occurs as a whole.
    fn whole(&self, prefix: Prefix) -> Option<Expression> {
        self.words_or_phone(
            |word| {
                let whole = Expression::Token(prefix.token(Field::WholeWord, cut(&word.text)));
                let phone = is_phone_word(word).then(|| whole_phone(prefix, &word.text));
                Expression::any([Some(whole), phone].into_iter().flatten())
            },
            |digits| whole_phone(prefix, digits),
        )
    }

    fn words_or_phone(
        &self,
        word: impl Fn(&Word) -> Option<Expression>,
        phone: impl Fn(&str) -> Expression,
    ) -> Option<Expression> {
        let words = Expression::all(self.words.iter().filter_map(word));
        Expression::any(self.phones.iter().map(|digits| phone(digits)).chain(words))
    }
}

fn partial_phone(prefix: Prefix, digits: &str) -> Expression {
    Expression::Prefix(prefix.token(Field::Phone, cut(digits)))
}

fn whole_phone(prefix: Prefix, digits: &str) -> Expression {
    Expression::Token(prefix.token(Field::WholePhone, cut(digits)))
}

fn is_phone_word(word: &Word) -> bool {
    word.kind == Kind::Spaced
        && word.text.len() >= MIN_PHONE_DIGITS
        && word.text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digit sequences under which the phone `q` may be stored: as typed, without a trunk zero in parentheses,
/// and in international form if `q` is a complete number. Empty if `q` cannot be a phone.
fn phone_forms(q: &str, country: NumberingPlan) -> Vec<String> {
    let plain: String = q.nfkd().filter(|letter| !text::is_ignorable(*letter)).collect();
    let plain = without_extension(&plain);
    let is_phone = |letter| fold::ascii_digit(letter).is_some() || is_phone_punctuation(letter);
    let digits = |text: &str| text.chars().filter_map(fold::ascii_digit).collect::<String>();
    let international = || phone::parse(q, country).map(|phone| digits(phone.e164()));
    if !plain.chars().all(is_phone) {
        // `q` may spell digits with letters, as in 1-800-FLOWERS. Only parsing it as a complete number can
        // tell. Such a number begins with digits, so queries without enough digits skip the parsing.
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

/// Strips a leading `tel:` and a trailing extension from a phone. The E.164 form of a stored phone has neither.
fn without_extension(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end();
    let marks = ["extension", "ext.", "ext", "x", "#"];
    let marked = marks.iter().find_map(|mark| number.strip_suffix(mark));
    // A mark begins an extension only if there is a number before it.
    match marked {
        Some(number) if number.contains(char::is_numeric) => number,
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

/// The facet of an e-mail address: half of its SHA-256. It is short, contains no characters that split a token, and
/// is enough to test for equality.
fn email_facet(address: &str) -> String {
    let hash = Sha256::digest(email::search_key(address));
    let half = hash.iter().take(16).map(|byte| format!("{byte:02x}"));
    half.fold("e:".to_owned(), |facet, byte| facet + &byte)
}
