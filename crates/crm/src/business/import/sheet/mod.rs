//! The rows of a file, whatever its format: CSV, a workbook (XLSX) or address cards (vCard). Nothing here knows what a
//! column means.

mod cards;
mod text;
mod workbook;

pub use self::text::decoded;

use crate::call::error::{Error, Result};
use crate::values::spreadsheet_cell;
use crate::values::text::is_invisible;

/// The greatest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Maximum number of rows of a file.
pub const MAX_ROWS: usize = 200_000;
/// Maximum number of columns of a file.
const MAX_COLUMNS: usize = 400;
/// Among how many of the first rows the names of the columns are looked for: lists often have a title above them.
const MAX_TITLES: usize = 10;
/// How many sheets that are left out are named.
const NAMED_SHEETS: usize = 5;

/// Why a row is skipped.
const TOTAL: &str = "is only a total";
const FOOTER: &str = "is the last row and only says when the list was made";
const ABOVE: &str = "is above the names of the columns";

/// How files of old Microsoft Office formats begin.
const OLD_WORKBOOK: &[u8] = b"\xD0\xCF\x11\xE0";

/// A table of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The names of the columns, as the file writes them.
    pub columns: Vec<String>,
    /// The rows below them.
    pub rows: Vec<SheetRow>,
    /// The rows that describe no customer, in their order.
    pub skipped: Vec<Skipped>,
    /// Which sheet of the workbook it is, if there are others.
    pub sheets: Option<Sheets>,
}

/// The sheets of a workbook that has several with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheets {
    /// The one that is read.
    pub read: String,
    /// The others.
    pub left_out: Vec<String>,
}

impl Sheets {
    /// Which is read, in words.
    #[must_use]
    pub fn said(&self) -> String {
        let name = |name: &String| name.replace(is_invisible, " ");
        let mut others: Vec<_> = self.left_out.iter().take(NAMED_SHEETS).map(name).collect();
        let more = self.left_out.len() - others.len();
        if more > 0 {
            others.push(format!("{more} more"));
        }
        let are = if self.left_out.len() == 1 { "is" } else { "are" };
        let last = others.pop().unwrap_or_default();
        let others =
            if others.is_empty() { last } else { format!("{} and {last}", others.join(", ")) };
        format!(
            "Only the sheet {} is read; {others} {are} left out: to import another one, save it as CSV.",
            name(&self.read)
        )
    }
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// Where it begins: the number of the line, of the row of a workbook, or of the card.
    pub line: u32,
    /// One text for each column that the row has.
    pub cells: Vec<String>,
}

/// A row that describes no customer, such as a total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it begins.
    pub line: u32,
    /// Its first filled cell.
    pub text: String,
    /// Why it is no customer.
    pub why: &'static str,
}

impl SheetRow {
    fn filled(&self) -> impl Iterator<Item = &String> {
        self.cells.iter().filter(|cell| !cell.is_empty())
    }

    /// The only filled cell.
    fn only(&self) -> Option<&String> {
        let mut filled = self.filled();
        filled.next().filter(|_| filled.next().is_none())
    }

    /// Whether the row, the last one, only says when the list was made: it has a time.
    fn is_footer(&self) -> bool {
        self.only().is_some_and(|cell| {
            let hours = cell.split(':').collect::<Vec<_>>();
            hours.windows(2).any(|pair| {
                pair[0].ends_with(|it: char| it.is_ascii_digit())
                    && pair[1].starts_with(|it: char| it.is_ascii_digit())
            })
        })
    }

    /// Whether the row has only a total.
    fn is_total(&self) -> bool {
        self.only().is_some_and(|cell| is_total(cell))
    }

    fn skipped(&self, why: &'static str) -> Skipped {
        let text = self.filled().next().cloned().unwrap_or_default();
        Skipped { line: self.line, text, why }
    }
}

/// Whether a cell is a total, such as `Total: 9 customers`.
fn is_total(cell: &str) -> bool {
    const COUNTED: &[&str] =
        &["total", "totals", "grand", "customers", "clients", "contacts", "rows", "records"];
    let cell = cell.to_lowercase();
    let mut words = cell.split(|it: char| !it.is_alphanumeric()).filter(|word| !word.is_empty());
    cell.contains("total")
        && words.all(|word| COUNTED.contains(&word) || word.bytes().all(|it| it.is_ascii_digit()))
}

/// Reads a file. Its content decides about the format, whatever its name is. `known` counts how many of the names are known
/// as names of columns.
///
/// # Errors
/// If the file cannot be read, is empty or is too large.
pub fn read(bytes: &[u8], known: impl Fn(&[String]) -> usize) -> Result<Sheet> {
    if bytes.starts_with(OLD_WORKBOOK) {
        return Err(Error::invalid(
            "This is a workbook of the old format (XLS): save it as XLSX or CSV.",
        ));
    }
    if bytes.len() > MAX_BYTES {
        return Err(Error::invalid(format!(
            "The file is larger than {} MiB: split it into several.",
            MAX_BYTES / 1024 / 1024
        )));
    }
    let (rows, sheets) = if workbook::is_workbook(bytes) {
        workbook::rows(bytes)?
    } else {
        let text = decoded(bytes);
        if cards::are_cards(&text) {
            return cards::sheet(&text);
        }
        (text::rows(&text)?, None)
    };
    let sheet = below_names(rows, known)?;
    require_bounds(&sheet)?;
    Ok(Sheet { sheets, ..sheet })
}

fn too_long() -> Error {
    Error::invalid(format!("The file has more than {MAX_ROWS} rows: split it into several."))
}

fn too_wide() -> Error {
    Error::invalid(format!(
        "The file has more than {MAX_COLUMNS} columns: delete those that you do not need."
    ))
}

fn require_bounds(sheet: &Sheet) -> Result<()> {
    if sheet.rows.is_empty() {
        return Err(Error::invalid("The file has no rows below the names of its columns."));
    }
    if sheet.rows.len() > MAX_ROWS {
        return Err(too_long());
    }
    if sheet.columns.len() > MAX_COLUMNS {
        return Err(too_wide());
    }
    Ok(())
}

/// Finds the row with the names of the columns: the first with a known one, unless a fuller one of the first rows has more.
fn below_names(mut rows: Vec<SheetRow>, known: impl Fn(&[String]) -> usize) -> Result<Sheet> {
    for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
        let text = spreadsheet_cell::original(cell.trim()).trim();
        // Nothing but newlines and tabs is written in a cell on purpose.
        *cell = text.chars().filter(|it| !it.is_control() || matches!(it, '\n' | '\t')).collect();
    }
    rows.retain(|row| row.filled().next().is_some());
    let totals = rows.extract_if(.., |row| row.is_total());
    let mut skipped: Vec<_> = totals.map(|row| row.skipped(TOTAL)).collect();
    let mut best = (0, 0, 0);
    for (at, row) in rows.iter().take(MAX_TITLES).enumerate() {
        let (known, filled) = (known(&row.cells), row.filled().count());
        if known > best.1 && (best.1 == 0 || filled > best.2) {
            best = (at, known, filled);
        }
    }
    if rows.is_empty() {
        return Err(Error::invalid("The file is empty."));
    }
    let mut below = rows.split_off(best.0 + 1);
    skipped.extend(below.pop_if(|row| row.is_footer()).map(|row| row.skipped(FOOTER)));
    let columns = rows.pop().map(|row| row.cells).unwrap_or_default();
    skipped.extend(rows.iter().map(|row| row.skipped(ABOVE)));
    skipped.sort_by_key(|row| row.line);
    Ok(Sheet { columns, rows: below, skipped, sheets: None })
}
