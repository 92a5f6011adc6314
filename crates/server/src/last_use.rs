//! Limits how often the use of a credential is recorded: once a minute. `background` writes the record, so that
//! no call waits for the write and no read becomes a write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use zoop_crm::call::caller::Used;
use zoop_db::Timestamp;

const MINUTE: i64 = 60 * 1_000_000;

/// The minute in which a use of each credential was last recorded.
#[derive(Default)]
pub(crate) struct LastUse {
    minutes: Mutex<HashMap<Used, i64>>,
}

impl LastUse {
    /// Whether this is the first use of a credential in this minute. Remembers the use.
    pub(crate) fn should_record_use(&self, used: Used, now: Timestamp) -> bool {
        let minute = minute(now);
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        minutes.insert(used, minute) != Some(minute)
    }

    /// Forgets a use that could not be recorded.
    pub(crate) fn forget(&self, used: Used) {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner).remove(&used);
    }

    /// Drops entries of earlier minutes.
    pub(crate) fn drop_idle(&self, now: Timestamp) {
        let minute = minute(now);
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        minutes.retain(|_, recorded| *recorded == minute);
    }
}

/// The number of whole minutes since 1970.
const fn minute(time: Timestamp) -> i64 {
    time.0.div_euclid(MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_a_credential_are_recorded_once_a_minute() {
        let uses = LastUse::default();
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        assert!(uses.should_record_use(Used::Key([1; 32]), at(0)));
        assert!(!uses.should_record_use(Used::Key([1; 32]), at(59)));
        assert!(uses.should_record_use(Used::Key([2; 32]), at(59)));
        assert!(uses.should_record_use(Used::Key([1; 32]), at(60)));
        uses.drop_idle(at(60));
        assert_eq!(uses.minutes.lock().unwrap().len(), 1, "the second credential's minute is over");
        assert!(!uses.should_record_use(Used::Key([1; 32]), at(61)));
        uses.forget(Used::Key([1; 32]));
        assert!(uses.should_record_use(Used::Key([1; 32]), at(61)));
    }
}
