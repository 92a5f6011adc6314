//! The comparison, by example.

use super::addresses::{BUILDING, CITY, NEXT_DOOR, NUMBER, POSTAL_CODE, STREET, UNIT};
use super::names::{
    COMPANY_ALIKE, COMPANY_DIFFERENT, COMPANY_LONGER, COMPANY_SAME, CONTACT, FAMILY, GIVEN,
    OTHER_KIND, SHARED_CONTACT, Weights,
};
use super::{Comparison, Described, LIKELY, Likeness, OTHER, Profile, SAME};
use crate::business::customers::index::SearchedLocation;

/// A person, `First Last`, or a company, `Name*`; then an address, `12 Oak Street Apt 4, Oakland, 94607`.
fn profile(name: &str, address: &str, phone: &str, email: &str) -> Profile {
    let company_name = name.strip_suffix('*').unwrap_or_default();
    let person = if company_name.is_empty() { name } else { "" };
    let (first_name, last_name) = person.split_once(' ').unwrap_or((person, ""));
    let parts: Vec<_> = address.split(", ").collect();
    let location = match parts[..] {
        [line1, city, postal_code] => Some(SearchedLocation {
            address_line1: line1.to_owned(),
            city: city.to_owned(),
            state: "CA".to_owned(),
            postal_code: postal_code.to_owned(),
            ..SearchedLocation::default()
        }),
        _ => None,
    };
    Profile::new(&Described {
        company_name,
        first_name,
        last_name,
        contacts: Vec::new(),
        phones: [phone].into_iter().filter(|it| !it.is_empty()).collect(),
        emails: [email].into_iter().filter(|it| !it.is_empty()).collect(),
        locations: location.iter().collect(),
    })
}

fn compared(one: &Profile, other: &Profile) -> Comparison {
    let (there, back) = (one.compare(other), other.compare(one));
    assert_eq!(there.weight, back.weight);
    there
}

fn likenesses(comparison: &Comparison) -> Vec<Likeness> {
    comparison.evidence.iter().map(|it| it.same).collect()
}

const HOME: &str = "12 Oak Street, Oakland, 94607";

#[test]
fn names_say_in_words_what_they_have_in_common() {
    for (one, other, likeness) in [
        ("Anna Smith", "ANNA SMITH", Likeness::Name),
        ("Dr. Anna O’Neill", "anna oneill", Likeness::Name),
        ("Bob Doe", "Robert Doe", Likeness::Nickname),
        ("Mikhayla Hannagan", "Mikhvyla Hannagan", Likeness::SimilarName),
        ("Mikhayla Hannagan", "M. Hannagan", Likeness::SimilarName),
        ("Anna Maria Smith", "Anna Smith", Likeness::SimilarName),
        ("Anna Smith-Jones", "Anna Smith", Likeness::SimilarName),
        ("Stephen Meyer", "Stephen Maier", Likeness::SoundsAlike),
        ("Hannagan Mikhayla", "Mikhayla Hannagan", Likeness::SwappedNames),
        ("Anna Smith", "Xavier Smith", Likeness::FamilyName),
        ("Anna", "Anna Smith", Likeness::GivenName),
        ("Bay Bakery LLC*", "The Bay Bakery*", Likeness::Name),
        ("Bay Bakery*", "BayBakery Inc.*", Likeness::Name),
        ("Bay Bakery*", "Bay Bakary*", Likeness::SimilarName),
        ("Bay Bakery*", "Bay Bakery Supplies*", Likeness::SimilarName),
        ("Smith Plumbing", "Smith Plumbing LLC*", Likeness::Name),
    ] {
        let found = compared(&profile(one, "", "", ""), &profile(other, "", "", ""));
        assert_eq!(likenesses(&found), [likeness], "{one}, {other}");
    }
    for (one, other) in [
        ("Anna Smith", "Xavier Miller"),
        ("Daniel Smith", "Danielle Jones"),
        ("Studio 54*", "Studio 55*"),
        ("Bay Bakery*", "Oakland Bakery of the Bay*"),
        ("&", "Anna Smith"),
    ] {
        let found = compared(&profile(one, "", "", ""), &profile(other, "", "", ""));
        assert_eq!(likenesses(&found), [], "{one}, {other}");
    }
}

#[test]
fn addresses_say_in_words_what_they_have_in_common() {
    for (one, other, expected) in [
        (HOME, "12 OAK ST., Oakland, 94607-1234", &[Likeness::Address][..]),
        (HOME, "12 Oak St Apt 4, Oakland, 94607", &[Likeness::Address]),
        (
            "12 N Oak St, Oakland, 94607",
            "12 North Oak Street, Oakland, 94607",
            &[Likeness::Address],
        ),
        (HOME, "12 Oka Street, Oakland, 94607", &[Likeness::SimilarAddress]),
        (
            "112 Oak Street, Oakland, 94607",
            "121 Oak Street, Oakland, 94607",
            &[Likeness::SimilarAddress],
        ),
        (
            "12 Oak St Apt 4, Oakland, 94607",
            "12 Oak St #5, Oakland, 94607",
            &[Likeness::SimilarAddress],
        ),
        (
            HOME,
            "99 Oak Street, Oakland, 94607",
            &[Likeness::Street, Likeness::PostalCode, Likeness::City],
        ),
        (
            "12 Oakwood Drive, Oakland, 94607",
            "12 Oakwood Court, Oakland, 94607",
            &[Likeness::PostalCode, Likeness::City],
        ),
        (
            "12 5th Avenue, Oakland, 94607",
            "12 6th Avenue, Oakland, 94607",
            &[Likeness::PostalCode, Likeness::City],
        ),
        (HOME, "12 Oak Street, San Leandro, 94577", &[]),
    ] {
        let found = compared(&profile("Anna X", one, "", ""), &profile("Zoe Y", other, "", ""));
        assert_eq!(likenesses(&found), expected, "{one}; {other}");
    }
}

#[test]
fn who_is_likely_the_same() {
    let [phone, email] = ["+15105550199", "a@example.com"];
    let anna = |address, phone, email| profile("Anna Smith", address, phone, email);
    for (one, other) in [
        // The same name, and nothing speaks against it.
        (anna("", "", ""), anna(HOME, phone, email)),
        (anna(HOME, "", ""), profile("Anna Miller", HOME, "", "")),
        (anna(HOME, "", ""), profile("Ana Smith", "12 Oak St, Oakland, 94606", "", "")),
        (anna("", phone, ""), profile("Smith", "", phone, "")),
        (profile("Bob Doe", "", phone, ""), profile("Robert Doe", HOME, phone, email)),
        (profile("Bay Bakery*", HOME, phone, ""), profile("The Bay Bakery LLC*", "", phone, "")),
    ] {
        let found = compared(&one, &other);
        assert!(found.is_likely(), "{one:?} {other:?} {found:?}");
    }
    for (one, other) in [
        // Namesakes.
        (anna(HOME, "", ""), anna("7 Elm Street, Fresno, 93650", "", "")),
        (anna("", phone, email), anna("", "+15105550100", "b@example.com")),
        // Members of a household.
        (anna(HOME, "", ""), profile("John Smith", HOME, "", "")),
        (profile("Daniel Smith", HOME, "", ""), profile("Danielle Smith", HOME, "", "")),
        // Neighbors.
        (
            profile("Anna Smith", "12 Oak Street Apt 4, Oakland, 94607", "", ""),
            profile("Anna Jones", "12 Oak Street Apt 5, Oakland, 94607", "", ""),
        ),
        // Callers from one office.
        (anna("", phone, ""), profile("Xavier Jones", "", phone, "")),
        // Branches.
        (
            profile("Bay Bakery*", HOME, "", ""),
            profile("Bay Bakery*", "7 Elm Street, Fresno, 93650", "", ""),
        ),
    ] {
        let found = compared(&one, &other);
        assert!(!found.is_likely(), "{one:?} {other:?} {found:?}");
    }
}

#[test]
fn a_contact_may_be_the_other_customer() {
    let company = Profile::new(&Described {
        company_name: "Bay Bakery",
        contacts: vec![("Marco", "Reyes")],
        phones: vec!["+15105550199"],
        ..Described::default()
    });
    let marco = profile("Marco Reyes", "", "+15105550199", "");
    let found = compared(&company, &marco);
    assert_eq!(likenesses(&found), [Likeness::Phone, Likeness::Contact]);
    assert!(found.is_likely());
    let namesake = compared(&company, &profile("Marco Reyes", "", "", ""));
    assert!(!namesake.is_likely() && LIKELY > namesake.weight);
}

#[test]
fn members_of_a_household_and_neighbors_are_not_likely_the_same() {
    for (one, other, there) in [
        ("Don Smith", "Anna Smith", HOME),
        ("John Smith Sr", "John Smith Jr", HOME),
        ("John Miller", "John Brown", "99 Oak Street, Oakland, 94607"),
        ("John Miller", "John Brown", "14 Oak Street, Oakland, 94607"),
        // Two families of one name.
        ("Anna Smith", "Smith", ", , 94607"),
        ("Anna Smith", "Smith", ", Oakland, 94607"),
        ("Anna Smith", "Anna", ", Oakland, 94607"),
    ] {
        let found = compared(&profile(one, HOME, "", ""), &profile(other, there, "", ""));
        assert!(!found.is_likely(), "{one}, {other}: {found:?}");
    }
    for (one, other, there) in [
        // A digit may be wrong, or a letter.
        ("Anna Smith", "Anna Smith", "14 Oak Street, Oakland, 94607"),
        ("Anna Smith", "Anna Miller", "12 Oka Street, Oakland, 94607"),
        ("Anna Smith", "Smith", "Oak Street, Oakland, 94607"),
    ] {
        let found = compared(&profile(one, HOME, "", ""), &profile(other, there, "", ""));
        assert!(found.is_likely(), "{one}, {other}: {found:?}");
    }
    // One of the two may not say which.
    let found =
        compared(&profile("John Smith Jr", HOME, "", ""), &profile("John Smith", HOME, "", ""));
    assert!(found.is_likely());
}

#[test]
fn two_associations_with_one_manager_are_not_likely_the_same() {
    let association = |name, line1, city: &str| {
        let location = SearchedLocation {
            address_line1: String::from(line1),
            city: city.to_owned(),
            ..SearchedLocation::default()
        };
        Profile::new(&Described {
            company_name: name,
            contacts: vec![("Pat", "Lee")],
            phones: vec!["+15105550101"],
            locations: vec![&location],
            ..Described::default()
        })
    };
    let (oak, elm) = (
        association("Oak HOA", "1 Oak Street", "Oakland"),
        association("Elm HOA", "9 Elm Road", "Fremont"),
    );
    assert!(!compared(&oak, &elm).is_likely());
}

#[test]
fn the_page_on_duplicates_has_every_weight_and_word() {
    let page = include_str!("../../../../../../docs/duplicates.md");
    let number = |weight: i32| match weight {
        0 => "0".to_owned(),
        1.. => format!("+{weight}"),
        _ => format!("−{}", -weight),
    };
    let reach = |what: &str| format!("| {what} | {} | | {} |", number(SAME), number(OTHER));
    let name = |what: &str, Weights { same, alike, initial, different }: Weights| {
        let [same, alike, initial, different] = [same, alike, initial, different].map(number);
        format!("| {what} | {same} | {alike}, initial {initial} | {different} |")
    };
    let company = |what: &str, different: i32| {
        let [same, alike, longer, different] =
            [COMPANY_SAME, COMPANY_ALIKE, COMPANY_LONGER, different].map(number);
        format!("| {what} | {same} | {alike}, one word more {longer} | {different} |")
    };
    let place = |what: &str, weights: [i32; 3]| {
        let [same, near, different] = weights.map(number);
        format!("| {what} | {same} | {near} | {different} |")
    };
    let [same, _, different] = UNIT.map(number);
    for line in [
        reach("phone"),
        reach("e-mail"),
        name("given name", GIVEN),
        name("family name", FAMILY),
        company("company name", COMPANY_DIFFERENT),
        company("a person and a company", OTHER_KIND),
        format!("| a contact is the other customer | {} | | |", number(CONTACT)),
        format!("| the same contact, besides the names | {} | | |", number(SHARED_CONTACT)),
        place("street", STREET),
        place("house number", NUMBER),
        place("postal code", POSTAL_CODE),
        place("city", CITY),
        place("second line", BUILDING),
        format!("| unit | {same} | | {different} |"),
        format!("{LIKELY} or more"),
        format!("differ by less than {NEXT_DOOR}"),
    ] {
        assert!(page.contains(&line), "docs/duplicates.md lacks {line}");
    }
    for likeness in Likeness::ALL {
        assert!(page.contains(&format!("`{}`", likeness.word())), "{likeness:?}");
    }
}
