//! The name of a file in `Content-Disposition`, sent and received.
//!
//! Sources: RFC 6266; RFC 8187 for `filename*`.

use std::fmt::Write;

/// The name in a header, if it has one. The form for names that are not ASCII goes before the other.
pub(super) fn name(header: &str) -> Option<String> {
    let extended = parameter(header, "filename*").and_then(|it| extended(&it));
    extended.or_else(|| parameter(header, "filename"))
}

/// The value of a parameter of a header. The first one counts.
pub(super) fn parameter(header: &str, name: &str) -> Option<String> {
    let found = parameters(header).into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

/// The parameters after the type. Quoted values are unquoted. A parameter without a value is skipped.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while !rest.is_empty() {
        let end = rest.find([';', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            rest = after.strip_prefix(';').unwrap_or_default();
            continue;
        };
        let value = value.trim_start();
        let (value, after) = if let Some(quoted) = value.strip_prefix('"') {
            unquote(quoted)
        } else {
            let (value, after) = value.split_at(value.find(';').unwrap_or(value.len()));
            (value.trim_end().to_owned(), after)
        };
        parameters.push((name.trim().to_owned(), value));
        rest = after.split_once(';').map_or("", |(_, rest)| rest);
    }
    parameters
}

/// The text up to the closing quote, and what follows it.
fn unquote(quoted: &str) -> (String, &str) {
    let (mut text, mut is_escaped) = (String::new(), false);
    for (at, character) in quoted.char_indices() {
        match character {
            _ if is_escaped => {
                // Some programs send folders without escaping their separators.
                if !matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => return (text, &quoted[at + 1..]),
            _ => text.push(character),
        }
    }
    (text, "")
}

/// The text of `UTF-8''percent-encoded`.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let (mut bytes, mut rest) = (Vec::new(), encoded.as_bytes());
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, after) {
            let digits = [*high, *low];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The header for a file that is sent: shown by the browser, or saved.
pub(crate) fn header(is_shown: bool, name: &str) -> String {
    let kind = if is_shown { "inline" } else { "attachment" };
    let plain: String = name
        .chars()
        .map(|it| {
            if it.is_ascii_graphic() && !matches!(it, '"' | '\\' | '%') || it == ' ' {
                it
            } else {
                '_'
            }
        })
        .collect();
    let mut header = format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        // Writing to a string cannot fail.
        let _ = if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            write!(header, "{}", char::from(byte))
        } else {
            write!(header, "%{byte:02X}")
        };
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_every_form_that_programs_send() {
        for (sent, expected) in [
            ("attachment; filename=\"meter.jpg\"", Some("meter.jpg")),
            ("attachment;filename=meter.jpg", Some("meter.jpg")),
            ("attachment; filename=\"C:\\photos\\meter.jpg\"", Some("C:\\photos\\meter.jpg")),
            ("form-data; name=\"file\"; filename=\"a; b=\\\"c\\\".txt\"", Some("a; b=\"c\".txt")),
            (
                "attachment; filename=\"f.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe+1.txt",
                Some("Grüße+1.txt"),
            ),
            ("attachment; FileName*=utf-8'de'a%20b", Some("a b")),
            ("attachment; filename=\"f.txt\"; filename*=UTF-8''%zz", Some("f.txt")),
            ("attachment; filename*=UTF-8''%", Some("%")),
            ("attachment; filename=\"open", Some("open")),
            ("attachment; x; filename=\"a.txt\"", Some("a.txt")),
            ("attachment; x ;y; filename=a.txt; filename=b.txt", Some("a.txt")),
            ("attachment; x=\"1; filename=2\"; filename=a.txt", Some("a.txt")),
            ("attachment;; filename=a.txt", Some("a.txt")),
            ("a=b; filename=a.txt", Some("a.txt")),
            ("attachment", None),
            ("attachment; filename", None),
            ("attachment; x; filename", None),
            ("", None),
        ] {
            assert_eq!(name(sent).as_deref(), expected, "{sent}");
        }
    }

    #[test]
    fn a_name_that_is_sent_is_read_again() {
        for sent in ["meter.jpg", "Grüße \"1\" 100%.txt", "a;b=c\\d.pdf", "🏡"] {
            let header = header(false, sent);
            assert!(header.is_ascii(), "{header}");
            assert_eq!(name(&header).as_deref(), Some(sent), "{header}");
        }
    }
}
