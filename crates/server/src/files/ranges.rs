//! Which part of a file is asked for, and whether the caller has it already.
//!
//! Source: RFC 9110, 13 and 14.

use std::ops::Range;

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    Whole,
    /// A part.
    Part(Range<u64>),
    /// A part that is not in the file.
    Nothing,
    /// Nothing, because the caller has it.
    Known,
}

/// What the headers of a request ask of a file of this size with this tag. Several ranges at once are answered with all
/// of it, which the standard allows.
pub(super) fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let is_known = |list: &str| {
        list.split(',').map(str::trim).any(|it| it == "*" || it.trim_start_matches("W/") == tag)
    };
    if text(IF_NONE_MATCH).is_some_and(is_known) {
        return Asked::Known;
    }
    if text(IF_RANGE).is_some_and(|it| it != tag) {
        return Asked::Whole;
    }
    let range = text(RANGE).and_then(|it| it.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|it| it.trim().split_once('-')) else {
        return Asked::Whole;
    };
    let part = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(length)) if first.is_empty() => size.saturating_sub(length)..size,
        _ => return Asked::Whole,
    };
    if part.is_empty() { Asked::Nothing } else { Asked::Part(part) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_part_is_asked_for_in_three_forms() {
        for (range, expected) in [
            ("bytes=0-3", Asked::Part(0..4)),
            ("bytes=4-", Asked::Part(4..10)),
            ("bytes=-4", Asked::Part(6..10)),
            ("bytes=-40", Asked::Part(0..10)),
            ("bytes=8-100", Asked::Part(8..10)),
            ("bytes=8-18446744073709551615", Asked::Part(8..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=3-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("lines=0-3", Asked::Whole),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
            assert_eq!(asked(&headers, "\"tag\"", 10), expected, "{range}");
        }
    }

    #[test]
    fn what_the_caller_has_is_not_sent_again() {
        let range = (RANGE, HeaderValue::from_static("bytes=0-3"));
        for (name, tag, expected) in [
            (IF_NONE_MATCH, "\"tag\"", Asked::Known),
            (IF_NONE_MATCH, "\"a\", W/\"tag\"", Asked::Known),
            (IF_NONE_MATCH, "*", Asked::Known),
            (IF_NONE_MATCH, "\"a\"", Asked::Part(0..4)),
            (IF_RANGE, "\"tag\"", Asked::Part(0..4)),
            (IF_RANGE, "\"a\"", Asked::Whole),
        ] {
            let headers = HeaderMap::from_iter([
                range.clone(),
                (name.clone(), HeaderValue::from_static(tag)),
            ]);
            assert_eq!(asked(&headers, "\"tag\"", 10), expected, "{name}: {tag}");
        }
    }
}
