//! Writes the files of an export one after another, and counts and sums what it writes.

use std::io::{self, BufWriter, Write};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::manifest::{FileEntry, Purpose};
use super::{OpenForWriting, Progress};
use crate::call::error::{Error, Result};
use crate::values::spreadsheet;

/// After how many rows the progress is reported.
const REPORTED: u64 = 100;

/// The files of an export.
pub(super) struct Writer<'w> {
    open: &'w mut OpenForWriting<'w>,
    counter: Counter<'w>,
    files: Vec<FileEntry>,
}

/// The rows of all files so far.
struct Counter<'w> {
    progress: &'w mut Progress<'w>,
    done: u64,
    all: u64,
}

/// A file that is being written.
pub(super) struct OpenFile<'f, 'w> {
    to: BufWriter<Summed>,
    rows: u64,
    counter: &'f mut Counter<'w>,
}

/// Counts and sums the bytes that it passes on.
struct Summed {
    to: Box<dyn Write>,
    bytes: u64,
    hash: Sha256,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<'w> Writer<'w> {
    /// A writer of files with `all` rows together.
    pub(super) fn new(
        open: &'w mut OpenForWriting<'w>,
        progress: &'w mut Progress<'w>,
        all: u64,
    ) -> Self {
        Self { open, counter: Counter { progress, done: 0, all }, files: Vec::new() }
    }

    /// Writes a file.
    fn file(
        &mut self,
        name: &str,
        purpose: Purpose,
        work: impl FnOnce(&mut OpenFile<'_, 'w>) -> Result<()>,
    ) -> Result<()> {
        let failed = |error: io::Error| cannot_write(name, &error);
        let to = Summed { to: (self.open)(name).map_err(failed)?, bytes: 0, hash: Sha256::new() };
        let mut file = OpenFile { to: BufWriter::new(to), rows: 0, counter: &mut self.counter };
        work(&mut file)?;
        let OpenFile { mut to, rows, .. } = file;
        to.flush().map_err(failed)?;
        let Summed { bytes, hash, .. } = to.get_ref();
        self.files.push(FileEntry {
            name: name.to_owned(),
            purpose,
            rows: Some(rows),
            bytes: *bytes,
            sha256: data_encoding::HEXLOWER.encode(&hash.clone().finalize()),
        });
        Ok(())
    }

    /// Writes a text, which has no rows.
    pub(super) fn text(&mut self, name: &str, text: &str) -> Result<()> {
        self.file(name, Purpose::Information, |file| {
            file.write_all(text.as_bytes()).map_err(|error| cannot_write(name, &error))
        })?;
        if let Some(entry) = self.files.last_mut() {
            entry.rows = None;
        }
        Ok(())
    }

    /// Writes a file of cards, until `next` has no more.
    pub(super) fn cards(
        &mut self,
        name: &str,
        mut next: impl FnMut() -> Result<Vec<String>>,
    ) -> Result<()> {
        self.file(name, Purpose::Information, |file| {
            loop {
                let cards = next()?;
                if cards.is_empty() {
                    return Ok(());
                }
                for card in cards {
                    let written = file.write_all(card.as_bytes());
                    written.map_err(|error| cannot_write(name, &error))?;
                    file.count_row();
                }
            }
        })
    }

    /// Writes a file of JSON lines.
    pub(super) fn json_lines(
        &mut self,
        name: &str,
        purpose: Purpose,
        work: impl FnOnce(&mut JsonLines<'_, '_, '_, 'w>) -> Result<()>,
    ) -> Result<()> {
        self.file(name, purpose, |file| work(&mut JsonLines { name, file }))
    }

    /// Writes a file for spreadsheets, which begins with these names of columns.
    pub(super) fn spreadsheet(
        &mut self,
        name: &str,
        columns: &[&str],
        work: impl FnOnce(&mut Spreadsheet<'_, '_, '_, 'w>) -> Result<()>,
    ) -> Result<()> {
        self.file(name, Purpose::Information, |file| {
            let mut sheet = Spreadsheet { name, file };
            sheet.write(&spreadsheet::begin(columns))?;
            work(&mut sheet)
        })
    }

    /// What was written.
    pub(super) fn finish(self) -> Vec<FileEntry> {
        (self.counter.progress)(self.counter.all, self.counter.all);
        self.files
    }
}

impl OpenFile<'_, '_> {
    /// Counts a row of the file.
    pub(super) fn count_row(&mut self) {
        self.rows += 1;
        let Counter { progress, done, all } = self.counter;
        *done += 1;
        if done.is_multiple_of(REPORTED) {
            progress((*done).min(*all), *all);
        }
    }
}

impl Write for OpenFile<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A file of JSON objects, one a line.
pub(super) struct JsonLines<'n, 'l, 'f, 'w> {
    name: &'n str,
    file: &'l mut OpenFile<'f, 'w>,
}

impl JsonLines<'_, '_, '_, '_> {
    /// Writes a line.
    pub(super) fn row(&mut self, row: &Map<String, Value>) -> Result<()> {
        serde_json::to_writer(&mut self.file, row)
            .map_err(io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|error| cannot_write(self.name, &error))?;
        self.file.count_row();
        Ok(())
    }
}

/// A file for spreadsheets.
pub(super) struct Spreadsheet<'n, 'l, 'f, 'w> {
    name: &'n str,
    file: &'l mut OpenFile<'f, 'w>,
}

impl Spreadsheet<'_, '_, '_, '_> {
    /// Writes a row, whose cells no spreadsheet runs as formulas.
    pub(super) fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) -> Result<()> {
        self.write(&spreadsheet::row(cells))?;
        self.file.count_row();
        Ok(())
    }

    fn write(&mut self, row: &[u8]) -> Result<()> {
        self.file.write_all(row).map_err(|error| cannot_write(self.name, &error))
    }
}

/// A file of the export could not be written.
fn cannot_write(name: &str, error: &io::Error) -> Error {
    Error::conflict(format!("{name} cannot be written: {error}"))
}
