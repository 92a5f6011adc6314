//! Parts of one.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::decimal;

/// The number of decimals.
const DECIMALS: u32 = 6;

/// A part of one, in millionths: a percentage as programs calculate with it, such as `0.0825`. A JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction(u32);

impl Fraction {
    /// So many millionths.
    #[must_use]
    pub(super) const fn of_millionths(millionths: u32) -> Self {
        Self(millionths)
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1_000_000 {
            0 => serializer.serialize_u32(self.0 / 1_000_000),
            _ => serializer.serialize_f64(f64::from(self.0) / 1_000_000.0),
        }
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let millionths = decimal::read(&decimal::digits(&number), DECIMALS).ok();
        let millionths = millionths.and_then(|number| u32::try_from(number).ok());
        millionths.map(Self).ok_or_else(|| de::Error::custom("not a part of one"))
    }
}

impl schemars::JsonSchema for Fraction {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fraction".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}
