//! Formats numbers for people.

/// A whole number with thousands separators; `–` for none.
pub(super) fn whole(value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let digits = format!("{value:.0}");
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A time in microseconds.
pub(super) fn time(microseconds: Option<f64>) -> String {
    match microseconds {
        None => "–".to_owned(),
        Some(time) if time < 1_000.0 => format!("{time:.0} µs"),
        Some(time) if time < 10_000.0 => format!("{:.2} ms", time / 1e3),
        Some(time) => format!("{:.0} ms", time / 1e3),
    }
}

/// A ratio.
pub(super) fn ratio(ratio: Option<f64>) -> String {
    match ratio {
        None => "–".to_owned(),
        Some(ratio) if ratio < 10.0 => format!("{ratio:.2}"),
        Some(ratio) if ratio < 100.0 => format!("{ratio:.1}"),
        Some(ratio) => format!("{ratio:.0}"),
    }
}

/// A tool with a number of callers.
pub(super) fn callers_of(tool: &str, callers: usize) -> String {
    format!("{tool}, {callers} {}", if callers == 1 { "caller" } else { "callers" })
}

/// Bytes as megabytes.
pub(super) fn megabytes(bytes: Option<f64>) -> String {
    bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{:.1} MB", bytes / 1e6))
}

/// A Markdown table; the first column is left-aligned, the others right-aligned.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let rule = headings.iter().enumerate();
    let rule: Vec<String> =
        rule.map(|(index, _)| if index == 0 { "---" } else { "---:" }.to_owned()).collect();
    [headings, rule].iter().chain(rows).map(|row| line(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(whole(Some(1_234_567.4)), "1,234,567");
        assert_eq!(whole(Some(12.0)), "12");
        assert_eq!(whole(None), "–");
        assert_eq!(time(Some(312.4)), "312 µs");
        assert_eq!(time(Some(1_240.0)), "1.24 ms");
        assert_eq!(ratio(Some(0.634)), "0.63");
        assert_eq!(ratio(Some(39.66)), "39.7");
        assert_eq!(
            table(&["a", "b"], &[vec!["1".into(), "2".into()]]),
            "| a | b |\n| --- | ---: |\n| 1 | 2 |\n"
        );
    }
}
