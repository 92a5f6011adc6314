//! Time zones, by their names in the IANA Time Zone Database. The database is part of the program, so that a name
//! means the same on every machine.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};
use zoop_db::{Column, Param, Timestamp, Value};

/// The name of a time zone, such as `America/New_York`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(&'static str);

/// Every name in the database.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = TimeZoneDatabase::bundled();
    names.available().map(|name| name.as_str().to_owned()).collect()
});

impl Zone {
    /// Coordinated Universal Time, the default.
    pub const UTC: Self = Self("UTC");

    /// The time zone with this name, or of this city, in upper or lower case. A space stands for an underscore. `None`
    /// if the database has no such name, or several cities of it.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.replace(' ', "_");
        let named = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name));
        named.map(|known| Self(known)).or_else(|| Self::of_city(&name))
    }

    fn of_city(name: &str) -> Option<Self> {
        let is_it = |place: &&str| {
            place.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(name))
        };
        let mut found = Self::places().filter(is_it);
        found.next().filter(|_| found.next().is_none()).map(Self)
    }

    /// The names of places, and UTC, as a person looks for them. [`Self::parse`] knows others too.
    pub fn places() -> impl Iterator<Item = &'static str> {
        const REGIONS: [&str; 9] = [
            "Africa",
            "America",
            "Antarctica",
            "Asia",
            "Atlantic",
            "Australia",
            "Europe",
            "Indian",
            "Pacific",
        ];
        let is_place = |name: &&str| {
            *name == "UTC"
                || name.split_once('/').is_some_and(|(region, _)| REGIONS.contains(&region))
        };
        NAMES.iter().map(String::as_str).filter(is_place)
    }

    /// The name, as the database spells it.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The rules of the time zone.
    pub fn rules(self) -> TimeZone {
        TimeZoneDatabase::bundled().get(self.0).unwrap_or(TimeZone::UTC)
    }

    /// A point in time as the clocks of the time zone show it, such as `2026-06-13 11:00:00`: spreadsheets know this form.
    pub fn civil(self, Timestamp(microseconds): Timestamp) -> String {
        jiff::Timestamp::from_microsecond(microseconds).map_or_else(
            |_| String::new(),
            |time| self.rules().to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        )
    }

    /// A point in time as the clocks of the time zone show it, cut to the minute, such as `2026-06-13T11:00`.
    pub fn minute(self, Timestamp(microseconds): Timestamp) -> String {
        jiff::Timestamp::from_microsecond(microseconds).map_or_else(
            |_| String::new(),
            |time| self.rules().to_datetime(time).strftime("%Y-%m-%dT%H:%M").to_string(),
        )
    }

    /// A point in time as the clocks of the time zone show it: RFC 3339, milliseconds, with the offset.
    pub fn rfc3339(self, time: Timestamp) -> String {
        let Ok(time) = jiff::Timestamp::from_millisecond(time.0.div_euclid(1_000)) else {
            return String::new();
        };
        format!("{:.3}", time.display_with_offset(self.rules().to_offset(time)))
    }

    /// The next time after a point in time at which the clocks of the time zone show this hour, from 0 to 23.
    pub fn next_hour(self, hour: i8, after: Timestamp) -> Timestamp {
        let rules = self.rules();
        let Ok(now) = jiff::Timestamp::from_microsecond(after.0) else { return after };
        let today = rules.to_datetime(now).date();
        let mut times = [Ok(today), today.tomorrow()].into_iter().flatten().filter_map(|day| {
            let time = rules.to_timestamp(day.at(hour, 0, 0, 0)).ok()?;
            Some(Timestamp(time.as_microsecond()))
        });
        times.find(|time| *time > after).unwrap_or(after)
    }
}

impl Param for Zone {
    fn value(&self) -> Value<'_> {
        Value::Text(self.0)
    }
}

/// A stored name that this version does not know, because a later version with a newer database stored it, is
/// read as UTC.
impl Column for Zone {
    const KIND: zoop_db::Kind = zoop_db::Kind::Text;
    const NAME: &'static str = "Zone";
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(name) => Some(Self::parse(name).unwrap_or(Self::UTC)),
            _ => None,
        }
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::clock::parse_rfc3339;

    #[test]
    fn a_zone_is_found_by_its_name_in_any_case() {
        for (typed, name) in [
            ("America/New_York", "America/New_York"),
            ("america/new york", "America/New_York"),
            ("utc", "UTC"),
            ("US/Pacific", "US/Pacific"),
            ("Chicago", "America/Chicago"),
            ("new york", "America/New_York"),
        ] {
            assert_eq!(Zone::parse(typed).map(Zone::name), Some(name), "{typed}");
        }
        // There are two zones called Louisville.
        for typed in ["", "EDT5", "Louisville", "+02:00", "America", "Pacific", "Mars/Olympus"] {
            assert_eq!(Zone::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn places_are_zones() {
        let places: Vec<_> = Zone::places().collect();
        assert!(places.len() > 300 && places.len() < NAMES.len(), "{}", places.len());
        assert!(places.iter().all(|name| Zone::parse(name).is_some()));
        for name in ["UTC", "America/Denver", "Europe/Berlin"] {
            assert!(places.contains(&name), "{name}");
        }
        assert!(!places.contains(&"US/Pacific"));
    }

    #[test]
    fn every_name_has_rules() {
        assert!(NAMES.len() > 400, "{} names", NAMES.len());
        for name in NAMES.iter() {
            let found = TimeZoneDatabase::bundled().get(name).expect(name);
            assert_eq!(Zone::parse(name).map(Zone::rules), Some(found), "{name}");
        }
        assert_eq!(Zone::UTC.rules(), TimeZone::UTC);
    }

    #[test]
    fn a_time_is_shown_with_the_offset_of_the_zone() {
        let zone = Zone::parse("America/Denver").expect("a zone");
        let shown = |time: &str| zone.rfc3339(parse_rfc3339(time).expect("a time"));
        assert_eq!(shown("2026-07-01T12:00:00Z"), "2026-07-01T06:00:00.000-06:00");
        assert_eq!(shown("2026-12-01T00:30:00.25Z"), "2026-11-30T17:30:00.250-07:00");
        let minute = zone.minute(parse_rfc3339("2026-07-01T12:00:59.999Z").expect("a time"));
        assert_eq!(minute, "2026-07-01T06:00");
        let utc = Zone::UTC.rfc3339(parse_rfc3339("2026-07-01T12:00:00Z").expect("a time"));
        assert_eq!(utc, "2026-07-01T12:00:00.000+00:00");
    }

    #[test]
    fn an_unknown_stored_zone_is_read_as_utc() {
        let denver = Zone::parse("America/Denver").expect("a zone");
        assert_eq!(Zone::read(denver.value()), Some(denver));
        assert_eq!(Zone::read(Value::Text("Mars/Olympus")), Some(Zone::UTC));
        assert_eq!(Zone::read(Value::Integer(1)), None);
    }
}
