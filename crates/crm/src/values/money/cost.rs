//! What something costs the business itself, and what is put on top of it.

use serde::{Serialize, Serializer};

use super::decimal;
use super::{Quantity, UnitPrice, half_away};
use crate::values::currency::Currency;

/// A cost in 1/10,000 of the currency's main unit. That of many parts can be greater than any [`UnitPrice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost(i64);

impl Cost {
    /// The cost of one of something.
    #[must_use]
    pub const fn of(cost: UnitPrice) -> Self {
        Self(cost.units())
    }

    /// The cost of parts: the exact sum, rounded once.
    #[must_use]
    pub fn of_parts(parts: impl IntoIterator<Item = (UnitPrice, Quantity)>) -> Self {
        let exact = parts
            .into_iter()
            .map(|(cost, quantity)| i128::from(cost.units()) * i128::from(quantity.thousandths()));
        // Fifty parts of the greatest cost and quantity come to 19 digits, which fit.
        Self(i64::try_from(half_away(exact.sum(), 1_000)).unwrap_or(i64::MAX))
    }

    /// The cost in main units, with at least the decimals of the currency.
    pub fn text(self, currency: Currency) -> String {
        decimal::write(self.0, UnitPrice::DECIMALS, currency.decimals())
    }

    /// How much more the price is, in percent of the cost. `None` if the cost is 0.
    #[must_use]
    pub fn markup(self, price: UnitPrice) -> Option<Markup> {
        let (price, cost) = (i128::from(price.units()), i128::from(self.0));
        let hundredths = (cost > 0).then(|| half_away((price - cost) * 10_000, cost))?;
        i64::try_from(hundredths).ok().map(Markup)
    }
}

/// What is put on top of a cost, in hundredths of a percent of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Markup(i64);

/// A JSON number. It has at most 15 digits, so the nearest float is written with just these.
impl Serialize for Markup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "it has at most 15 digits")]
        match self.0 % 100 {
            0 => serializer.serialize_i64(self.0 / 100),
            _ => serializer.serialize_f64(self.0 as f64 / 100.0),
        }
    }
}

impl schemars::JsonSchema for Markup {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Markup".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> UnitPrice {
        UnitPrice::parse(text).expect("a price")
    }

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).expect("a quantity")
    }

    #[test]
    fn parts_are_added_before_they_are_rounded() {
        for (parts, text) in [
            (&[][..], "0.00"),
            (&[("80", "1"), ("0.5", "2.5")], "81.25"),
            (&[("0.0001", "0.25"), ("0.0001", "0.25")], "0.0001"),
            (&[("0.0001", "0.499")], "0.00"),
        ] {
            let parts = parts.iter().map(|(cost, count)| (price(cost), quantity(count)));
            assert_eq!(Cost::of_parts(parts).text(Currency::USD), text);
        }
        let greatest = (UnitPrice::GREATEST, Quantity::GREATEST);
        let most = Cost::of_parts([greatest; 50]).text(Currency::USD);
        assert_eq!(most, "499999999495000.00");
    }

    #[test]
    fn a_markup_has_two_decimals_and_is_rounded_half_away_from_zero() {
        for (cost, sold, markup) in [
            ("80", "120", Some("50")),
            ("3", "4", Some("33.33")),
            ("3", "5", Some("66.67")),
            ("800", "800.1", Some("0.01")),
            ("8000", "8000.4", Some("0.01")),
            ("8000", "7999.6", Some("-0.01")),
            ("80", "0", Some("-100")),
            ("0.0001", "9999999.9999", Some("9999999999800")),
            ("0.0003", "9999999.9999", Some("3333333333200")),
            ("0.0007", "9999999.9999", Some("1428571428457.14")),
            ("0", "120", None),
        ] {
            let found = Cost::of(price(cost)).markup(price(sold));
            let found = found.map(|markup| serde_json::to_string(&markup).expect("JSON"));
            assert_eq!(found.as_deref(), markup, "{cost} {sold}");
        }
    }
}
