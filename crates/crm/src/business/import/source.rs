//! A file that is imported: its rows, what its columns mean, and which rows are about the same customer.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::columns::{self, Columns, Meaning, Said};
use super::draft::Draft;
use super::facts::{Facts, RowReader};
use super::sheet::{self, Sheet, Sheets, Skipped};
use super::together::together;
use crate::call::argument::ParseContext;
use crate::call::error::{Error, Result};
use crate::values::country::Country;
use crate::values::fold;
use crate::values::text::is_invisible;

/// Maximum number of rows about one customer.
const MAX_ROWS_OF_ONE: usize = 200;

/// How a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What a person says of columns.
    pub columns: Vec<Said>,
    /// What blank cells of a meaning have, such as the state where all customers are.
    pub defaults: Vec<(Meaning, String)>,
}

/// A file to import.
#[derive(Debug)]
pub struct Source {
    /// The file's name, without its folder.
    pub file_name: String,
    sheet: Sheet,
    columns: Columns,
    defaults: Vec<(Meaning, String)>,
    country: Country,
    /// The rows of each customer, in the order of their first rows.
    groups: Vec<Vec<usize>>,
}

/// A customer of a file that cannot be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Where its rows begin.
    pub lines: Vec<u32>,
    /// Why not.
    pub why: String,
}

/// The rows of a file, below the names of its columns.
pub(super) fn rows(bytes: &[u8]) -> Result<Sheet> {
    sheet::read(bytes, columns::count_known)
}

impl Source {
    /// Reads a file. `country` is that of phone numbers and addresses without one.
    ///
    /// # Errors
    /// If the file cannot be read, or if it is not known where the names are.
    pub fn read(file_name: &str, bytes: &[u8], reading: Reading, country: Country) -> Result<Self> {
        Self::of(file_name, rows(bytes)?, reading, country)
    }

    /// The rows of a file, with what they mean.
    pub(super) fn of(
        file_name: &str,
        sheet: Sheet,
        reading: Reading,
        country: Country,
    ) -> Result<Self> {
        let columns = Columns::recognize(&sheet.columns, &reading.columns)
            .map_err(|error| with_sheets(error, &sheet))?;
        let defaults = reading.defaults;
        let file_name = file_name.replace(is_invisible, " ");
        let mut source = Self { file_name, sheet, columns, defaults, country, groups: Vec::new() };
        source.groups = source.grouped();
        Ok(source)
    }

    /// The names of the columns, each with what it means.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Option<Meaning>)> {
        let names = self.sheet.columns.iter().map(String::as_str);
        names.zip(self.columns.meanings().iter().copied())
    }

    /// Which sheet of a workbook is read, in words. Empty if there is only one.
    #[must_use]
    pub fn sheets(&self) -> String {
        self.sheet.sheets.as_ref().map(Sheets::said).unwrap_or_default()
    }

    /// How many rows the file has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sheet.rows.len()
    }

    /// The rows of the file that describe no customer.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.sheet.skipped
    }

    /// How many customers the file describes.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.groups.len()
    }

    /// What the file is read as, besides its rows.
    pub(super) fn reading(&self) -> String {
        let Self { file_name, columns, defaults, country, .. } = self;
        format!("{file_name:?} {columns:?} {defaults:?} {country:?}")
    }

    /// The cells of a row of the file.
    #[must_use]
    pub fn cells(&self, line: u32) -> Option<&[String]> {
        let at = self.sheet.rows.binary_search_by_key(&line, |row| row.line).ok()?;
        Some(&self.sheet.rows[at].cells)
    }

    /// Where the rows of a customer begin.
    pub(super) fn lines(&self, customer: usize) -> Vec<u32> {
        self.groups[customer].iter().map(|row| self.sheet.rows[*row].line).collect()
    }

    /// A customer of the file.
    ///
    /// # Errors
    /// Why it cannot be added.
    pub fn draft(&self, customer: usize) -> Result<Draft, Unusable> {
        let rows = &self.groups[customer];
        if rows.len() > MAX_ROWS_OF_ONE {
            let lines =
                rows.iter().take(MAX_ROWS_OF_ONE).map(|row| self.sheet.rows[*row].line).collect();
            let why = format!(
                "is one of {} rows about the same customer: at most {MAX_ROWS_OF_ONE} are possible",
                rows.len()
            );
            return Err(Unusable { lines, why });
        }
        let is_wide = |row: &&usize| self.sheet.rows[**row].cells.len() > self.sheet.columns.len();
        if let Some(row) = rows.iter().find(is_wide) {
            let why = "has more cells than there are columns: a cell with a comma needs quotes"
                .to_owned();
            return Err(Unusable { lines: vec![self.sheet.rows[*row].line], why });
        }
        let reader = self.reader();
        let facts = rows.iter().map(|row| reader.facts(&self.sheet.rows[*row])).collect();
        let lines = self.lines(customer);
        let context = ParseContext { country: self.country };
        Draft::of(together(facts), lines.clone(), self.digest(rows), &self.file_name, context)
            .map_err(|why| Unusable { lines, why })
    }

    fn reader(&self) -> RowReader<'_> {
        let Self { sheet, columns, defaults, country, .. } = self;
        RowReader { sheet, columns, defaults, country: *country }
    }

    /// What tells the rows of a customer from all others: their cells.
    fn digest(&self, rows: &[usize]) -> [u8; 16] {
        let mut cells = Vec::new();
        for row in rows {
            cells.extend(self.sheet.rows[*row].cells.iter().map(String::as_str));
            cells.push("\n");
        }
        key(&cells)
    }

    /// Finds the rows that are about one customer: those with the same id; or with the same name and a phone, an e-mail
    /// address or a whole address in common; or with the same name of a company; or the same row.
    fn grouped(&self) -> Vec<Vec<usize>> {
        let reader = self.reader();
        let (mut groups, mut known) = (Vec::<Vec<usize>>::new(), HashMap::<[u8; 16], usize>::new());
        for (at, row) in self.sheet.rows.iter().enumerate() {
            let mut keys = keys(&reader.facts(row));
            // The same row twice.
            let cells = row.cells.iter().map(String::as_str);
            keys.push(key(&["row"].into_iter().chain(cells).collect::<Vec<_>>()));
            let group = keys.iter().find_map(|key| known.get(key).copied());
            let group = group.unwrap_or_else(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(at);
            for key in keys {
                known.entry(key).or_insert(group);
            }
        }
        groups
    }
}

/// What is wrong with the columns, and which sheet was read: the customers may be in another one.
fn with_sheets(error: Error, sheet: &Sheet) -> Error {
    match (error, &sheet.sheets) {
        (Error::InvalidInput { message, fields }, Some(sheets)) => {
            Error::InvalidInput { message: format!("{message} {}", sheets.said()), fields }
        }
        (error, _) => error,
    }
}

/// What tells the customer of a row from others.
fn keys(facts: &Facts) -> Vec<[u8; 16]> {
    if !facts.external_id.is_empty() {
        return vec![key(&["id", &facts.external_id])];
    }
    let name = match &facts.person {
        Some(person) if !facts.is_company => person.joined(),
        _ => facts.company.clone(),
    };
    let name = folded(&name);
    if name.is_empty() {
        return Vec::new();
    }
    let phones = facts.phones.iter().map(|it| it.phone.e164().to_owned());
    let reach = phones.chain(facts.emails.iter().map(|address| address.to_lowercase()));
    let mut keys: Vec<_> = reach.map(|it| key(&["reach", &name, &it])).collect();
    let places = facts.places.iter().map(|place| folded(&format!("{:?}", place.address)));
    keys.extend(places.map(|place| key(&["place", &name, &place])));
    // A company is one customer, also with several places. Two people may have the same name.
    if facts.is_surely_company {
        keys.push(key(&["company", &name]));
    }
    keys
}

fn folded(text: &str) -> String {
    fold::words(text).into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ")
}

fn key(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let digest = hash.finalize();
    std::array::from_fn(|byte| digest[byte])
}
