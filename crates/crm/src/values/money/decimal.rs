//! Decimal numbers as people and programs write them: read and written digit by digit.

/// Why a text is not a decimal number of the wanted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It has another form than `-12.5`.
    Form,
    /// It has more decimals than the unit allows.
    Decimals,
    /// It is too large for any unit.
    Size,
}

/// More digits before the point than any value has.
const MAX_DIGITS: usize = 19;

/// The decimal digits of a JSON number, without an exponent. Of up to 15 digits, they are just those that were sent.
#[must_use]
pub fn digits(number: &serde_json::Number) -> String {
    match (number.as_i64(), number.as_u64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(whole)) => whole.to_string(),
        (None, None) => number.as_f64().unwrap_or_default().to_string(),
    }
}

/// Reads `-?digits(.digits)?` as a whole number of units, of which ten to the power of `places` are one. Zeros at the end
/// of the decimals do not count, and minus zero is zero.
pub(super) fn read(text: &str, places: u32) -> Result<i128, Malformed> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return Err(Malformed::Form),
        None => (digits, ""),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(decimals) {
        return Err(Malformed::Form);
    }
    let (whole, decimals) = (whole.trim_start_matches('0'), decimals.trim_end_matches('0'));
    let places = places as usize;
    if decimals.len() > places {
        return Err(Malformed::Decimals);
    }
    if whole.len() > MAX_DIGITS {
        return Err(Malformed::Size);
    }
    let digits = whole.bytes().chain(decimals.bytes());
    let filled = digits.chain(std::iter::repeat_n(b'0', places - decimals.len()));
    let units = filled.fold(0, |units, digit| units * 10 + i128::from(digit - b'0'));
    Ok(if is_negative { -units } else { units })
}

/// Writes a whole number of units, of which ten to the power of `places` are one, with at least `least` decimals.
pub(super) fn write(units: i64, places: u32, least: u32) -> String {
    let (places, least) = (places as usize, least as usize);
    let digits = format!("{:0width$}", units.unsigned_abs(), width = places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - places);
    let needed = decimals.trim_end_matches('0').len().max(least.min(places));
    let sign = if units < 0 { "-" } else { "" };
    match &decimals[..needed] {
        "" => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{decimals}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_decimal_numbers_are_read() {
        for (text, units) in [
            ("85", 850_000),
            ("85.5", 855_000),
            ("0.0825", 825),
            ("-0.33", -3_300),
            ("0085.50000000", 855_000),
            ("-0.00", 0),
            ("999999999999999999", 9_999_999_999_999_999_990_000),
        ] {
            assert_eq!(read(text, 4), Ok(units), "{text}");
        }
        for text in [
            "", "-", ".5", "5.", "1e3", "+5", "$85", "1,000.00", "1 000", "--5", "5-", "0x1", "٥",
            "1.2.3",
        ] {
            assert_eq!(read(text, 4), Err(Malformed::Form), "{text}");
        }
        assert_eq!(read("85.12345", 4), Err(Malformed::Decimals));
        assert_eq!(read("10.5", 0), Err(Malformed::Decimals));
        assert_eq!(read("10.0", 0), Ok(10));
        assert_eq!(read("10000000000000000000", 4), Err(Malformed::Size));
    }

    #[test]
    fn decimals_are_written_as_far_as_they_are_needed() {
        for (units, places, least, text) in [
            (850_000, 4, 2, "85.00"),
            (825, 4, 2, "0.0825"),
            (3_330_000, 4, 0, "333"),
            (-5, 2, 2, "-0.05"),
            (0, 2, 2, "0.00"),
            (833, 0, 0, "833"),
            (2_500, 3, 0, "2.5"),
            (i64::MIN, 2, 2, "-92233720368547758.08"),
        ] {
            assert_eq!(write(units, places, least), text, "{units}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(units in any::<i64>(), places in 0..5_u32, least in 0..5_u32) {
            prop_assert_eq!(read(&write(units, places, least), places), Ok(i128::from(units)));
        }
    }
}
