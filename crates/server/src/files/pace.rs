//! [`Pace`]: how slowly an upload may arrive.

use std::time::{Duration, Instant};

/// How long all of an upload may take: a phone in a van is slow.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// How fast the content must arrive on average, in bytes per second: slower than any phone that has a connection.
const RATE: u64 = 16 * 1024;
/// How many times the patience with one piece an upload may be late.
const GRACE: u32 = 6;

/// The time that an upload takes. Only waiting for the client counts against the rate.
pub(super) struct Pace {
    until: Instant,
    /// How long the next piece may take.
    patience: Duration,
    received: u64,
    waited: Duration,
}

impl Pace {
    pub(super) fn begin(now: Instant, patience: Duration) -> Self {
        Self { until: now + TIMEOUT, patience, received: 0, waited: Duration::ZERO }
    }

    /// The time by which the next piece must arrive.
    pub(super) fn until(&self, now: Instant) -> Instant {
        let allowed = self.patience * GRACE + Duration::from_secs(self.received / RATE);
        (now + self.patience.min(allowed.saturating_sub(self.waited))).min(self.until)
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.received += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    pub(super) fn waited(&mut self, time: Duration) {
        self.waited += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// For how long an upload is received that sends so many bytes each second.
    fn seconds(rate: usize) -> u64 {
        let began = Instant::now();
        let mut pace = Pace::begin(began, PATIENCE);
        let mut now = began;
        while pace.until(now) >= now + Duration::from_secs(1) {
            now += Duration::from_secs(1);
            pace.waited(Duration::from_secs(1));
            pace.received(rate);
        }
        (now - began).as_secs()
    }

    #[test]
    fn an_upload_that_arrives_too_slowly_ends_early() {
        assert_eq!(seconds(1), 60, "hardly anything arrives");
        assert_eq!(seconds(8 * 1024), 119);
        assert_eq!(seconds(20 * 1024), TIMEOUT.as_secs(), "a slow phone");
        let began = Instant::now();
        assert_eq!(Pace::begin(began, PATIENCE).until(began), began + PATIENCE, "one piece");
    }
}
