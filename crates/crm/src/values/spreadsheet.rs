//! Tables for spreadsheets: CSV as RFC 4180 says, in UTF-8 with a mark at the beginning that says so, without cells that a
//! spreadsheet would run as formulas.

use crate::values::spreadsheet_cell::harmless;

/// What a table with columns of these names begins with.
pub fn begin(columns: &[&str]) -> Vec<u8> {
    let mut begin = "\u{feff}".as_bytes().to_vec();
    begin.extend(row(columns.iter().copied()));
    begin
}

/// A row of a table.
pub fn row<'c>(cells: impl IntoIterator<Item = &'c str>) -> Vec<u8> {
    let mut row =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let cells: Vec<_> = cells.into_iter().map(harmless).collect();
    // Writing to memory does not fail.
    let _ = row.write_record(cells.iter().map(|cell| cell.as_bytes()));
    row.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_quoted_where_it_must_be() {
        let text = |row: Vec<u8>| String::from_utf8(row).expect("UTF-8");
        assert_eq!(
            text(row(["a", "", "b,c", "d\"e", "f\r\ng", "=h"])),
            "a,,\"b,c\",\"d\"\"e\",\"f\r\ng\",'=h\r\n"
        );
        assert_eq!(text(begin(&["Name", "E-mail"])), "\u{feff}Name,E-mail\r\n");
    }
}
