//! Phone numbers: what people type, and the one number it stands for.
//!
//! Here lives the parsing of a typed number under a tenant's default country, and the digit forms
//! under which it can be found. The rules of every country's numbers come from Google's metadata
//! through `rlibphonenumber`; only this module may name that crate. A number is taken when it is
//! possible, not only when it is valid today: numbering plans change faster than this program, and
//! made-up numbers such as 555-0199 are in every demonstration.
//!
//! `tests/golden/phones.tsv` holds what Google's own library says about thousands of typed numbers,
//! and `tests/phones.rs` compares this module with it. No difference is known.

use std::fmt;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region,
};

use crate::fold;

/// A country whose numbering plan is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Country(Region);

impl Country {
    /// The country of a tenant that has named none.
    pub const US: Self = Self(Region::US);

    /// The country with this ISO 3166-1 alpha-2 code in either case; `None` if it has no numbering
    /// plan of its own.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let region = Region::from_code(code).ok()?;
        let known = region != Region::World
            && PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some();
        known.then_some(Self(region))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Why a text is not taken for a phone number; its text goes behind a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneProblem {
    /// No number of that country, or of the country whose code it starts with, looks like this.
    Impossible,
    /// It can be dialled inside one area only, so it does not say whom it reaches.
    LocalOnly,
}

impl PhoneProblem {
    /// The problem in words that say what to change.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Impossible => {
                "is not a possible phone number; write it with its area code, e.g. (510) 555-0199, \
                 or with its country code, e.g. +1 510 555 0199"
            }
            Self::LocalOnly => {
                "is a phone number without its area code; write it with the area code, e.g. \
                 (510) 555-0199 or +1 510 555 0199"
            }
        }
    }
}

/// A phone number, as it was typed and as the number that is dialled from anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    raw: String,
    e164: String,
}

/// Reads a typed phone number of any common format.
///
/// Without a country code it is a number of `default_country`. An extension is understood and stays
/// in the typed form alone. The length limit belongs to the fields that hold a phone.
///
/// # Errors
/// The text is not a possible number, or is one only inside its own area.
pub fn parse(raw: &str, default_country: Country) -> Result<Phone, PhoneProblem> {
    let raw = raw.trim();
    let number = possible_number(raw, default_country)?;
    Ok(Phone { raw: raw.to_owned(), e164: format(&number, PhoneNumberFormat::E164) })
}

fn possible_number(raw: &str, default_country: Country) -> Result<PhoneNumber, PhoneProblem> {
    let number =
        PhoneNumber::parse(raw, Some(default_country.0)).map_err(|_| PhoneProblem::Impossible)?;
    match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => Ok(number),
        Ok(NumberLengthType::IsPossibleLocalOnly) => Err(PhoneProblem::LocalOnly),
        Err(_) => Err(PhoneProblem::Impossible),
    }
}

/// Whether a text is a phone number with letters in the place of digits, such as `1-800-FLOWERS`.
#[must_use]
pub fn is_spelled(text: &str) -> bool {
    PHONE_NUMBER_UTIL.is_alpha_number(text)
}

impl Phone {
    /// The phone that was stored as these two forms, so that no default country is needed again.
    #[must_use]
    pub fn from_stored(raw: String, e164: String) -> Self {
        Self { raw, e164 }
    }

    /// The number as it was typed, without white space around it.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The number as `+`, country code and national number, without an extension.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The rows of digits under which the phone must be found, each once: international, as dialled
    /// inside its country, and as typed (with the extension).
    ///
    /// Digits beside letters are left out of the typed form when the letters stand for digits:
    /// nobody looks for the 1800 of 1-800-FLOWERS.
    #[must_use]
    pub fn search_digits(&self) -> Vec<String> {
        let mut forms = vec![digits(&self.e164)];
        if let Ok(number) = PhoneNumber::parse(&self.e164, None) {
            forms.push(digits(&format(&number, PhoneNumberFormat::National)));
        }
        if !is_spelled(&self.raw) {
            forms.push(digits(&self.raw));
        }
        let mut distinct = Vec::new();
        for form in forms {
            if !form.is_empty() && !distinct.contains(&form) {
                distinct.push(form);
            }
        }
        distinct
    }
}

fn format(number: &PhoneNumber, format: PhoneNumberFormat) -> String {
    number.format_as(format).into_owned()
}

/// The decimal digits of a text, of whichever script or width, as ASCII and without the rest.
fn digits(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;

    text.nfkd().filter_map(fold::ascii_digit).collect()
}
