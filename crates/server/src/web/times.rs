//! How pages write times: as the clocks of the business show them, in the order that its country is used to, and how
//! long ago it was.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::{Moment, rfc3339};
use zoop_crm::values::zone::Zone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The units in which a distance is told: from how many seconds on, and how many seconds one has. The script has the
/// same.
const UNITS: [(i64, i64, &str); 6] = [
    (2 * 365 * DAY, 365 * DAY, "year"),
    (60 * DAY, 30 * DAY, "month"),
    (14 * DAY, 7 * DAY, "week"),
    (DAY, DAY, "day"),
    (HOUR, HOUR, "hour"),
    (MINUTE, MINUTE, "minute"),
];

/// Countries that write the month first and count twelve hours.
const MONTH_FIRST: [&str; 9] = ["US", "CA", "PH", "PR", "GU", "VI", "AS", "MP", "UM"];

/// A time for programs (RFC 3339).
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
pub(crate) fn iso(time: &Moment) -> String {
    rfc3339(time.0)
}

/// The clocks of a business.
pub(crate) struct Times {
    zone: TimeZone,
    is_utc: bool,
    is_month_first: bool,
    /// When the page was made.
    pub(crate) now: Moment,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
impl Times {
    /// The clocks of this business; without one, those of UTC.
    pub(crate) fn of(business: Option<&Membership>, now: Moment) -> Self {
        let zone = business.map_or(Zone::UTC, |it| it.zone);
        Self {
            zone: zone.rules(),
            is_utc: zone == Zone::UTC,
            is_month_first: business
                .is_none_or(|it| MONTH_FIRST.contains(&it.account.country.code())),
            now,
        }
    }

    /// For the reader.
    pub(crate) fn text(&self, time: &Moment) -> String {
        let form = match (self.is_month_first, self.is_utc) {
            (true, false) => "%b %-d, %Y, %-I:%M %p",
            (true, true) => "%b %-d, %Y, %-I:%M %p UTC",
            (false, false) => "%-d %b %Y, %H:%M",
            (false, true) => "%-d %b %Y, %H:%M UTC",
        };
        self.formatted(time, form)
    }

    /// The day of the week, the second and the time zone too.
    pub(crate) fn whole(&self, time: &Moment) -> String {
        let form = if self.is_month_first {
            "%A, %B %-d, %Y, %-I:%M:%S %p %Z"
        } else {
            "%A, %-d %B %Y, %H:%M:%S %Z"
        };
        self.formatted(time, form)
    }

    fn formatted(&self, time: &Moment, form: &str) -> String {
        Timestamp::from_microsecond(time.0.0)
            .map(|it| it.to_zoned(self.zone.clone()).strftime(form).to_string())
            .unwrap_or_default()
    }

    /// How long ago it was, or in how long it will be.
    pub(crate) fn ago(&self, time: &Moment) -> String {
        let seconds = (self.now.0.0 - time.0.0) / 1_000_000;
        let unit = UNITS.iter().find(|(from, _, _)| seconds.abs() >= *from);
        let Some((_, length, unit)) = unit else { return "just now".to_owned() };
        let count = seconds.abs() / length;
        let plural = if count == 1 { "" } else { "s" };
        if seconds > 0 {
            format!("{count} {unit}{plural} ago")
        } else {
            format!("in {count} {unit}{plural}")
        }
    }
}

#[cfg(test)]
mod tests {
    use zoop_db::Timestamp;

    use super::*;

    fn at(seconds: i64) -> Moment {
        // Saturday, June 13, 2026, 18:00 UTC.
        Moment(Timestamp((1_781_373_600 + seconds) * 1_000_000))
    }

    fn clocks(zone: &str, is_month_first: bool) -> Times {
        let zone = Zone::parse(zone).expect("a time zone");
        let is_utc = zone == Zone::UTC;
        Times { zone: zone.rules(), is_utc, is_month_first, now: at(0) }
    }

    #[test]
    fn a_time_is_written_as_the_clocks_of_the_business_show_it() {
        for (zone, is_month_first, text, whole) in [
            (
                "America/New_York",
                true,
                "Jun 13, 2026, 2:00 PM",
                "Saturday, June 13, 2026, 2:00:00 PM EDT",
            ),
            ("Europe/Berlin", false, "13 Jun 2026, 20:00", "Saturday, 13 June 2026, 20:00:00 CEST"),
            (
                "Pacific/Auckland",
                false,
                "14 Jun 2026, 06:00",
                "Sunday, 14 June 2026, 06:00:00 NZST",
            ),
            ("UTC", true, "Jun 13, 2026, 6:00 PM UTC", "Saturday, June 13, 2026, 6:00:00 PM UTC"),
            ("UTC", false, "13 Jun 2026, 18:00 UTC", "Saturday, 13 June 2026, 18:00:00 UTC"),
        ] {
            let clocks = clocks(zone, is_month_first);
            assert_eq!((&*clocks.text(&at(0)), &*clocks.whole(&at(0))), (text, whole));
        }
    }

    #[test]
    fn a_distance_is_told_in_the_unit_that_one_would_say() {
        let clocks = clocks("UTC", true);
        for (seconds, said) in [
            (0, "just now"),
            (-59, "just now"),
            (59, "just now"),
            (-60, "1 minute ago"),
            (-(HOUR - 1), "59 minutes ago"),
            (-HOUR, "1 hour ago"),
            (-(DAY - 1), "23 hours ago"),
            (-DAY, "1 day ago"),
            (-13 * DAY, "13 days ago"),
            (-14 * DAY, "2 weeks ago"),
            (-59 * DAY, "8 weeks ago"),
            (-60 * DAY, "2 months ago"),
            (-729 * DAY, "24 months ago"),
            (-730 * DAY, "2 years ago"),
            (3 * HOUR, "in 3 hours"),
        ] {
            assert_eq!(clocks.ago(&at(seconds)), said, "{seconds}");
        }
    }
}
