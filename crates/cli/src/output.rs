//! What a command says: its data on stdout, everything else on stderr. Nothing else in this crate
//! writes to stdout.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// The widest that a table shows a cell.
const WIDEST_CELL: usize = 60;

/// A command's stdout.
pub(crate) struct Output<'w> {
    to: &'w mut dyn Write,
    json: bool,
}

impl<'w> Output<'w> {
    /// Writes to `to`, as JSON or for people.
    pub(crate) fn new(to: &'w mut dyn Write, json: bool) -> Self {
        Self { to, json }
    }

    /// Whether one JSON object was asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// The command's answer: the JSON object as it is, or the text that people get instead.
    pub(crate) fn answer(
        &mut self,
        object: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        if self.json { self.object(object) } else { self.text(&text()) }
    }

    /// One JSON object on a line of its own.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        let line = serde_json::to_string(object)?;
        self.text(&line)
    }

    /// A text, ended by one newline, sent at once: whoever reads a pipe may wait for it.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{}", text.trim_end_matches('\n'))?;
        self.to.flush()
    }
}

/// A line on stderr for people.
pub(crate) fn note(line: &str) {
    // Nobody may be reading stderr, and that is no reason to fail.
    let _ = writeln!(io::stderr(), "{line}");
}

/// A progress bar on stderr; it shows nothing where stderr is no terminal.
pub(crate) fn progress(label: &'static str, steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_message(label);
    match ProgressStyle::with_template("{msg} [{bar:30}] {percent}%") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// The `rows` of a list as a table; a column is a heading and the key in each row.
pub(crate) fn rows(answer: &Value, columns: &[(&str, &str)]) -> String {
    let rows: Vec<Vec<String>> = answer["rows"]
        .as_array()
        .map(|rows| {
            rows.iter()
                .map(|row| columns.iter().map(|(_, key)| cell(&row[*key])).collect())
                .collect()
        })
        .unwrap_or_default();
    if rows.is_empty() {
        return "(none)".to_owned();
    }
    let headings = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    table(headings, rows)
}

/// A value as a cell or in a line of text: short, and on one line.
pub(crate) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.replace(disturbs, " "),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    if text.chars().count() > WIDEST_CELL {
        text.chars().take(WIDEST_CELL - 1).chain(['…']).collect()
    } else {
        text
    }
}

/// Whether a character does to a terminal something else than to be shown: what people typed must not
/// move the cursor, turn the writing around or hide.
fn disturbs(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

/// Lines of columns that are as wide as they must be.
fn table(headings: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let lines: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|c| c.width()).max())
        .map(|widest| widest.unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut drawn = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            drawn.push_str(cell);
            drawn.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
        }
        text.push_str(drawn.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_are_aligned_by_width_not_by_bytes() {
        let answer = json!({ "rows": [
            { "name": "清水", "scopes": ["a", "b"] },
            { "name": "Ng", "scopes": null },
        ] });
        assert_eq!(
            rows(&answer, &[("NAME", "name"), ("SCOPES", "scopes")]),
            "NAME  SCOPES\n清水  a b\nNg    -\n"
        );
        assert_eq!(rows(&json!({ "rows": [] }), &[("NAME", "name")]), "(none)");
    }

    #[test]
    fn a_cell_is_one_short_line() {
        assert_eq!(cell(&json!("one\ntwo")), "one two");
        assert_eq!(cell(&json!("a\u{1b}[2Jb\u{9b}2Jc\u{202e}d\u{e0041}e")), "a [2Jb 2Jc d e");
        assert_eq!(cell(&json!("清水 नमस्ते عربي")), "清水 नमस्ते عربي");
        assert_eq!(cell(&json!("x".repeat(100))).chars().count(), WIDEST_CELL);
    }

    #[test]
    fn an_answer_is_one_object_or_a_text() {
        let mut written = Vec::new();
        Output::new(&mut written, true).answer(&json!({"a":1}), || "one".to_owned()).unwrap();
        Output::new(&mut written, false).answer(&json!({"a":1}), || "one\n".to_owned()).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "{\"a\":1}\none\n");
    }
}
