//! Whole numbers within bounds, and durations in whole units.

use serde_json::json;
use zoop_db::Timestamp;

use super::{Json, Parse, ParseContext, ParseError};

/// A whole number from `MIN` to `MAX`. `25.0` counts as a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranged<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Ranged<MIN, MAX> {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> From<Ranged<MIN, MAX>> for u32 {
    fn from(number: Ranged<MIN, MAX>) -> Self {
        number.0
    }
}

impl<const MIN: u32, const MAX: u32> Parse for Ranged<MIN, MAX> {
    fn schema() -> serde_json::Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let problem = match MAX {
            u32::MAX => format!("must be a whole number of at least {MIN}"),
            _ => format!("must be a whole number from {MIN} to {MAX}"),
        };
        let Json::Number(number) = &value else {
            return Err(ParseError::wrong_type(&problem, &value));
        };
        match as_whole(number).and_then(|number| u32::try_from(number).ok()) {
            Some(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(ParseError::Invalid(problem)),
        }
    }

    fn canonical(value: &Json) -> Json {
        match value {
            Json::Number(number) => {
                as_whole(number).map_or_else(|| value.clone(), |number| Json::Number(number.into()))
            }
            other => other.clone(),
        }
    }
}

/// The value of a JSON number, if it is whole.
fn as_whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let real = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
        (real.fract() == 0.0 && real.abs() < 9_007_199_254_740_992.0).then_some(real as i64)
    })
}

/// A duration: from `MIN` to `MAX` units of `UNIT` seconds, sent as a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration<const UNIT: u32, const MIN: u32, const MAX: u32>(Ranged<MIN, MAX>);

/// A duration in seconds.
pub type Seconds<const MIN: u32, const MAX: u32> = Duration<1, MIN, MAX>;

/// A duration in minutes. A minute always has 60 seconds, even when clocks change to daylight saving time.
pub type Minutes<const MIN: u32, const MAX: u32> = Duration<60, MIN, MAX>;

impl<const UNIT: u32, const MIN: u32, const MAX: u32> Duration<UNIT, MIN, MAX> {
    /// The time at which the duration ends, if it begins at `start`.
    #[must_use]
    pub fn after(self, start: Timestamp) -> Timestamp {
        let seconds = i64::from(self.0.get()) * i64::from(UNIT);
        Timestamp(start.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

impl<const UNIT: u32, const MIN: u32, const MAX: u32> Parse for Duration<UNIT, MIN, MAX> {
    fn schema() -> serde_json::Value {
        Ranged::<MIN, MAX>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        Ranged::parse(value, context).map(Self)
    }

    fn canonical(value: &Json) -> Json {
        Ranged::<MIN, MAX>::canonical(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::country::Country;

    fn read<T: Parse>(number: &str) -> Result<T, ParseError> {
        let number = serde_json::from_str(number).expect("a JSON value");
        T::parse(number, ParseContext { country: Country::US })
    }

    #[test]
    fn a_ranged_number_is_whole_and_within_its_bounds() {
        type Minute = Ranged<5, 1_440>;
        assert_eq!(Minute::schema(), json!({ "type": "integer", "minimum": 5, "maximum": 1_440 }));
        for (sent, number) in [("5", 5), ("1440", 1_440), ("25.0", 25), ("6e1", 60)] {
            assert_eq!(read::<Minute>(sent).map(Ranged::get), Ok(number), "{sent}");
        }
        let problem = "must be a whole number from 5 to 1440";
        for sent in ["4", "1441", "-5", "5.5", "4294967301", "1e300"] {
            assert_eq!(
                read::<Minute>(sent),
                Err(ParseError::Invalid(problem.to_owned())),
                "{sent}"
            );
        }
        let text = ParseError::Invalid(format!("{problem}, not a string"));
        assert_eq!(read::<Minute>(r#""60""#), Err(text));
        let open = ParseError::Invalid("must be a whole number of at least 1".to_owned());
        assert_eq!(read::<Ranged<1, { u32::MAX }>>("0"), Err(open));
    }

    #[test]
    fn a_duration_ends_that_many_units_after_its_start() {
        let end = |sent| read::<Minutes<5, 1_440>>(sent).map(|it| it.after(Timestamp(7)));
        assert_eq!(end("90"), Ok(Timestamp(7 + 90 * 60 * 1_000_000)));
        assert!(end("1").is_err());
        let end = |sent| read::<Seconds<1, { u32::MAX }>>(sent).map(|it| it.after(Timestamp(0)));
        assert_eq!(end("4294967295"), Ok(Timestamp(4_294_967_295_000_000)));
    }

    proptest! {
        #[test]
        fn equal_numbers_have_one_canonical_form(number in 0u32..1_000_000) {
            let forms = [json!(number), json!(f64::from(number))].map(Json::from);
            let [whole, real] = forms.map(|form| Ranged::<0, 9>::canonical(&form));
            prop_assert_eq!(whole, real);
        }
    }
}
