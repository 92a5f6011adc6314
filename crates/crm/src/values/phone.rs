//! Phone numbers: parses a typed number with a tenant's default country, and gives the digit forms under
//! which it can be found.
//!
//! The numbering rules of every country come from Google's metadata through `rlibphonenumber`; only this
//! module may name that crate. A number is accepted if it is possible, not only if it is valid today:
//! numbering plans change faster than this program, and every demo has fictitious numbers such as
//! 555-0199.
//!
//! `tests/golden/phones.tsv` contains the results of Google's own library for thousands of typed numbers,
//! and `tests/phones.rs` compares this module with it. There is no known difference.

use std::fmt;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region,
};

use crate::values::fold;

/// A country with a known numbering plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NumberingPlan(Region);

impl NumberingPlan {
    /// The default country of a tenant.
    pub const US: Self = Self(Region::US);

    /// The country with this ISO 3166-1 alpha-2 code, in either case; `None` if it has no numbering
    /// plan of its own.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let region = Region::from_code(code).ok()?;
        let known = region != Region::World
            && PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some();
        known.then_some(Self(region))
    }
}

impl fmt::Display for NumberingPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Why a text is not accepted as a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneProblem {
    /// Not possible in the default country, or in the country whose code it starts with.
    Impossible,
    /// It lacks the area code. It can be dialed only within one area, so it is ambiguous.
    LocalOnly,
}

impl PhoneProblem {
    /// The error message, to follow the field's name.
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

/// A phone number, as typed and in E.164 form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    raw: String,
    e164: String,
}

/// Parses a typed phone number in any common format.
///
/// Without a country code it is a number of `default_country`. An extension is accepted, but only the
/// typed form keeps it. The length limit belongs to the fields that contain a phone.
///
/// # Errors
/// The text is not a possible number, or lacks its area code.
pub fn parse(raw: &str, default_country: NumberingPlan) -> Result<Phone, PhoneProblem> {
    let raw = raw.trim();
    let number = possible_number(raw, default_country)?;
    Ok(Phone { raw: raw.to_owned(), e164: format(&number, PhoneNumberFormat::E164) })
}

fn possible_number(raw: &str, default_country: NumberingPlan) -> Result<PhoneNumber, PhoneProblem> {
    let number =
        PhoneNumber::parse(raw, Some(default_country.0)).map_err(|_| PhoneProblem::Impossible)?;
    match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => Ok(number),
        Ok(NumberLengthType::IsPossibleLocalOnly) => Err(PhoneProblem::LocalOnly),
        Err(_) => Err(PhoneProblem::Impossible),
    }
}

/// Whether a text is a phone number with letters in place of digits, such as `1-800-FLOWERS`.
#[must_use]
pub fn is_spelled(text: &str) -> bool {
    PHONE_NUMBER_UTIL.is_alpha_number(text)
}

impl Phone {
    /// Restores a phone from its two stored forms. Needs no default country.
    #[must_use]
    pub fn from_stored(raw: String, e164: String) -> Self {
        Self { raw, e164 }
    }

    /// The number as typed, without surrounding white space.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The number as `+`, country code and national number, without an extension.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The distinct digit sequences under which the phone must be found: international, as dialed within
    /// its country, and as typed (with the extension).
    ///
    /// The typed form is left out if it spells digits with letters: no one searches for the 1800 of
    /// 1-800-FLOWERS.
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

/// Only the decimal digits of a text, of any script or width, as ASCII.
fn digits(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;

    text.nfkd().filter_map(fold::ascii_digit).collect()
}
