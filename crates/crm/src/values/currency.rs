//! Currencies, by their ISO 4217 codes.

use iso_currency::Currency as Iso;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zoop_db::{Column, Param, Value};

use crate::values::country::Country;

/// A currency in which prices can be. Funds, metals, units of account, and currencies that another one has
/// replaced are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(Iso);

impl Currency {
    /// The US dollar, the default.
    pub const USD: Self = Self(Iso::USD);

    /// The currency with this code, in upper or lower case.
    pub fn parse(code: &str) -> Option<Self> {
        Iso::from_code(&code.to_ascii_uppercase()).and_then(Self::in_use)
    }

    /// The currency of a country; the US dollar if it has none of its own.
    pub fn of(country: Country) -> Self {
        let country = country.code().parse().ok();
        let used = country.map(Iso::from_country).unwrap_or_default();
        used.into_iter().find_map(Self::in_use).unwrap_or(Self::USD)
    }

    /// Every currency that a country uses, sorted by code.
    pub fn all() -> Vec<Self> {
        let countries = Country::all().filter_map(|country| country.code().parse().ok());
        let mut all: Vec<_> =
            countries.flat_map(Iso::from_country).filter_map(Self::in_use).collect();
        all.sort_unstable_by_key(|currency| currency.code());
        all.dedup();
        all
    }

    /// The name in English.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    fn in_use(currency: Iso) -> Option<Self> {
        let is_replaced = currency.is_superseded().is_some();
        (!currency.is_fund() && !currency.is_special() && !is_replaced).then_some(Self(currency))
    }

    /// The number of decimals of its amounts: 2 for the US dollar, 0 for the yen, 3 for the Kuwaiti dinar.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// The code, in capitals.
    pub fn code(self) -> &'static str {
        self.0.code()
    }
}

impl Param for Currency {
    fn value(&self) -> Value<'_> {
        Value::Text(self.code())
    }
}

/// A stored code that this version does not know, because a later version stored it, is read as the default.
impl Column for Currency {
    const KIND: zoop_db::Kind = zoop_db::Kind::Text;
    const NAME: &'static str = "Currency";
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(code) => Some(Self::parse(code).unwrap_or(Self::USD)),
            _ => None,
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| de::Error::custom("not a currency"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_currencies_in_use_are_accepted() {
        for (typed, code) in [("USD", "USD"), ("eur", "EUR"), ("CHF", "CHF"), ("JPY", "JPY")] {
            assert_eq!(Currency::parse(typed).map(Currency::code), Some(code), "{typed}");
        }
        for typed in ["", "US", "USDX", "$", "XAU", "XXX", "XTS", "CHW", "HRK"] {
            assert_eq!(Currency::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_country_has_a_currency() {
        for (country, code) in [
            ("US", "USD"),
            ("CA", "CAD"),
            ("GB", "GBP"),
            ("DE", "EUR"),
            ("HR", "EUR"),
            ("CH", "CHF"),
            ("MX", "MXN"),
            ("AQ", "USD"),
        ] {
            let country = Country::parse(country).expect("a country");
            assert_eq!(Currency::of(country).code(), code, "{country:?}");
        }
    }

    #[test]
    fn each_currency_is_listed_once_and_accepted() {
        let all = Currency::all();
        let codes: std::collections::BTreeSet<_> = all.iter().map(|it| it.code()).collect();
        assert!(all.len() > 140 && codes.len() == all.len(), "{codes:?}");
        assert!(codes.iter().all(|code| Currency::parse(code).is_some()), "{codes:?}");
        assert_eq!(Currency::USD.name(), "United States dollar");
    }

    #[test]
    fn an_unknown_stored_currency_is_read_as_the_default() {
        let euro = Currency::parse("EUR").expect("a currency");
        assert_eq!(Currency::read(euro.value()), Some(euro));
        assert_eq!(Currency::read(Value::Text("ZZZ")), Some(Currency::USD));
        assert_eq!(Currency::read(Value::Integer(1)), None);
    }
}
