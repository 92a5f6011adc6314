//! What people are shown of a plan before they decide: how its columns are read, and some customers of each kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Meaning};
use super::draft::{Draft, Shown};
use super::plan::{Counts, Plan, Planned};
use super::sheet::{Sheet, Skipped};
use super::source::{Source, Unusable};

/// How many values of a column are shown.
const SAMPLES: usize = 3;
/// Among how many rows these are looked for.
const SAMPLED_ROWS: usize = 500;
/// From how many characters on a text is cut.
const MAX_TEXT: usize = 300;
/// The same for the name of a column, and for one of its values.
const MAX_CELL: usize = 60;
/// Maximum number of tags of a customer that are shown.
const MAX_TAGS: usize = 10;

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownColumn {
    /// Its name, as the file writes it.
    pub name: String,
    /// What it means. `None` if it is not imported.
    pub meaning: Option<Meaning>,
    /// Some of its values. None if all of its cells are blank.
    pub samples: Vec<String>,
}

/// A customer that would be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// Where its rows begin.
    pub line: u32,
    /// What it would be.
    pub shown: Shown,
}

/// Something about a customer of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Where its rows begin.
    pub line: u32,
    /// Its name. Empty if it has none.
    pub name: String,
    /// What is said of it.
    pub text: String,
}

/// The first remarks of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarks {
    /// The first of them.
    pub first: Vec<Remark>,
    /// How many there are.
    pub count: usize,
}

/// What an import would do, as far as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// How many rows the file has.
    pub rows: usize,
    /// How many customers it describes.
    pub customers: usize,
    /// What becomes of them.
    pub counts: Counts,
    /// The tags that would be added.
    pub new_tags: Vec<String>,
    /// The first customers that would be added.
    pub added: Vec<Added>,
    /// Customers that are in the account already.
    pub here: Remarks,
    /// Customers that would be added, and may be the same as others.
    pub similar: Remarks,
    /// Cells that were taken apart, or kept in a note.
    pub said: Remarks,
    /// Customers that cannot be added.
    pub unusable: Remarks,
    /// Rows that describe no customer.
    #[serde(default)]
    pub skipped: Remarks,
    /// How many addresses would be kept in notes because they have no state.
    pub without_state: usize,
    /// Which sheet of a workbook is read, in words. Empty if there is only one.
    #[serde(default)]
    pub sheets: String,
}

impl Preview {
    /// What a plan would do, with at most `most` customers of each kind.
    #[must_use]
    pub fn of(source: &Source, plan: &Plan, most: usize) -> Self {
        let mut preview = Self {
            rows: source.rows(),
            customers: source.customers(),
            counts: plan.counts(),
            new_tags: plan.new_tags.clone(),
            sheets: cut(&source.sheets()),
            ..Self::default()
        };
        for (at, planned) in plan.customers.iter().enumerate() {
            preview.add(planned, source.draft(at), most);
        }
        for Skipped { line, text, why } in source.skipped() {
            let remark = Remark { line: *line, name: cut(text), text: (*why).to_owned() };
            preview.skipped.add(most, remark);
        }
        preview
    }

    fn add(&mut self, planned: &Planned, draft: Result<Draft, Unusable>, most: usize) {
        let (line, without_state, shown) = match draft {
            Ok(draft) => (line(&draft.lines), draft.without_state, draft.shown),
            Err(unusable) => (line(&unusable.lines), 0, Shown::default()),
        };
        let name = shown.name.clone();
        let remark = |text: &str| Remark { line, name: cut(&name), text: cut(text) };
        match planned {
            Planned::Here(found) => {
                self.here.add(most, remark(&format!("{}: {}", found.shown, found.why)));
            }
            Planned::Unusable(Unusable { why, .. }) => self.unusable.add(most, remark(why)),
            Planned::Add { similar } => {
                if let Some(found) = similar {
                    let text = format!("{}: {}", found.shown, found.why);
                    self.similar.add(most, remark(&text));
                }
                self.without_state += without_state;
                for said in &shown.said {
                    self.said.add(most, remark(said));
                }
                if self.added.len() < most {
                    self.added.push(Added { line, shown: shown.cut() });
                }
            }
        }
    }
}

impl Remarks {
    /// Customers that could not be added, and why.
    #[must_use]
    pub fn of_unusable(unusable: &[Unusable], most: usize) -> Self {
        let first = unusable.iter().take(most).map(|Unusable { lines, why }| Remark {
            line: line(lines),
            name: String::new(),
            text: cut(why),
        });
        Self { first: first.collect(), count: unusable.len() }
    }

    fn add(&mut self, most: usize, remark: Remark) {
        self.count += 1;
        if self.first.len() < most {
            self.first.push(remark);
        }
    }
}

impl Shown {
    fn cut(mut self) -> Self {
        for text in [&mut self.name, &mut self.phone, &mut self.email, &mut self.address] {
            *text = cut(text);
        }
        self.tags = self.tags.iter().take(MAX_TAGS).map(|tag| cut(tag)).collect();
        self.said.clear();
        self
    }
}

/// The columns of a file, with some of their values.
pub(super) fn columns(sheet: &Sheet, columns: &Columns) -> Vec<ShownColumn> {
    let named = sheet.columns.iter().zip(columns.meanings()).enumerate();
    let shown = named.map(|(at, (name, meaning))| {
        let cells = sheet.rows.iter().filter_map(|row| row.cells.get(at));
        let filled = || cells.clone().filter(|cell| !cell.is_empty());
        let mut samples = BTreeMap::new();
        for (order, cell) in filled().take(SAMPLED_ROWS).enumerate() {
            samples.entry(cut_to(cell, MAX_CELL)).or_insert(order);
        }
        let mut samples: Vec<_> = samples.into_iter().collect();
        samples.sort_by_key(|(_, order)| *order);
        let samples = samples.into_iter().take(SAMPLES).map(|(cell, _)| cell).collect();
        ShownColumn { name: cut_to(name, MAX_CELL), meaning: *meaning, samples }
    });
    shown.collect()
}

fn line(lines: &[u32]) -> u32 {
    lines.first().copied().unwrap_or_default()
}

/// A text of at most [`MAX_TEXT`] characters, in one line.
fn cut(text: &str) -> String {
    cut_to(text, MAX_TEXT)
}

fn cut_to(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace(['\n', '\t'], " ")
}
