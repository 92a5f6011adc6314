//! Addresses: how they are read and compared.

use super::evidence::{Comparison, Evidence, Likeness, Nearness, nearness};
use crate::business::customers::index::said::StreetWord;
use crate::business::customers::index::{SearchedLocation, city_facet};
use crate::values::fold;

/// How much a part of an address counts that is the same, nearly the same, or different.
pub(super) const STREET: [i32; 3] = [4, 3, -3];
pub(super) const NUMBER: [i32; 3] = [2, 0, -2];
pub(super) const CITY: [i32; 3] = [1, 1, -1];
pub(super) const POSTAL_CODE: [i32; 3] = [2, 1, -1];
/// A building, or what else is written in the second line.
pub(super) const BUILDING: [i32; 3] = [1, 1, 0];
pub(super) const UNIT: [i32; 3] = [1, 0, -5];

/// House numbers that differ by less are next door.
pub(super) const NEXT_DOOR: u32 = 10;

/// Words before the number of a unit.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "apt", "apartment", "unit", "suite", "ste", "floor", "fl", "room", "rm", "lot", "space", "spc", "trailer", "trlr",
    "no", "number",
];
const DIRECTIONS: &[(&str, &str)] = &[
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("northeast", "ne"),
    ("northwest", "nw"),
    ("southeast", "se"),
    ("southwest", "sw"),
];

/// An address, folded and taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The house number.
    pub(super) number: Option<String>,
    /// The words that tell the street from others.
    pub(super) street_words: Vec<String>,
    city: String,
    /// The city in the search index. Empty if it has no words.
    pub(super) city_facet: String,
    /// The postal code without spaces; of an American one, the first five digits.
    pub(super) postal_code: String,
    /// The street in short words, joined.
    street: String,
    /// What kind of street it is, such as `ave`.
    kind: Option<&'static str>,
    building: String,
    unit: Option<String>,
    shown: String,
}

impl Place {
    pub(super) fn new(location: &SearchedLocation) -> Self {
        let mut place = Self::default();
        let line1 = place.without_unit(&location.address_line1);
        let line2 = place.without_unit(location.address_line2.as_deref().unwrap_or_default());
        let mut words = line1;
        let number = words.iter().position(|word| word.starts_with(|it: char| it.is_ascii_digit()));
        // 1st Street has no number, 12 1st Street has.
        let number = number.filter(|at| !is_ordinal(&words[*at]));
        place.number = number.map(|at| words.remove(at));
        let short: Vec<_> = words.iter().map(|word| short_form(word)).collect();
        place.kind =
            short.iter().rev().find_map(|word| StreetWord::of(word)).map(|word| word.short);
        place.street = short.concat();
        place.building = line2.iter().map(|word| short_form(word)).collect::<Vec<_>>().concat();
        let is_telling = |word: &&String| {
            StreetWord::of(word).is_none() && !is_direction(word) && word.len() > 1
        };
        place.street_words = words.iter().filter(is_telling).cloned().collect();
        if place.street_words.is_empty() {
            place.street_words = words;
        }
        place.city = joined(&location.city);
        if !place.city.is_empty() {
            place.city_facet = city_facet(&location.city);
        }
        // Of an American postal code, only the first part tells a place.
        let short =
            location.postal_code.split_once('-').filter(|(short, _)| short.trim().len() == 5);
        place.postal_code = joined(short.map_or(&location.postal_code, |(short, _)| short));
        place.shown = shown(location);
        place
    }

    /// The folded words of a line, without its unit, which is remembered.
    fn without_unit(&mut self, line: &str) -> Vec<String> {
        let line = line.replace('#', " unit ");
        let mut words: Vec<String> = fold::words(&line).into_iter().map(|word| word.text).collect();
        let marks = |word: &String| UNITS.contains(&word.as_str());
        while let Some(at) = words.iter().position(marks) {
            let is_named = words.get(at + 1).is_some_and(|it| it.len() <= 5 && !marks(it));
            words.remove(at);
            if is_named && at < words.len() {
                let unit = words.remove(at);
                self.unit.get_or_insert(unit);
            }
        }
        words
    }
}

/// An address in one line, as a search shows it.
fn shown(location: &SearchedLocation) -> String {
    let SearchedLocation { address_line1, address_line2, city, state, postal_code, .. } = location;
    let unit = address_line2.as_ref().map(|unit| format!(", {unit}")).unwrap_or_default();
    format!("{address_line1}{unit}, {city}, {state} {postal_code}")
}

fn joined(text: &str) -> String {
    fold::words(text).into_iter().map(|word| word.text).collect()
}

fn is_ordinal(word: &str) -> bool {
    let ends = ["st", "nd", "rd", "th"];
    ends.iter().any(|end| {
        word.strip_suffix(end).is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn is_direction(word: &str) -> bool {
    DIRECTIONS.iter().any(|(long, short)| word == *long || word == *short)
}

fn short_form(word: &str) -> String {
    let direction = DIRECTIONS.iter().find(|(long, _)| *long == word).map(|(_, short)| *short);
    let street = StreetWord::of(word).map(|word| word.short);
    street.or(direction).unwrap_or(word).to_owned()
}

const fn weight([same, near, different]: [i32; 3], nearness: Nearness) -> i32 {
    match nearness {
        Nearness::Same => same,
        Nearness::Near => near,
        Nearness::Unknown => 0,
        Nearness::Different => different,
    }
}

/// Compares all places of two customers: the nearest two count.
pub(super) fn compare(ours: &[Place], theirs: &[Place]) -> Comparison {
    let pairs = ours.iter().flat_map(|one| theirs.iter().map(move |other| places(one, other)));
    // Of pairs that count the same, the first: those are the primary ones.
    pairs
        .reduce(|best, next| if next.weight > best.weight { next } else { best })
        .unwrap_or_default()
}

fn places(one: &Place, other: &Place) -> Comparison {
    let street = streets(one, other);
    let number = numbers(one.number.as_deref(), other.number.as_deref());
    let city = nearness(&one.city, &other.city);
    let postal_code = postal_codes(&one.postal_code, &other.postal_code);
    let building = nearness(&one.building, &other.building);
    let unit = match (&one.unit, &other.unit) {
        (Some(one), Some(other)) if one == other => Nearness::Same,
        (Some(_), Some(_)) => Nearness::Different,
        _ => Nearness::Unknown,
    };
    let weight = weight(STREET, street)
        + weight(NUMBER, number)
        + weight(CITY, city)
        + weight(POSTAL_CODE, postal_code)
        + weight(BUILDING, building)
        + weight(UNIT, unit);
    let is_near = |nearness| nearness >= Nearness::Near;
    let is_there = is_near(city) || is_near(postal_code);
    let shown = || other.shown.clone();
    let found = match (street, number) {
        (Nearness::Same, Nearness::Same) if is_there && unit != Nearness::Different => {
            vec![Evidence::with(Likeness::Address, shown())]
        }
        (Nearness::Same | Nearness::Near, Nearness::Same | Nearness::Near) if is_there => {
            vec![Evidence::with(Likeness::SimilarAddress, shown())]
        }
        (street, _) => {
            let parts = [
                (is_near(street) && is_there, Likeness::Street),
                (postal_code == Nearness::Same, Likeness::PostalCode),
                (is_near(city), Likeness::City),
            ];
            parts.into_iter().filter(|(is, _)| *is).map(|(_, same)| Evidence::of(same)).collect()
        }
    };
    let is_next_door = are_next_door(one.number.as_deref(), other.number.as_deref());
    Comparison { is_next_door, ..Comparison::found(weight, found) }
}

/// Compares streets, which may stand in the second line. Oakwood Drive and Oakwood Court are two streets.
fn streets(one: &Place, other: &Place) -> Nearness {
    let straight = match nearness(&one.street, &other.street) {
        Nearness::Near if one.kind.is_some() && other.kind.is_some() && one.kind != other.kind => {
            Nearness::Different
        }
        nearness => nearness,
    };
    let crossed = [(&one.street, &other.building), (&one.building, &other.street)]
        .map(|(street, building)| nearness(street, building));
    let crossed = crossed.into_iter().filter(|it| *it >= Nearness::Near);
    crossed.fold(straight, |best, next| best.max(next))
}

/// Compares house numbers. A digit that is missing, wrong or swapped says nothing.
fn numbers(one: Option<&str>, other: Option<&str>) -> Nearness {
    match (one, other) {
        (Some(one), Some(other)) if one == other => Nearness::Same,
        (Some(one), Some(other)) => {
            let is_long = one.len().max(other.len()) > 1;
            let is_near = is_long && strsim::osa_distance(one, other) <= 1;
            if is_near { Nearness::Near } else { Nearness::Different }
        }
        _ => Nearness::Unknown,
    }
}

/// Whether the house numbers differ, but by so little that a neighbor is likelier than a wrong digit.
fn are_next_door(one: Option<&str>, other: Option<&str>) -> bool {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
    number(one)
        .zip(number(other))
        .is_some_and(|(one, other)| (1..NEXT_DOOR).contains(&one.abs_diff(other)))
}

fn postal_codes(one: &str, other: &str) -> Nearness {
    match (one.is_empty() || other.is_empty(), one == other) {
        (true, _) => Nearness::Unknown,
        (false, true) => Nearness::Same,
        (false, false) if strsim::osa_distance(one, other) <= 1 => Nearness::Near,
        (false, false) => Nearness::Different,
    }
}
