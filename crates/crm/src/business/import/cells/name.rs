//! The name of a customer in one cell: a company, a person, or two people who live together.

use crate::values::fold;

/// A person's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::business::import) struct PersonName {
    pub(in crate::business::import) first: String,
    pub(in crate::business::import) last: String,
}

/// Who is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::business::import) enum Named {
    Company(String),
    Person(PersonName),
    Couple(PersonName, PersonName),
}

/// Words that say which legal form a company has.
#[rustfmt::skip]
const LEGAL_FORMS: &[&str] = &[
    "llc", "inc", "incorporated", "ltd", "limited", "corp", "corporation", "llp", "pllc", "gmbh", "plc", "pty", "sarl",
    "srl", "bv", "kg", "company", "hoa", "association",
];
/// Words that names of companies have. In names of two words they may be family names.
#[rustfmt::skip]
const COMPANY_WORDS: &[&str] = &[
    "assoc", "church", "school", "university", "college", "restaurant", "cafe", "bakery", "deli",
    "hotel", "motel", "inn", "apartments", "condos", "condominiums", "properties", "realty", "management", "services",
    "holdings", "enterprises", "partners", "solutions", "group", "sons", "bros", "brothers", "clinic", "dental",
    "hospital", "bank", "trust", "foundation", "plumbing", "landscaping", "construction", "roofing", "heating",
    "salon", "gym", "market", "pharmacy", "county", "city", "department", "dept", "club", "center", "centre",
];
/// Titles in front of a name.
const TITLES: &[&str] =
    &["mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "rev", "sr", "sra"];
/// Words that stay with the family name behind them.
const PARTICLES: &[&str] = &[
    "van", "von", "de", "der", "den", "del", "della", "di", "da", "dos", "la", "le", "st", "saint",
    "al", "el", "bin", "mac", "ter", "zu",
];
/// Words behind a family name.
const SUFFIXES: &[&str] = &["jr", "sr", "ii", "iii", "iv"];
/// What stands between the names of two people.
const BETWEEN: &[&str] = &[" & ", " and ", " And ", " AND ", " + ", " und "];

/// Reads a whole name.
pub(in crate::business::import) fn read(cell: &str) -> Named {
    let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_company(&cell) {
        return Named::Company(cell);
    }
    // Family name first: `Doe, Jane`.
    if let Some((last, first)) = cell.split_once(", ").filter(|(last, _)| !last.contains(" & "))
        && !first.contains(',')
        && !SUFFIXES.contains(&&*folded(first))
    {
        let (last, first) = (last.trim(), first.trim());
        return match between(first) {
            Some((one, other)) => couple(&format!("{one} {last}"), &format!("{other} {last}")),
            None => Named::Person(PersonName { first: first.to_owned(), last: last.to_owned() }),
        };
    }
    match between(&cell) {
        Some((one, other)) => two(&cell, one, other),
        None => Named::Person(person(&cell)),
    }
}

/// Reads a given name that may be those of two people with one family name.
pub(in crate::business::import) fn read_parts(first: &str, last: &str) -> Named {
    let (first, last) = (first.trim(), last.trim());
    match between(first) {
        Some((one, other)) if !last.is_empty() && !is_title(one) && !is_title(other) => {
            couple(&format!("{one} {last}"), &format!("{other} {last}"))
        }
        _ => Named::Person(PersonName { first: first.to_owned(), last: last.to_owned() }),
    }
}

/// Whether a name is certainly one of a company.
pub(in crate::business::import) fn is_company(name: &str) -> bool {
    let words = fold::words(name);
    let is_long = words.len() > 2 || name.contains('&');
    has_legal_form(name) || is_long && words.iter().any(|word| COMPANY_WORDS.contains(&&*word.text))
}

/// Whether a name has the legal form of a company.
pub(in crate::business::import) fn has_legal_form(name: &str) -> bool {
    let words = fold::words(name);
    words.len() > 1 && words.iter().any(|word| LEGAL_FORMS.contains(&&*word.text))
}

/// The two names around the only `&`.
fn between(text: &str) -> Option<(&str, &str)> {
    let (one, other) = BETWEEN.iter().find_map(|word| text.split_once(word))?;
    let is_another = BETWEEN.iter().any(|word| other.contains(word) || one.contains(word));
    let (one, other) = (one.trim(), other.trim());
    (!is_another && !one.is_empty() && !other.is_empty()).then_some((one, other))
}

/// Two people are certain if the second has a family name, which the first may share. `Smith & Wesson` are a company.
fn two(cell: &str, one: &str, other: &str) -> Named {
    let words = |text: &str| text.split(' ').count();
    if is_title(one) {
        return Named::Person(with_family(&cell.split(' ').collect::<Vec<_>>()));
    }
    if words(other) < 2 || words(one) > 3 || words(other) > 3 {
        return unsplit(cell);
    }
    if words(one) > 1 {
        return couple(one, other);
    }
    let second = person(other);
    let first = PersonName { first: one.to_owned(), last: second.last.clone() };
    Named::Couple(first, second)
}

/// A name that is not taken apart: all of it is the given name.
fn unsplit(cell: &str) -> Named {
    Named::Person(PersonName { first: cell.to_owned(), last: String::new() })
}

fn couple(one: &str, other: &str) -> Named {
    Named::Couple(person(one), person(other))
}

fn is_title(text: &str) -> bool {
    TITLES.contains(&&*folded(text))
}

fn folded(text: &str) -> String {
    fold::words(text).into_iter().map(|word| word.text).collect()
}

/// Given and family name of one person. The family name is the last word, with the particles in front of it.
fn person(cell: &str) -> PersonName {
    let words: Vec<_> = cell.split(' ').filter(|word| !word.is_empty()).collect();
    let titles = words.iter().take_while(|word| is_title(word)).count();
    with_family(&words[titles.min(words.len().saturating_sub(2))..])
}

fn with_family(words: &[&str]) -> PersonName {
    let mut start = words.len().saturating_sub(1);
    while start > 1 && !words[start].contains(char::is_alphanumeric) {
        start -= 1;
    }
    if start > 1 && SUFFIXES.contains(&&*folded(words[start])) {
        start -= 1;
    }
    while start > 1 && PARTICLES.contains(&&*folded(words[start - 1])) {
        start -= 1;
    }
    if start == 0 {
        return PersonName { first: words.join(" "), last: String::new() };
    }
    PersonName { first: words[..start].join(" "), last: words[start..].join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(named: Named) -> String {
        let one = |name: PersonName| format!("{}|{}", name.first, name.last);
        match named {
            Named::Company(name) => format!("company {name}"),
            Named::Person(name) => one(name),
            Named::Couple(first, second) => format!("{} + {}", one(first), one(second)),
        }
    }

    #[test]
    fn a_name_is_taken_apart_where_that_is_certain() {
        for (cell, expected) in [
            ("Jane Doe", "Jane|Doe"),
            ("  Jane   Doe ", "Jane|Doe"),
            ("Doe, Jane", "Jane|Doe"),
            ("Doe, Bob & Jane", "Bob|Doe + Jane|Doe"),
            ("Bob & Jane Doe", "Bob|Doe + Jane|Doe"),
            ("Bob and Jane Doe", "Bob|Doe + Jane|Doe"),
            ("Bob Smith & Jane Doe", "Bob|Smith + Jane|Doe"),
            ("Bob & Jane", "Bob & Jane|"),
            ("Smith & Wesson", "Smith & Wesson|"),
            ("Mr. & Mrs. Doe", "Mr. & Mrs.|Doe"),
            ("Dr. Ana María de la Cruz", "Ana María|de la Cruz"),
            ("John Doe Jr.", "John|Doe Jr."),
            ("Cher", "Cher|"),
            ("Priya Raman 🌱", "Priya|Raman 🌱"),
            ("Acme LLC", "company Acme LLC"),
            ("Acme, Inc.", "company Acme, Inc."),
            ("Smith & Sons", "company Smith & Sons"),
            ("First Baptist Church", "company First Baptist Church"),
            ("Market", "Market|"),
            ("John Church", "John|Church"),
        ] {
            assert_eq!(shown(read(cell)), expected, "{cell}");
        }
        assert_eq!(shown(read_parts("Bob & Jane", "Doe")), "Bob|Doe + Jane|Doe");
        assert_eq!(shown(read_parts("Mr. & Mrs.", "Doe")), "Mr. & Mrs.|Doe");
        assert_eq!(shown(read_parts("Bob & Jane", "")), "Bob & Jane|");
    }
}
