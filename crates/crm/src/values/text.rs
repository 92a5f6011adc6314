//! Invisible characters: where a text visibly begins and ends, and which texts look the same.
//!
//! This is the only place that decides whether a character is visible. It uses Unicode properties, not
//! a list of examples. Nothing here may change the inside of a stored text: emoji and the scripts of
//! Iran and India need invisible characters there.

use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, PrependedConcatenationMark, VariationSelector,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Symbols with an empty glyph. No Unicode property distinguishes them from others.
const EMPTY_SYMBOLS: &[char] = &['\u{2800}', '\u{1d159}'];

/// The Hangul fillers. They look like a space.
const FILLERS: &[char] = &['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether a character is invisible: white space, controls, format characters, what Unicode calls
/// default-ignorable, and symbols with an empty glyph.
#[must_use]
pub fn is_invisible(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control() || letter == ' ';
    }
    takes_room(letter) || takes_no_room(letter)
}

/// Whether a text has no visible character. An empty text has none.
#[must_use]
pub fn shows_nothing(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// The text without the invisible characters at its ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_invisible)
}

/// The text without the invisible characters at its ends, except those after its last visible
/// character that change how it looks: `❤\u{fe0f}` is a red heart and `❤` may not be, a flag is a
/// sequence of tags, and a joiner may shape a final letter in Malayalam or Persian.
///
/// ASCII characters have no such forms, so everything after an ASCII character is removed.
#[must_use]
pub fn trim_around(text: &str) -> &str {
    let trimmed = trim(text);
    if trimmed.len() == text.len() || trimmed.ends_with(|last: char| last.is_ascii()) {
        return trimmed;
    }
    let start = text.len() - text.trim_start_matches(is_invisible).len();
    let end = start + trimmed.len();
    let kept = text[end..].find(|letter| !shapes_what_is_before(letter));
    &text[start..kept.map_or(text.len(), |kept| end + kept)]
}

/// The visible form of a text, equal for texts that look the same: without characters that take no
/// room, and with one space for each sequence that looks like space.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in trim(text).chars() {
        if takes_room(letter) {
            if !shown.ends_with(' ') {
                shown.push(' ');
            }
        } else if !takes_no_room(letter) {
            shown.push(letter);
        }
    }
    shown
}

/// Unicode's `Default_Ignorable_Code_Point`: not part of the text that people see or type.
#[must_use]
pub fn is_ignorable(letter: char) -> bool {
    !letter.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
}

/// Whether this character looks like a space.
fn takes_room(letter: char) -> bool {
    letter.is_whitespace() || EMPTY_SYMBOLS.contains(&letter) || FILLERS.contains(&letter)
}

/// Whether nothing is drawn for this character, not even a space.
fn takes_no_room(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control() && !letter.is_ascii_whitespace();
    }
    match CodePointMapData::<GeneralCategory>::new().get(letter) {
        GeneralCategory::Control => true,
        // The signs above and below Arabic numbers are format characters that are drawn.
        GeneralCategory::Format => {
            !CodePointSetData::new::<PrependedConcatenationMark>().contains(letter)
        }
        _ => is_ignorable(letter) && !FILLERS.contains(&letter),
    }
}

/// Whether a character changes how the preceding one is drawn.
fn shapes_what_is_before(letter: char) -> bool {
    const TAGS: std::ops::RangeInclusive<char> = '\u{e0020}'..='\u{e007f}';
    letter == ZERO_WIDTH_JOINER
        || TAGS.contains(&letter)
        || CodePointSetData::new::<VariationSelector>().contains(letter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// At least one of each kind of invisible character.
    const INVISIBLE: &[char] = &[
        ' ',
        '\t',
        '\n',
        '\u{0}',
        '\u{7f}',
        '\u{85}',
        '\u{a0}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{2028}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{1d159}',
        '\u{1d173}',
        '\u{e0001}',
        '\u{e007f}',
        '\u{e0100}',
    ];

    #[test]
    fn what_shows_nothing_is_told_from_what_shows_something() {
        for letter in INVISIBLE {
            assert!(is_invisible(*letter), "U+{:04X}", u32::from(*letter));
            assert!(shows_nothing(&letter.to_string().repeat(3)));
            assert_eq!(trim(&format!("{letter}{letter}a{letter}b{letter}")).chars().count(), 3);
            assert_eq!(trim_around(&format!("{letter}ab{letter}{letter}")), "ab");
        }
        for letter in "a0-'é中あकി\u{301}\u{20e3}\u{600}\u{6dd}\u{110bd}\u{e000}🙂\u{fffd}".chars()
        {
            assert!(!is_invisible(letter), "U+{:04X}", u32::from(letter));
        }
        assert!(shows_nothing(""));
        assert!(!shows_nothing("\u{200b}a"));
    }

    #[test]
    fn what_shapes_the_last_character_stays_behind_it() {
        for text in [
            "I ❤\u{fe0f}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "അവന\u{d4d}\u{200d}",
            "۱۴۰۰ ه\u{200d}",
            "葛\u{e0100}",
        ] {
            assert_eq!(trim_around(&format!("\u{200b} {text}\u{200b} \u{200e}")), text);
        }
        assert_eq!(trim_around("VIP\u{fe0f}\u{200d}"), "VIP");
        assert_eq!(trim_around("\u{fe0f}\u{200d}"), "");
    }

    #[test]
    fn texts_that_look_the_same_are_the_same() {
        for same in [
            "VIP\u{200b} gold",
            "VIP gold\u{200d}",
            "\u{202a}VIP\u{ad} gold\u{202c}",
            "VIP\u{a0}gold",
            "VIP  gold",
            "VIP\u{3164}gold",
            "VIP \u{200b}\u{2800}\tgold",
            "VIP\u{fe0f} gold",
        ] {
            assert_eq!(visible(same), "VIP gold", "{same:?}");
        }
        assert_ne!(visible("VIPgold"), visible("VIP gold"));
        assert_ne!(visible("\u{600}1"), visible("1"));
    }

    proptest! {
        #[test]
        fn trimming_takes_nothing_that_is_seen(text in any::<String>()) {
            prop_assert_eq!(shows_nothing(&text), trim(&text).is_empty());
            prop_assert_eq!(trim(trim_around(&text)), trim(&text));
            prop_assert_eq!(trim_around(trim_around(&text)), trim_around(&text));
            prop_assert_eq!(visible(trim(&text)), visible(&text));
            prop_assert_eq!(visible(&visible(&text)), visible(&text));
        }
    }
}
