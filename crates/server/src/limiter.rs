//! Requests that a credential and a tenant may make in a rolling minute: exact within this process.
//! What other processes admitted is merged in as they tell it (`sharing.rs`).
//!
//! A window holds the time of every admitted request of the last minute. So memory is bounded by
//! the limits and by the requests that were really admitted; a refused request leaves nothing.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use zoop_crm::clock::Clock;
use zoop_crm::request_counts::RequestCount;
use zoop_db::{Tenant, Timestamp, Uuid};

/// How far back requests count, in seconds.
pub(crate) const WINDOW_SECONDS: u64 = 60;
/// The same in microseconds.
const WINDOW: i64 = 60 * MICROSECONDS;
const MICROSECONDS: i64 = 1_000_000;

/// The windows of all callers of the last minute.
#[derive(Default)]
pub(crate) struct Limiter {
    windows: Mutex<Windows>,
}

#[derive(Default)]
struct Windows {
    credentials: HashMap<Uuid, Window>,
    tenants: HashMap<Tenant, Window>,
    /// Requests admitted here that the other processes have not been told of.
    untold: HashMap<(Uuid, Tenant), u32>,
}

/// When the requests of the last minute were admitted, in microseconds, oldest first.
#[derive(Default)]
struct Window(VecDeque<i64>);

/// Whose request it is and what they may do; a limit of 0 is none.
#[derive(Clone, Copy)]
pub(crate) struct Applicant {
    pub(crate) credential: Uuid,
    pub(crate) credential_limit: u32,
    pub(crate) tenant: Tenant,
    pub(crate) tenant_limit: u32,
}

/// What the limiter decided about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Seconds until the request would be admitted, if it was not.
    pub(crate) refused_for: Option<u64>,
    /// What the credential's limit leaves, if it has one.
    pub(crate) credential: Option<Standing>,
    /// What the tenant's limit leaves, if it has one.
    pub(crate) tenant: Option<Standing>,
}

/// How much of one limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The limit.
    pub(crate) quota: u32,
    /// Requests that may still be made.
    pub(crate) remaining: u32,
    /// Seconds until the oldest request stops counting.
    pub(crate) reset: u64,
}

impl Admission {
    /// The admission of a caller whom nothing limits.
    pub(crate) const UNLIMITED: Self = Self { refused_for: None, credential: None, tenant: None };
}

impl Limiter {
    /// Admits a request if both limits have room, and then counts it against both.
    pub(crate) fn admit(&self, clock: &dyn Clock, applicant: Applicant) -> Admission {
        let Applicant { credential, credential_limit, tenant, tenant_limit } = applicant;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that no window is given an earlier time after a later one.
        let Timestamp(now) = clock.now();
        let Windows { credentials, tenants, untold } = &mut *windows;
        let caller = (credential, tenant);
        let mut credential = Limited::of(credentials, credential, credential_limit, now);
        let mut tenant = Limited::of(tenants, tenant, tenant_limit, now);
        let wait = |limited: &Option<Limited<'_>>| limited.as_ref().and_then(|it| it.wait(now));
        let refused_for = wait(&credential).max(wait(&tenant));
        if refused_for.is_none() {
            for limited in [&mut credential, &mut tenant].into_iter().flatten() {
                limited.window.0.push_back(now);
            }
            if credential.is_some() || tenant.is_some() {
                *untold.entry(caller).or_default() += 1;
            }
        }
        Admission {
            refused_for,
            credential: credential.map(|limited| limited.standing(now)),
            tenant: tenant.map(|limited| limited.standing(now)),
        }
    }

    /// Takes what the other processes are to be told, counted as admitted now.
    pub(crate) fn take_untold(&self, now: Timestamp) -> Vec<RequestCount> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = std::mem::take(&mut windows.untold).into_iter();
        let count = |((credential, tenant), requests)| RequestCount {
            credential,
            tenant,
            admitted_at: now,
            requests,
        };
        untold.map(count).collect()
    }

    /// Puts back what could not be told.
    pub(crate) fn put_back(&self, counts: &[RequestCount]) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for count in counts {
            *windows.untold.entry((count.credential, count.tenant)).or_default() += count.requests;
        }
    }

    /// Counts what other processes admitted.
    pub(crate) fn merge(&self, counts: &[RequestCount]) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for count in counts {
            windows.credentials.entry(count.credential).or_default().insert(count);
            windows.tenants.entry(count.tenant).or_default().insert(count);
        }
    }

    /// Drops the windows in which nothing counts any more.
    pub(crate) fn drop_idle(&self, now: Timestamp) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.credentials.retain(|_, window| window.is_live(now.0));
        windows.tenants.retain(|_, window| window.is_live(now.0));
    }
}

/// One window beside its limit.
struct Limited<'w> {
    window: &'w mut Window,
    limit: u32,
}

impl<'w> Limited<'w> {
    /// The window of `key`, brought up to date; none where nothing is limited.
    fn of<K: Eq + Hash>(
        windows: &'w mut HashMap<K, Window>,
        key: K,
        limit: u32,
        now: i64,
    ) -> Option<Self> {
        if limit == 0 {
            return None;
        }
        let window = windows.entry(key).or_default();
        window.advance(now);
        Some(Self { window, limit })
    }

    /// Requests above the limit if one more were counted. It is more than one where a limit was
    /// lowered within the minute.
    fn excess(&self) -> usize {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        (self.window.0.len() + 1).saturating_sub(limit)
    }

    /// Seconds until one more request has room; none if it has room now.
    fn wait(&self, now: i64) -> Option<u64> {
        let leaving = self.window.0.get(self.excess().checked_sub(1)?)?;
        Some(seconds_until(leaving + WINDOW, now))
    }

    fn standing(&self, now: i64) -> Standing {
        let used = u32::try_from(self.window.0.len()).unwrap_or(u32::MAX);
        let reset = self.window.0.front().map_or(0, |oldest| seconds_until(oldest + WINDOW, now));
        Standing { quota: self.limit, remaining: self.limit.saturating_sub(used), reset }
    }
}

impl Window {
    /// Puts another process's requests where they belong in the order of time.
    fn insert(&mut self, count: &RequestCount) {
        let place = self.0.partition_point(|time| *time <= count.admitted_at.0);
        for _ in 0..count.requests {
            self.0.insert(place, count.admitted_at.0);
        }
    }

    fn advance(&mut self, now: i64) {
        // A clock that was set back must not make a minute last for hours.
        if self.0.back().is_some_and(|newest| *newest > now) {
            for time in &mut self.0 {
                *time = now.min(*time);
            }
        }
        while self.0.front().is_some_and(|oldest| now - oldest >= WINDOW) {
            self.0.pop_front();
        }
    }

    fn is_live(&self, now: i64) -> bool {
        self.0.back().is_some_and(|newest| now - newest < WINDOW)
    }
}

/// Whole seconds, rounded up, so that waiting them is enough.
fn seconds_until(time: i64, now: i64) -> u64 {
    u64::try_from((time - now).max(0)).unwrap_or(0).div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Default)]
    struct TestClock(AtomicI64);

    impl TestClock {
        fn set(&self, milliseconds: i64) {
            self.0.store(milliseconds * 1_000, Ordering::Relaxed);
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::Relaxed))
        }
    }

    fn applicant(credential: u128, credential_limit: u32, tenant_limit: u32) -> Applicant {
        let credential = Uuid::from_u128(credential);
        Applicant { credential, credential_limit, tenant: Tenant(1), tenant_limit }
    }

    #[test]
    fn a_minute_rolls_and_a_refused_request_does_not_count() {
        let (limiter, clock) = (Limiter::default(), TestClock::default());
        let ask = |at: i64| {
            clock.set(at);
            limiter.admit(&clock, applicant(1, 2, 0))
        };
        assert_eq!(
            ask(0),
            Admission {
                refused_for: None,
                credential: Some(Standing { quota: 2, remaining: 1, reset: 60 }),
                tenant: None,
            }
        );
        assert_eq!(ask(30_000).refused_for, None);
        assert_eq!(ask(30_001).refused_for, Some(30), "29.999 s, rounded up");
        assert_eq!(ask(59_999).refused_for, Some(1));
        assert_eq!(ask(60_000).refused_for, None, "the first one has left");
        assert_eq!(ask(60_001).refused_for, Some(30), "the second one is the oldest now");
    }

    #[test]
    fn both_limits_must_pass_and_a_refusal_by_one_spends_nothing_of_the_other() {
        let (limiter, clock) = (Limiter::default(), TestClock::default());
        assert_eq!(limiter.admit(&clock, applicant(1, 1, 2)).refused_for, None);
        let refused = limiter.admit(&clock, applicant(1, 1, 2));
        assert_eq!(refused.refused_for, Some(60));
        assert_eq!(refused.tenant.map(|tenant| tenant.remaining), Some(1));
        assert_eq!(limiter.admit(&clock, applicant(2, 1, 2)).refused_for, None);
        let refused = limiter.admit(&clock, applicant(3, 1, 2));
        assert_eq!(refused.refused_for, Some(60), "the tenant's");
        assert_eq!(refused.credential.map(|credential| credential.remaining), Some(1));
    }

    #[test]
    fn a_lowered_limit_waits_until_enough_requests_have_left() {
        let (limiter, clock) = (Limiter::default(), TestClock::default());
        for at in [0, 10_000, 20_000] {
            clock.set(at);
            assert_eq!(limiter.admit(&clock, applicant(1, 3, 0)).refused_for, None);
        }
        let refused = limiter.admit(&clock, applicant(1, 1, 0));
        assert_eq!(refused.refused_for, Some(60), "the third one has to leave");
    }

    #[test]
    fn a_clock_set_back_costs_a_minute_at_most() {
        let (limiter, clock) = (Limiter::default(), TestClock::default());
        clock.set(7_200_000);
        assert_eq!(limiter.admit(&clock, applicant(1, 1, 0)).refused_for, None);
        clock.set(0);
        assert_eq!(limiter.admit(&clock, applicant(1, 1, 0)).refused_for, Some(60));
        clock.set(60_000);
        assert_eq!(limiter.admit(&clock, applicant(1, 1, 0)).refused_for, None);
    }

    #[test]
    fn idle_windows_are_dropped_and_live_ones_kept() {
        let (limiter, clock) = (Limiter::default(), TestClock::default());
        limiter.admit(&clock, applicant(1, 5, 5));
        clock.set(30_000);
        limiter.admit(&clock, applicant(2, 5, 5));
        limiter.drop_idle(Timestamp(60_000_000));
        let windows = limiter.windows.lock().unwrap();
        assert_eq!(windows.credentials.keys().collect::<Vec<_>>(), [&Uuid::from_u128(2)]);
        assert_eq!(windows.tenants.len(), 1);
    }
}
