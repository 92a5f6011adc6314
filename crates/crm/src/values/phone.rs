//! Phone numbers: parses a typed number with a tenant's default country, and lists the digit sequences under
//! which a search finds it.
//!
//! The numbering rules of every country come from Google's metadata through `rlibphonenumber`; only this
//! module may name that crate. A number is accepted if it is possible, even if it is not valid today:
//! numbering plans change faster than this program, and demos use fictitious numbers such as 555-0199.
//!
//! `tests/golden/phones.tsv` contains the results of Google's own library for thousands of typed numbers,
//! and `tests/phones.rs` compares this module with it. There is no known difference.

use std::fmt;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region,
};

use crate::values::fold;

/// The numbering plan of a country that has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NumberingPlan(Region);

impl NumberingPlan {
    /// The plan of the United States, the default.
    pub const US: Self = Self(Region::US);

    /// The plan of the country with this ISO 3166-1 alpha-2 code, in upper or lower case. `None` if there is no
    /// such plan.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let region = Region::from_code(code).ok()?;
        let has_plan = region != Region::World
            && PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some();
        has_plan.then_some(Self(region))
    }
}

impl fmt::Display for NumberingPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Why a string is not accepted as a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneProblem {
    /// No number of the default country, or of the country whose code it starts with, has this form.
    Impossible,
    /// It lacks the area code. It can be dialed only within one area, so it is ambiguous.
    LocalOnly,
}

impl PhoneProblem {
    /// The error message, without the field's name in front.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Impossible => {
                "is not a possible phone number; write it with its area code, such as \
                 510-555-0199, or with its country code, such as +15105550199"
            }
            Self::LocalOnly => {
                "is a phone number without its area code; write it with the area code, such as \
                 510-555-0199 or +15105550199"
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
/// A number without a country code is read as a number of `default_country`. An extension is accepted, but only
/// the typed form keeps it. The length is not limited here but by the fields that contain a phone.
///
/// # Errors
/// If the text is not a possible number, or lacks the area code.
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

/// Whether a text is a phone number with letters for digits, such as `1-800-FLOWERS`.
#[must_use]
pub fn is_spelled(text: &str) -> bool {
    PHONE_NUMBER_UTIL.is_alpha_number(text)
}

/// A stored number (E.164) as people in this country write it: in national form if it is a number of the country's
/// numbering plan, otherwise in international form. A text that is not a number stays as it is.
#[must_use]
pub fn written(e164: &str, country: NumberingPlan) -> String {
    let number = PhoneNumber::parse(e164, None);
    number.map_or_else(|_| e164.to_owned(), |number| in_country(&number, e164, country))
}

/// A stored number with the extension of its typed form; otherwise as [`written`].
#[must_use]
pub fn written_with_extension(raw: &str, e164: &str, country: NumberingPlan) -> String {
    let typed = typed(raw, e164, country);
    typed.map_or_else(|| written(e164, country), |number| in_country(&number, e164, country))
}

/// A typed number as people in this country write it, with its extension. A text that is not a number stays as it is.
#[must_use]
pub fn rewritten(raw: &str, country: NumberingPlan) -> String {
    possible_number(raw, country).map_or_else(
        |_| raw.to_owned(),
        |number| in_country(&number, &format(&number, PhoneNumberFormat::E164), country),
    )
}

/// A stored number as a link dials it, without `tel:`, with the extension of its typed form (RFC 3966).
#[must_use]
pub fn dialed(raw: &str, e164: &str, country: NumberingPlan) -> String {
    let typed = typed(raw, e164, country);
    let extension = typed.as_ref().map(PhoneNumber::extension).filter(|it| !it.is_empty());
    extension.map_or_else(|| e164.to_owned(), |extension| format!("{e164};ext={extension}"))
}

/// The typed form of a stored number. The country may have another numbering plan than when the number was stored; then
/// the number itself tells which it had.
fn typed(raw: &str, e164: &str, country: NumberingPlan) -> Option<PhoneNumber> {
    let own = || {
        let code = PhoneNumber::parse(e164, None).ok()?.country_code;
        PHONE_NUMBER_UTIL.get_region_for_country_code(code).map(NumberingPlan)
    };
    let read = |plan| possible_number(raw, plan).ok();
    let is_it = |number: &PhoneNumber| format(number, PhoneNumberFormat::E164) == e164;
    read(country).filter(is_it).or_else(|| read(own()?).filter(is_it))
}

fn in_country(number: &PhoneNumber, e164: &str, country: NumberingPlan) -> String {
    let code = PHONE_NUMBER_UTIL.get_country_code_for_region(country.0);
    // No country code begins with another one.
    let is_national = code.is_some_and(|code| e164.starts_with(&format!("+{code}")));
    let form =
        if is_national { PhoneNumberFormat::National } else { PhoneNumberFormat::International };
    format(number, form)
}

impl Phone {
    /// A phone number from its two stored forms.
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

    /// The distinct digit sequences under which a search must find the number: international, as dialed within
    /// its country, and as typed (with the extension).
    ///
    /// The typed form is left out if it spells digits with letters: no one searches for the 1800 in
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

/// The decimal digits of a text, of any script or width, as ASCII digits.
fn digits(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;

    text.nfkd().filter_map(fold::ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_in_the_country_of_the_reader() {
        let germany = NumberingPlan::new("DE").unwrap();
        for (e164, country, shown) in [
            ("+15105550123", NumberingPlan::US, "(510) 555-0123"),
            ("+15105550123", germany, "+1 510-555-0123"),
            ("+4930901820", germany, "030 901820"),
            ("+4930901820", NumberingPlan::US, "+49 30 901820"),
            ("nothing", NumberingPlan::US, "nothing"),
        ] {
            assert_eq!(written(e164, country), shown);
        }
    }

    #[test]
    fn an_extension_is_written_too() {
        let germany = NumberingPlan::new("DE").unwrap();
        let e164 = "+15105550123";
        for (raw, country, shown) in [
            ("510.555.0123 x9", NumberingPlan::US, "(510) 555-0123 ext. 9"),
            ("510.555.0123", NumberingPlan::US, "(510) 555-0123"),
            ("+1 510 555 0123 ext 12", germany, "+1 510-555-0123 ext. 12"),
            // Stored when the business was in another country.
            ("510.555.0123 x9", germany, "+1 510-555-0123 ext. 9"),
            ("something else", germany, "+1 510-555-0123"),
        ] {
            assert_eq!(written_with_extension(raw, e164, country), shown);
            let dialed = dialed(raw, e164, country);
            let extension = shown.split_once(" ext. ").map(|(_, extension)| extension);
            let dialed_extension = dialed.split_once(";ext=").map(|(_, extension)| extension);
            assert_eq!(dialed_extension, extension);
            assert!(dialed.starts_with(e164), "{dialed}");
        }
        assert_eq!(rewritten("510.555.0123 x9", NumberingPlan::US), "(510) 555-0123 ext. 9");
        assert_eq!(rewritten("none", NumberingPlan::US), "none");
    }
}
