//! Cells of files for spreadsheets: a text that a spreadsheet would run as a formula gets an apostrophe in front, and
//! loses it when the file is read.

use std::borrow::Cow;

/// What begins a formula in a spreadsheet program. Some programs skip white space in front of it.
const BEGINS_FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// The text as a cell that no spreadsheet program runs.
///
/// A text that begins a formula gets one apostrophe in front, even after apostrophes of its own. A number is not a
/// formula, so numbers with a sign stay as they are, such as telephone numbers in E.164.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if begins_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text of a cell that [`harmless`] wrote. A cell that it cannot have changed stays as it is.
pub fn original(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| begins_formula(text)).unwrap_or(cell)
}

fn begins_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(BEGINS_FORMULA) && !is_whole_number(text)
}

/// Whether a text consists of digits, after at most one sign.
fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_begins_a_formula_is_changed() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("+1 510 555 0123", "'+1 510 555 0123"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("-", "'-"),
            ("'=1", "''=1"),
            ("'-5", "''-5"),
        ] {
            assert_eq!(harmless(text), cell);
            assert_eq!(original(cell), text);
        }
        for text in ["", "+15105550123", "-5", "5", "Ng", "'tis", "'", "''", "a=1", "1-2"] {
            assert_eq!(harmless(text), text);
            assert_eq!(original(text), text);
        }
    }

    /// Texts in which the characters that matter are frequent.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof!["['=+@\t\r\n-]{0,4}[0-9a]{0,3}.{0,3}", any::<String>()]
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in texts()) {
            let cell = harmless(&text);
            prop_assert_eq!(original(&cell), text.as_str());
        }

        #[test]
        fn no_cell_begins_a_formula(text in texts()) {
            let cell = harmless(&text);
            prop_assert!(!cell.starts_with(BEGINS_FORMULA) || is_whole_number(&cell));
        }
    }
}
