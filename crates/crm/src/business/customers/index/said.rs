//! How people say a name: without its title, in the plural, by a nickname, with or without an umlaut's dots.

use super::nicknames;
use crate::values::fold::{self, Kind, Word};

/// Words that are dropped from `q` unless nothing else is left: titles, and words that say nothing about whom to
/// find. `and` is one of them, because `&` and `+` are no words either.
#[rustfmt::skip]
const DROPPED: &[&str] = &[
    "and", "the",
    "mr", "mister", "mrs", "missus", "ms", "miss", "mx", "dr", "doctor", "prof", "professor", "rev", "reverend",
    "sir", "madam", "sr", "jr", "senior", "junior", "hon", "esq", "phd",
    "herr", "frau", "fraulein", "familie", "hr", "fr",
    "monsieur", "madame", "mme", "mlle", "mademoiselle",
    "senor", "senora", "senorita", "sra", "srta", "don", "dona",
    "signor", "signora", "signorina", "sig",
];

/// A word that begins a name this short is not taken apart: too many other names are as near.
const MIN_LETTERS: usize = 4;

/// A word of `q`.
#[derive(Clone, Debug)]
pub(in crate::business::customers) struct SaidWord {
    /// The word as typed, folded.
    pub(in crate::business::customers) text: String,
    pub(super) kind: Kind,
    /// Other spellings of the same word: `mueller` for `Müller`. They match as the word itself does.
    pub(super) spellings: Vec<String>,
    /// Names that may be meant: `nguyen` for `nguyens`, `robert` for `bob`. They match only as whole words.
    pub(super) names: Vec<String>,
}

/// The words of a part of `q`.
pub(in crate::business::customers) fn words(typed: &str) -> Vec<SaidWord> {
    let words = fold::words(typed);
    let spelled_out = fold::words(&spell_umlauts_out(typed));
    let is_parallel = spelled_out.len() == words.len();
    let said = words.into_iter().enumerate().map(|(index, word)| {
        let other = spelled_out.get(index).filter(|other| is_parallel && **other != word);
        SaidWord {
            spellings: other.map(|other| other.text.clone()).into_iter().collect(),
            names: other_names(&word),
            text: word.text,
            kind: word.kind,
        }
    });
    said.collect()
}

/// A word of streets, in an address the same as its abbreviation.
pub(in crate::business::customers) struct StreetWord {
    long: &'static str,
    pub(in crate::business::customers) short: &'static str,
}

const STREETS: &[StreetWord] = &[
    StreetWord { long: "street", short: "st" },
    StreetWord { long: "avenue", short: "ave" },
    StreetWord { long: "road", short: "rd" },
    StreetWord { long: "drive", short: "dr" },
    StreetWord { long: "boulevard", short: "blvd" },
    StreetWord { long: "lane", short: "ln" },
    StreetWord { long: "court", short: "ct" },
    StreetWord { long: "place", short: "pl" },
    StreetWord { long: "circle", short: "cir" },
    StreetWord { long: "crescent", short: "cres" },
    StreetWord { long: "highway", short: "hwy" },
    StreetWord { long: "parkway", short: "pkwy" },
    StreetWord { long: "square", short: "sq" },
    StreetWord { long: "terrace", short: "ter" },
    StreetWord { long: "trail", short: "trl" },
];

impl StreetWord {
    /// The word that the text or its abbreviation is.
    pub(in crate::business::customers) fn of(text: &str) -> Option<&'static Self> {
        STREETS.iter().find(|word| text == word.long || text == word.short)
    }

    /// The other form of the text: `street` for `st`, and the other way round.
    pub(super) fn other(text: &str) -> Option<&'static str> {
        Self::of(text).map(|word| if text == word.short { word.long } else { word.short })
    }
}

/// The words of a line of an address, words of streets in short: two texts with the same words are the same line.
pub(crate) fn address_words(text: &str) -> Vec<String> {
    let words = fold::words(text).into_iter().map(|word| word.text);
    words.map(|text| StreetWord::of(&text).map_or(text, |word| word.short.to_owned())).collect()
}

/// Whether a word may be dropped.
pub(in crate::business::customers) fn is_droppable(word: &SaidWord) -> bool {
    DROPPED.contains(&word.text.as_str())
}

/// German umlauts as two letters, as one writes them where the keyboard has none.
fn spell_umlauts_out(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;

    if text.is_ascii() {
        return text.to_owned();
    }
    let mut spelled = String::with_capacity(text.len() + 4);
    for letter in text.nfc() {
        match letter {
            'ä' | 'Ä' => spelled.push_str("ae"),
            'ö' | 'Ö' => spelled.push_str("oe"),
            'ü' | 'Ü' => spelled.push_str("ue"),
            other => spelled.push(other),
        }
    }
    spelled
}

fn other_names(word: &Word) -> Vec<String> {
    let text = &word.text;
    let is_name = word.kind == Kind::Spaced && text.bytes().all(|byte| byte.is_ascii_lowercase());
    if !is_name {
        return Vec::new();
    }
    let mut names: Vec<String> = nicknames::of(text).map(str::to_owned).collect();
    if text.len() > MIN_LETTERS {
        names.extend(singulars(text).map(str::to_owned));
    }
    let plain = text.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    if text.len() >= MIN_LETTERS && plain != *text {
        names.push(plain);
    }
    names
}

/// The family whose members are called by this plural or genitive: `nguyen` for `nguyens`, `jones` for `joneses`.
fn singulars(plural: &str) -> impl Iterator<Item = &str> {
    let one = plural.strip_suffix('s');
    let sibilants = ["s", "x", "z", "ch", "sh"];
    let stem = plural.strip_suffix("es");
    let stem = stem.filter(|stem| sibilants.iter().any(|end| stem.ends_with(end)));
    one.into_iter().chain(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(typed: &str) -> Vec<String> {
        words(typed).remove(0).names
    }

    #[test]
    fn a_plural_is_also_the_family() {
        assert_eq!(names("Nguyens"), ["nguyen"]);
        assert_eq!(names("Nguyen's"), ["nguyen"]);
        assert_eq!(names("Joneses"), ["jonese", "jones"]);
        assert_eq!(names("Gomezes"), ["gomeze", "gomez"]);
        assert_eq!(names("Gas"), [""; 0]);
    }

    #[test]
    fn umlauts_are_spelled_both_ways() {
        let word = words("Müller").remove(0);
        assert_eq!(
            (word.text.as_str(), word.spellings.as_slice()),
            ("muller", &["mueller".to_owned()][..])
        );
        assert_eq!(words("Mu\u{308}ller").remove(0).spellings, ["mueller"]);
        assert_eq!(names("Mueller"), ["muller"]);
        assert!(words("Ngọc").remove(0).spellings.is_empty());
    }

    #[test]
    fn nicknames_go_both_ways() {
        assert!(names("Bob").contains(&"robert".to_owned()));
        assert!(names("Robert").contains(&"bob".to_owned()));
        assert!(names("Peggy").contains(&"margaret".to_owned()));
        assert!(names("Margaret").contains(&"peggy".to_owned()));
    }

    #[test]
    fn dropped_words_are_folded() {
        for word in DROPPED {
            assert_eq!(fold::words(word)[0].text, **word);
        }
    }
}
