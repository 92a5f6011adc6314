//! The stems of English words, so that a search for one form of a word finds the others.
//!
//! The stemmer is that of the Snowball project for English (Porter2). Both engines get its stems as tokens, so no
//! search depends on an engine's own dictionaries. The index of existing notes contains stems: if another version of
//! the stemmer changes a stem, they must be indexed again, which the group of notes does.

use frostem::{Algorithm, Stemmer};

/// Minimum letters of a word that has a stem. No word of one or two letters has an ending.
const MIN_LETTERS: usize = 3;

/// The stem of a folded word ([`crate::values::fold`]), or `None` if the word is its own stem or is not English: it
/// contains something other than the letters `a` to `z`.
///
/// A stem begins with the same letter as its word, and is not longer. It need not be a word: the stem of `city` and
/// `cities` is `citi`.
#[must_use]
pub fn stem(word: &str) -> Option<String> {
    let is_english = word.len() >= MIN_LETTERS && word.bytes().all(|it| it.is_ascii_lowercase());
    if !is_english {
        return None;
    }
    let stem = Stemmer::new(Algorithm::English).stem(word);
    (stem != word).then(|| stem.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The stems of many words. A line that changes means that existing notes must be indexed again.
    #[test]
    fn stems_are_those_of_the_index() {
        for (words, expected) in [
            ("heater heaters", "heater"),
            ("leak leaks leaked leaking", "leak"),
            ("sprinkler sprinklers", "sprinkler"),
            ("dog dogs", "dog"),
            ("city cities", "citi"),
            ("key keys", "key"),
            ("valve valves", "valv"),
            ("repair repairs repaired repairing", "repair"),
            ("install installs installed installing", "instal"),
            ("drip drips dripped dripping", "drip"),
            ("replace replaces replaced replacing", "replac"),
            ("battery batteries", "batteri"),
            ("box boxes", "box"),
            ("branch branches", "branch"),
            ("schedule schedules scheduled scheduling", "schedul"),
            ("tie ties tied tying", "tie"),
            ("quick quickly", "quick"),
            ("news", "news"),
            ("gas", "gas"),
        ] {
            for word in words.split(' ') {
                assert_eq!(stem(word).unwrap_or_else(|| word.to_owned()), expected, "{word}");
            }
        }
    }

    #[test]
    fn other_words_have_no_stem() {
        for word in ["", "is", "w15s", "4711s", "ΑΘΗΝΑΣ", "leçons", "東京s"] {
            assert_eq!(stem(word), None, "{word}");
        }
    }

    proptest! {
        #[test]
        fn a_stem_is_not_longer_and_begins_with_the_same_letter(
            start in "[a-z]{1,60}", end in "(s|es|ies|ing|ingly|ed|ied|ly|ation|iveness|bli|ying|'s)?",
        ) {
            let word = start + &end.replace('\'', "");
            if let Some(stem) = stem(&word) {
                prop_assert!(stem.len() <= word.len(), "{word}: {stem}");
                prop_assert_eq!(stem.bytes().next(), word.bytes().next(), "{}: {}", word, stem);
                prop_assert!(stem.bytes().all(|it| it.is_ascii_lowercase()), "{word}: {stem}");
            }
        }
    }
}
