//! What two customers have in common, in words, and how much each agreement and each difference counts.
//!
//! `docs/duplicates.md` shows these numbers; a test compares them.

use schemars::JsonSchema;
use serde::Serialize;

/// Customers whose comparison counts this much or more are likely the same.
pub const LIKELY: i32 = 5;

crate::call::argument::choices! {
    /// What two customers have in common.
    pub enum Likeness {
        /// A phone number, in any writing: their own or a contact's.
        Phone = "phone",
        /// An e-mail address: their own or a contact's.
        Email = "email",
        /// The whole name, but for titles and legal forms.
        Name = "name",
        /// The family name, and given names of which one is a short form of the other.
        Nickname = "nickname",
        /// Names that differ by a letter or two, an initial, or a word.
        SimilarName = "similar_name",
        /// Names that sound alike.
        SoundsAlike = "sounds_alike",
        /// Given and family name the other way round.
        SwappedNames = "swapped_names",
        /// Only the given name.
        GivenName = "given_name",
        /// Only the family name.
        FamilyName = "family_name",
        /// The name of a contact.
        Contact = "contact",
        /// House number, street and place.
        Address = "address",
        /// Nearly the same house number, street and place.
        SimilarAddress = "similar_address",
        /// Only the street.
        Street = "street",
        /// Only the postal code.
        PostalCode = "postal_code",
        /// Only the city.
        City = "city",
    }
}

/// One thing that two customers have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// What it is.
    pub same: Likeness,
    /// The number, address or name that is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Evidence {
    pub(super) const fn of(same: Likeness) -> Self {
        Self { same, value: None }
    }

    pub(super) fn with(same: Likeness, value: impl Into<String>) -> Self {
        Self { same, value: Some(value.into()) }
    }
}

/// What a comparison found, with how much it counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What is the same, the most telling first.
    pub evidence: Vec<Evidence>,
    /// The sum of what counts for and against.
    pub weight: i32,
    /// Whether the family names differ.
    pub(super) differs: bool,
    /// Whether the house numbers are those of neighbors.
    pub(super) is_next_door: bool,
}

impl Comparison {
    /// Whether the two are likely the same customer.
    #[must_use]
    pub fn is_likely(&self) -> bool {
        self.weight >= LIKELY
    }

    /// Whether they have this in common.
    #[must_use]
    pub fn has(&self, same: Likeness) -> bool {
        self.evidence.iter().any(|evidence| evidence.same == same)
    }

    /// The evidence in one text, such as `similar name and address`.
    #[must_use]
    pub fn words(&self) -> String {
        let words = self.evidence.iter().map(|evidence| evidence.same.word().replace('_', " "));
        words.collect::<Vec<_>>().join(" and ")
    }

    /// The same, but not likely if it rests on half a name and too little else. Two people called John may live in one
    /// street, even next door, and two families called Smith in one town.
    pub(super) fn only_if_telling(mut self) -> Self {
        use Likeness::{
            Address, Contact, Email, FamilyName, GivenName, Phone, SimilarAddress, Street,
        };
        let has = |all: &[Likeness]| all.iter().any(|same| self.has(*same));
        let is_near = if self.differs {
            has(&[SimilarAddress]) && !self.is_next_door
        } else {
            has(&[SimilarAddress, Street])
        };
        let is_told = is_near || has(&[Phone, Email, Contact, Address]);
        if has(&[GivenName, FamilyName]) && !is_told {
            self.weight = self.weight.min(LIKELY - 1);
        }
        self
    }

    pub(super) fn add(&mut self, part: Self) {
        self.weight += part.weight;
        self.differs |= part.differs;
        self.is_next_door |= part.is_next_door;
        self.evidence.extend(part.evidence);
    }

    pub(super) fn found(weight: i32, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self { evidence: evidence.into_iter().collect(), weight, ..Self::default() }
    }
}

/// How near two texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    Different,
    /// At least one of them is missing.
    Unknown,
    Near,
    Same,
}

/// Minimum letters of the longer of two words that may differ by a letter.
const MIN_LETTERS: usize = 3;
/// From this many letters on, two may differ.
const MANY_LETTERS: usize = 8;
/// How many letters of a text are compared: the time grows with their square.
const MAX_COMPARED: usize = 64;
/// The Jaro-Winkler similarity from which two words are near.
const MIN_SIMILARITY: f64 = 0.92;

/// Compares two folded texts by their letters. Digits must be the same: the 5th is not nearly the 6th.
pub(super) fn nearness(one: &str, other: &str) -> Nearness {
    if one.is_empty() || other.is_empty() {
        return Nearness::Unknown;
    }
    if one == other {
        return Nearness::Same;
    }
    let [one, other] = [one, other]
        .map(|text| text.char_indices().nth(MAX_COMPARED).map_or(text, |(end, _)| &text[..end]));
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let letters = one.chars().count().max(other.chars().count());
    if letters < MIN_LETTERS || digits(one) != digits(other) {
        return Nearness::Different;
    }
    let edits = strsim::osa_distance(one, other);
    let allowed = if letters < MANY_LETTERS { 1 } else { 2 };
    let is_near = edits <= allowed || strsim::jaro_winkler(one, other) >= MIN_SIMILARITY;
    if is_near { Nearness::Near } else { Nearness::Different }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_or_two_are_near_but_no_digit() {
        for (one, other, expected) in [
            ("smith", "smith", Nearness::Same),
            ("smith", "smyth", Nearness::Near),
            ("smith", "smtih", Nearness::Near),
            ("hannagan", "hanagen", Nearness::Near),
            ("ny", "nj", Nearness::Different),
            ("pia", "pai", Nearness::Near),
            ("smith", "smythe", Nearness::Different),
            ("5thave", "6thave", Nearness::Different),
            ("", "smith", Nearness::Unknown),
        ] {
            assert_eq!(nearness(one, other), expected, "{one}, {other}");
            assert_eq!(nearness(other, one), expected, "{other}, {one}");
        }
    }
}
