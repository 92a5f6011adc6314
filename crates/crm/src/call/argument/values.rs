//! The types of single values that several groups share, each with its limits in one constant that
//! both the schema and the validation read.

use serde_json::json;
use zoop_db::Timestamp;

use super::{Json, Parse, ParseContext, ParseError};
use crate::values::clock::parse_rfc3339;
use crate::values::country::Country;
use crate::values::email;
use crate::values::fold;
use crate::values::fold::QueryHasNoWord;
use crate::values::phone::{self, Phone};
use crate::values::text;

pub(super) fn because(problem: impl Into<String>) -> ParseError {
    ParseError::Because(problem.into())
}

/// The normalized text of a JSON string: CR LF becomes LF, and invisible characters at its ends are
/// removed. Control characters except tab and newline are rejected, and so are more than `max` Unicode
/// scalar values.
pub(super) fn clean(value: Json, max: usize) -> Result<String, ParseError> {
    let Json::Text(text) = value else {
        return Err(ParseError::another_type("must be a string", &value));
    };
    let text = if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text };
    if text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t') {
        return Err(because("must not contain control characters except tab and newline"));
    }
    let trimmed = text::trim_around(&text);
    if trimmed.is_empty() {
        return Err(ParseError::Empty);
    }
    // A text has at least as many bytes as characters, so most need no counting.
    if trimmed.len() > max && trimmed.chars().count() > max {
        return Err(because(format!("must be at most {max} characters")));
    }
    Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
}

/// A text of 1 to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

impl<const MAX: usize> Parse for Text<MAX> {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "maxLength": MAX })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        clean(value, MAX).map(Self)
    }
}

/// A free search text of at most 256 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(pub String);

impl Parse for SearchText {
    fn schema() -> serde_json::Value {
        Text::<256>::schema()
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        match clean(value, 256) {
            Ok(text) if !fold::words(&text).is_empty() => Ok(Self(text)),
            Ok(_) | Err(ParseError::Empty) => Err(because(QueryHasNoWord.text())),
            Err(other) => Err(other),
        }
    }
}

/// An e-mail address, kept as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(pub String);

impl Email {
    const MAX: usize = 254;
}

impl Parse for Email {
    fn schema() -> serde_json::Value {
        Text::<{ Self::MAX }>::schema()
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, Self::MAX)?;
        let text = text::trim(&text);
        email::check(text).map_err(|problem| because(problem.text()))?;
        if text.contains(text::is_invisible) {
            return Err(because("must not contain invisible characters: type it again"));
        }
        Ok(Self(text.to_owned()))
    }

    fn canonical(value: &Json) -> Json {
        match value {
            Json::Text(text) => Json::Text(email::search_key(text::trim(text))),
            other => other.clone(),
        }
    }
}

/// A telephone number, as typed and as E.164.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneText(pub Phone);

impl PhoneText {
    const MAX: usize = 64;
}

impl Parse for PhoneText {
    fn schema() -> serde_json::Value {
        Text::<{ Self::MAX }>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, Self::MAX)?;
        phone::parse(&text, context.country.numbering_plan())
            .map(Self)
            .map_err(|problem| because(problem.text()))
    }
}

/// A country code of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountryCode(pub Country);

impl Parse for CountryCode {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[A-Za-z]{2}$" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        Country::parse(&text)
            .map(Self)
            .ok_or_else(|| because("must be a two-letter ISO 3166-1 country code, such as US"))
    }
}

/// A color, `#RRGGBB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Color(pub String);

impl Parse for Color {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "pattern": "^#[0-9A-Fa-f]{6}$" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        let digits = text.strip_prefix('#').unwrap_or_default();
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text))
        } else {
            Err(because("must be a color as #RRGGBB, such as #3B82F6"))
        }
    }
}

macro_rules! degrees {
    ($(#[$about:meta])* $name:ident, $most:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name(pub f64);

        impl Parse for $name {
            fn schema() -> serde_json::Value {
                json!({ "type": "number", "minimum": -$most, "maximum": $most })
            }

            fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
                let problem = format!("must be a number from {} to {}", -$most, $most);
                let Json::Number(number) = &value else {
                    return Err(ParseError::another_type(&problem, &value));
                };
                number
                    .as_f64()
                    .filter(|degrees| (f64::from(-$most)..=f64::from($most)).contains(degrees))
                    .map(Self)
                    .ok_or(ParseError::Because(problem))
            }
        }
    };
}
degrees!(
    /// A latitude in decimal degrees.
    Latitude,
    90
);
degrees!(
    /// A longitude in decimal degrees.
    Longitude,
    180
);

/// A point in time, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Parse for Time {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "format": "date-time" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        parse_rfc3339(&text)
            .map(Self)
            .ok_or_else(|| because("must be an RFC 3339 time, such as 2026-01-01T00:00:00Z"))
    }

    fn canonical(value: &Json) -> Json {
        match value {
            Json::Text(text) => match parse_rfc3339(text::trim(text)) {
                Some(Timestamp(microseconds)) => {
                    let time = jiff::Timestamp::from_microsecond(microseconds);
                    Json::Text(time.map_or_else(|_| text.clone(), |time| time.to_string()))
                }
                None => value.clone(),
            },
            other => other.clone(),
        }
    }
}
