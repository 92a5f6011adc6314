//! U+2028 and U+2029 in JSON, written as escapes.
//!
//! JSON allows both characters unescaped, but they break clients that read line by line or parse JSON as
//! JavaScript. Both can occur only inside strings, so replacing each with an escape is safe.

use std::borrow::Cow;

/// JSON with the two characters escaped. JSON without them, which is the usual case, is not copied.
pub(crate) fn escape(json: &str) -> Cow<'_, str> {
    if find(json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    Cow::Owned(json.replace('\u{2028}', r"\u2028").replace('\u{2029}', r"\u2029"))
}

/// Escapes the two characters in the JSON in `out` from `start` on.
pub(crate) fn escape_from(out: &mut Vec<u8>, start: usize) {
    let Some(first) = find(&out[start..]) else { return };
    let tail = out.split_off(start + first);
    let mut rest = tail.as_slice();
    while let Some(at) = find(rest) {
        out.extend(&rest[..at]);
        out.extend(if rest[at + 2] == 0xa8 { br"\u2028" } else { br"\u2029" });
        rest = &rest[at + 3..];
    }
    out.extend(rest);
}

/// The index of the first of the two characters: the bytes E2 80 A8 or E2 80 A9.
fn find(json: &[u8]) -> Option<usize> {
    memchr::memchr_iter(0xe2, json)
        .find(|at| matches!(json.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_escaped_and_nothing_else() {
        for (plain, escaped) in [
            ("\"a\u{2028}b\u{2029}\u{2028}\"", r#""a\u2028b\u2029\u2028""#),
            (
                "\"\u{2027}\u{202a}\u{20a8}é\u{2019}\u{e2}\"",
                "\"\u{2027}\u{202a}\u{20a8}é\u{2019}\u{e2}\"",
            ),
            ("", ""),
        ] {
            assert_eq!(escape(plain), escaped);
            let mut out = b"\xe2\x80\xa8".to_vec();
            out.extend(plain.as_bytes());
            escape_from(&mut out, 3);
            assert_eq!(&out[3..], escaped.as_bytes());
            assert_eq!(&out[..3], b"\xe2\x80\xa8", "what comes before is unchanged");
        }
    }
}
