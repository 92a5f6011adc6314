//! Compares this crate's parsing of phone numbers with the results of Google's own library.

use proptest::prelude::*;
use zoop_crm::values::phone::{self, NumberingPlan, Phone, PhoneProblem};

const GOLDEN: &str = include_str!("golden/phones.tsv");

/// The E.164 form of a typed text, or `None` if it is rejected.
fn answer(country: &str, typed: &str) -> Option<String> {
    let country = NumberingPlan::new(country).expect("the file should name known countries");
    phone::parse(typed, country).ok().map(|phone| phone.e164().to_owned())
}

#[test]
fn every_verdict_is_that_of_google() {
    let mut rows = 0;
    let mut different = Vec::new();
    for line in GOLDEN.lines().filter(|line| !line.starts_with("# phonenumbers")) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [country, typed, verdict, e164] = columns[..] else {
            panic!("expected four columns: {line}")
        };
        let expected = (verdict != "refused").then(|| e164.to_owned());
        let answer = answer(country, typed);
        rows += 1;
        if answer != expected {
            different.push(format!("{line}: {answer:?}"));
        }
    }
    assert!(rows > 5000, "only {rows} rows");
    assert!(
        different.is_empty(),
        "{} of {rows} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

#[test]
fn problems_say_what_is_wrong() {
    assert_eq!(phone::parse("555-0199", NumberingPlan::US), Err(PhoneProblem::LocalOnly));
    assert_eq!(phone::parse("12", NumberingPlan::US), Err(PhoneProblem::Impossible));
    assert_eq!(phone::parse("none", NumberingPlan::US), Err(PhoneProblem::Impossible));
    assert!(PhoneProblem::Impossible.text().starts_with("is not a possible phone number"));
    assert!(PhoneProblem::LocalOnly.text().contains("area code"));
}

#[test]
fn countries_are_those_with_a_numbering_plan() {
    assert_eq!(NumberingPlan::new("us"), Some(NumberingPlan::US));
    assert_eq!(NumberingPlan::new("GB").map(|country| country.to_string()), Some("GB".to_owned()));
    for code in ["", "U", "USA", "001", "ZZ", "AQ", "Ü", "12", "é"] {
        assert_eq!(NumberingPlan::new(code), None, "{code}");
    }
}

#[test]
fn digits_are_international_national_and_typed() {
    let digits = |typed: &str| phone::parse(typed, NumberingPlan::US).unwrap().search_digits();
    assert_eq!(digits(" (510) 555-0199 "), ["15105550199", "5105550199"]);
    assert_eq!(digits("+1 510 555 0199 ext. 12"), ["15105550199", "5105550199", "1510555019912"]);
    assert_eq!(digits("+44 20 7946 0958"), ["442079460958", "02079460958"]);
    assert_eq!(digits("+44 (0)20 7946 0958"), ["442079460958", "02079460958", "4402079460958"]);
    assert_eq!(digits("1-800-FLOWERS"), ["18003569377", "8003569377"]);
    assert_eq!(digits("٥١٠٥٥٥٠١٩٩"), ["15105550199", "5105550199"]);
    let damaged = Phone::from_stored("x".to_owned(), "+".to_owned());
    assert!(damaged.search_digits().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics(text in any::<String>(), phone in "[+0-9０-９٠-٩ ().x#;ext=/*tel:-]{0,80}") {
        for text in [text, phone] {
            for country in ["US", "GB", "AR", "IT"] {
                let country = NumberingPlan::new(country).unwrap();
                if let Ok(phone) = phone::parse(&text, country) {
                    prop_assert!(phone.e164().starts_with('+'));
                    prop_assert!(phone.e164()[1..].bytes().all(|byte| byte.is_ascii_digit()));
                    prop_assert_eq!(&phone.search_digits()[0], &phone.e164()[1..]);
                    let stored = phone::parse(phone.e164(), NumberingPlan::US);
                    prop_assert!(stored.is_ok_and(|stored| stored.e164() == phone.e164()));
                }
            }
        }
    }
}
