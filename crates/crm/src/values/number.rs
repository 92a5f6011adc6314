//! The numbers by which people name records: a letter and at least four digits, such as `C-0042`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zoop_db::{Column, Kind, Param, Value};

/// Declares a kind of number and its letter.
macro_rules! numbers {
    ($($(#[$about:meta])* $name:ident = $letter:literal;)*) => { $(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub i64);

        impl $name {
            /// The letter that such a number begins with.
            pub const LETTER: char = $letter;

            /// Parses a number in either case and with any leading zeros.
            pub fn parse(text: &str) -> Option<Self> {
                digits($letter, text)?.parse().ok().map(Self)
            }
        }

        impl Param for $name {
            fn value(&self) -> Value<'_> {
                Value::Integer(self.0)
            }
        }

        impl Column for $name {
            const NAME: &'static str = stringify!($name);
            const KIND: Kind = Kind::Integer;
            fn read(value: Value<'_>) -> Option<Self> {
                i64::read(value).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}-{:04}", $letter, self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let problem = concat!("not a ", stringify!($name));
                Self::parse(&text).ok_or_else(|| de::Error::custom(problem))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    )* };
}

numbers! {
    /// A customer's number, written `C-0042`.
    CustomerNumber = 'C';
    /// A quote's number, written `Q-0042`.
    QuoteNumber = 'Q';
    /// A job's number, written `J-0042`.
    JobNumber = 'J';
}

/// The digits after a letter and a hyphen.
fn digits(letter: char, text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix([letter, letter.to_ascii_lowercase()])?;
    let digits = rest.strip_prefix('-')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for (text, number) in [
            ("Q-0042", Some(42)),
            ("q-42", Some(42)),
            (" Q-12345 ", Some(12_345)),
            ("J-1", None),
            ("Q-", None),
            ("Q-+1", None),
            ("42", None),
        ] {
            assert_eq!(QuoteNumber::parse(text), number.map(QuoteNumber), "{text}");
        }
        assert_eq!(QuoteNumber(42).to_string(), "Q-0042");
        assert_eq!(JobNumber(123_456).to_string(), "J-123456");
    }
}
