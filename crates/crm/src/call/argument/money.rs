//! Percentages, quantities and prices, as JSON numbers or strings, read digit by digit.

use serde_json::json;

use super::values::{clean, invalid};
use super::{Json, Parse, ParseContext, ParseError};
use crate::values::currency::Currency;
use crate::values::money::{self, Malformed, Percent, Quantity, UnitPrice};

/// The longest text of a number.
const MAX_TEXT: usize = 64;

/// The decimal digits of a number, also of one that was sent as a string.
fn digits(value: Json, problem: &str) -> Result<String, ParseError> {
    match value {
        Json::Number(number) => Ok(money::digits(&number)),
        Json::Text(_) => clean(value, MAX_TEXT),
        other => Err(ParseError::wrong_type(problem, &other)),
    }
}

impl<const MIN: u32, const MAX: u32> Parse for Percent<MIN, MAX> {
    fn schema() -> serde_json::Value {
        let bound = |units: u32| f64::from(units) / 10_000.0;
        json!({ "type": "number", "minimum": bound(MIN), "maximum": bound(MAX) })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let problem = "must be a number such as 8.25";
        Self::parse(&digits(value, problem)?).map_err(|malformed| match malformed {
            Malformed::Form => invalid(problem),
            Malformed::Decimals => {
                invalid(format!("must have at most {} decimals", Self::DECIMALS))
            }
            Malformed::Size => {
                invalid(format!("must be from {} to {}", Self::LEAST.text(), Self::GREATEST.text()))
            }
        })
    }
}

impl Parse for Quantity {
    fn schema() -> serde_json::Value {
        let bound = |quantity: Self| f64::from(quantity.thousandths()) / 1_000.0;
        json!({ "type": "number", "minimum": bound(Self::LEAST), "maximum": bound(Self::GREATEST) })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let problem = "must be a number such as 2.5";
        Self::parse(&digits(value, problem)?).map_err(|malformed| match malformed {
            Malformed::Form => invalid(problem),
            Malformed::Decimals => {
                invalid(format!("must have at most {} decimals", Self::DECIMALS))
            }
            Malformed::Size => {
                invalid(format!("must be more than 0, at most {}", Self::GREATEST.text()))
            }
        })
    }
}

/// Prices are shown as strings, so the schema says that they are. A number is taken too.
impl Parse for UnitPrice {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let problem = "must be an amount in main units, such as \"85.00\"";
        Self::parse(&digits(value, problem)?).map_err(|malformed| match malformed {
            Malformed::Form => invalid(problem),
            Malformed::Decimals => {
                invalid(format!("must have at most {} decimals", Self::DECIMALS))
            }
            Malformed::Size => {
                let greatest = Self::GREATEST.text(Currency::USD);
                invalid(format!("must be from -{greatest} to {greatest}"))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::country::Country;
    use crate::values::money::{DiscountPercent, TaxPercent};

    fn read<T: Parse>(sent: &str) -> Result<T, ParseError> {
        let value = serde_json::from_str(sent).expect("a JSON value");
        T::parse(value, ParseContext { country: Country::US })
    }

    #[test]
    fn a_percentage_is_read_by_its_digits() {
        for (sent, units) in [
            ("8.25", 82_500),
            (r#""8.25""#, 82_500),
            (r#"" 8.2500 ""#, 82_500),
            ("99.9999", 999_999),
            ("0.0001", 1),
            ("0", 0),
            ("7.0", 70_000),
            ("-0.0", 0),
        ] {
            assert_eq!(read::<TaxPercent>(sent).map(TaxPercent::units), Ok(units), "{sent}");
        }
        for (sent, problem) in [
            ("8.12345", "must have at most 4 decimals"),
            ("1e-7", "must have at most 4 decimals"),
            ("99.99999", "must have at most 4 decimals"),
            ("100", "must be from 0 to 99.9999"),
            ("-1", "must be from 0 to 99.9999"),
            ("1e300", "must be from 0 to 99.9999"),
            (r#""8,25""#, "must be a number such as 8.25"),
            (r#""8.25%""#, "must be a number such as 8.25"),
            (r#""1e1""#, "must be a number such as 8.25"),
            ("true", "must be a number such as 8.25, not a boolean"),
        ] {
            let refused = Err(ParseError::Invalid(problem.to_owned()));
            assert_eq!(read::<TaxPercent>(sent), refused, "{sent}");
        }
        assert_eq!(read::<TaxPercent>(r#"" ""#), Err(ParseError::Empty));
        let refused = Err(ParseError::Invalid("must be from 0.0001 to 100".to_owned()));
        assert_eq!(read::<DiscountPercent>("0"), refused);
    }

    #[test]
    fn a_quantity_is_read_by_its_digits() {
        for (sent, thousandths) in [
            ("2.5", 2_500),
            (r#""2.500""#, 2_500),
            ("0.001", 1),
            ("999999.999", 999_999_999),
            ("1.0", 1_000),
        ] {
            assert_eq!(read::<Quantity>(sent).map(Quantity::thousandths), Ok(thousandths));
        }
        for (sent, problem) in [
            ("1.2345", "must have at most 3 decimals"),
            ("0", "must be more than 0, at most 999999.999"),
            ("-1", "must be more than 0, at most 999999.999"),
            ("1000000", "must be more than 0, at most 999999.999"),
            (r#""1e1""#, "must be a number such as 2.5"),
            ("[]", "must be a number such as 2.5, not an array"),
        ] {
            let refused = Err(ParseError::Invalid(problem.to_owned()));
            assert_eq!(read::<Quantity>(sent), refused, "{sent}");
        }
        assert_eq!(read::<Quantity>(r#""""#), Err(ParseError::Empty));
    }

    #[test]
    fn a_price_is_read_by_its_digits() {
        for (sent, units) in [
            ("85", 850_000),
            (r#""85""#, 850_000),
            ("85.5", 855_000),
            (r#"" 85.50 ""#, 855_000),
            ("0.0825", 825),
            ("-0.33", -3_300),
            ("-0.0", 0),
            (r#""0085.500000""#, 855_000),
            ("9999999.9999", 99_999_999_999),
        ] {
            assert_eq!(read::<UnitPrice>(sent).map(UnitPrice::units), Ok(units), "{sent}");
        }
        let form = r#"must be an amount in main units, such as "85.00""#;
        let size = "must be from -9999999.9999 to 9999999.9999";
        for (sent, problem) in [
            (r#""85.12345""#, "must have at most 4 decimals"),
            ("85.12345", "must have at most 4 decimals"),
            ("10000000", size),
            ("1e300", size),
            (r#""$85""#, form),
            (r#""1,000.00""#, form),
            (r#""1e3""#, form),
            (r#"".5""#, form),
            ("true", &format!("{form}, not a boolean")),
        ] {
            let refused = Err(ParseError::Invalid(problem.to_owned()));
            assert_eq!(read::<UnitPrice>(sent), refused, "{sent}");
        }
        assert_eq!(read::<UnitPrice>(r#""""#), Err(ParseError::Empty));
    }
}
