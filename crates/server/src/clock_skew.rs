//! Clock skew: the difference between this process's clock and the database's, if the database has one.
//!
//! Ids, limits and expiries use the process's clock. Processes on one database must agree on the time, so each
//! compares its clock with the database's, which they all see.

use std::sync::atomic::{AtomicBool, Ordering};

use zoop_db::Timestamp;

/// The skew at which the log warns, in microseconds.
const WARNING_SKEW: u64 = 1_000_000;
/// The skew at which the process is no longer ready, in microseconds.
const MAX_SKEW: u64 = 5_000_000;

/// Compares the clocks, and logs when the result changes.
#[derive(Default)]
pub(crate) struct ClockSkew {
    is_skewed: AtomicBool,
}

impl ClockSkew {
    /// Whether the clocks agree well enough to serve. Logs a warning when the skew reaches one second, and when it
    /// falls below one second again.
    pub(crate) fn agree(&self, here: Timestamp, database: Option<Timestamp>) -> bool {
        let Some(there) = database else { return true };
        let skew = here.0.abs_diff(there.0);
        let is_skewed = skew >= WARNING_SKEW;
        if self.is_skewed.swap(is_skewed, Ordering::Relaxed) != is_skewed {
            if is_skewed {
                tracing::warn!(
                    milliseconds = (here.0.saturating_sub(there.0)) / 1_000,
                    "this machine's clock is off the database's: let NTP set both; at five seconds this \
                     process is no longer ready"
                );
            } else {
                tracing::warn!("this machine's clock agrees with the database's again");
            }
        }
        skew < MAX_SKEW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_skew_of_five_seconds_fails_readiness() {
        let clock_skew = ClockSkew::default();
        let agree = |skew: i64| clock_skew.agree(Timestamp(1_000 + skew), Some(Timestamp(1_000)));
        let cases = [(0, true), (4_999_999, true), (5_000_000, false), (-5_000_000, false)];
        for (skew, is_ready) in cases {
            assert_eq!(agree(skew), is_ready, "{skew}");
        }
        assert!(clock_skew.agree(Timestamp(i64::MAX), None), "a database file has no clock");
    }
}
