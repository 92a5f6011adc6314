//! Reads a file of JSON objects, one a line.

use std::io::{BufRead, Read};

use serde_json::{Map, Value};
use zoop_db::{Column, Kind, Param};

use super::{OpenForReading, cannot_read};
use crate::call::error::{Error, Result};
use crate::export::json;
use crate::transfer::cell::Cell;

/// Maximum length of a line in bytes. The longest are entries of the history about many records.
const MAX_LINE: u64 = 256 << 20;

/// A file that is being read.
pub(super) struct Lines {
    name: String,
    number: u64,
    from: Box<dyn BufRead>,
}

/// A row, with its place for messages.
pub(super) struct ReadRow {
    place: String,
    /// How long the line was, in bytes.
    pub(super) length: usize,
    values: Map<String, Value>,
}

impl Lines {
    /// Opens a file.
    pub(super) fn open(open: &OpenForReading, name: &str) -> Result<Self> {
        let from = open(name).map_err(|error| cannot_read(name, &error))?;
        Ok(Self { name: name.to_owned(), number: 0, from })
    }

    /// The next row.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the line is not a JSON object.
    pub(super) fn next(&mut self) -> Result<Option<ReadRow>> {
        let mut line = Vec::new();
        let read = self.from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(|error| cannot_read(&self.name, &error))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let place = format!("line {} of {}", self.number, self.name);
        let values = serde_json::from_slice(&line)
            .map_err(|error| Error::conflict(format!("{place} is not a JSON object: {error}")))?;
        Ok(Some(ReadRow { place, length: line.len(), values }))
    }

    /// Why the file is not as an export writes it.
    pub(super) fn invalid(&self, problem: &str) -> Error {
        Error::conflict(format!("{} {problem}: export the account again", self.name))
    }
}

impl ReadRow {
    /// Takes the value of a column out. A column that is missing is null: an older version did not have it.
    pub(super) fn take(&mut self, column: &str, kind: Kind) -> Result<Cell> {
        let value = self.values.shift_remove(column).unwrap_or_default();
        json::to_cell(kind, value).ok_or_else(|| self.invalid(column))
    }

    /// Refuses a row with a column that was not taken.
    pub(super) fn end(&self) -> Result<()> {
        self.values.keys().next().map_or(Ok(()), |column| {
            let place = &self.place;
            Err(Error::conflict(format!(
                "{place} has {column}, which this version does not know: use a newer version"
            )))
        })
    }

    /// The value of a column, which may be null.
    pub(super) fn any<T: Column>(&mut self, column: &str) -> Result<Option<T>> {
        match self.take(column, T::KIND)? {
            Cell::Null => Ok(None),
            cell => T::read(cell.value()).map(Some).ok_or_else(|| self.invalid(column)),
        }
    }

    /// The value of a column.
    pub(super) fn value<T: Column>(&mut self, column: &str) -> Result<T> {
        self.any(column)?.ok_or_else(|| self.invalid(column))
    }

    /// The row says something that cannot be brought back.
    pub(super) fn refused(&self, why: &str) -> Error {
        Error::conflict(format!("{} {why}", self.place))
    }

    /// A column is not as an export writes it.
    pub(super) fn invalid(&self, column: &str) -> Error {
        Error::conflict(format!("{} has no valid {column}: export the account again", self.place))
    }
}
