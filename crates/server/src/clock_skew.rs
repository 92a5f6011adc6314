//! Clock skew: how far this process's clock is off the database's, where the database has one.
//!
//! Ids, limits and expiries use the process's clock. Processes on one database must agree on the time, and
//! the database's clock is the one they all see.

use std::sync::atomic::{AtomicBool, Ordering};

use zoop_db::Timestamp;

/// The skew at which the log warns, in microseconds.
const WARNS: u64 = 1_000_000;
/// The skew at which the process is no longer ready, in microseconds.
const UNFIT: u64 = 5_000_000;

/// Compares the clocks, and logs when the result changes.
#[derive(Default)]
pub(crate) struct ClockSkew {
    are_apart: AtomicBool,
}

impl ClockSkew {
    /// Whether the clocks agree well enough to serve. Logs when they start or stop agreeing well.
    pub(crate) fn agree(&self, here: Timestamp, database: Option<Timestamp>) -> bool {
        let Some(there) = database else { return true };
        let off = here.0.abs_diff(there.0);
        let are_apart = off >= WARNS;
        if self.are_apart.swap(are_apart, Ordering::Relaxed) != are_apart {
            if are_apart {
                tracing::warn!(
                    milliseconds = (here.0.saturating_sub(there.0)) / 1_000,
                    "this machine's clock is off the database's: let NTP set both; at five seconds this \
                     process is no longer ready"
                );
            } else {
                tracing::warn!("this machine's clock agrees with the database's again");
            }
        }
        off < UNFIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_skew_of_five_seconds_fails_readiness() {
        let clock_skew = ClockSkew::default();
        let agree = |off: i64| clock_skew.agree(Timestamp(1_000 + off), Some(Timestamp(1_000)));
        for (off, fits) in [(0, true), (4_999_999, true), (5_000_000, false), (-5_000_000, false)] {
            assert_eq!(agree(off), fits, "{off}");
        }
        assert!(clock_skew.agree(Timestamp(i64::MAX), None), "a file has no clock");
    }
}
