//! Invisible characters: trims them, and reduces texts that look the same to the same form.
//!
//! Only this module decides whether a character is visible. It uses Unicode properties, not a list of
//! examples. Nothing here may change the inside of a stored text: emoji and the scripts of Iran and India need
//! invisible characters there.

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
pub fn is_invisible(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control() || character == ' ';
    }
    looks_like_space(character) || has_no_width(character)
}

/// Whether a text has no visible character, which is also true of an empty text.
#[must_use]
pub fn is_all_invisible(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// The text without the invisible characters at its ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_invisible)
}

/// The text without the invisible characters at its ends, except those that change how its last visible
/// character looks. For example, `❤\u{fe0f}` is a red heart and `❤` may not be, some flags end in a sequence of
/// tags, and a joiner may shape a final letter in Malayalam or Persian.
///
/// ASCII characters have no modifiers, so all invisible characters after an ASCII character are removed.
#[must_use]
pub fn trim_keeping_modifiers(text: &str) -> &str {
    let trimmed = trim(text);
    if trimmed.len() == text.len() || trimmed.ends_with(|last: char| last.is_ascii()) {
        return trimmed;
    }
    let start = text.len() - text.trim_start_matches(is_invisible).len();
    let end = start + trimmed.len();
    let modifiers = text[end..].find(|character| !is_modifier(character));
    &text[start..modifiers.map_or(text.len(), |length| end + length)]
}

/// The visible form of a text, which is equal for texts that look the same: without characters of zero width,
/// and with one space for each sequence of characters that look like spaces.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in trim(text).chars() {
        if looks_like_space(character) {
            if !shown.ends_with(' ') {
                shown.push(' ');
            }
        } else if !has_no_width(character) {
            shown.push(character);
        }
    }
    shown
}

/// Whether Unicode calls the character default-ignorable: it is not part of the text that people see or type.
#[must_use]
pub fn is_ignorable(character: char) -> bool {
    !character.is_ascii()
        && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// Whether a character looks like a space.
fn looks_like_space(character: char) -> bool {
    character.is_whitespace() || EMPTY_SYMBOLS.contains(&character) || FILLERS.contains(&character)
}

/// Whether nothing is drawn for a character, not even a space.
fn has_no_width(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control() && !character.is_ascii_whitespace();
    }
    match CodePointMapData::<GeneralCategory>::new().get(character) {
        GeneralCategory::Control => true,
        // The signs above and below Arabic numbers are format characters that are drawn.
        GeneralCategory::Format => {
            !CodePointSetData::new::<PrependedConcatenationMark>().contains(character)
        }
        _ => is_ignorable(character) && !FILLERS.contains(&character),
    }
}

/// Whether a character changes how the preceding character is drawn.
fn is_modifier(character: char) -> bool {
    const TAGS: std::ops::RangeInclusive<char> = '\u{e0020}'..='\u{e007f}';
    character == ZERO_WIDTH_JOINER
        || TAGS.contains(&character)
        || CodePointSetData::new::<VariationSelector>().contains(character)
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
    fn invisible_characters_are_distinguished_from_visible_ones() {
        for character in INVISIBLE {
            assert!(is_invisible(*character), "U+{:04X}", u32::from(*character));
            assert!(is_all_invisible(&character.to_string().repeat(3)));
            assert_eq!(
                trim(&format!("{character}{character}a{character}b{character}")).chars().count(),
                3
            );
            assert_eq!(
                trim_keeping_modifiers(&format!("{character}ab{character}{character}")),
                "ab"
            );
        }
        for character in
            "a0-'é中あकി\u{301}\u{20e3}\u{600}\u{6dd}\u{110bd}\u{e000}🙂\u{fffd}".chars()
        {
            assert!(!is_invisible(character), "U+{:04X}", u32::from(character));
        }
        assert!(is_all_invisible(""));
        assert!(!is_all_invisible("\u{200b}a"));
    }

    #[test]
    fn modifiers_of_the_last_character_are_kept() {
        for text in [
            "I ❤\u{fe0f}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "അവന\u{d4d}\u{200d}",
            "۱۴۰۰ ه\u{200d}",
            "葛\u{e0100}",
        ] {
            assert_eq!(trim_keeping_modifiers(&format!("\u{200b} {text}\u{200b} \u{200e}")), text);
        }
        assert_eq!(trim_keeping_modifiers("VIP\u{fe0f}\u{200d}"), "VIP");
        assert_eq!(trim_keeping_modifiers("\u{fe0f}\u{200d}"), "");
    }

    #[test]
    fn texts_that_look_the_same_have_the_same_visible_form() {
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
        fn trimming_removes_nothing_visible(text in any::<String>()) {
            prop_assert_eq!(is_all_invisible(&text), trim(&text).is_empty());
            prop_assert_eq!(trim(trim_keeping_modifiers(&text)), trim(&text));
            prop_assert_eq!(trim_keeping_modifiers(trim_keeping_modifiers(&text)), trim_keeping_modifiers(&text));
            prop_assert_eq!(visible(trim(&text)), visible(&text));
            prop_assert_eq!(visible(&visible(&text)), visible(&text));
        }
    }
}
