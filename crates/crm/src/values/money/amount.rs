//! Amounts of money.

use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use super::decimal::{self, Malformed};
use crate::values::currency::Currency;

/// An amount in the minor units of its account's currency: 21,250 is 212.50 in US dollars, and 21,250 in yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount in minor units.
    #[must_use]
    pub const fn new(minor: i64) -> Self {
        Self(minor)
    }

    /// The minor units.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// The greatest amount of a currency with so many digits before the point: 99,999,999.99 has eight.
    #[must_use]
    pub fn greatest(digits: u32, currency: Currency) -> Self {
        Self(10_i64.pow(digits + currency.decimals()) - 1)
    }

    /// Reads an amount in main units, such as `212.50`.
    ///
    /// # Errors
    /// [`Malformed::Decimals`] if it has more decimals than the currency.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, Malformed> {
        let minor = decimal::read(text, currency.decimals())?;
        i64::try_from(minor).map(Self).map_err(|_| Malformed::Size)
    }

    /// The amount in main units with exactly the decimals of the currency, such as `212.50`.
    pub fn text(self, currency: Currency) -> String {
        let decimals = currency.decimals();
        decimal::write(self.0, decimals, decimals)
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::add)
    }
}

impl zoop_db::Param for Money {
    fn value(&self) -> zoop_db::Value<'_> {
        zoop_db::Value::Integer(self.0)
    }
}

impl zoop_db::Column for Money {
    const KIND: zoop_db::Kind = zoop_db::Kind::Integer;
    const NAME: &'static str = "Money";
    fn read(value: zoop_db::Value<'_>) -> Option<Self> {
        match value {
            zoop_db::Value::Integer(minor) => Some(Self(minor)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("a currency")
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        for (code, typed, minor, shown) in [
            ("USD", "212.5", 21_250, "212.50"),
            ("USD", "-17", -1_700, "-17.00"),
            ("JPY", "833.0", 833, "833"),
            ("KWD", "0.449", 449, "0.449"),
        ] {
            let amount = Money::parse(typed, currency(code)).expect("an amount");
            assert_eq!((amount.minor(), amount.text(currency(code)).as_str()), (minor, shown));
        }
        assert_eq!(Money::parse("199.999", currency("USD")), Err(Malformed::Decimals));
        assert_eq!(Money::parse("10.5", currency("JPY")), Err(Malformed::Decimals));
        assert_eq!(Money::parse("999999999999999999", currency("USD")), Err(Malformed::Size));
    }

    #[test]
    fn the_greatest_amount_has_the_same_digits_before_the_point_in_every_currency() {
        for (code, shown) in [("USD", "99999999.99"), ("JPY", "99999999"), ("KWD", "99999999.999")]
        {
            assert_eq!(Money::greatest(8, currency(code)).text(currency(code)), shown);
        }
    }

    #[test]
    fn every_currency_has_at_most_four_decimals() {
        assert!(Currency::all().iter().all(|currency| currency.decimals() <= 4));
    }
}
