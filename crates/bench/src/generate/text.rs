//! Invented notes: words with the frequencies of a natural language (Zipf's law); the most common ones come
//! from the sample data.

use std::collections::HashMap;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand_distr::{Distribution, Zipf};
use zoop_crm::values::fold;

use super::people::length_as_float;

const SAMPLE: &str = include_str!("../../../cli/data/notes.tsv");
/// The number of different words in all notes.
const VOCABULARY_SIZE: usize = 20_000;
/// The exponent of the frequency distribution.
const STEEPNESS: f64 = 1.05;
/// The number of words in a note.
const WORDS_PER_NOTE: std::ops::RangeInclusive<usize> = 5..=40;

/// The words of all notes, the most common one first.
pub(super) struct Vocabulary {
    words: Vec<String>,
    rank: Zipf<f64>,
}

impl Vocabulary {
    pub(super) fn new(rng: &mut StdRng) -> anyhow::Result<Self> {
        let mut words = common_words();
        let mut known: std::collections::HashSet<String> = words.iter().cloned().collect();
        while words.len() < VOCABULARY_SIZE {
            let word = invent_word(rng);
            if known.insert(word.clone()) {
                words.push(word);
            }
        }
        let rank = Zipf::new(length_as_float(&words), STEEPNESS)?;
        Ok(Self { words, rank })
    }

    /// A note's text, and the indexes of its words, each once.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the distribution gives whole numbers from 1 to the number of words"
    )]
    pub(super) fn note(&self, rng: &mut StdRng) -> (String, Vec<usize>) {
        let count = rng.random_range(WORDS_PER_NOTE);
        let mut indexes: Vec<usize> =
            (0..count).map(|_| self.rank.sample(rng) as usize - 1).collect();
        let words: Vec<&str> = indexes.iter().map(|index| self.words[*index].as_str()).collect();
        let text = words.join(" ") + ".";
        indexes.sort_unstable();
        indexes.dedup();
        (text, indexes)
    }

    pub(super) fn word(&self, index: usize) -> &str {
        &self.words[index]
    }

    pub(super) const fn len(&self) -> usize {
        self.words.len()
    }
}

/// The words of the sample notes, the most common one first.
fn common_words() -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for text in SAMPLE.lines().skip(1).filter_map(|line| line.split('\t').nth(2)) {
        fold::each(text, |word, _| *counts.entry(word.to_owned()).or_default() += 1);
    }
    let mut words: Vec<(String, usize)> = counts.into_iter().collect();
    words.sort_by(|(word, count), (other_word, other_count)| {
        other_count.cmp(count).then(word.cmp(other_word))
    });
    words.into_iter().map(|(word, _)| word).collect()
}

/// A word of two to four syllables.
fn invent_word(rng: &mut StdRng) -> String {
    const BEGINNINGS: &[&str] =
        &["b", "br", "c", "d", "dr", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t"];
    const MIDDLES: &[&str] = &["a", "e", "i", "o", "u", "ai", "ea", "ou"];
    const ENDS: &[&str] = &["", "l", "n", "r", "s", "t", "x", "nd"];
    let mut word = String::new();
    for _ in 0..rng.random_range(2..=4) {
        for letters in [BEGINNINGS, MIDDLES, ENDS] {
            word.push_str(letters.choose(rng).copied().unwrap_or_default());
        }
    }
    word
}
