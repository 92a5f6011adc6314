//! Dates, times of day, and points in time that may lack a UTC offset.

use jiff::civil;
use jiff::tz::TimeZone;
use serde_json::json;
use zoop_db::Timestamp;

use super::values::{clean, invalid};
use super::{Json, Parse, ParseContext, ParseError};
use crate::values::clock::parse_rfc3339;
use crate::values::text;

/// The valid years of dates and points in time.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;

/// A date without a time zone, such as `2026-11-29`, in the years 2000 to 2199.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(civil::Date);

impl Date {
    /// The date.
    pub const fn get(self) -> civil::Date {
        self.0
    }
}

impl Parse for Date {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "format": "date" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        if !has_shape(&text, "0000-00-00") {
            return Err(invalid("must be a date in the form YYYY-MM-DD, such as 2026-03-05"));
        }
        let date = text.parse().map_err(|_| invalid("must be a date that exists"))?;
        check_years(date).map(Self)
    }
}

/// A time of day without a time zone, such as `09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(civil::Time);

impl TimeOfDay {
    /// The time of day.
    pub const fn get(self) -> civil::Time {
        self.0
    }
}

impl Parse for TimeOfDay {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        let time = has_shape(&text, "00:00").then(|| text.parse().ok()).flatten();
        time.map(Self)
            .ok_or_else(|| invalid("must be a time of day in the form HH:MM, from 00:00 to 23:59"))
    }
}

/// A point in time in the years 2000 to 2199 of the account's time zone. A point in time without an offset is a local
/// time there. The account is not known when arguments are read, so [`Self::in_zone`] finds the point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalTime {
    /// An RFC 3339 time, which has an offset.
    Exact(Timestamp),
    /// A local time without an offset: `2026-03-05T09:00`.
    Local(civil::DateTime),
}

impl LocalTime {
    /// The point in time. A time without an offset is local to `zone`. If the zone skips the local time, the
    /// offset from before the gap applies (02:30 becomes 03:30). If it occurs twice, the first is meant.
    ///
    /// # Errors
    /// It is out of range there. The caller adds which field it is.
    pub fn in_zone(self, zone: &TimeZone) -> Result<Timestamp, &'static str> {
        let time = self.resolved(zone).ok_or(OUT_OF_RANGE)?;
        let is_valid = jiff::Timestamp::from_microsecond(time.0)
            .is_ok_and(|time| YEARS.contains(&zone.to_datetime(time).year()));
        if is_valid { Ok(time) } else { Err(OUT_OF_RANGE) }
    }

    /// The point in time, in any year. `None` if it cannot be represented.
    fn resolved(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Exact(time) => Some(time),
            Self::Local(local) => {
                let time = zone.to_ambiguous_timestamp(local).compatible();
                time.ok().map(|time| Timestamp(time.as_microsecond()))
            }
        }
    }
}

impl Parse for LocalTime {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let text = clean(value, 64)?;
        if let Some(local) = parse_local(&text)? {
            check_years(local.date())?;
            return Ok(Self::Local(local));
        }
        let time = parse_rfc3339(&text).ok_or_else(|| {
            invalid(
                "must be a local time such as 2026-03-05T09:00, or an RFC 3339 time with an offset \
                 such as 2026-03-05T09:00:00-05:00",
            )
        })?;
        // In some time zones the years begin and end up to a day earlier or later.
        let utc = jiff::Timestamp::from_microsecond(time.0).map_err(|_| out_of_range())?;
        let date = TimeZone::UTC.to_datetime(utc).date();
        let is_near = [date.tomorrow(), date.yesterday()].into_iter().flatten();
        if is_near.chain([date]).any(|date| YEARS.contains(&date.year())) {
            Ok(Self::Exact(time))
        } else {
            Err(out_of_range())
        }
    }

    fn canonical(value: &Json) -> Json {
        canonical_rfc3339(value)
    }
}

/// An RFC 3339 time in UTC, so that all spellings of a time are equal. Other values stay as they are.
fn canonical_rfc3339(value: &Json) -> Json {
    let Json::Text(text) = value else { return value.clone() };
    let time = parse_rfc3339(text::trim(text));
    let time = time.and_then(|time| jiff::Timestamp::from_microsecond(time.0).ok());
    Json::Text(time.map_or_else(|| text.clone(), |time| time.to_string()))
}

/// Parses a local time. `None` if the string has another form.
fn parse_local(text: &str) -> Result<Option<civil::DateTime>, ParseError> {
    const SHAPES: [&str; 3] =
        ["0000-00-00T00:00", "0000-00-00T00:00:00", "0000-00-00T00:00:00.000"];
    if SHAPES.iter().all(|shape| !has_shape(text, shape)) {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| invalid("must be a date and time that exist"))
}

/// A point in time in any year, for filters: a [`LocalTime`], or a date, which means its first moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateOrTime(LocalTime);

impl DateOrTime {
    /// Whether the point in time depends on the time zone.
    pub const fn is_local(self) -> bool {
        matches!(self.0, LocalTime::Local(_))
    }

    /// The point in time. A date and a local time are in `zone`, as in [`LocalTime::in_zone`]. A time after
    /// the last one that can be represented becomes the last one.
    pub fn in_zone(self, zone: &TimeZone) -> Timestamp {
        let latest = Timestamp(jiff::Timestamp::MAX.as_microsecond());
        self.0.resolved(zone).unwrap_or(latest)
    }

    fn read(text: &str) -> Result<Self, ParseError> {
        if has_shape(text, "0000-00-00") {
            let date: civil::Date =
                text.parse().map_err(|_| invalid("must be a date that exists"))?;
            return Ok(Self(LocalTime::Local(date.to_datetime(civil::Time::midnight()))));
        }
        let time = match parse_local(text)? {
            Some(local) => Some(LocalTime::Local(local)),
            None => parse_rfc3339(text).map(LocalTime::Exact),
        };
        time.map(Self).ok_or_else(|| {
            invalid(
                "must be a date such as 2026-03-05, a local time such as 2026-03-05T09:00, or an \
                 RFC 3339 time with an offset such as 2026-03-05T09:00:00-05:00",
            )
        })
    }
}

impl Parse for DateOrTime {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        Self::read(&clean(value, 64)?)
    }

    fn canonical(value: &Json) -> Json {
        let Json::Text(text) = value else { return value.clone() };
        match Self::read(text::trim(text)) {
            Ok(Self(LocalTime::Local(local))) => Json::Text(local.to_string()),
            _ => canonical_rfc3339(value),
        }
    }
}

/// An end of a period, for filters that include both ends: a [`LocalTime`], or a date, which means the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodEnd {
    /// A day of the account's time zone.
    Day(Date),
    /// A point in time.
    Time(LocalTime),
}

impl PeriodEnd {
    /// The first moment of a period that begins with it.
    ///
    /// # Errors
    /// As [`LocalTime::in_zone`].
    pub fn first_moment(self, zone: &TimeZone) -> Result<Timestamp, &'static str> {
        match self {
            Self::Day(Date(date)) => start_of(date, zone).ok_or(OUT_OF_RANGE),
            Self::Time(time) => time.in_zone(zone),
        }
    }

    /// The last moment of a period that ends with it.
    ///
    /// # Errors
    /// As [`LocalTime::in_zone`].
    pub fn last_moment(self, zone: &TimeZone) -> Result<Timestamp, &'static str> {
        match self {
            Self::Day(Date(date)) => {
                let next = date.tomorrow().ok().and_then(|date| start_of(date, zone));
                next.map(|Timestamp(next)| Timestamp(next - 1)).ok_or(OUT_OF_RANGE)
            }
            Self::Time(time) => time.in_zone(zone),
        }
    }
}

/// The first moment of a day.
fn start_of(date: civil::Date, zone: &TimeZone) -> Option<Timestamp> {
    LocalTime::Local(date.to_datetime(civil::Time::midnight())).resolved(zone)
}

impl Parse for PeriodEnd {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let is_day = value.short_string().is_some_and(|it| has_shape(it.trim(), "0000-00-00"));
        if is_day {
            return Date::parse(value, context).map(Self::Day);
        }
        LocalTime::parse(value, context).map(Self::Time).map_err(|error| match error {
            ParseError::Invalid(problem) => invalid(problem.replace(
                "must be a local time",
                "must be a date such as 2026-03-05, a local time",
            )),
            other => other,
        })
    }
}

/// Whether a string has the form of `shape`, in which `0` means any digit.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, shape): (u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == shape,
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

fn check_years(date: civil::Date) -> Result<civil::Date, ParseError> {
    if YEARS.contains(&date.year()) { Ok(date) } else { Err(out_of_range()) }
}

const OUT_OF_RANGE: &str = "must be from 2000-01-01 to 2199-12-31";

fn out_of_range() -> ParseError {
    invalid(OUT_OF_RANGE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::clock::rfc3339;
    use crate::values::country::Country;
    use crate::values::zone::Zone;

    fn read<T: Parse>(sent: &str) -> Result<T, String> {
        match T::parse(Json::Text(sent.to_owned()), ParseContext { country: Country::US }) {
            Ok(value) => Ok(value),
            Err(ParseError::Invalid(problem)) => Err(problem),
            Err(other) => panic!("{sent:?}: {other:?}"),
        }
    }

    #[test]
    fn a_date_exists_in_the_calendar_and_has_one_form() {
        for sent in ["2026-11-29", "2024-02-29", "2000-01-01", " 2199-12-31 "] {
            let date = read::<Date>(sent).map(|date| date.get().to_string());
            assert_eq!(date.as_deref(), Ok(sent.trim()));
        }
        for (sent, problem) in [
            ("2026-02-29", "date that exists"),
            ("2100-02-29", "date that exists"),
            ("2026-13-01", "date that exists"),
            ("2026-00-10", "date that exists"),
            ("1999-12-31", "from 2000-01-01"),
            ("2200-01-01", "from 2000-01-01"),
            ("20261129", "in the form YYYY-MM-DD"),
            ("2026-1-1", "in the form YYYY-MM-DD"),
            ("11/29/2026", "in the form YYYY-MM-DD"),
            ("2026-11-29T09:00", "in the form YYYY-MM-DD"),
            ("-002026-11", "in the form YYYY-MM-DD"),
            ("tomorrow", "in the form YYYY-MM-DD"),
        ] {
            let reported = read::<Date>(sent).expect_err(sent);
            assert!(reported.contains(problem), "{sent}: {reported}");
        }
    }

    #[test]
    fn a_time_of_day_has_hours_and_minutes() {
        for (sent, expected) in [("00:00", (0, 0)), ("09:05", (9, 5)), ("23:59", (23, 59))] {
            let time = read::<TimeOfDay>(sent).map(TimeOfDay::get);
            assert_eq!(time.map(|time| (time.hour(), time.minute())), Ok(expected));
        }
        for sent in ["9:00", "24:00", "12:60", "12:30:15", "9am", "09.00", "T09:00"] {
            let reported = read::<TimeOfDay>(sent).expect_err(sent);
            assert!(reported.contains("in the form HH:MM"), "{sent}: {reported}");
        }
    }

    /// Reads a time in New York's zone.
    fn read_in_new_york(sent: &str) -> Result<String, String> {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
        read::<LocalTime>(sent).map(|time| rfc3339(time.in_zone(&zone).expect("a time")))
    }

    #[test]
    fn a_local_time_is_read_in_the_given_zone_and_an_offset_overrides_it() {
        for (sent, expected) in [
            ("2026-03-05T09:00", "2026-03-05T14:00:00.000Z"),
            ("2026-07-05T09:00:30", "2026-07-05T13:00:30.000Z"),
            ("2026-07-05T09:00:30.250", "2026-07-05T13:00:30.250Z"),
            ("2200-01-01T04:00:00Z", "2200-01-01T04:00:00.000Z"),
            ("2026-03-05T09:00:00Z", "2026-03-05T09:00:00.000Z"),
            ("2026-03-05T09:00:00+01:00", "2026-03-05T08:00:00.000Z"),
            // The hour that the clock change skips, and the hour that occurs twice.
            ("2026-03-08T02:30", "2026-03-08T07:30:00.000Z"),
            ("2026-11-01T01:30", "2026-11-01T05:30:00.000Z"),
            ("2026-11-01T01:30:00-05:00", "2026-11-01T06:30:00.000Z"),
        ] {
            assert_eq!(read_in_new_york(sent).as_deref(), Ok(expected), "{sent}");
        }
        for (sent, problem) in [
            ("2026-02-30T09:00", "date and time that exist"),
            ("2026-03-05T24:00", "date and time that exist"),
            ("1999-12-31T09:00", "from 2000-01-01"),
            ("2026-03-05T09:00.5", "local time such as"),
            ("2026-03-05T09:00:00.5", "local time such as"),
            ("9999-12-31T23:59:59Z", "from 2000-01-01"),
            ("2026-03-05", "local time such as"),
            ("2026-03-05 9:00", "local time such as"),
            ("next Friday", "local time such as"),
        ] {
            let reported = read_in_new_york(sent).expect_err(sent);
            assert!(reported.contains(problem), "{sent}: {reported}");
        }
    }

    #[test]
    fn the_years_are_those_of_the_zone() {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
        for (sent, is_valid) in [
            ("2000-01-01T04:59:59Z", false),
            ("2000-01-01T05:00:00Z", true),
            ("2200-01-01T04:59:59Z", true),
            ("2200-01-01T05:00:00Z", false),
        ] {
            let time = read::<LocalTime>(sent).expect(sent);
            assert_eq!(time.in_zone(&zone).is_ok(), is_valid, "{sent}");
        }
    }

    #[test]
    fn a_day_is_a_period_from_its_first_to_its_last_moment() {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
        let ends = |sent: &str| {
            let end = read::<PeriodEnd>(sent).expect(sent);
            let moments = (end.first_moment(&zone), end.last_moment(&zone));
            (moments.0.map(rfc3339), moments.1.map(|it| it.0))
        };
        let micros = |text: &str| parse_rfc3339(text).expect("a time").0;
        // The clocks are put forward on this day, which has 23 hours.
        let (first, last) = ends("2026-03-08");
        assert_eq!(first.as_deref(), Ok("2026-03-08T05:00:00.000Z"));
        assert_eq!(last, Ok(micros("2026-03-09T04:00:00Z") - 1));
        let (first, last) = ends(" 2026-03-08T09:00 ");
        assert_eq!(first.as_deref(), Ok("2026-03-08T13:00:00.000Z"));
        assert_eq!(last, Ok(micros("2026-03-08T13:00:00Z")));
        for sent in ["2026-02-30", "1999-12-31", "tomorrow", "2026-03-08 09:00", "2200-01-01"] {
            read::<PeriodEnd>(sent).expect_err(sent);
        }
        let problem = read::<PeriodEnd>("soon").expect_err("no date");
        assert!(
            problem.starts_with("must be a date such as 2026-03-05, a local time"),
            "{problem}"
        );
    }

    #[test]
    fn a_filter_takes_a_date_as_its_first_moment() {
        let new_york = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
        // In Santiago the clock skips the first hour of a day in September.
        let santiago = Zone::parse("America/Santiago").expect("a zone").rules();
        for (sent, zone, expected) in [
            ("2026-03-05", &new_york, "2026-03-05T05:00:00.000Z"),
            ("2026-07-05", &new_york, "2026-07-05T04:00:00.000Z"),
            (" 2026-03-05T00:00", &new_york, "2026-03-05T05:00:00.000Z"),
            ("2026-03-05T00:00:00Z", &new_york, "2026-03-05T00:00:00.000Z"),
            ("2026-09-06", &santiago, "2026-09-06T04:00:00.000Z"),
            ("0001-01-01", &new_york, "0001-01-01T05:00:00.000Z"),
        ] {
            let time = read::<DateOrTime>(sent).map(|time| rfc3339(time.in_zone(zone)));
            assert_eq!(time.as_deref(), Ok(expected), "{sent}");
        }
        let endless = read::<DateOrTime>("9999-12-31").expect("a date").in_zone(&new_york);
        assert_eq!(endless.0, jiff::Timestamp::MAX.as_microsecond());
        for sent in ["2026-02-30", "2026-11-29T25:00"] {
            assert!(read::<DateOrTime>(sent).expect_err(sent).contains("exist"), "{sent}");
        }
        for sent in ["yesterday", "11/29/2026", "2026-11", "2026-11-29 09:00", "09:00"] {
            assert!(read::<DateOrTime>(sent).expect_err(sent).contains("a date such as"), "{sent}");
        }
    }

    #[test]
    fn spellings_of_one_filter_are_equal() {
        let canonical = |sent: &str| DateOrTime::canonical(&Json::Text(sent.to_owned()));
        assert_eq!(canonical("2026-03-05"), canonical(" 2026-03-05T00:00:00 "));
        assert_eq!(canonical("2026-03-05T09:00:00+01:00"), canonical("2026-03-05T08:00:00Z"));
        assert_ne!(canonical("2026-03-05"), canonical("2026-03-05T00:00:00Z"));
        assert_ne!(canonical("yesterday"), canonical("today"));
    }

    proptest! {
        #[test]
        fn every_date_in_the_valid_years_is_read_back_unchanged(year in 2000i16..2200, day in 1i16..366) {
            let first = civil::Date::new(year, 1, 1).expect("a day");
            let date = first.with().day_of_year(day).build().expect("a day");
            prop_assert_eq!(read::<Date>(&date.to_string()).map(Date::get), Ok(date));
        }

        #[test]
        fn any_string_is_rejected_or_read_as_what_it_says(text in "[0-9T:Z+ -]{1,24}|\\PC{1,24}") {
            let context = ParseContext { country: Country::US };
            let sent = || Json::Text(text.clone());
            if let Ok(date) = Date::parse(sent(), context) {
                prop_assert_eq!(date.get().to_string(), text.trim());
            }
            if let Ok(LocalTime::Local(local)) = LocalTime::parse(sent(), context) {
                prop_assert!(local.to_string().starts_with(text.trim()));
            }
            if let Ok(time) = TimeOfDay::parse(sent(), context) {
                prop_assert!(time.get().to_string().starts_with(text.trim()));
            }
        }
    }
}
