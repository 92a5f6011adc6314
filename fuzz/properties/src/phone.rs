//! Phone numbers: an accepted number is E.164, is the same when it is parsed again, and can be found.
//!
//! Parsing E.164 does not always return the same E.164: in a number that is possible but not valid, Brazil's
//! plan takes a leading 90 for a collect call and Japan's a zero for the trunk prefix, and drops it. Google's
//! own library does the same.

use zoop_crm::values::phone::{NumberingPlan, parse};

/// Countries with different ways of writing and dialing numbers.
const COUNTRIES: [&str; 8] = ["US", "GB", "DE", "BR", "JP", "IT", "AR", "FR"];
/// The most digits of a country code and of a national number, according to Google's metadata.
const MAX_DIGITS: usize = 3 + 17;

/// The input is a text as typed by a user.
///
/// # Panics
/// When the property does not hold.
pub fn phone(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for country in COUNTRIES.map(|code| NumberingPlan::new(code).expect("a country")) {
        let Ok(phone) = parse(text, country) else { continue };
        let e164 = phone.e164();
        let digits = e164.strip_prefix('+').expect("E.164 begins with a plus");
        assert!((2..=MAX_DIGITS).contains(&digits.len()), "{text:?} is {e164}");
        assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{text:?} is {e164}");
        let found_by = phone.search_digits();
        assert!(found_by.iter().any(|known| known == digits), "{text:?} is not found by {e164}");
        assert!(found_by.iter().all(|known| known.bytes().all(|byte| byte.is_ascii_digit())));
        assert_eq!(parse(phone.raw(), country), Ok(phone.clone()), "read again");
    }
}
