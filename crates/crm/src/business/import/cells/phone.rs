//! Phone numbers in one cell.

use crate::values::phone::{self, NumberingPlan, Phone};

/// What a cell with phone numbers has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::business::import) struct Phones {
    /// The numbers that are certain.
    pub(in crate::business::import) numbers: Vec<Phone>,
    /// Whether the cell has anything else.
    pub(in crate::business::import) has_more: bool,
}

/// What stands between two numbers.
const BETWEEN: &[&str] = &["\n", "/", ";", ",", "|", " or ", " and ", " & ", ":::"];
/// Words that say what kind of number it is.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "cell", "mobile", "home", "work", "office", "phone", "tel", "main", "primary", "business", "other", "c", "h", "w", "m", "o",
];
/// A number has no fewer digits, whatever the country.
const MIN_DIGITS: usize = 7;

/// Reads a cell.
pub(in crate::business::import) fn read(cell: &str, plan: NumberingPlan) -> Phones {
    let mut found = Phones::default();
    let mut parts = vec![cell.to_owned()];
    for between in BETWEEN {
        parts = parts.iter().flat_map(|part| part.split(between)).map(str::to_owned).collect();
    }
    let says_something = |part: &&str| part.contains(char::is_alphanumeric);
    for part in parts.iter().map(|part| without_label(part)).filter(says_something) {
        match number(part, plan) {
            Some((number, is_all)) => {
                found.has_more |= !is_all;
                if !found.numbers.iter().any(|known| known.e164() == number.e164()) {
                    found.numbers.push(number);
                }
            }
            None => found.has_more = true,
        }
    }
    found
}

/// A number, and whether the text has nothing else.
fn number(text: &str, plan: NumberingPlan) -> Option<(Phone, bool)> {
    let end = text.find(|letter: char| letter.is_alphabetic()).unwrap_or(text.len());
    let rest = text[end..].to_ascii_lowercase();
    let extension =
        ["extension", "ext.", "ext", "x"].into_iter().find_map(|it| rest.strip_prefix(it));
    let is_extension = extension.is_some_and(|rest| {
        let rest = rest.trim();
        !rest.is_empty() && rest.chars().all(|it| it.is_ascii_digit())
    });
    let (written, is_all) =
        if is_extension { (text, true) } else { (text[..end].trim(), rest.is_empty()) };
    let written = written.trim_end_matches(['(', '-', ' ', '.']);
    if written.chars().filter(char::is_ascii_digit).count() < MIN_DIGITS {
        return None;
    }
    Some((phone::parse(written, plan).ok()?, is_all))
}

/// A number without `Cell:` in front or `(cell)` behind.
fn without_label(part: &str) -> &str {
    let part = part.trim();
    let is_label = |text: &str| {
        let text = text.trim_matches(|it: char| !it.is_alphanumeric()).to_ascii_lowercase();
        text.is_empty() || LABELS.contains(&&*text)
    };
    let start = part.find(|it: char| it.is_ascii_digit() || it == '+' || it == '(').unwrap_or(0);
    let part = if is_label(&part[..start]) { &part[start..] } else { part };
    let end = part.rfind(|it: char| it.is_ascii_digit()).map_or(part.len(), |at| at + 1);
    if is_label(&part[end..]) { part[..end].trim() } else { part.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_where_they_are_certain() {
        for (cell, expected, has_more) in [
            ("510-555-0123", vec!["+15105550123"], false),
            ("(510) 555-0123 / 510-555-0124", vec!["+15105550123", "+15105550124"], false),
            ("510-555-0123\n510-555-0124", vec!["+15105550123", "+15105550124"], false),
            ("510-555-0123, 510.555.0123", vec!["+15105550123"], false),
            ("Cell: 510-555-0123", vec!["+15105550123"], false),
            ("510-555-0123 (cell)", vec!["+15105550123"], false),
            ("510-555-0123 x12", vec!["+15105550123"], false),
            ("510-555-0123 ext. 12", vec!["+15105550123"], false),
            ("510-555-0123 / 0124 ask for Al", vec!["+15105550123"], true),
            ("510-555-0123 ask for Al", vec!["+15105550123"], true),
            ("555-0123", vec![], true),
            ("call the office", vec![], true),
            ("", vec![], false),
            ("-", vec![], false),
        ] {
            let found = read(cell, NumberingPlan::US);
            let numbers: Vec<_> = found.numbers.iter().map(Phone::e164).collect();
            assert_eq!((numbers, found.has_more), (expected, has_more), "{cell}");
        }
    }
}
