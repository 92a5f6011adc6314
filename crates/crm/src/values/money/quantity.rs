//! Quantities.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::decimal::{self, Malformed};

/// How many: more than 0, at most 999,999.999, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(u32);

impl Quantity {
    /// The number of decimals of a quantity.
    pub const DECIMALS: u32 = 3;
    /// One.
    pub const ONE: Self = Self(1_000);
    /// The least quantity.
    pub const LEAST: Self = Self(1);
    /// The greatest quantity.
    pub const GREATEST: Self = Self(999_999_999);

    /// A quantity in thousandths. `None` if it is out of range.
    #[must_use]
    pub fn new(thousandths: i64) -> Option<Self> {
        let thousandths = u32::try_from(thousandths).ok()?;
        (Self::LEAST.0..=Self::GREATEST.0).contains(&thousandths).then_some(Self(thousandths))
    }

    /// The quantity in thousandths.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// Reads a quantity such as `2.5`.
    ///
    /// # Errors
    /// [`Malformed::Size`] if it is out of range.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let thousandths = i64::try_from(decimal::read(text, Self::DECIMALS)?);
        thousandths.ok().and_then(Self::new).ok_or(Malformed::Size)
    }

    /// The quantity without zeros at the end, such as `2.5`.
    pub fn text(self) -> String {
        decimal::write(i64::from(self.0), Self::DECIMALS, 0)
    }
}

/// A JSON number. The nearest float of a number with so few digits is written with just these digits.
impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1_000 {
            0 => serializer.serialize_u32(self.0 / 1_000),
            _ => serializer.serialize_f64(f64::from(self.0) / 1_000.0),
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        Self::parse(&decimal::digits(&number)).map_err(|_| de::Error::custom("not a quantity"))
    }
}

impl schemars::JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}

impl zoop_db::Param for Quantity {
    fn value(&self) -> zoop_db::Value<'_> {
        zoop_db::Value::Integer(i64::from(self.0))
    }
}

impl zoop_db::Column for Quantity {
    const KIND: zoop_db::Kind = zoop_db::Kind::Integer;
    const NAME: &'static str = "Quantity";
    fn read(value: zoop_db::Value<'_>) -> Option<Self> {
        match value {
            zoop_db::Value::Integer(thousandths) => Self::new(thousandths),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quantity_is_more_than_nothing_and_has_three_decimals() {
        for (typed, thousandths) in
            [("1", 1_000), ("2.5", 2_500), ("0.001", 1), ("999999.999", 999_999_999)]
        {
            assert_eq!(Quantity::parse(typed).map(Quantity::thousandths), Ok(thousandths));
        }
        assert_eq!(Quantity::parse("1.2345"), Err(Malformed::Decimals));
        for typed in ["0", "-1", "1000000"] {
            assert_eq!(Quantity::parse(typed), Err(Malformed::Size), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn json_has_the_digits_of_the_quantity(thousandths in 1..=i64::from(Quantity::GREATEST.0)) {
            let quantity = Quantity::new(thousandths).expect("a quantity");
            prop_assert_eq!(serde_json::to_string(&quantity).expect("JSON"), quantity.text());
            let read: Quantity = serde_json::from_str(&quantity.text()).expect("a quantity");
            prop_assert_eq!(read, quantity);
        }
    }
}
