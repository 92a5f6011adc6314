//! Limits over a rolling minute, with a clock that the tests set.

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
    let (class, tenant) = (Class::Call, Tenant(1));
    Applicant { class, credential, credential_limit, tenant, tenant_limit }
}

/// How many of `times` requests of an applicant are admitted.
fn admitted(limiter: &Limiter, applicant: Applicant, times: u32) -> u32 {
    let clock = TestClock::default();
    let is_admitted = |_: &u32| limiter.admit(&clock, applicant).refused_for.is_none();
    u32::try_from((0..times).filter(is_admitted).count()).unwrap()
}

#[test]
fn the_window_is_a_rolling_minute_and_refused_requests_do_not_count() {
    let (limiter, clock) = (Limiter::default(), TestClock::default());
    let ask = |at: i64| {
        clock.set(at);
        limiter.admit(&clock, applicant(1, 2, 0))
    };
    assert_eq!(
        ask(0),
        Admission {
            credential: Some(Standing { quota: 2, remaining: 1, reset: 60 }),
            ..Admission::UNLIMITED
        }
    );
    assert_eq!(ask(30_000).refused_for, None);
    assert_eq!(ask(30_001).refused_for, Some(30), "29.999 s, rounded up");
    assert_eq!(ask(59_999).refused_for, Some(1));
    assert_eq!(ask(60_000).refused_for, None, "the first request has expired");
    assert_eq!(ask(60_001).refused_for, Some(30), "the second request is the oldest now");
}

#[test]
fn a_refusal_by_one_limit_does_not_count_against_the_other() {
    let limiter = Limiter::default();
    assert_eq!(admitted(&limiter, applicant(1, 1, 100), 5), 1);
    assert_eq!(
        admitted(&limiter, applicant(2, 0, 100), 200),
        99,
        "what the first credential left over"
    );
    let clock = TestClock::default();
    let refused = limiter.admit(&clock, applicant(2, 200, 100));
    assert_eq!(refused.refused_for, Some(60), "the tenant's limit");
    assert_eq!(refused.credential.map(|credential| credential.remaining), Some(101));
}

#[test]
fn each_credential_keeps_sixty_calls_of_its_tenants_limit() {
    let (limiter, clock) = (Limiter::default(), TestClock::default());
    assert_eq!(admitted(&limiter, applicant(1, 6_000, 600), 1_000), 600, "an import");
    let office = limiter.admit(&clock, applicant(2, 120, 600));
    let standing = |remaining| Some(Standing { quota: 600, remaining, reset: 60 });
    assert_eq!((office.refused_for, office.tenant), (None, standing(59)));
    assert_eq!(admitted(&limiter, applicant(2, 120, 600), 100), 59);
    assert_eq!(
        admitted(&limiter, applicant(3, 120, 600), 100),
        60,
        "and so does every other credential"
    );
    let refused = limiter.admit(&clock, applicant(2, 120, 600));
    assert_eq!((refused.refused_for, refused.tenant), (Some(60), standing(0)));
    // The import used the whole limit at second 0; at second 59 the office waits for its own calls.
    let (limiter, clock) = (Limiter::default(), TestClock::default());
    assert_eq!(admitted(&limiter, applicant(1, 0, 600), 600), 600);
    clock.set(59_000);
    for _ in 0..60 {
        assert_eq!(limiter.admit(&clock, applicant(2, 0, 600)).refused_for, None);
    }
    let refused = limiter.admit(&clock, applicant(2, 0, 600));
    assert_eq!(refused.refused_for, Some(1), "the import's calls expire first");
    clock.set(60_000);
    assert_eq!(limiter.admit(&clock, applicant(2, 0, 600)).refused_for, None);
}

#[test]
fn connecting_has_a_window_of_its_own_with_twice_the_limit() {
    let limiter = Limiter::default();
    let connecting = |limit| Applicant { class: Class::Connecting, ..applicant(1, limit, 10) };
    assert_eq!(admitted(&limiter, applicant(1, 100, 0), 200), 100);
    assert_eq!(admitted(&limiter, connecting(100), 300), 200, "however many calls were made");
    assert_eq!(admitted(&limiter, applicant(2, 100, 0), 200), 100, "and calls are not affected");
    let refused = limiter.admit(&TestClock::default(), connecting(100));
    assert_eq!(refused.refused_for, Some(60));
    assert_eq!(refused.connecting, Some(Standing { quota: 200, remaining: 0, reset: 60 }));
    assert_eq!(refused.credential, Some(Standing { quota: 100, remaining: 0, reset: 60 }));
    let few = Applicant { credential: Uuid::from_u128(3), ..connecting(1) };
    assert_eq!(admitted(&limiter, few, 100), 60, "enough to connect");
    let none = Applicant { credential: Uuid::from_u128(4), ..connecting(0) };
    assert_eq!(admitted(&limiter, none, 1_000), 1_000, "no limit");
    assert!(limiter.take_unpublished(Timestamp(0)).iter().all(|count| count.requests == 100));
}

#[test]
fn a_lowered_limit_waits_until_enough_requests_have_expired() {
    let (limiter, clock) = (Limiter::default(), TestClock::default());
    for at in [0, 10_000, 20_000] {
        clock.set(at);
        assert_eq!(limiter.admit(&clock, applicant(1, 3, 0)).refused_for, None);
    }
    let refused = limiter.admit(&clock, applicant(1, 1, 0));
    assert_eq!(refused.refused_for, Some(60), "the third request has to expire");
}

#[test]
fn a_clock_that_is_set_back_blocks_for_a_minute_at_most() {
    let (limiter, clock) = (Limiter::default(), TestClock::default());
    clock.set(7_200_000);
    assert_eq!(limiter.admit(&clock, applicant(1, 1, 0)).refused_for, None);
    clock.set(0);
    assert_eq!(limiter.admit(&clock, applicant(1, 1, 0)).refused_for, Some(60));
    clock.set(60_000);
    assert_eq!(limiter.admit(&clock, applicant(1, 1, 0)).refused_for, None);
}

#[test]
fn idle_windows_are_dropped_and_others_are_kept() {
    let (limiter, clock) = (Limiter::default(), TestClock::default());
    limiter.admit(&clock, applicant(1, 5, 5));
    clock.set(30_000);
    limiter.admit(&clock, applicant(2, 5, 5));
    limiter.drop_idle(Timestamp(60_000_000));
    let windows = limiter.windows.lock().unwrap();
    assert_eq!(windows.calls.keys().collect::<Vec<_>>(), [&Uuid::from_u128(2)]);
    assert_eq!(windows.tenants.len(), 1);
}
