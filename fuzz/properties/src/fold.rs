//! Folding: words are short, not empty, unchanged when folded again, and independent of how the text composes
//! its characters.

use unicode_normalization::UnicodeNormalization as _;
use zoop_crm::values::fold::{Kind, MAX_WORD, caseless, words};

/// The input is a text.
///
/// # Panics
/// When the property does not hold.
pub fn fold(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let folded = words(text);
    for word in &folded {
        assert!(!word.text.is_empty());
        assert!(word.kind == Kind::Run || word.text.chars().count() <= MAX_WORD);
        assert_eq!(words(&word.text), std::slice::from_ref(word), "folded again");
    }
    assert_eq!(words(&text.nfc().collect::<String>()), folded, "composed");
    assert_eq!(words(&text.nfd().collect::<String>()), folded, "decomposed");
    let plain = caseless(text);
    assert_eq!(caseless(&plain), plain, "without case");
}
