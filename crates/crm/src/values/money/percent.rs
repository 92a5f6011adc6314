//! Percentages.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::decimal::{self, Malformed};
use super::{Fraction, Money, half_away};

/// A percentage in ten-thousandths of a percent, from `MIN` to `MAX` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent<const MIN: u32, const MAX: u32>(u32);

/// What a discount takes off: more than 0 %, at most 100 %.
pub type DiscountPercent = Percent<1, 1_000_000>;

/// The percentage of a tax rate: 0 to 99.9999 %.
pub type TaxPercent = Percent<0, 999_999>;

impl<const MIN: u32, const MAX: u32> Percent<MIN, MAX> {
    /// The number of decimals of a percentage.
    pub const DECIMALS: u32 = 4;
    /// The least percentage.
    pub const LEAST: Self = Self(MIN);
    /// The greatest percentage.
    pub const GREATEST: Self = Self(MAX);

    /// A percentage in ten-thousandths of a percent. `None` if it is out of range.
    #[must_use]
    pub fn new(units: i64) -> Option<Self> {
        let units = u32::try_from(units).ok()?;
        (MIN..=MAX).contains(&units).then_some(Self(units))
    }

    /// The percentage in ten-thousandths of a percent.
    pub const fn units(self) -> u32 {
        self.0
    }

    /// Reads a percentage such as `8.25`.
    ///
    /// # Errors
    /// [`Malformed::Size`] if it is out of range.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let units = i64::try_from(decimal::read(text, Self::DECIMALS)?);
        units.ok().and_then(Self::new).ok_or(Malformed::Size)
    }

    /// The percentage without zeros at the end, such as `8.25`.
    pub fn text(self) -> String {
        decimal::write(i64::from(self.0), Self::DECIMALS, 0)
    }

    /// The percentage as a part of one, such as `0.0825`.
    #[must_use]
    pub const fn fraction(self) -> Fraction {
        Fraction::of_millionths(self.0)
    }

    /// This part of an amount, rounded once.
    #[must_use]
    pub fn of(self, amount: Money) -> Money {
        let exact = i128::from(amount.minor()) * i128::from(self.0);
        // At most the amount itself.
        Money::new(i64::try_from(half_away(exact, 1_000_000)).unwrap_or(i64::MAX))
    }
}

/// A JSON number. The nearest float of a number with so few digits is written with just these digits.
impl<const MIN: u32, const MAX: u32> Serialize for Percent<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 10_000 {
            0 => serializer.serialize_u32(self.0 / 10_000),
            _ => serializer.serialize_f64(f64::from(self.0) / 10_000.0),
        }
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Percent<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let is_percentage = || de::Error::custom("not a percentage");
        Self::parse(&decimal::digits(&number)).map_err(|_| is_percentage())
    }
}

impl<const MIN: u32, const MAX: u32> schemars::JsonSchema for Percent<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}

impl<const MIN: u32, const MAX: u32> zoop_db::Param for Percent<MIN, MAX> {
    fn value(&self) -> zoop_db::Value<'_> {
        zoop_db::Value::Integer(i64::from(self.0))
    }
}

impl<const MIN: u32, const MAX: u32> zoop_db::Column for Percent<MIN, MAX> {
    const KIND: zoop_db::Kind = zoop_db::Kind::Integer;
    const NAME: &'static str = "Percent";
    fn read(value: zoop_db::Value<'_>) -> Option<Self> {
        match value {
            zoop_db::Value::Integer(units) => Self::new(units),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_of_percentage_has_its_range() {
        assert_eq!(TaxPercent::parse("8.25").map(TaxPercent::units), Ok(82_500));
        assert_eq!(TaxPercent::parse("0").map(TaxPercent::units), Ok(0));
        assert_eq!(TaxPercent::parse("99.9999").map(TaxPercent::units), Ok(999_999));
        assert_eq!(TaxPercent::parse("8.12345"), Err(Malformed::Decimals));
        for typed in ["100", "-1"] {
            assert_eq!(TaxPercent::parse(typed), Err(Malformed::Size), "{typed}");
        }
        assert_eq!(DiscountPercent::parse("100").map(DiscountPercent::units), Ok(1_000_000));
        assert_eq!(DiscountPercent::parse("0"), Err(Malformed::Size));
    }

    proptest! {
        #[test]
        fn json_has_the_digits_of_the_percentage(units in 0..=999_999_i64) {
            let percent = TaxPercent::new(units).expect("a percentage");
            prop_assert_eq!(serde_json::to_string(&percent).expect("JSON"), percent.text());
            let read: TaxPercent = serde_json::from_str(&percent.text()).expect("a percentage");
            prop_assert_eq!(read, percent);
            let fraction = serde_json::to_string(&percent.fraction()).expect("JSON");
            prop_assert_eq!(&fraction, &decimal::write(units, 6, 0));
            let read: Fraction = serde_json::from_str(&fraction).expect("a fraction");
            prop_assert_eq!(read, percent.fraction());
        }

        #[test]
        fn all_of_an_amount_is_the_amount(minor in any::<i64>()) {
            let all = DiscountPercent::parse("100").expect("a percentage");
            prop_assert_eq!(all.of(Money::new(minor)), Money::new(minor));
        }
    }
}
