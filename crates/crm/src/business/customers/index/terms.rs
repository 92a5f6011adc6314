//! The `q` of a search, read as words, as a customer number, as an e-mail address, and as a phone.

use unicode_normalization::UnicodeNormalization;

use super::said::{self, SaidWord, StreetWord};
use super::{domain_facet, email_facet, local_part_facet, number_facet};
use crate::search::{Expression, Field, Prefix, cut};
use crate::values::email;
use crate::values::fold::{self, Kind};
use crate::values::phone::{self, NumberingPlan};
use crate::values::text;

/// Minimum number of digits that a word of `q` needs to match phones too. Too many phones contain a shorter
/// sequence.
const MIN_PHONE_DIGITS: usize = 3;
/// Minimum number of letters of a word of `q` that matches the beginning of a word of an address. Too many addresses
/// contain a word with a shorter beginning.
const MIN_ADDRESS_LETTERS: usize = 3;
/// A `q` with this many digits and nothing else is a phone and cannot be an address.
const SURE_PHONE_DIGITS: usize = 10;
/// Minimum number of digits after `00` that can be an international phone.
const MIN_INTERNATIONAL_DIGITS: usize = 7;

/// The `q` of a search.
pub(super) struct Terms {
    pub(super) parts: Vec<Term>,
    /// The digits of `q` as a phone, in every form that may be stored. Empty if `q` cannot be a phone.
    pub(super) phones: Vec<String>,
    /// Whether `q` has nothing but digits and what is written between them. With letters, it can also be an address:
    /// `1729 Frankf` may be dialed.
    is_in_digits: bool,
}

/// A part of `q` between spaces.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// Its words. Never empty.
    pub(super) words: Vec<SaidWord>,
    /// The numeric part of the customer number that it may be.
    pub(super) number: Option<i64>,
    /// The whole, the local part or the domain of an e-mail address that it may be, in the form in which addresses
    /// are compared.
    pub(super) email: EmailPart,
}

/// What a part of `q` may be of an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EmailPart {
    /// All of it.
    Whole(String),
    /// What stands after the `@`.
    Domain(String),
    /// What stands before the `@`, or, if it has a dot, after it.
    Either(String),
}

impl Terms {
    pub(super) fn new(q: &str, country: NumberingPlan) -> Self {
        let terms = q.split_whitespace().filter_map(Term::new).collect();
        let typed = without_ignorable(q);
        let typed = without_extension(&typed);
        let phones = phone_forms(q, typed, country);
        let is_in_digits = typed.chars().all(is_of_phone);
        Self { parts: without_titles(terms), phones, is_in_digits }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.phones.is_empty()
    }

    /// Whether it is written as a phone.
    pub(super) fn is_phone(&self) -> bool {
        self.is_in_digits && !self.phones.is_empty()
    }

    /// All words, in order.
    pub(super) fn words(&self) -> impl Iterator<Item = &SaidWord> {
        self.parts.iter().flat_map(|term| &term.words)
    }

    /// Finds rows in which the phone, or every word, occurs as a whole.
    pub(super) fn whole(&self, prefix: Prefix) -> Option<Expression> {
        let terms = self.parts.iter().flat_map(|term| term.whole(prefix));
        self.or_phone(Expression::all(terms), |digits| whole_phone(prefix, digits))
    }

    /// Finds rows in which the phone, or every word, occurs as a whole, as a part, or in another form.
    pub(super) fn partial(&self, prefix: Prefix) -> Option<Expression> {
        let terms = self.parts.iter().flat_map(|term| term.partial(prefix));
        self.or_phone(Expression::all(terms), |digits| partial_phone(prefix, digits))
    }

    /// Finds rows in which every word occurs, some of them in addresses; may also find rows of [`Self::partial`].
    /// `None` if `q` cannot be a part of an address.
    pub(super) fn addresses(&self, prefix: Prefix) -> Option<Expression> {
        if self.is_phone() && self.phones.iter().any(|digits| digits.len() >= SURE_PHONE_DIGITS) {
            return None;
        }
        if let [term] = &self.parts[..]
            && let [word] = &term.words[..]
        {
            return address_word(prefix, word);
        }
        Expression::all(self.parts.iter().flat_map(|term| term.anywhere(prefix)))
    }

    /// Finds rows in which at least one word occurs in an address.
    pub(super) fn any_address_word(&self, prefix: Prefix) -> Option<Expression> {
        Expression::any(self.words().filter_map(|word| address_word(prefix, word)))
    }

    fn or_phone(
        &self,
        words: Option<Expression>,
        phone: impl Fn(&str) -> Expression,
    ) -> Option<Expression> {
        Expression::any(self.phones.iter().map(|digits| phone(digits)).chain(words))
    }
}

impl Term {
    fn new(typed: &str) -> Option<Self> {
        let words = said::words(typed);
        if words.is_empty() {
            return None;
        }
        let number = customer_number(&words);
        Some(Self { words, number, email: EmailPart::of(typed) })
    }

    fn whole(&self, prefix: Prefix) -> Vec<Expression> {
        let words = self.words.iter().map(|word| whole_word(prefix, word));
        let email = match &self.email {
            EmailPart::Whole(address) => Some(facet(prefix, &email_facet(address))),
            EmailPart::Domain(_) | EmailPart::Either(_) => None,
        };
        one_of(words.collect(), self.number(prefix).into_iter().chain(email))
    }

    fn partial(&self, prefix: Prefix) -> Vec<Expression> {
        let words = self.words.iter().filter_map(|word| partial_word(prefix, word));
        one_of(words.collect(), self.other_forms(prefix))
    }

    /// Finds rows in which every word occurs in a name, a phone or an address.
    pub(super) fn anywhere(&self, prefix: Prefix) -> Vec<Expression> {
        let words = self.words.iter().filter_map(|word| word_anywhere(prefix, word));
        one_of(words.collect(), self.other_forms(prefix))
    }

    fn number(&self, prefix: Prefix) -> Option<Expression> {
        self.number.map(|number| facet(prefix, &number_facet(number)))
    }

    fn other_forms(&self, prefix: Prefix) -> impl Iterator<Item = Expression> {
        let emails = match &self.email {
            EmailPart::Whole(address) => vec![email_facet(address)],
            EmailPart::Domain(domain) => vec![domain_facet(domain)],
            EmailPart::Either(part) if part.contains('.') => {
                vec![local_part_facet(part), domain_facet(part)]
            }
            EmailPart::Either(part) => vec![local_part_facet(part)],
        };
        let emails = emails.into_iter().map(move |email| facet(prefix, &email));
        self.number(prefix).into_iter().chain(emails)
    }
}

impl EmailPart {
    fn of(typed: &str) -> Self {
        let key = email::search_key(typed.trim_end_matches([',', ';', '.']));
        let without_at = match key.split_once('@') {
            Some(("", domain)) => return Self::Domain(domain.to_owned()),
            Some((local, "")) => local.to_owned(),
            Some(_) => return Self::Whole(key),
            None => key,
        };
        Self::Either(without_at)
    }
}

/// All of the words, or one of the other forms: a list of conditions that must all hold.
fn one_of(words: Vec<Expression>, others: impl Iterator<Item = Expression>) -> Vec<Expression> {
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        return words;
    }
    Expression::any(Expression::all(words).into_iter().chain(others)).into_iter().collect()
}

fn facet(prefix: Prefix, text: &str) -> Expression {
    Expression::Token(prefix.token(Field::Facet, text))
}

fn whole_word(prefix: Prefix, word: &SaidWord) -> Expression {
    let whole = Expression::Token(prefix.token(Field::WholeWord, cut(&word.text)));
    if !is_phone_word(word) {
        return whole;
    }
    Expression::Any(vec![whole, whole_phone(prefix, &word.text)])
}

/// Finds rows with the word as a whole name, as typed or in another form.
pub(super) fn whole_name(prefix: Prefix, word: &SaidWord) -> Expression {
    let whole = std::iter::once(whole_word(prefix, word));
    Expression::Any(whole.chain(other_names(prefix, word)).collect())
}

fn other_names(prefix: Prefix, word: &SaidWord) -> impl Iterator<Item = Expression> {
    let names = word.names.iter();
    names.map(move |name| Expression::Token(prefix.token(Field::WholeWord, cut(name))))
}

fn partial_word(prefix: Prefix, word: &SaidWord) -> Option<Expression> {
    let inside = std::iter::once(&word.text).chain(&word.spellings);
    let inside = inside.map(|text| Expression::Prefix(prefix.token(Field::Word, cut(text))));
    let phone = is_phone_word(word).then(|| partial_phone(prefix, &word.text));
    Expression::any(inside.chain(phone).chain(other_names(prefix, word)))
}

fn address_word(prefix: Prefix, word: &SaidWord) -> Option<Expression> {
    let texts = std::iter::once(&word.text).chain(&word.spellings);
    let texts = texts.map(|text| {
        let token = prefix.token(Field::AddressWord, cut(text));
        if begins_address_word(text) { Expression::Prefix(token) } else { Expression::Token(token) }
    });
    let street = StreetWord::other(&word.text);
    let street = street.map(|text| Expression::Token(prefix.token(Field::AddressWord, text)));
    Expression::any(texts.chain(street))
}

/// Finds rows with the word in a name, a phone or an address.
pub(super) fn word_anywhere(prefix: Prefix, word: &SaidWord) -> Option<Expression> {
    Expression::any(partial_word(prefix, word).into_iter().chain(address_word(prefix, word)))
}

/// Whether a word of `q` matches words of an address that only begin with it. Numbers must match as a whole.
pub(super) fn begins_address_word(text: &str) -> bool {
    text.chars().nth(MIN_ADDRESS_LETTERS - 1).is_some()
        && !text.bytes().all(|byte| byte.is_ascii_digit())
}

fn partial_phone(prefix: Prefix, digits: &str) -> Expression {
    Expression::Prefix(prefix.token(Field::Phone, cut(digits)))
}

pub(super) fn whole_phone(prefix: Prefix, digits: &str) -> Expression {
    Expression::Token(prefix.token(Field::WholePhone, cut(digits)))
}

/// Whether a word may be a part of a phone.
pub(super) fn is_phone_word(word: &SaidWord) -> bool {
    word.kind == Kind::Spaced
        && word.text.len() >= MIN_PHONE_DIGITS
        && word.text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Drops titles and words like `and`, unless nothing else is left.
fn without_titles(terms: Vec<Term>) -> Vec<Term> {
    let all = terms.iter().flat_map(|term| &term.words);
    let has_title = all.clone().any(said::is_droppable);
    if !has_title || all.clone().all(said::is_droppable) {
        return terms;
    }
    let mut terms = terms;
    for term in &mut terms {
        term.words.retain(|word| !said::is_droppable(word));
    }
    terms.retain(|term| !term.words.is_empty());
    terms
}

/// The number of `C-0252`, `c252`, `#252` or `252`.
fn customer_number(words: &[SaidWord]) -> Option<i64> {
    let digits = match words {
        [prefix, digits] if prefix.text == "c" => &digits.text,
        [word] => word.text.strip_prefix('c').unwrap_or(&word.text),
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// The digit sequences under which the phone `q` may be stored: as typed, without a trunk zero in parentheses, without
/// a leading `00`, and in international form if `q` is a complete number. Empty if `q` cannot be a phone. `plain` is `q`
/// without an extension.
fn phone_forms(q: &str, plain: &str, country: NumberingPlan) -> Vec<String> {
    let digits = |text: &str| text.chars().filter_map(fold::ascii_digit).collect::<String>();
    let international = || phone::parse(q, country).map(|phone| digits(phone.e164()));
    if !plain.chars().all(is_of_phone) {
        // `q` may spell digits with letters, as in 1-800-FLOWERS. Only parsing it as a complete number can
        // tell. Such a number begins with digits, so queries without enough digits skip the parsing.
        let has_digits = digits(plain).len() >= MIN_PHONE_DIGITS;
        let spelled = (has_digits && phone::is_spelled(q)).then(international);
        return spelled.into_iter().flatten().collect();
    }
    let mut forms = vec![digits(plain), digits(&plain.replace("(0)", ""))];
    let dialed: Vec<_> = forms.iter().filter_map(|form| form.strip_prefix("00")).collect();
    let dialed = dialed.into_iter().filter(|form| form.len() >= MIN_INTERNATIONAL_DIGITS);
    let dialed: Vec<_> = dialed.map(str::to_owned).collect();
    forms.extend(dialed);
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

fn without_ignorable(q: &str) -> String {
    q.nfkd().filter(|letter| !text::is_ignorable(*letter)).collect()
}

fn is_of_phone(letter: char) -> bool {
    fold::ascii_digit(letter).is_some() || is_phone_punctuation(letter)
}

fn is_phone_punctuation(letter: char) -> bool {
    const MINUS_SIGN: char = '\u{2212}';
    letter.is_whitespace()
        || matches!(
            letter,
            '+' | '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | MINUS_SIGN
        )
}
