//! Text files: their encoding and their delimiter, found from their content.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{MAX_COLUMNS, MAX_ROWS, MAX_TITLES, SheetRow, too_long, too_wide};
use crate::call::error::{Error, Result};

/// The delimiters that programs write, the usual one first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many records are read to find the delimiter.
const SAMPLED: usize = 30;
/// How many bytes are looked at to find the encoding of a text without a byte order mark.
const SAMPLED_BYTES: usize = 1_000;

/// The text of a file: in the encoding of its byte order mark, or else UTF-8, UTF-16 or Windows-1252, the first that fits.
pub fn decoded(bytes: &[u8]) -> String {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if is_nearly_utf_8(bytes) => UTF_8,
        None => without_mark(bytes),
    };
    encoding.decode(bytes).0.into_owned()
}

/// Whether bytes are UTF-8. A file that a program has damaged in one place still is.
fn is_nearly_utf_8(bytes: &[u8]) -> bool {
    if bytes.contains(&0) {
        return false;
    }
    let (mut wide, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        wide += chunk.valid().chars().filter(|it| !it.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    invalid == 0 || wide > 4 * invalid
}

/// UTF-16 has a zero in every other byte of European text. Any bytes are Windows-1252.
fn without_mark(bytes: &[u8]) -> &'static Encoding {
    let pairs = || bytes[..bytes.len().min(SAMPLED_BYTES)].as_chunks::<2>().0.iter();
    let zeros = |at: usize| pairs().filter(|pair| pair[at] == 0).count();
    let half = pairs().count() / 2;
    match (zeros(0), zeros(1)) {
        (_, low) if low > half => UTF_16LE,
        (high, _) if high > half => UTF_16BE,
        _ => WINDOWS_1252,
    }
}

/// The records of a text.
pub(super) fn rows(text: &str) -> Result<Vec<SheetRow>> {
    // The line of a record would be wrong.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (named, text) = without_named_delimiter(&text);
    let delimiter = named.unwrap_or_else(|| delimiter(text));
    let skipped = u32::from(named.is_some());
    let (mut rows, mut last) = (Vec::new(), 0);
    for record in reader(text, delimiter).records() {
        let record = record.map_err(|error| {
            Error::invalid(format!("The file cannot be read as a table: {error}."))
        })?;
        last = record.position().map_or(last, csv::Position::byte);
        let line = record.position().map_or(0, csv::Position::line);
        let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(skipped);
        let filled = record.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
        let filled = filled.last().map_or(0, |(last, _)| last + 1);
        if filled > MAX_COLUMNS {
            return Err(too_wide());
        }
        if filled > 0 {
            rows.push(SheetRow {
                line,
                cells: record.iter().take(filled).map(str::to_owned).collect(),
            });
        }
        if rows.len() > MAX_ROWS + MAX_TITLES {
            return Err(too_long());
        }
    }
    let last = usize::try_from(last).unwrap_or_default();
    if let Some(at) = unclosed_quote(text, last, delimiter) {
        let line = text[..at].matches('\n').count() + 1 + usize::from(named.is_some());
        return Err(Error::invalid(format!(
            "A quotation mark in line {line} is never closed, so all that follows would be one cell: close it, or \
             delete it."
        )));
    }
    Ok(rows)
}

/// Where a quotation mark begins a cell that ends only with the file, in the record that begins at `start`.
fn unclosed_quote(text: &str, start: usize, delimiter: u8) -> Option<usize> {
    let (mut opened, mut begins_cell) = (None, true);
    let mut bytes = text.bytes().enumerate().skip(start).peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'"' && opened.is_some() {
            // Two of them stand for one in the text.
            if bytes.next_if(|(_, next)| *next == b'"').is_none() {
                opened = None;
            }
        } else if byte == b'"' && begins_cell {
            opened = Some(at);
        }
        begins_cell = opened.is_none() && (byte == delimiter || byte == b'\n');
    }
    opened
}

/// Excel may write the delimiter into a first line of its own, such as `sep=;`.
fn without_named_delimiter(text: &str) -> (Option<u8>, &str) {
    let line = text.lines().next().unwrap_or_default();
    match line.strip_prefix("sep=").map(str::as_bytes) {
        Some([delimiter]) if delimiter.is_ascii() => {
            let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
            (Some(*delimiter), rest)
        }
        _ => (None, text),
    }
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// The delimiter that gives the first records most columns in most records.
fn delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let records = reader(text, delimiter).into_records().take(SAMPLED);
        let widths: Vec<_> = records.filter_map(Result::ok).map(|record| record.len()).collect();
        let usual = |width: usize| widths.iter().filter(|it| **it == width).count();
        let best = widths.iter().filter(|width| **width > 1).map(|width| usual(*width) * width);
        best.max().unwrap_or_default()
    };
    let mut best = (0, DELIMITERS[0]);
    for candidate in DELIMITERS {
        let score = score(candidate);
        if score > best.0 {
            best = (score, candidate);
        }
    }
    best.1
}
