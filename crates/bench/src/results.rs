//! The results, as stored between measuring and reporting.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::load::Measured;

/// Everything that a run has measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The machine's description, line by line.
    pub(crate) machine: Vec<String>,
    /// Customers of each database, ascending.
    pub(crate) sizes: Vec<u32>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) facts: Vec<Fact>,
}

/// One load in one round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) key: Key,
    pub(crate) round: usize,
    pub(crate) measured: Measured,
}

/// What was measured; samples with the same key are rounds of the same measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// The server under load: `zoop`, `floor`, …
    pub(crate) server: String,
    pub(crate) tool: String,
    /// The class of the calls.
    pub(crate) case: String,
    pub(crate) callers: usize,
    /// Customers of the database.
    pub(crate) customers: u32,
    /// The business's rank by size.
    pub(crate) business: String,
}

/// One number that no load measures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) customers: u32,
    pub(crate) value: f64,
}

const FILE: &str = "results.json";

impl Results {
    /// The results in a folder.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("no results in {}: run ./bench first", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Stores the results in a folder.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        Ok(fs::write(folder.join(FILE), serde_json::to_string_pretty(self)?)?)
    }

    pub(crate) fn largest(&self) -> u32 {
        self.sizes.last().copied().unwrap_or_default()
    }

    /// Records a number.
    pub(crate) fn note(&mut self, name: &str, customers: u32, value: f64) {
        self.facts.push(Fact { name: name.to_owned(), customers, value });
    }

    /// The median over the rounds of `value`, for the samples that `is_wanted` selects; `None` if there are none.
    pub(crate) fn median(
        &self,
        is_wanted: impl Fn(&Key) -> bool,
        value: impl Fn(&Measured) -> f64,
    ) -> Option<f64> {
        let samples = self.samples.iter().filter(|sample| is_wanted(&sample.key));
        median(samples.map(|sample| value(&sample.measured)).collect())
    }

    /// The median over the rounds of the ratio between two measurements of the same round.
    pub(crate) fn ratio(
        &self,
        one: impl Fn(&Key) -> bool,
        other: impl Fn(&Key) -> bool,
        value: impl Fn(&Measured) -> f64,
    ) -> Option<f64> {
        let rounds = |is_wanted: &dyn Fn(&Key) -> bool| -> Vec<(usize, f64)> {
            let samples = self.samples.iter().filter(|sample| is_wanted(&sample.key));
            samples.map(|sample| (sample.round, value(&sample.measured))).collect()
        };
        let others = rounds(&other);
        let ratios = rounds(&one).into_iter().filter_map(|(round, one)| {
            let (_, other) = others.iter().find(|(same, _)| *same == round)?;
            Some(one / other)
        });
        median(ratios.collect())
    }

    /// The median of a fact.
    pub(crate) fn fact(&self, name: &str, customers: u32) -> Option<f64> {
        let same = |fact: &&Fact| fact.name == name && fact.customers == customers;
        median(self.facts.iter().filter(same).map(|fact| fact.value).collect())
    }
}

/// The median of some numbers.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(values[middle - 1], upper)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
