//! Telephone numbers: no text makes the parser panic, and what is taken is E.164.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zoop_crm::phone::{Country, parse};

fuzz_target!(|text: &str| {
    for code in ["US", "GB", "DE", "BR", "JP"] {
        let Some(country) = Country::new(code) else { continue };
        if let Ok(phone) = parse(text, country) {
            let digits = phone.e164().strip_prefix('+').expect("E.164 begins with a plus");
            assert!((2..=17).contains(&digits.len()), "{digits}");
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
            assert!(!phone.search_digits().is_empty());
        }
    }
});
