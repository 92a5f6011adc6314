//! Names: how people's and companies' names are read and compared.

use super::evidence::{Comparison, Evidence, Likeness, Nearness, nearness};
use crate::business::customers::index::{nicknames, said, similar};

/// How much a given name counts.
pub(super) const GIVEN: Weights = Weights { same: 4, alike: 3, initial: 1, different: -9 };
/// How much a family name counts: it may have changed.
pub(super) const FAMILY: Weights = Weights { same: 4, alike: 3, initial: 1, different: -4 };
/// How much the name of a company counts.
pub(super) const COMPANY_SAME: i32 = 8;
pub(super) const COMPANY_ALIKE: i32 = 6;
/// One of the two names has another word.
pub(super) const COMPANY_LONGER: i32 = 4;
pub(super) const COMPANY_DIFFERENT: i32 = -10;
/// A person and a company with different names.
pub(super) const OTHER_KIND: i32 = -6;
/// A contact of one is the other.
pub(super) const CONTACT: i32 = 4;
/// Both have the same contact, besides what their own names count: a manager looks after several.
pub(super) const SHARED_CONTACT: i32 = 6;

/// Minimum letters of a code by which a given name sounds like another: too many have a shorter code.
const MIN_GIVEN_CODE: usize = 3;
const MIN_FAMILY_CODE: usize = 2;
/// How many contacts are compared.
const MAX_CONTACTS: usize = 6;

/// Words of a company's name that only say what kind of company it is.
#[rustfmt::skip]
const LEGAL_FORMS: &[&str] = &[
    "llc", "inc", "incorporated", "ltd", "limited", "corp", "corporation", "co", "company", "lp", "llp", "pllc", "pc",
    "gmbh", "ag", "kg", "plc", "pty", "sa", "sarl", "srl", "bv",
];

/// How much each outcome of comparing a part of a name counts.
pub(super) struct Weights {
    pub(super) same: i32,
    pub(super) alike: i32,
    pub(super) initial: i32,
    pub(super) different: i32,
}

/// The name of a customer.
#[derive(Debug, Clone)]
pub(super) enum Name {
    Person(PersonName),
    Company(Vec<String>),
}

/// A person's name, folded.
#[derive(Debug, Clone)]
pub(super) struct PersonName {
    /// The words of the given name.
    pub(super) given: Vec<String>,
    /// The words of the family name.
    pub(super) family: Vec<String>,
    /// Whether it is the father or the son, if the name says so.
    generation: Option<Generation>,
    shown: String,
}

/// Which of two namesakes of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generation {
    Senior,
    Junior,
}

impl Generation {
    fn of(word: &str) -> Option<Self> {
        match word {
            "sr" | "senior" => Some(Self::Senior),
            "jr" | "junior" => Some(Self::Junior),
            _ => None,
        }
    }
}

/// How near two words of a person's name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likening {
    Unknown,
    Different,
    Initial,
    Sound,
    Near,
    Nickname,
    Same,
}

/// The words without titles. Don is a title, and a name if it stands by itself.
fn folded(text: &str) -> Vec<String> {
    let mut words = said::words(text);
    let is_by_itself = words.iter().all(said::is_droppable);
    let is_name = |word: &str| is_by_itself && nicknames::of(word).next().is_some();
    words.retain(|word| !said::is_droppable(word) || is_name(&word.text));
    words.into_iter().map(|word| word.text).collect()
}

impl PersonName {
    pub(super) fn new(first: &str, last: &str) -> Self {
        let (mut given, mut family) = (folded(first), folded(last));
        let mut words = [first, last].into_iter().flat_map(said::words);
        let generation = words.find_map(|word| Generation::of(&word.text));
        // The whole name may be in one of the two fields.
        if family.is_empty() && given.len() > 1 {
            family.extend(given.pop());
        } else if given.is_empty() && family.len() > 1 {
            given.push(family.remove(0));
        }
        let shown = [first, last].join(" ").trim().to_owned();
        Self { given, family, generation, shown }
    }

    fn words(&self) -> impl Iterator<Item = &String> {
        self.given.iter().chain(&self.family)
    }

    fn is_other_generation(&self, other: &Self) -> bool {
        let generations = self.generation.zip(other.generation);
        generations.is_some_and(|(one, other)| one != other)
    }

    /// Whether both have a given and a family name, and both are the same.
    fn is_whole_of(&self, other: &Self) -> bool {
        !self.is_other_generation(other)
            && !self.given.is_empty()
            && !self.family.is_empty()
            && given(&self.given, &other.given) >= Likening::Nickname
            && family(&self.family, &other.family) == Likening::Same
    }
}

impl Name {
    pub(super) fn company(name: &str) -> Self {
        let mut words = folded(name);
        let is_telling = |word: &String| !LEGAL_FORMS.contains(&word.as_str());
        if words.iter().any(is_telling) {
            words.retain(is_telling);
        }
        Self::Company(words)
    }

    /// The words that tell it from others.
    pub(super) fn words(&self) -> Vec<&str> {
        match self {
            Self::Person(person) => person.words().map(String::as_str).collect(),
            Self::Company(words) => words.iter().map(String::as_str).collect(),
        }
    }
}

/// Compares the names of two customers and of their contacts.
pub(super) fn compare(
    (name, contacts): (&Name, &[PersonName]),
    (other, other_contacts): (&Name, &[PersonName]),
) -> Comparison {
    let own = match (name, other) {
        (Name::Person(one), Name::Person(other)) => persons(one, other),
        (Name::Company(one), Name::Company(other)) => companies(one, other, COMPANY_DIFFERENT),
        (Name::Person(_), Name::Company(_)) | (Name::Company(_), Name::Person(_)) => {
            let [one, other] = [name, other]
                .map(|it| it.words().into_iter().map(str::to_owned).collect::<Vec<_>>());
            companies(&one, &other, OTHER_KIND)
        }
    };
    if own.weight > 0 {
        return own;
    }
    let people = |name: &Name, contacts: &[PersonName]| -> Vec<PersonName> {
        let own = match name {
            Name::Person(person) => Some(person.clone()),
            Name::Company(_) => None,
        };
        own.into_iter().chain(contacts.iter().take(MAX_CONTACTS).cloned()).collect()
    };
    let (ours, theirs) = (people(name, contacts), people(other, other_contacts));
    let is_own = |name: &Name, at: usize| at == 0 && matches!(name, Name::Person(_));
    let mut shared: Option<Comparison> = None;
    for (at, one) in ours.iter().enumerate() {
        for (other_at, it) in theirs.iter().enumerate().filter(|(_, it)| one.is_whole_of(it)) {
            let evidence = [Evidence::with(Likeness::Contact, it.shown.clone())];
            if is_own(name, at) || is_own(other, other_at) {
                return Comparison::found(CONTACT, evidence);
            }
            shared.get_or_insert(Comparison::found(own.weight + SHARED_CONTACT, evidence));
        }
    }
    shared.unwrap_or(own)
}

fn persons(one: &PersonName, other: &PersonName) -> Comparison {
    if one.is_other_generation(other) {
        return Comparison::found(GIVEN.different, None);
    }
    // If one of the two has only one word, it is the other.
    let (one, other) = if one.family.is_empty() { (other, one) } else { (one, other) };
    let straight = (given(&one.given, &other.given), family(&one.family, &other.family));
    let swapped = (family(&one.given, &other.family), family(&one.family, &other.given));
    let weight = |(first, last): (Likening, Likening)| GIVEN.of(first) + FAMILY.of(last);
    let is_name =
        |(first, last): (Likening, Likening)| first >= Likening::Sound && last >= Likening::Sound;
    if weight(swapped) > weight(straight) {
        if is_name(swapped) {
            return Comparison::found(weight(swapped), [Evidence::of(Likeness::SwappedNames)]);
        }
        // A name of one word may be the family name.
        if swapped.0 == Likening::Unknown && swapped.1 >= Likening::Sound {
            return Comparison::found(weight(swapped), [Evidence::of(Likeness::FamilyName)]);
        }
    }
    let found = Comparison::found(weight(straight), likeness(straight).map(Evidence::of));
    Comparison { differs: straight.1 == Likening::Different, ..found }
}

/// What two people's names have in common: given and family name.
fn likeness((first, last): (Likening, Likening)) -> Option<Likeness> {
    use Likening::{Different, Initial, Near, Nickname, Same, Sound, Unknown};
    Some(match (first, last) {
        (Same, Same) => Likeness::Name,
        (Nickname, Same | Near | Sound) => Likeness::Nickname,
        (Unknown | Different, Same) => Likeness::FamilyName,
        (Same | Nickname, Unknown | Different | Initial) => Likeness::GivenName,
        (Unknown | Different, _) | (_, Unknown | Different) => return None,
        (Near | Initial, _) | (_, Near | Initial | Nickname) => Likeness::SimilarName,
        (Sound, _) | (_, Sound) => Likeness::SoundsAlike,
    })
}

impl Weights {
    fn of(&self, likening: Likening) -> i32 {
        match likening {
            Likening::Same | Likening::Nickname => self.same,
            Likening::Near | Likening::Sound => self.alike,
            Likening::Initial => self.initial,
            Likening::Unknown => 0,
            Likening::Different => self.different,
        }
    }
}

/// Compares given names. Two known names are different names, however alike they are: Daniel is not Danielle. But Anna may
/// be Ana.
fn given(one: &[String], other: &[String]) -> Likening {
    let (Some(first), Some(second)) = (one.first(), other.first()) else {
        return Likening::Unknown;
    };
    if one == other {
        return Likening::Same;
    }
    if nicknames::of(first).any(|name| name == second) {
        return Likening::Nickname;
    }
    let rest = letters(one, other, MIN_GIVEN_CODE);
    let is_known = |name: &str| nicknames::of(name).next().is_some();
    match rest {
        Likening::Near if first != second && is_known(first) && is_known(second) => {
            if once(first) == once(second) { Likening::Near } else { Likening::Different }
        }
        // Only one of them is written with a second given name, or with the name of a partner.
        Likening::Different if first == second => Likening::Near,
        Likening::Different if is_initial(first, second) || is_initial(second, first) => {
            Likening::Initial
        }
        rest => rest,
    }
}

/// A word without doubled letters.
fn once(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

fn family(one: &[String], other: &[String]) -> Likening {
    let likening = letters(one, other, MIN_FAMILY_CODE);
    let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let ([few], [first, rest @ ..], Likening::Different) = (few, many, likening) else {
        return likening;
    };
    if !rest.is_empty() && many.contains(few) {
        // One of the two of a double name.
        Likening::Near
    } else if is_initial(few, first) || is_initial(first, few) {
        Likening::Initial
    } else {
        Likening::Different
    }
}

fn letters(one: &[String], other: &[String], min_code: usize) -> Likening {
    let (joined, other_joined) = (one.concat(), other.concat());
    match nearness(&joined, &other_joined) {
        Nearness::Unknown => Likening::Unknown,
        Nearness::Same => Likening::Same,
        Nearness::Near => Likening::Near,
        Nearness::Different => {
            let sound = similar::sound(&joined).filter(|code| code.len() >= min_code);
            let is_alike = sound.is_some() && sound == similar::sound(&other_joined);
            if is_alike { Likening::Sound } else { Likening::Different }
        }
    }
}

fn is_initial(short: &str, name: &str) -> bool {
    short.chars().count() == 1 && name.starts_with(short)
}

/// Compares two names of companies.
fn companies(one: &[String], other: &[String], different: i32) -> Comparison {
    if one.is_empty() || other.is_empty() {
        return Comparison::default();
    }
    if one.concat() == other.concat() {
        return Comparison::found(COMPANY_SAME, [Evidence::of(Likeness::Name)]);
    }
    let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let mut left: Vec<_> = many.iter().collect();
    let every = few.iter().all(|word| {
        let found = left.iter().position(|it| letters_of_word(word, it));
        found.map(|index| left.swap_remove(index)).is_some()
    });
    let similar = [Evidence::of(Likeness::SimilarName)];
    match left.len() {
        0 if every => Comparison::found(COMPANY_ALIKE, similar),
        1 if every && few.len() > 1 => Comparison::found(COMPANY_LONGER, similar),
        _ => Comparison::found(different, None),
    }
}

fn letters_of_word(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|word| [word.to_owned()]);
    matches!(
        letters(&one, &other, MIN_GIVEN_CODE),
        Likening::Same | Likening::Near | Likening::Sound
    )
}
