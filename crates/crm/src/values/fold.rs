//! Folding: the only way to turn text into words that can be compared.
//!
//! Folding removes differences of case, accents, width, apostrophes and the script of digits, and
//! splits the rest into words. Stored text and queries go through the same functions on both engines,
//! so a difference in folding can never hide a row. [`crate::search`] decides how words are used
//! (tokens, suffixes, tiers). Nothing here may know about a tenant, an index or an engine.
//!
//! The steps, in order:
//!
//! 1. Remove invisible characters (joiners, soft hyphens, direction marks, variation selectors),
//!    tatweel and apostrophes, so that the text on both sides is joined: `O’Neill` becomes `oneill`.
//!    Also remove the marks that step 3 drops. If they stayed until step 3, dropping them could leave
//!    the other marks in an order that NFKD does not produce.
//! 2. Apply NFKD. A Hangul syllable becomes its letters, so that a search for its start finds it. `が`
//!    becomes `か` and its voicing mark.
//! 3. Drop the marks of Latin, Greek, Cyrillic, Arabic and Hebrew (`й` becomes `и`, `ё` becomes `е`).
//!    Keep the marks of all other scripts: without its vowel signs, a word in Devanagari or Thai is a
//!    different word.
//! 4. Turn decimal digits of every script into `0` to `9`, and letters that Unicode does not decompose
//!    (`đ ł ø` …) into what people type for them. Fold the case of all other letters.
//! 5. Split at everything that is not a letter, a digit or a kept mark. Adjacent letters of scripts
//!    without spaces form a word of kind [`Kind::Run`], separate from letters of other scripts. Other
//!    words are cut at [`MAX_WORD`] characters.
//!
//! Folding is idempotent. It stops after [`MAX_LETTERS`], and its slowest part is sorting the longest
//! sequence of marks, so a hostile text costs no more than a long one.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::values::text;

/// Maximum characters of a [`Kind::Spaced`] word; the rest is ignored.
pub const MAX_WORD: usize = 64;

/// Maximum number of decomposed letters of a text that are folded. Searches do not find the rest. It is three
/// for each character of the longest text, because Hangul, the script that decomposes most, needs three. Only
/// compatibility characters need more: U+FDFA alone becomes eighteen letters.
pub const MAX_LETTERS: usize = 300_000;

/// Whether the script of a word puts separators between words. This decides how the word can be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A word of a script with separators between words; at most [`MAX_WORD`] characters.
    Spaced,
    /// An unbroken sequence of Han, kana, Thai, Lao or Khmer characters, of any length. A search may match
    /// any part of it, but the characters must be adjacent, as in the query.
    Run,
}

/// One folded word. Never empty; folding it again does not change it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word {
    /// The folded characters.
    pub text: String,
    /// Whether it is a separated word or a run of characters.
    pub kind: Kind,
}

/// The folded words of a text, in order and with repetitions.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    each(text, |word, kind| words.push(Word { text: word.to_owned(), kind }));
    words
}

/// Whether a folded word of `text` may contain `folded`. `false` is certain, and takes less time than folding the text.
#[must_use]
pub fn may_contain(text: &str, folded: &str) -> bool {
    let is_folded_as_it_is = text.is_ascii() && !text.chars().any(is_removed);
    if !is_folded_as_it_is || folded.is_empty() {
        return true;
    }
    let mut parts = text.as_bytes().windows(folded.len());
    parts.any(|part| part.eq_ignore_ascii_case(folded.as_bytes()))
}

/// Passes every folded word of a text to `visit`, in order, without an allocation per word.
pub fn each(text: &str, visit: impl FnMut(&str, Kind)) {
    let mut cutter = Cutter { word: String::new(), length: 0, kind: Kind::Spaced, visit };
    if text.is_ascii() {
        // Fast path: most names are ASCII, which needs no Unicode tables.
        for letter in text.chars().filter(|letter| !is_removed(*letter)) {
            cutter.take(letter.to_ascii_lowercase());
        }
    } else {
        let decomposed = text.chars().filter(|letter| !is_removed(*letter)).nfkd();
        for letter in decomposed.filter(|letter| !is_removed(*letter)).take(MAX_LETTERS) {
            fold_letter(letter, |folded| cutter.take(folded));
        }
    }
    cutter.finish();
}

/// The text with only its case folded, for values that are compared as a whole and case-insensitively,
/// such as an e-mail address or a tag's name. Canonically equivalent texts (`é` as one character or as
/// two) have the same caseless form. A dotless `ı` becomes `i`, since `I` is the capital of both.
#[must_use]
pub fn caseless(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().flat_map(fold_case).nfc().collect()
}

/// The ASCII digit for a decimal digit of any script. The text must already be in NFKD.
///
/// In Unicode the ten digits of a script are contiguous and in order, so a table of zeros is enough.
#[must_use]
pub fn ascii_digit(letter: char) -> Option<char> {
    if letter.is_ascii_digit() {
        return Some(letter);
    }
    let code = u32::from(letter);
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    char::from_digit(code - zero, 10)
}

/// Collects letters into words and passes each word on as soon as it ends.
struct Cutter<V> {
    word: String,
    length: usize,
    kind: Kind,
    visit: V,
}

impl<V: FnMut(&str, Kind)> Cutter<V> {
    fn take(&mut self, letter: char) {
        if !letter.is_alphanumeric() && !is_combining_mark(letter) {
            return self.finish();
        }
        let kind = if is_in(RUNS, letter) { Kind::Run } else { Kind::Spaced };
        if kind != self.kind {
            self.finish();
            self.kind = kind;
        }
        if kind == Kind::Run || self.length < MAX_WORD {
            self.word.push(letter);
            self.length += 1;
        }
    }

    fn finish(&mut self) {
        if !self.word.is_empty() {
            (self.visit)(&self.word, self.kind);
            self.word.clear();
            self.length = 0;
        }
    }
}

fn fold_letter(letter: char, mut emit: impl FnMut(char)) {
    if letter.is_ascii() {
        emit(letter.to_ascii_lowercase());
    } else if let Some(digit) = ascii_digit(letter) {
        emit(digit);
    } else if !letter.is_lowercase() && !letter.is_uppercase() {
        // Most scripts have no case, and reading the tables three times would take most of the time.
        emit(letter);
    } else {
        for folded in fold_case(letter) {
            match typed_form(folded) {
                Some(plain) => plain.chars().for_each(&mut emit),
                None => emit(folded),
            }
        }
    }
}

/// Full case folding of a decomposed letter, with the standard library's tables.
///
/// Converting to lower, upper and lower case again gives the same equivalences as Unicode's
/// `CaseFolding.txt` (`σ` and `ς`, `ß` and `ẞ`), except that a Cherokee pair becomes its other letter.
/// It also maps `ı` to `i`, which searches need. Context is ignored, so a capital sigma folds the same
/// everywhere.
fn fold_case(letter: char) -> impl Iterator<Item = char> {
    letter.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// What people type for a letter that Unicode does not decompose. Includes `ɖ`, because its capital looks
/// like that of `đ`.
fn typed_form(letter: char) -> Option<&'static str> {
    Some(match letter {
        'đ' | 'ð' | 'ɖ' | 'ɗ' => "d",
        'ł' => "l",
        'ø' => "o",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ħ' => "h",
        'ŧ' => "t",
        'ŋ' => "n",
        'ɓ' => "b",
        'ƙ' => "k",
        'ƴ' => "y",
        _ => return None,
    })
}

/// Whether this character is removed, so that its neighbors join.
fn is_removed(letter: char) -> bool {
    if letter.is_ascii() {
        return matches!(letter, '\'' | '`');
    }
    is_in(APOSTROPHES, letter)
        || is_in(TATWEEL, letter)
        || text::is_ignorable(letter)
        || is_in(DROPPED_MARKS, letter)
}

/// Whether a sorted table of ranges contains the character.
fn is_in(ranges: &[(char, char)], letter: char) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= letter);
    ranges[..after].last().is_some_and(|(_, last)| letter <= *last)
}

/// Everything that people type as an apostrophe, from the acute accent to primes, the Hawaiian okina
/// and the Hebrew geresh. Also characters that NFKD would turn into an apostrophe, or into a space and
/// an accent.
#[rustfmt::skip]
const APOSTROPHES: &[(char, char)] = &[
    ('\u{b4}', '\u{b4}'), ('\u{2b9}', '\u{2bf}'), ('\u{2c8}', '\u{2c8}'), ('\u{374}', '\u{374}'),
    ('\u{5f3}', '\u{5f3}'), ('\u{1fbd}', '\u{1fbd}'), ('\u{1fbf}', '\u{1fbf}'),
    ('\u{1fcd}', '\u{1fcf}'), ('\u{1fdd}', '\u{1fdf}'), ('\u{1fef}', '\u{1fef}'),
    ('\u{1ffd}', '\u{1ffe}'), ('\u{2018}', '\u{2019}'), ('\u{201b}', '\u{201b}'),
    ('\u{2032}', '\u{2037}'), ('\u{2057}', '\u{2057}'), ('\u{a78b}', '\u{a78c}'),
    ('\u{ff07}', '\u{ff07}'), ('\u{ff40}', '\u{ff40}'),
];

/// Tatweel, the Arabic stroke that only stretches a word, with and without a mark on it.
#[rustfmt::skip]
const TATWEEL: &[(char, char)] = &[
    ('\u{640}', '\u{640}'), ('\u{fcf2}', '\u{fcf4}'), ('\u{fe71}', '\u{fe71}'),
    ('\u{fe77}', '\u{fe77}'), ('\u{fe79}', '\u{fe79}'), ('\u{fe7b}', '\u{fe7b}'),
    ('\u{fe7d}', '\u{fe7d}'), ('\u{fe7f}', '\u{fe7f}'),
];

/// The marks of Latin, Greek, Cyrillic, Arabic and Hebrew, and those shared by all scripts.
#[rustfmt::skip]
const DROPPED_MARKS: &[(char, char)] = &[
    ('\u{300}', '\u{36f}'), ('\u{483}', '\u{489}'), ('\u{591}', '\u{5bd}'), ('\u{5bf}', '\u{5bf}'),
    ('\u{5c1}', '\u{5c2}'), ('\u{5c4}', '\u{5c5}'), ('\u{5c7}', '\u{5c7}'), ('\u{610}', '\u{61a}'),
    ('\u{64b}', '\u{65f}'), ('\u{670}', '\u{670}'), ('\u{6d6}', '\u{6dc}'), ('\u{6df}', '\u{6e4}'),
    ('\u{6e7}', '\u{6e8}'), ('\u{6ea}', '\u{6ed}'), ('\u{897}', '\u{89f}'), ('\u{8ca}', '\u{8e1}'),
    ('\u{8e3}', '\u{8ff}'), ('\u{1ab0}', '\u{1aff}'), ('\u{1dc0}', '\u{1dff}'),
    ('\u{20d0}', '\u{20f0}'), ('\u{2de0}', '\u{2dff}'), ('\u{a66f}', '\u{a672}'),
    ('\u{a674}', '\u{a67d}'), ('\u{a69e}', '\u{a69f}'), ('\u{fb1e}', '\u{fb1e}'),
    ('\u{fe20}', '\u{fe2f}'), ('\u{10efa}', '\u{10eff}'), ('\u{1e08f}', '\u{1e08f}'),
];

/// Thai, Lao, Khmer, Han and kana with their marks. Characters of these blocks that are neither letter
/// nor mark split words before this table is used, and the blocks' digits are already ASCII.
#[rustfmt::skip]
const RUNS: &[(char, char)] = &[
    ('\u{e00}', '\u{eff}'), ('\u{1780}', '\u{17ff}'), ('\u{2e80}', '\u{2fdf}'),
    ('\u{3005}', '\u{3007}'), ('\u{3021}', '\u{302f}'), ('\u{3031}', '\u{3035}'),
    ('\u{3038}', '\u{303c}'), ('\u{3041}', '\u{30ff}'), ('\u{31f0}', '\u{31ff}'),
    ('\u{3400}', '\u{4dbf}'), ('\u{4e00}', '\u{9fff}'), ('\u{f900}', '\u{faff}'),
    ('\u{16fe2}', '\u{16ff6}'), ('\u{1aff0}', '\u{1b16f}'), ('\u{20000}', '\u{3fffd}'),
];

/// The zero of each script's decimal digits. NFKD has already folded wide and styled digits.
#[rustfmt::skip]
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0,
    0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0,
    0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1,
    0x1e950,
];

/// The error for a `q` that folds to no word, so that no row could match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryHasNoWord;

impl QueryHasNoWord {
    /// The error message, without the argument's name in front.
    #[must_use]
    pub fn text(self) -> &'static str {
        "must contain at least one letter or digit"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold_to_string(text: &str) -> String {
        words(text).into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn spellings_of_one_word_fold_alike() {
        for (left, right) in [
            ("O’Neill O'Neill OʼNEILL O`Neill O´Neill", "oneill oneill oneill oneill oneill"),
            (
                "Đặng Łukasz Åse Øster ŒUVRE Æsir Þór Guðrún",
                "dang lukasz ase oster oeuvre aesir thor gudrun",
            ),
            ("Straße STRASSE STRAẞE", "strasse strasse strasse"),
            ("İstanbul ISTANBUL ıstanbul", "istanbul istanbul istanbul"),
            ("Αθήνα ΑΘΗΝΑ ὀδός ΟΔΟΣ", "αθηνα αθηνα οδοσ οδοσ"),
            ("Ёлка ЕЛКА Андрей", "елка елка андреи"),
            ("مُحَمَّد محمـد أحمد", "محمد محمد احمد"),
            ("שָׁלוֹם", "שלום"),
            ("ＡＢＣ １２３ ٤٥٦ ๗๘๙ ①", "abc 123 456 789 1"),
            (
                "soft\u{ad}hyphen zero\u{200d}width \u{202a}left\u{202c}",
                "softhyphen zerowidth left",
            ),
            ("AT&T C-0042 jean-luc", "at t c 0042 jean luc"),
            ("ﬁne ŉ", "fine n"),
            ("🙂 🎉 — …", ""),
        ] {
            assert_eq!(fold_to_string(left), right, "{left}");
        }
    }

    #[test]
    fn marks_of_other_scripts_are_kept() {
        assert_ne!(fold_to_string("कि"), fold_to_string("का"));
        assert_eq!(words("हिन्दी").len(), 1);
        assert_eq!(fold_to_string("ｶﾞ"), "カ\u{3099}");
    }

    #[test]
    fn runs_are_separate_from_adjacent_words() {
        let kinds: Vec<_> =
            words("東京tower2階ภาษา ไทย").into_iter().map(|w| (w.text, w.kind)).collect();
        let expected = [
            ("東京", Kind::Run),
            ("tower2", Kind::Spaced),
            ("階ภาษา", Kind::Run),
            ("ไทย", Kind::Run),
        ];
        assert_eq!(kinds, expected.map(|(text, kind)| (text.to_owned(), kind)));
    }

    #[test]
    fn spaced_words_are_cut_and_runs_are_not() {
        assert_eq!(words(&"ab".repeat(100))[0].text, "ab".repeat(32));
        assert_eq!(words(&"æ".repeat(100))[0].text, "ae".repeat(32));
        assert_eq!(words(&"東".repeat(100))[0].text.chars().count(), 100);
    }

    /// For every character of the planes in use: folding is stable, its output contains only characters
    /// that a token may contain, and upper and lower case fold alike.
    #[test]
    fn every_character_folds_once_and_for_all() {
        for letter in (0..0x3_2000).filter_map(char::from_u32) {
            let text = format!("क\u{94d}{letter}\u{93c}x");
            assert_eq!(words(&text.nfd().collect::<String>()), words(&text));
            let folded = fold_to_string(&text);
            assert_eq!(fold_to_string(&folded), folded, "U+{:04X}", u32::from(letter));
            assert!(folded.chars().all(|c| !c.is_ascii()
                || c == ' '
                || c.is_ascii_lowercase()
                || c.is_ascii_digit()));
            let folded = fold_to_string(&letter.to_string());
            let lower: String = letter.to_lowercase().collect();
            assert_eq!(fold_to_string(&lower), folded, "U+{:04X}", u32::from(letter));
        }
    }

    #[test]
    fn tables_are_sorted() {
        for table in [APOSTROPHES, TATWEEL, DROPPED_MARKS, RUNS] {
            assert!(table.iter().all(|(first, last)| first <= last));
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
        assert!(ZEROS.windows(2).all(|pair| pair[0] + 10 <= pair[1]));
    }

    /// The longest text of every script is folded whole. A text of characters that each become many
    /// letters is not.
    #[test]
    fn a_text_is_folded_up_to_a_number_of_letters() {
        let letters = |text: &str| {
            let mut letters = 0;
            each(text, |word, _| letters += word.chars().count());
            letters
        };
        for one in ["a", "ß", "각", "ΐ", "ữ", "क़", "が", "東", "ậ", "ẞ"] {
            let folded = letters(one);
            // The space keeps each word short enough not to be cut.
            let text = format!("{one} ").repeat(50_000);
            assert_eq!(letters(&text), folded * 50_000, "{one}");
        }
        assert_eq!(letters("각"), 3);
        assert!(letters(&"ﷺ ".repeat(50_000)) < MAX_LETTERS);
    }

    #[test]
    fn hostile_rows_of_marks_are_folded_to_their_end() {
        for mark in
            ["\u{301}", "\u{93c}\u{94d}", "\u{3099}", "\u{200d}", "\u{fdfa}", "\u{1d165}\u{1d16e}"]
        {
            let text = format!("क{}", mark.repeat(100_000));
            let mut seen = 0;
            each(&text, |word, _| seen += word.len());
            assert!(seen > 0, "{mark:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_folded_text_changes_nothing(text in any::<String>()) {
            let folded = fold_to_string(&text);
            prop_assert_eq!(fold_to_string(&folded), folded);
        }

        #[test]
        fn folding_sequences_of_marks_is_stable(text in "[aé’\u{200d}\u{34f}\u{300}-\u{345}\u{93c}\u{94d}\u{e38}\u{e48}\u{3099}\u{302a}\u{1dfa}-\u{1dff}ŉ가か]{0,20}") {
            let folded = fold_to_string(&text);
            prop_assert_eq!(fold_to_string(&folded), folded);
            prop_assert_eq!(caseless(&caseless(&text)), caseless(&text));
        }

        #[test]
        fn a_text_that_may_not_contain_a_word_has_none_with_it(
            text in "[a-cA-C' &.é]{0,12}",
            folded in "[a-cé]{1,3}",
        ) {
            let contains = words(&text).iter().any(|word| word.text.contains(&folded));
            prop_assert!(may_contain(&text, &folded) || !contains);
        }

        #[test]
        fn canonically_equal_texts_fold_alike(text in any::<String>()) {
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(words(&decomposed), words(&text));
            prop_assert_eq!(caseless(&decomposed), caseless(&text));
        }
    }
}
