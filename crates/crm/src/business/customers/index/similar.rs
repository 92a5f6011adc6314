//! What is near a `q` that finds nothing: a name that is one edit away or sounds alike, or fewer words.
//!
//! A name that is one edit away is looked up under every spelling that is one edit away from the word of `q`. These
//! are a few hundred tokens, whatever the size of the index, and the index needs no further tokens for them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rphonetic::DoubleMetaphone;

use super::said::SaidWord;
use super::terms::{Terms, whole_name, word_anywhere};
use crate::search::{Expression, Field, Prefix, cut};
use crate::values::fold::Kind;

/// Length of the codes that say how a word sounds. With four letters, as usual, too many names sound alike.
const SOUND_LETTERS: usize = 6;
/// Minimum length of a word that has a sound, or that may be misspelled.
const MIN_LETTERS: usize = 3;
/// Maximum length of a word that may be misspelled. It bounds the number of spellings.
const MAX_LETTERS: usize = 24;
/// Maximum number of words that may be misspelled.
const MAX_MISSPELLED: usize = 4;
/// Maximum number of words of a `q` of which several words are dropped at once.
const MAX_DROPPED_FROM: usize = 5;
/// Maximum number of words of a `q` of which one word is dropped.
const MAX_WORDS: usize = 12;

static METAPHONE: LazyLock<DoubleMetaphone> =
    LazyLock::new(|| DoubleMetaphone::new(Some(SOUND_LETTERS)));

/// How a folded word sounds: one or two codes, or none if it is short or not in Latin letters.
pub(in crate::business::customers) fn sounds(word: &str) -> impl Iterator<Item = String> {
    let is_latin = word.len() >= MIN_LETTERS && word.bytes().all(|it| it.is_ascii_lowercase());
    let codes = is_latin.then(|| METAPHONE.double_metaphone(word));
    let codes = codes.map(|codes| BTreeSet::from([codes.primary(), codes.alternate()]));
    let codes = codes.into_iter().flatten().map(|code| code.to_ascii_lowercase());
    codes.filter(|code| !code.is_empty() && code.bytes().all(|it| it.is_ascii_alphanumeric()))
}

/// How a word sounds first of all. By its other sound, John would be like Anna.
pub(in crate::business::customers) fn sound(word: &str) -> Option<String> {
    let is_latin = word.bytes().all(|it| it.is_ascii_lowercase());
    is_latin.then(|| METAPHONE.double_metaphone(word).primary()).filter(|code| !code.is_empty())
}

impl Terms {
    /// What to look for if nothing matches, the nearest first. The first expression that finds anything ends the
    /// search. Nothing is like a phone: another number is another caller.
    pub(super) fn similar(&self, prefix: Prefix) -> Vec<Expression> {
        if self.is_phone() {
            return Vec::new();
        }
        let words: Vec<_> = self.words().collect();
        let exact: Vec<_> = words.iter().map(|word| word_anywhere(prefix, word)).collect();
        let may_be_misspelled = words.len() <= MAX_MISSPELLED;
        let misspelled: Vec<_> = words
            .iter()
            .map(|word| if may_be_misspelled { one_edit_away(prefix, word) } else { Vec::new() })
            .collect();
        let sounding: Vec<_> = words.iter().map(|word| sounding_alike(prefix, word)).collect();
        let mut similar = vec![every(&exact, &misspelled), every(&exact, &sounding)];
        let telling: Vec<_> = words.iter().map(|word| is_telling(word)).collect();
        let names: Vec<_> = words.iter().map(|word| Some(whole_name(prefix, word))).collect();
        similar.extend(fewer_words(&names, &exact, &telling));
        if words.len() > 1 {
            let one: Vec<_> = misspelled.into_iter().chain(sounding).flatten().collect();
            similar.push((!one.is_empty()).then_some(Expression::Any(one)));
        }
        similar.into_iter().flatten().collect()
    }
}

/// Finds rows that have every word, as it is or in one of its other forms.
fn every(exact: &[Option<Expression>], others: &[Vec<Expression>]) -> Option<Expression> {
    let words = exact
        .iter()
        .zip(others)
        .map(|(exact, others)| Expression::Any(exact.iter().chain(others).cloned().collect()));
    let words: Vec<_> = words.collect();
    (!words.is_empty()).then_some(Expression::All(words))
}

/// Whether a word says enough to be left alone: a number or a letter or two does not.
fn is_telling(word: &SaidWord) -> bool {
    let is_number = word.text.bytes().all(|byte| byte.is_ascii_digit());
    word.kind == Kind::Run || (!is_number && word.text.chars().count() >= MIN_LETTERS)
}

/// Finds rows that have fewer of the words: all but one, all but two, and so on down to any single word; each first as
/// names, then anywhere. The words that are left must be telling.
fn fewer_words(
    names: &[Option<Expression>],
    anywhere: &[Option<Expression>],
    telling: &[bool],
) -> impl Iterator<Item = Option<Expression>> {
    let fewest = match telling.len() {
        few if few <= MAX_DROPPED_FROM => 1,
        some if some <= MAX_WORDS => some - 1,
        many => many,
    };
    (fewest..telling.len())
        .rev()
        .flat_map(move |kept| [names, anywhere].map(|words| only(kept, words, telling)))
}

/// Finds rows that have this many of the words.
fn only(kept: usize, words: &[Option<Expression>], telling: &[bool]) -> Option<Expression> {
    Expression::any(subsets(words.len(), kept).filter_map(|subset| {
        let is_kept = |index: &usize| subset >> index & 1 == 1;
        let kept: Vec<_> = (0..words.len()).filter(is_kept).collect();
        let is_telling = kept.iter().any(|index| telling[*index]);
        let words = kept.iter().filter_map(|index| words[*index].clone());
        if is_telling { Expression::all(words) } else { None }
    }))
}

/// The subsets with `kept` of at most [`MAX_WORDS`] items, as bits.
fn subsets(count: usize, kept: usize) -> impl Iterator<Item = u32> {
    (0..1_u32 << count).filter(move |subset| subset.count_ones() as usize == kept)
}

/// Finds names that are one edit away from a word: a letter too many, too few, another one, or two swapped.
fn one_edit_away(prefix: Prefix, word: &SaidWord) -> Vec<Expression> {
    let letters: Vec<char> = word.text.chars().collect();
    let is_name = word.kind == Kind::Spaced && !letters.iter().any(char::is_ascii_digit);
    if !is_name || !(MIN_LETTERS..=MAX_LETTERS).contains(&letters.len()) {
        return Vec::new();
    }
    let token = |text: String| Expression::Token(prefix.token(Field::WholeWord, cut(&text)));
    edits(&letters).into_iter().map(token).collect()
}

fn sounding_alike(prefix: Prefix, word: &SaidWord) -> Vec<Expression> {
    let codes = sounds(&word.text);
    codes.map(|code| Expression::Token(prefix.token(Field::Sound, &code))).collect()
}

/// Every text that is one edit away from these letters.
fn edits(letters: &[char]) -> BTreeSet<String> {
    let alphabet = alphabet(letters[0]);
    let mut edits = BTreeSet::new();
    for index in 0..=letters.len() {
        let (before, rest) = letters.split_at(index);
        let mut add = |middle: &[char], after: &[char]| {
            edits.insert(before.iter().chain(middle).chain(after).collect::<String>());
        };
        for letter in alphabet.clone() {
            add(&[letter], rest);
            add(&[letter], rest.get(1..).unwrap_or_default());
        }
        add(&[], rest.get(1..).unwrap_or_default());
        if let [one, other, after @ ..] = rest {
            add(&[*other, *one], after);
        }
    }
    edits
}

/// The letters that may be missing or wrong in a word that begins with this one. None for scripts with so many
/// letters that a wrong one is not looked for.
fn alphabet(letter: char) -> std::ops::RangeInclusive<char> {
    let alphabets = ['a'..='z', 'α'..='ω', 'а'..='я', 'א'..='ת', 'ა'..='ჰ', 'ա'..='ֆ'];
    let own = alphabets.into_iter().find(|alphabet| alphabet.contains(&letter));
    own.unwrap_or('\u{1}'..='\0')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edits_of(word: &str) -> BTreeSet<String> {
        edits(&word.chars().collect::<Vec<_>>())
    }

    #[test]
    fn every_kind_of_edit_is_there_and_their_number_is_bounded() {
        for (typed, meant) in
            [("palet", "pallet"), ("nguyne", "nguyen"), ("ortizz", "ortiz"), ("smoth", "smith")]
        {
            assert!(edits_of(typed).contains(meant), "{typed}");
        }
        assert!(edits_of("иваноа").contains("иванов"));
        assert!(edits_of("ابب").len() < 10);
        assert!(edits_of(&"a".repeat(MAX_LETTERS)).len() < 1_400);
    }

    proptest! {
        #[test]
        fn every_word_has_codes_without_separators(word in "[a-z]{1,64}") {
            for code in sounds(&word) {
                prop_assert!(code.len() <= SOUND_LETTERS + 1, "{}", code);
            }
        }

        #[test]
        fn an_edit_can_be_undone(word in "[a-z]{3,8}", index in 0..400_usize) {
            let edits = edits_of(&word);
            let edit = edits.iter().nth(index % edits.len()).expect("an edit");
            prop_assert!(edits_of(edit).contains(&word));
        }
    }
}
