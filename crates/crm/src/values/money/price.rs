//! Prices of one of something.

use super::decimal::{self, Malformed};
use super::{Money, Quantity, half_away};
use crate::values::currency::Currency;

/// What one of something costs, from -9,999,999.9999 to 9,999,999.9999 in main units. A negative price is a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitPrice(i64);

impl UnitPrice {
    /// The number of decimals of a price.
    pub const DECIMALS: u32 = 4;
    /// The greatest price; the least is as far below 0.
    pub const GREATEST: Self = Self(99_999_999_999);

    /// A price in 1/10,000 of the main unit. `None` if it is out of range.
    #[must_use]
    pub fn new(units: i64) -> Option<Self> {
        (-Self::GREATEST.0..=Self::GREATEST.0).contains(&units).then_some(Self(units))
    }

    /// The price in 1/10,000 of the main unit.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Whether it takes something off.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The same price, taken off.
    #[must_use]
    pub const fn off(self) -> Self {
        Self(-self.0)
    }

    /// Reads a price in main units, such as `0.0825`.
    ///
    /// # Errors
    /// [`Malformed::Size`] if it is out of range.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let units = i64::try_from(decimal::read(text, Self::DECIMALS)?);
        units.ok().and_then(Self::new).ok_or(Malformed::Size)
    }

    /// The price in main units, with at least the decimals of the currency.
    pub fn text(self, currency: Currency) -> String {
        decimal::write(self.0, Self::DECIMALS, currency.decimals())
    }

    /// The price of so many, rounded once.
    pub fn times(self, quantity: Quantity, currency: Currency) -> Money {
        let exact = i128::from(self.0) * i128::from(quantity.thousandths());
        let (up, down) = (10_i128.pow(currency.decimals()), 10_i128.pow(Self::DECIMALS + 3));
        // The greatest product has 17 digits in a currency with four decimals.
        Money::new(i64::try_from(half_away(exact * up, down)).unwrap_or(i64::MAX))
    }
}

impl zoop_db::Param for UnitPrice {
    fn value(&self) -> zoop_db::Value<'_> {
        zoop_db::Value::Integer(self.0)
    }
}

impl zoop_db::Column for UnitPrice {
    const KIND: zoop_db::Kind = zoop_db::Kind::Integer;
    const NAME: &'static str = "UnitPrice";
    fn read(value: zoop_db::Value<'_>) -> Option<Self> {
        match value {
            zoop_db::Value::Integer(units) => Self::new(units),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> UnitPrice {
        UnitPrice::parse(text).expect("a price")
    }

    #[test]
    fn a_line_is_rounded_half_away_from_zero() {
        for (quantity, unit_price, code, amount) in [
            ("2.5", "85", "USD", "212.50"),
            ("2.5", "0.33", "USD", "0.83"),
            ("12000", "0.0825", "USD", "990.00"),
            ("0.333", "99.99", "USD", "33.30"),
            ("1", "0.005", "USD", "0.01"),
            ("2.5", "-0.33", "USD", "-0.83"),
            ("2.5", "333", "JPY", "833"),
            ("0.333", "1.2345", "KWD", "0.411"),
        ] {
            let currency = Currency::parse(code).expect("a currency");
            let quantity = Quantity::parse(quantity).expect("a quantity");
            let found = price(unit_price).times(quantity, currency).text(currency);
            assert_eq!(found, amount, "{unit_price} {code}");
        }
    }

    #[test]
    fn the_greatest_product_does_not_overflow() {
        let quantity = Quantity::parse("999999.999").expect("a quantity");
        let uyw = Currency::all().into_iter().max_by_key(|it| it.decimals()).expect("a currency");
        let amount = price("9999999.9999").times(quantity, uyw);
        assert!(amount > Money::greatest(8, uyw) && amount < Money::new(i64::MAX));
        assert_eq!(price("-9999999.9999").times(quantity, uyw), -amount);
    }

    #[test]
    fn a_price_has_at_least_the_decimals_of_its_currency_and_at_most_four() {
        let yen = Currency::parse("JPY").expect("a currency");
        for (typed, dollars, in_yen) in
            [("85", "85.00", "85"), ("0.0825", "0.0825", "0.0825"), ("85.5", "85.50", "85.5")]
        {
            assert_eq!(price(typed).text(Currency::USD), dollars);
            assert_eq!(price(typed).text(yen), in_yen);
        }
        assert_eq!(UnitPrice::parse("85.12345"), Err(Malformed::Decimals));
        assert_eq!(UnitPrice::parse("10000000"), Err(Malformed::Size));
    }
}
