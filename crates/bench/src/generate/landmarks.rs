//! Search terms, ids and keys for a generated database. They are stored next to the database, because a key is shown
//! only once.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use zoop_crm::values::fold;

use super::Parameters;
use super::business::GeneratedBusiness;
use super::people::Invented;
use super::text::Vocabulary;

/// The maximum number of customer ids stored for a business.
const MAX_CUSTOMER_IDS: usize = 5_000;
/// The maximum number of terms of each kind.
const MAX_TERMS: usize = 20;
/// The minimum number of notes in which a term occurs.
const MIN_NOTES: u32 = 2;
/// A middling word occurs in about one record in this many.
const MIDDLING: u32 = 100;

/// The landmarks of a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Landmarks {
    pub(crate) parameters: Parameters,
    /// The observed businesses, the largest one first.
    pub(crate) businesses: Vec<BusinessLandmarks>,
}

/// The landmarks of one business.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BusinessLandmarks {
    /// The business's rank by size: largest, second, median or smallest.
    pub(crate) place: String,
    pub(crate) tenant_id: String,
    /// The owner's key, with every scope.
    pub(crate) owner_key: String,
    /// The tenant's own key, with every scope.
    pub(crate) tenant_key: String,
    pub(crate) customers: usize,
    pub(crate) notes: usize,
    /// Customers from the business's whole history.
    pub(crate) customer_ids: Vec<String>,
    /// Tags, the most common one first.
    pub(crate) tag_ids: Vec<String>,
    /// Customers with many notes.
    pub(crate) noted_customer_ids: Vec<String>,
    /// The search terms, by kind.
    pub(crate) terms: Terms,
}

/// The values of `q`, by kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) customer_one_letter: Vec<String>,
    pub(crate) customer_common_name: Vec<String>,
    pub(crate) customer_middling_name: Vec<String>,
    pub(crate) customer_rare_name: Vec<String>,
    pub(crate) customer_name_part: Vec<String>,
    pub(crate) customer_phone_part: Vec<String>,
    pub(crate) customer_area_code: Vec<String>,
    pub(crate) note_rare_word: Vec<String>,
    pub(crate) note_middling_word: Vec<String>,
    pub(crate) note_common_word: Vec<String>,
    pub(crate) note_one_letter: Vec<String>,
}

impl Landmarks {
    /// Reads the landmarks of a database.
    pub(crate) fn load(database: &Path) -> Result<Self> {
        let path = landmarks_path(database);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Stores the landmarks next to the database.
    pub(crate) fn save(&self, database: &Path) -> Result<()> {
        Ok(fs::write(landmarks_path(database), serde_json::to_string_pretty(self)?)?)
    }
}

fn landmarks_path(database: &Path) -> PathBuf {
    database.with_extension("json")
}

/// A business that is observed while it is generated.
pub(super) struct Watched {
    pub(super) business: usize,
    rank: &'static str,
    notes: usize,
    samples: Vec<Sample>,
    /// The number of notes that contain each word of the vocabulary.
    word_counts: Vec<u32>,
}

struct Sample {
    name: String,
    phone_digits: String,
}

impl Watched {
    /// The businesses to observe among this many.
    pub(super) fn among(businesses: usize, vocabulary: &Vocabulary) -> Vec<Self> {
        let ranks = [
            (0, "largest"),
            (1, "second"),
            (businesses / 2, "median"),
            (businesses - 1, "smallest"),
        ];
        let mut watched: Vec<Self> = Vec::new();
        for (business, rank) in ranks {
            if business < businesses && watched.iter().all(|known| known.business != business) {
                let word_counts = vec![0; vocabulary.len()];
                watched.push(Self { business, rank, notes: 0, samples: Vec::new(), word_counts });
            }
        }
        watched
    }

    /// Records a new customer.
    pub(super) fn record_customer(&mut self, customer: Invented) {
        if self.samples.len() < MAX_TERMS * 50 {
            let Invented { name, phone_digits, .. } = customer;
            self.samples.push(Sample { name, phone_digits });
        }
    }

    /// Records a new note with these words.
    pub(super) fn record_note(&mut self, words: &[usize]) {
        self.notes += 1;
        for word in words {
            self.word_counts[*word] += 1;
        }
    }

    /// The landmarks of this business.
    pub(super) fn landmarks(
        &self,
        business: &GeneratedBusiness,
        vocabulary: &Vocabulary,
    ) -> BusinessLandmarks {
        let text = |id: &serde_json::Value| id.as_str().unwrap_or_default().to_owned();
        let customers = business.customers.len();
        BusinessLandmarks {
            place: self.rank.to_owned(),
            tenant_id: business.id.clone(),
            owner_key: business.owner_key.clone(),
            tenant_key: business.tenant_key.clone(),
            customers: business.created,
            notes: self.notes,
            customer_ids: business
                .customers
                .iter()
                .step_by(customers.div_ceil(MAX_CUSTOMER_IDS).max(1))
                .map(ToString::to_string)
                .collect(),
            tag_ids: business.tags.iter().map(text).collect(),
            // Notes are about the first customers more often than about later ones.
            noted_customer_ids: business
                .customers
                .iter()
                .take(MAX_TERMS)
                .map(ToString::to_string)
                .collect(),
            terms: self.terms(business, vocabulary),
        }
    }

    fn terms(&self, business: &GeneratedBusiness, vocabulary: &Vocabulary) -> Terms {
        let mut terms = Terms {
            customer_one_letter: letters("aeinorstl"),
            customer_area_code: business.region.iter().take(2).map(u16::to_string).collect(),
            note_one_letter: letters("abcdfmprst"),
            ..Terms::default()
        };
        for sample in self.samples.iter().step_by(self.samples.len().div_ceil(MAX_TERMS).max(1)) {
            let word = fold::words(&sample.name).into_iter().next().map(|word| word.text);
            // A part from inside a word: only the index of word suffixes finds it.
            let part = word.map(|word| word.chars().skip(1).take(3).collect::<String>());
            terms.customer_name_part.extend(part.filter(|part| part.chars().count() == 3));
            terms.customer_phone_part.push(sample.phone_digits[4..9].to_owned());
        }
        let names = self.names();
        terms.customer_common_name = names.common();
        terms.customer_middling_name = names.middling(self.samples.len());
        terms.customer_rare_name = names.rare();
        let words = (0..vocabulary.len())
            .map(|index| (vocabulary.word(index).to_owned(), self.word_counts[index]))
            .filter(|(_, count)| *count >= MIN_NOTES);
        let words = ByFrequency::of(words.collect());
        terms.note_common_word = words.common();
        terms.note_middling_word = words.middling(self.notes);
        terms.note_rare_word = words.rare();
        terms
    }

    /// The words of the sampled customers' names.
    fn names(&self) -> ByFrequency {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for sample in &self.samples {
            for word in fold::words(&sample.name) {
                *counts.entry(word.text).or_default() += 1;
            }
        }
        ByFrequency::of(counts.into_iter().collect())
    }
}

/// Words, the most common one first, without words of one or two letters.
struct ByFrequency(Vec<(String, u32)>);

impl ByFrequency {
    fn of(mut words: Vec<(String, u32)>) -> Self {
        words.retain(|(word, _)| word.chars().count() > 2);
        words.sort_by(|(one, count), (other, other_count)| {
            other_count.cmp(count).then(one.cmp(other))
        });
        Self(words)
    }

    fn common(&self) -> Vec<String> {
        Self::texts(self.0.iter().take(MAX_TERMS / 2))
    }

    /// The words that occur in about one in [`MIDDLING`] of `records`.
    fn middling(&self, records: usize) -> Vec<String> {
        let wanted = u32::try_from(records).unwrap_or(u32::MAX) / MIDDLING;
        let mut words: Vec<_> = self.0.iter().collect();
        words.sort_by_key(|(_, count)| count.abs_diff(wanted));
        Self::texts(words.into_iter().take(MAX_TERMS / 2))
    }

    fn rare(&self) -> Vec<String> {
        Self::texts(self.0.iter().rev().take(MAX_TERMS))
    }

    fn texts<'w>(words: impl Iterator<Item = &'w (String, u32)>) -> Vec<String> {
        words.map(|(word, _)| word.clone()).collect()
    }
}

fn letters(letters: &str) -> Vec<String> {
    letters.chars().map(String::from).collect()
}
