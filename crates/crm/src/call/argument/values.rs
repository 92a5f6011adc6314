//! The value types that several groups share. Each has its limits in one constant, which both the schema and
//! the validation use.

use serde_json::json;

use super::{Json, Parse, ParseContext, ParseError};
use crate::values::country::Country;
use crate::values::currency::Currency;
use crate::values::email;
use crate::values::fold;
use crate::values::fold::QueryHasNoWord;
use crate::values::phone::{self, Phone};
use crate::values::text;
use crate::values::zone::Zone;

pub(super) fn invalid(problem: impl Into<String>) -> ParseError {
    ParseError::Invalid(problem.into())
}

/// The normalized text of a JSON string: CR LF becomes LF, and invisible characters at the ends are removed.
/// Control characters except tab and newline are rejected, as is text that is blank or longer than `max`
/// Unicode scalar values.
pub(super) fn clean(value: Json, max: usize) -> Result<String, ParseError> {
    let Json::Text(text) = value else {
        return Err(ParseError::wrong_type("must be a string", &value));
    };
    let text = if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text };
    if text.chars().any(|it| it.is_control() && it != '\n' && it != '\t') {
        return Err(invalid("must not contain control characters except tab and newline"));
    }
    let trimmed = text::trim_keeping_modifiers(&text);
    if trimmed.is_empty() {
        return Err(ParseError::Empty);
    }
    // A string has at least as many bytes as characters, so most strings need no counting.
    if trimmed.len() > max && trimmed.chars().count() > max {
        return Err(invalid(format!("must be at most {max} characters")));
    }
    Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
}

/// Text of 1 to `MAX` characters.
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

/// The text of a search: at most 256 characters, with at least one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(pub String);

impl SearchText {
    const MAX: usize = 256;
}

impl Parse for SearchText {
    fn schema() -> serde_json::Value {
        Text::<{ Self::MAX }>::schema()
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        match clean(value, Self::MAX) {
            Ok(text) if !fold::words(&text).is_empty() => Ok(Self(text)),
            Ok(_) | Err(ParseError::Empty) => Err(invalid(QueryHasNoWord.text())),
            Err(other) => Err(other),
        }
    }
}

/// An e-mail address as typed, without invisible characters at its ends.
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
        email::check(text).map_err(|problem| invalid(problem.text()))?;
        if text.contains(text::is_invisible) {
            return Err(invalid(
                "must not contain invisible characters: type it again without them",
            ));
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
pub struct PhoneNumber(pub Phone);

impl PhoneNumber {
    const MAX: usize = 64;
}

impl Parse for PhoneNumber {
    fn schema() -> serde_json::Value {
        Text::<{ Self::MAX }>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, Self::MAX)?;
        phone::parse(&text, context.country.numbering_plan())
            .map(Self)
            .map_err(|problem| invalid(problem.text()))
    }
}

/// An ISO 3166-1 alpha-2 country code, in either case.
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
            .ok_or_else(|| invalid("must be a two-letter ISO 3166-1 country code, such as US"))
    }
}

/// The name of a time zone in the IANA database, or its city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneName(pub Zone);

impl Parse for ZoneName {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        Zone::parse(&text).map(Self).ok_or_else(|| {
            invalid("must be an IANA time zone or its city, such as America/Chicago or Chicago")
        })
    }
}

/// An ISO 4217 currency code, in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

impl Parse for CurrencyCode {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[A-Za-z]{3}$" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        Currency::parse(&text)
            .map(Self)
            .ok_or_else(|| invalid("must be a three-letter ISO 4217 currency code, such as USD"))
    }
}

/// A color in the form `#RRGGBB`.
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
            Err(invalid("must be a color in the form #RRGGBB, such as #3B82F6"))
        }
    }
}

macro_rules! degrees {
    ($(#[$about:meta])* $name:ident, $max:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name(pub f64);

        impl Parse for $name {
            fn schema() -> serde_json::Value {
                json!({ "type": "number", "minimum": -$max, "maximum": $max })
            }

            fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
                let problem = format!("must be a number from {} to {}", -$max, $max);
                let Json::Number(number) = &value else {
                    return Err(ParseError::wrong_type(&problem, &value));
                };
                number
                    .as_f64()
                    .filter(|degrees| (f64::from(-$max)..=f64::from($max)).contains(degrees))
                    .map(Self)
                    .ok_or(ParseError::Invalid(problem))
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
