//! Tables for people. Long cells are always cut to 60 characters. On a terminal, a table is also made to fit the width
//! as far as possible: ids are dropped first, then empty columns, then text is cut further. Programs use `--json`.

use std::io::{self, IsTerminal};

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use zoop_crm::values::size::Size;

use crate::output::cell;

/// The minimum width to which text is cut.
const MIN_TEXT_WIDTH: usize = 8;
/// The assumed width of a terminal that does not report its width.
const DEFAULT_WIDTH: usize = 80;
/// The number of spaces between two columns.
const COLUMN_GAP: usize = 2;

/// The kind of value in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text, which may be cut.
    Text,
    /// A short word, which is never cut.
    Word,
    /// A number of bytes.
    Size,
    /// A time, to the minute.
    Time,
    /// An id, which is dropped if the table is too wide.
    Id,
}

/// A column: its heading, and the key of its value in each row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    heading: &'static str,
    key: &'static str,
    kind: Kind,
}

impl Column {
    /// A column of text.
    pub(crate) const fn text(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, kind: Kind::Text }
    }

    /// A column of words that would be meaningless if cut.
    pub(crate) const fn word(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, kind: Kind::Word }
    }

    /// A column of sizes in bytes.
    pub(crate) const fn size(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, kind: Kind::Size }
    }

    /// A column of times.
    pub(crate) const fn time(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, kind: Kind::Time }
    }

    /// A column of ids.
    pub(crate) const fn id(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, kind: Kind::Id }
    }

    fn cell(self, row: &Value) -> String {
        match self.kind {
            Kind::Time => to_the_minute(&row[self.key]),
            Kind::Size => Size(row[self.key].as_u64().unwrap_or_default()).to_string(),
            Kind::Text | Kind::Word | Kind::Id => cell(&row[self.key]),
        }
    }
}

/// A time to the minute; times are always UTC.
pub(crate) fn to_the_minute(time: &Value) -> String {
    let shown = cell(time);
    shown.get(..16).map_or_else(|| shown.clone(), |minute| minute.replace('T', " "))
}

/// The width of the terminal, if stdout is a terminal.
pub(crate) fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    let size = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
    stdout.is_terminal().then(|| size.unwrap_or(DEFAULT_WIDTH))
}

/// Rows as a table, which is made to fit `width` if a width is given.
pub(crate) fn table(rows: &[Value], columns: &[Column], width: Option<usize>) -> String {
    if rows.is_empty() {
        return "(none)".to_owned();
    }
    let mut columns: Vec<(Column, Vec<String>)> = columns
        .iter()
        .map(|column| {
            let heading = std::iter::once(column.heading.to_owned());
            (*column, heading.chain(rows.iter().map(|row| column.cell(row))).collect())
        })
        .collect();
    if let Some(width) = width {
        fit(&mut columns, width);
    }
    let lines = (0..=rows.len()).map(|line| {
        let mut text = String::new();
        for (_, cells) in &columns {
            let padding = widest(cells).saturating_sub(cells[line].width()) + COLUMN_GAP;
            text.push_str(&cells[line]);
            text.extend(std::iter::repeat_n(' ', padding));
        }
        format!("{}\n", text.trim_end())
    });
    lines.collect()
}

fn widest(cells: &[String]) -> usize {
    cells.iter().map(|cell| cell.width()).max().unwrap_or_default()
}

/// Narrows the columns until they fit, in this order: drops ids, drops empty columns, cuts the widest texts down to
/// [`MIN_TEXT_WIDTH`], and drops text columns from the last one on, but not the first column. If that is not enough, the
/// table stays too wide.
fn fit(columns: &mut Vec<(Column, Vec<String>)>, width: usize) {
    let is_empty = |cells: &[String]| cells[1..].iter().all(|cell| cell == "-");
    loop {
        let all: usize = columns.iter().map(|(_, cells)| widest(cells) + COLUMN_GAP).sum();
        let excess = all.saturating_sub(COLUMN_GAP).saturating_sub(width);
        if excess == 0 || columns.len() == 1 {
            return;
        }
        let spare = columns
            .iter()
            .rposition(|(column, _)| column.kind == Kind::Id)
            .or_else(|| columns.iter().rposition(|(_, cells)| is_empty(cells)));
        if let Some(index) = spare {
            columns.remove(index);
            continue;
        }
        let texts = columns.iter_mut().filter(|(column, _)| column.kind == Kind::Text);
        let Some((_, cells)) = texts.max_by_key(|(_, cells)| widest(cells)) else { return };
        let current = widest(cells);
        if current > MIN_TEXT_WIDTH {
            // In small steps, so that two long texts shrink equally.
            let step = excess.min(4).min(current - MIN_TEXT_WIDTH);
            for cell in cells.iter_mut() {
                *cell = cut(cell, current - step);
            }
        } else {
            let last = columns.iter().rposition(|(column, _)| column.kind == Kind::Text);
            match last {
                Some(index) if index > 0 => drop(columns.remove(index)),
                _ => return,
            }
        }
    }
}

/// The text, cut to a width.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut taken = 0;
    // The text may have been cut before.
    for character in text.trim_end_matches('…').chars() {
        taken += character.width().unwrap_or_default();
        if taken >= width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

/// Wraps text into lines of at most `width`, except for longer words, which are not broken. The first line keeps the
/// text's indentation; the other lines begin with `indent`.
pub(crate) fn wrap(text: &str, width: usize, indent: &str) -> String {
    let words = text.trim_start_matches(' ');
    let mut lines = " ".repeat(text.len() - words.len());
    let mut taken = lines.len();
    for (index, word) in words.split(' ').enumerate() {
        if index > 0 && taken + 1 + word.width() > width {
            lines.push('\n');
            lines.push_str(indent);
            taken = indent.width();
        } else if index > 0 {
            lines.push(' ');
            taken += 1;
        }
        lines.push_str(word);
        taken += word.width();
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] =
        &[Column::text("NAME", "name"), Column::time("MADE", "at"), Column::id("ID", "id")];

    #[test]
    fn tables_are_aligned_by_width_not_by_bytes() {
        let columns = [Column::text("NAME", "name"), Column::text("SCOPES", "scopes")];
        let rows = [
            json!({ "name": "清水", "scopes": ["a", "b"] }),
            json!({ "name": "Ng", "scopes": null }),
        ];
        assert_eq!(table(&rows, &columns, None), "NAME  SCOPES\n清水  a b\nNg    -\n");
        assert_eq!(table(&[], &columns, None), "(none)");
    }

    #[test]
    fn a_table_is_narrowed_only_for_a_terminal() {
        let row = json!({ "name": "A business with quite a long name", "at": "2026-11-29T10:20:30Z",
            "id": "0198c0de-0000-7000-8000-000000000000" });
        let rows = [row];
        let whole = table(&rows, COLUMNS, None);
        assert!(whole.contains("quite a long name  2026-11-29 10:20  0198c0de"), "{whole}");
        let fitted = table(&rows, COLUMNS, Some(60));
        assert!(!fitted.contains("0198c0de") && fitted.contains("long name  2026"), "{fitted}");
        for width in [30, 40, 50] {
            let fitted = table(&rows, COLUMNS, Some(width));
            assert!(fitted.lines().all(|line| line.width() <= width), "{fitted}");
            assert!(fitted.contains("…  2026-11-29 10:20"), "{fitted}");
        }
    }

    #[test]
    fn empty_columns_are_dropped_before_texts_are_cut() {
        let columns = [
            Column::text("NAME", "name"),
            Column::word("BEGINS", "hint"),
            Column::time("USED", "used"),
            Column::text("LIMIT", "limit"),
        ];
        let row = json!({ "name": "Name of a key", "hint": "zoop_uk_abcd", "limit": "unlimited" });
        let rows = [row];
        let fitted = table(&rows, &columns, Some(38));
        assert_eq!(fitted.lines().next(), Some("NAME           BEGINS        LIMIT"));
        let fitted = table(&rows, &columns, Some(22));
        assert_eq!(fitted, "NAME      BEGINS\nName of…  zoop_uk_abcd\n");
    }

    #[test]
    fn words_are_not_broken() {
        assert_eq!(wrap("one two three", 7, "  "), "one two\n  three");
        assert_eq!(wrap("  aaaaaaaaaa b", 4, "   "), "  aaaaaaaaaa\n   b");
    }
}
