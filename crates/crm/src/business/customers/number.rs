//! A customer's number, by which people name it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zoop_db::{Column, Kind, Param, Value};

/// A customer's number in its tenant, written `C-0042`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerNumber(pub i64);

impl CustomerNumber {
    /// Parses a number such as `C-0042`, in either case and with any leading zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix(['C', 'c'])?.strip_prefix('-')?;
        let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
        digits.parse().ok().map(Self)
    }
}

impl Param for CustomerNumber {
    fn value(&self) -> Value<'_> {
        Value::Integer(self.0)
    }
}

impl Column for CustomerNumber {
    const NAME: &'static str = "CustomerNumber";
    const KIND: Kind = Kind::Integer;
    fn read(value: Value<'_>) -> Option<Self> {
        i64::read(value).map(Self)
    }
}

impl fmt::Display for CustomerNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "C-{:04}", self.0)
    }
}

impl Serialize for CustomerNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CustomerNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a customer number"))
    }
}

impl JsonSchema for CustomerNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CustomerNumber".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}
