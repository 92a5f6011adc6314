//! Why a row matches: in which of its fields the words of `q` are.

use std::borrow::Cow;
use std::cell::OnceCell;

use schemars::JsonSchema;
use serde::Serialize;

use super::said::{SaidWord, StreetWord};
use super::terms::{EmailPart, Term, Terms, begins_address_word, is_phone_word};
use super::{email_parts, fold};
use crate::values::email;

crate::call::argument::choices! {
    /// The field of a customer in which a search found something.
    pub enum MatchedField {
        /// The customer's own name.
        Name = "name",
        /// A contact's name.
        Contact = "contact",
        /// A telephone number.
        Phone = "phone",
        /// An e-mail address.
        Email = "email",
        /// The customer number.
        Number = "number",
        /// A location.
        Address = "address",
    }
}

/// A field in which a search found something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Match {
    /// The field.
    pub field: MatchedField,
    /// The contact's name, if the field is a contact's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The number, if the field is a phone (E.164). Only for pages.
    #[serde(skip)]
    #[schemars(skip)]
    pub phone: Option<String>,
}

/// A field of a row that may match.
pub(crate) struct Place<'a> {
    pub(crate) field: MatchedField,
    /// The contact's name, if the field is a contact's.
    pub(crate) contact: Option<Cow<'a, str>>,
    pub(crate) text: PlaceText<'a>,
}

/// What a field contains, in the form in which it is compared.
pub(crate) enum PlaceText<'a> {
    Words(PlaceWords<'a>),
    /// The digits of a phone, in every form, the international one first.
    Digits(Vec<String>),
    Email(&'a str),
    Number(i64),
}

/// The words of texts. They are folded only when a comparison needs them, because the first place usually matches.
pub(crate) struct PlaceWords<'a> {
    texts: Vec<Cow<'a, str>>,
    folded: OnceCell<Vec<String>>,
}

impl PlaceWords<'_> {
    /// The words, if one of them may contain `text`; otherwise none of them does.
    fn that_may_contain(&self, text: &str) -> &[String] {
        if !self.texts.iter().any(|stored| fold::may_contain(stored, text)) {
            return &[];
        }
        self.folded.get_or_init(|| {
            let words = self.texts.iter().flat_map(|text| fold::words(text));
            words.map(|word| word.text).collect()
        })
    }
}

impl<'a> PlaceText<'a> {
    /// The words of these texts.
    pub(crate) fn words<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts.into_iter().map(Into::into).collect();
        Self::Words(PlaceWords { texts, folded: OnceCell::new() })
    }
}

impl Place<'_> {
    /// Whether a word occurs here, as a whole or in any way.
    fn has(&self, word: &SaidWord, how: How) -> bool {
        match &self.text {
            PlaceText::Words(words) => self.has_words(words, word, how),
            PlaceText::Digits(forms) => is_phone_word(word) && has_digits(forms, &word.text, how),
            PlaceText::Email(_) | PlaceText::Number(_) => false,
        }
    }

    fn has_words(&self, words: &PlaceWords<'_>, word: &SaidWord, how: How) -> bool {
        let is_whole = |text: &String| words.that_may_contain(text).contains(text);
        let has_part = |text: &String, is_part: fn(&str, &str) -> bool| {
            words.that_may_contain(text).iter().any(|stored| is_part(stored, text))
        };
        let mut texts = std::iter::once(&word.text).chain(&word.spellings);
        match (how, self.field) {
            (How::Whole, _) => is_whole(&word.text),
            (How::Anyhow, MatchedField::Address) => {
                texts.any(|text| {
                    is_whole(text)
                        || (begins_address_word(text)
                            && has_part(text, |word, part| word.starts_with(part)))
                }) || StreetWord::other(&word.text)
                    .is_some_and(|text| words.that_may_contain(text).iter().any(|it| it == text))
            }
            (How::Anyhow, _) => {
                texts.any(|text| has_part(text, |word, part| word.contains(part)))
                    || word.names.iter().any(is_whole)
            }
        }
    }

    /// Whether a part of `q` is this customer number or this whole e-mail address.
    fn is_named_by(&self, term: &Term) -> bool {
        match (&self.text, &term.email) {
            (PlaceText::Number(number), _) => term.number == Some(*number),
            (PlaceText::Email(address), EmailPart::Whole(whole)) => {
                *whole == email::search_key(address)
            }
            _ => false,
        }
    }

    /// Whether a part of `q` is the local part or the domain of this e-mail address.
    fn has_half(&self, term: &Term) -> bool {
        let PlaceText::Email(address) = &self.text else { return false };
        let (local, domain) = email_parts(address);
        match &term.email {
            EmailPart::Whole(_) => false,
            EmailPart::Domain(part) => *part == domain,
            EmailPart::Either(part) => *part == local || (part.contains('.') && *part == domain),
        }
    }

    fn matched(&self) -> Match {
        let phone = match &self.text {
            PlaceText::Digits(forms) => forms.first().map(|digits| format!("+{digits}")),
            _ => None,
        };
        Match { field: self.field, contact: self.contact.as_deref().map(str::to_owned), phone }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Whole,
    Anyhow,
}

fn has_digits(forms: &[String], digits: &str, how: How) -> bool {
    forms.iter().any(|form| form == digits || (how == How::Anyhow && form.contains(digits)))
}

impl Terms {
    /// The first place of each word of `q`, whole words first. `None` if a word is in none of the places.
    pub(super) fn explain(&self, places: &[Place<'_>]) -> Option<Vec<Match>> {
        let is_phone = |place: &&Place<'_>| match &place.text {
            PlaceText::Digits(forms) => {
                self.phones.iter().any(|digits| has_digits(forms, digits, How::Anyhow))
            }
            _ => false,
        };
        let mut found: Vec<&Place<'_>> = Vec::new();
        for term in &self.parts {
            match places_of(term, places) {
                Some(places) => found.extend(places),
                None => return places.iter().find(is_phone).map(|place| vec![place.matched()]),
            }
        }
        if found.is_empty() {
            found.extend(places.iter().find(is_phone));
        }
        let mut distinct: Vec<Match> = Vec::new();
        for matched in found.into_iter().map(Place::matched) {
            if !distinct.contains(&matched) {
                distinct.push(matched);
            }
        }
        Some(distinct).filter(|distinct| !distinct.is_empty())
    }
}

/// The places of a part of `q`, the surest first: its number or e-mail address, whole words, half an e-mail address,
/// and words in any form.
fn places_of<'a>(term: &Term, places: &'a [Place<'a>]) -> Option<Vec<&'a Place<'a>>> {
    let named =
        |is: &dyn Fn(&Place<'_>) -> bool| Some(vec![places.iter().find(|place| is(place))?]);
    let words = |anyhow: bool| -> Option<Vec<&'a Place<'a>>> {
        let word = |word: &SaidWord| {
            let place = |how| places.iter().find(|place| place.has(word, how));
            place(How::Whole).or_else(|| if anyhow { place(How::Anyhow) } else { None })
        };
        term.words.iter().map(word).collect()
    };
    named(&|place| place.is_named_by(term))
        .or_else(|| words(false))
        .or_else(|| named(&|place| place.has_half(term)))
        .or_else(|| words(true))
}
