//! Workbooks (XLSX): the first sheet that has rows.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use calamine::{Data, DataRef, Reader as _, Xlsx, XlsxError};
use zip::ZipArchive;

use super::{MAX_COLUMNS, MAX_ROWS, MAX_TITLES, SheetRow, Sheets, too_long, too_wide};
use crate::call::error::{Error, Result};

/// How many bytes a workbook may have once it is unpacked: a small file may unpack to far more than memory holds.
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// How many bytes the cells of a sheet may have together.
const MAX_TEXT: usize = 256 * 1024 * 1024;
/// What a cell takes besides its text.
const CELL: usize = 24;
/// Maximum number of parts of a workbook.
const MAX_PARTS: usize = 1_000;

/// Whether the bytes are a workbook: a ZIP archive.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The rows of the first sheet that has any, and which sheet that is if others have rows too.
pub(super) fn rows(bytes: &[u8]) -> Result<(Vec<SheetRow>, Option<Sheets>)> {
    require_size(bytes)?;
    // The parser panics on some references that no program writes.
    let read = std::panic::catch_unwind(|| read(bytes));
    read.unwrap_or_else(|_| Err(damaged()))
}

fn read(bytes: &[u8]) -> Result<(Vec<SheetRow>, Option<Sheets>)> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let mut names = workbook.sheet_names().into_iter();
    while let Some(read) = names.next() {
        let rows = sheet_rows(&mut workbook, &read)?;
        if !rows.is_empty() {
            let left_out: Vec<_> = names.filter(|it| has_text(&mut workbook, it)).collect();
            let sheets = (!left_out.is_empty()).then_some(Sheets { read, left_out });
            return Ok((rows, sheets));
        }
    }
    Err(Error::invalid("The workbook is empty."))
}

/// Whether a sheet has a cell that is not blank.
fn has_text(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> bool {
    let Ok(mut cells) = workbook.worksheet_cells_reader(name) else { return false };
    while let Ok(Some(cell)) = cells.next_cell() {
        if !text(cell.get_value()).trim().is_empty() {
            return true;
        }
    }
    false
}

fn unreadable(error: &XlsxError) -> Error {
    Error::invalid(format!(
        "The workbook cannot be read ({error}): save it as XLSX or CSV again, without a password."
    ))
}

/// Unpacks the workbook once without keeping it, because the sizes that it states may be wrong.
fn require_size(bytes: &[u8]) -> Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    let mut left = MAX_UNPACKED;
    for at in 0..archive.len().min(MAX_PARTS + 1) {
        let part = archive.by_index(at).map_err(|_| damaged())?;
        let size = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        left = left.checked_sub(size.map_err(|_| damaged())?).ok_or_else(too_large)?;
    }
    if archive.len() > MAX_PARTS { Err(too_large()) } else { Ok(()) }
}

fn damaged() -> Error {
    Error::invalid("The file is damaged: save it again as XLSX or CSV.")
}

fn too_large() -> Error {
    Error::invalid("The workbook is too large: save the sheet with the customers as CSV.")
}

/// The rows of a sheet, read cell by cell: a single cell far away must not make a table of billions.
fn sheet_rows(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Vec<SheetRow>> {
    let mut cells = match workbook.worksheet_cells_reader(name) {
        Ok(cells) => cells,
        // A chart has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&error)),
    };
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    // Many cells may have the same long text.
    let mut left = MAX_TEXT;
    while let Some(cell) = cells.next_cell().map_err(|error| unreadable(&error))? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if text.trim().is_empty() {
            continue;
        }
        if column >= MAX_COLUMNS {
            return Err(too_wide());
        }
        left = left.checked_sub(text.len() + CELL).ok_or_else(too_large)?;
        let cells = rows.entry(row).or_default();
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        cells[column] = text;
        if rows.len() > MAX_ROWS + MAX_TITLES {
            return Err(too_long());
        }
    }
    let numbered =
        rows.into_iter().map(|(row, cells)| SheetRow { line: row.saturating_add(1), cells });
    Ok(numbered.collect())
}

/// A cell as a person reads it. A phone number that was stored as a number has no decimal point.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::DateTime(time) => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::Error(_) => String::new(),
        DataRef::SharedString(text) => (*text).to_owned(),
        other => Data::from(other.clone()).to_string(),
    }
}
