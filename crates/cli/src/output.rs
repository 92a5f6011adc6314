//! A command's output: data goes to stdout, everything else to stderr. Nothing else in this crate writes to
//! stdout.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use zoop_crm::values::text::is_invisible;

use crate::table::{self, Column};

/// The maximum width of a cell in a table.
const MAX_CELL_WIDTH: usize = 60;

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

    /// Whether `--json` was given.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Writes the command's answer: the object as JSON, or the text for people.
    pub(crate) fn answer(
        &mut self,
        object: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        if self.json { self.object(object) } else { self.text(&text()) }
    }

    /// Writes one JSON object, on a line of its own.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        let line = serde_json::to_string(object)?;
        self.text(&line)
    }

    /// Writes text and one newline, and flushes both: the reader of a pipe may be waiting for them.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{}", text.trim_end_matches('\n'))?;
        self.to.flush()
    }
}

/// Writes a line for people to stderr.
pub(crate) fn note(line: &str) {
    // A closed stderr must not make the command fail.
    let _ = writeln!(io::stderr(), "{line}");
}

/// A progress bar on stderr; hidden if stderr is not a terminal.
pub(crate) fn progress(label: &'static str, steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_message(label);
    match ProgressStyle::with_template("{msg} [{bar:30}] {percent}%") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// Rows as a table that fits the terminal.
pub(crate) fn render_table<'r, R: Serialize + 'r>(
    rows: impl IntoIterator<Item = &'r R>,
    columns: &[Column],
) -> String {
    // Rows of this program's own types can always be serialized.
    let rows: Vec<Value> =
        rows.into_iter().filter_map(|row| serde_json::to_value(row).ok()).collect();
    table::table(&rows, columns, table::terminal_width())
}

/// The text, followed by the notice (if any) on its own line.
pub(crate) fn with_notice(text: String, notice: Option<&str>) -> String {
    match notice {
        Some(notice) => format!("{text}\n{notice}"),
        None => text,
    }
}

/// A value as short text on one line, for a cell or a sentence. Characters that are invisible or change
/// the direction of text become a space, so that they hide nothing.
pub(crate) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    let text = text.replace(is_invisible, " ");
    if text.chars().count() > MAX_CELL_WIDTH {
        text.chars().take(MAX_CELL_WIDTH - 1).chain(['…']).collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_short_and_on_one_line() {
        assert_eq!(cell(&json!("one\ntwo")), "one two");
        assert_eq!(cell(&json!("a\u{1b}[2Jb\u{9b}2Jc\u{202e}d\u{e0041}e")), "a [2Jb 2Jc d e");
        for hidden in
            "\u{ad}\u{61c}\u{200b}\u{200f}\u{2060}\u{2800}\u{3164}\u{2069}\u{feff}".chars()
        {
            assert_eq!(cell(&json!(format!("a{hidden}b"))), "a b", "{hidden:?}");
            assert_eq!(cell(&json!({ "a": format!("a{hidden}b") })), "{\"a\":\"a b\"}");
        }
        assert_eq!(cell(&json!("清水 नमस्ते عربي")), "清水 नमस्ते عربي");
        assert_eq!(cell(&json!("x".repeat(100))).chars().count(), MAX_CELL_WIDTH);
    }

    #[test]
    fn an_answer_is_one_json_object_or_text() {
        let mut written = Vec::new();
        Output::new(&mut written, true).answer(&json!({"a":1}), || "one".to_owned()).unwrap();
        Output::new(&mut written, false).answer(&json!({"a":1}), || "one\n".to_owned()).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "{\"a\":1}\none\n");
    }
}
