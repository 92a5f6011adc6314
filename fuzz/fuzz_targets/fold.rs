//! Folding: any text gives words that are short, not empty, and stay as they are when folded again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zoop_crm::fold::{Kind, LONGEST_WORD, words};

fuzz_target!(|text: &str| {
    for word in words(text) {
        assert!(!word.text.is_empty());
        assert!(word.kind == Kind::Run || word.text.chars().count() <= LONGEST_WORD);
        let again = words(&word.text);
        assert_eq!(again.first().map(|again| again.text.as_str()), Some(word.text.as_str()));
    }
});
