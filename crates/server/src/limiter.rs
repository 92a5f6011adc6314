//! Rate limits of credentials and tenants in a rolling minute. They are exact within this process. The counts of
//! other processes are added when those publish them (`limit_sync.rs`).
//!
//! Calls and connecting requests are counted separately, so that a client that made too many calls can still
//! connect and learn how long to wait. A part of the tenant's limit is reserved for each credential: the other
//! credentials cannot use it up.
//!
//! A window contains the time of each request that was admitted in the last minute. A rejected request takes no
//! memory.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use zoop_crm::call::access::{CallLimits, RateLimit};
use zoop_crm::request_counts::RequestCount;
use zoop_crm::values::clock::Clock;
use zoop_db::{Tenant, Timestamp, Uuid};

/// The length of a window, in seconds.
pub(crate) const WINDOW_SECONDS: u64 = 60;
/// The same in microseconds.
const WINDOW: i64 = 60 * MICROSECONDS;
const MICROSECONDS: i64 = 1_000_000;
/// The calls per minute that are reserved for each credential within its tenant's limit. Also the lowest limit on
/// connecting requests.
const RESERVED_CALLS: u32 = 60;

/// The windows of all credentials and tenants.
#[derive(Default)]
pub(crate) struct Limiter {
    windows: Mutex<Windows>,
}

#[derive(Default)]
struct Windows {
    /// The calls of each credential.
    calls: HashMap<Uuid, Window>,
    /// The connecting requests of each credential. They are not shared with other processes.
    connecting: HashMap<Uuid, Window>,
    /// The calls of all credentials of a tenant.
    tenants: HashMap<Tenant, Window>,
    /// Calls admitted here that are not yet published to the other processes.
    unpublished: HashMap<(Uuid, Tenant), u32>,
}

/// When the requests of the last minute were admitted, in microseconds, oldest first.
#[derive(Default)]
struct Window(VecDeque<i64>);

/// Which limit a request counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A request that works with the tenant's records, or that cannot be parsed.
    Call,
    /// A request that only asks what the server offers, or whether the server is running. Its limit is twice the
    /// credential's, and at least 60.
    Connecting,
}

/// The credential and the tenant of a request, and their limits. A limit of 0 means no limit.
#[derive(Clone, Copy)]
pub(crate) struct Applicant {
    pub(crate) class: Class,
    pub(crate) credential: Uuid,
    pub(crate) credential_limit: u32,
    pub(crate) tenant: Tenant,
    pub(crate) tenant_limit: u32,
}

/// The limiter's decision about one request. The standings include the request if it was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Seconds until the request would be admitted, if it was rejected.
    pub(crate) refused_for: Option<u64>,
    /// The calls left within the credential's limit, if it has one.
    pub(crate) credential: Option<Standing>,
    /// The calls left to the credential within the tenant's limit, if there is one.
    pub(crate) tenant: Option<Standing>,
    /// The connecting requests left, if this is one and there is a limit.
    pub(crate) connecting: Option<Standing>,
}

/// How much of one limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The limit.
    pub(crate) quota: u32,
    /// Requests that may still be made.
    pub(crate) remaining: u32,
    /// Seconds until `remaining` increases.
    pub(crate) reset: u64,
}

impl Admission {
    /// The admission of a caller without limits.
    pub(crate) const UNLIMITED: Self =
        Self { refused_for: None, credential: None, tenant: None, connecting: None };

    /// The limits on calls, as a tool shows them.
    pub(crate) fn call_limits(&self) -> CallLimits {
        let shown =
            |standing: Standing| RateLimit { limit: standing.quota, left: standing.remaining };
        CallLimits { credential: self.credential.map(shown), tenant: self.tenant.map(shown) }
    }
}

impl Applicant {
    /// The calls that no other credential of the tenant can use up.
    fn reserved_calls(&self) -> u32 {
        RESERVED_CALLS.min(self.tenant_limit)
    }

    fn connecting_limit(&self) -> u32 {
        match self.credential_limit {
            0 => 0,
            limit => limit.saturating_mul(2).max(RESERVED_CALLS),
        }
    }
}

impl Limiter {
    /// Admits and counts a request if the limits of its class have room.
    pub(crate) fn admit(&self, clock: &dyn Clock, applicant: Applicant) -> Admission {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that times in a window never go backwards.
        let Timestamp(now) = clock.now();
        match applicant.class {
            Class::Call => windows.admit_call(applicant, now),
            Class::Connecting => windows.admit_connecting(applicant, now),
        }
    }

    /// Takes the counts that must be published to the other processes, all dated `now`.
    pub(crate) fn take_unpublished(&self, now: Timestamp) -> Vec<RequestCount> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let unpublished = std::mem::take(&mut windows.unpublished).into_iter();
        let count = |((credential, tenant), requests)| RequestCount {
            credential,
            tenant,
            admitted_at: now,
            requests,
        };
        unpublished.map(count).collect()
    }

    /// Puts back counts that could not be published.
    pub(crate) fn put_back(&self, counts: &[RequestCount]) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for count in counts {
            *windows.unpublished.entry((count.credential, count.tenant)).or_default() +=
                count.requests;
        }
    }

    /// Counts requests that other processes admitted.
    pub(crate) fn merge(&self, counts: &[RequestCount]) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for count in counts {
            windows.calls.entry(count.credential).or_default().insert(count);
            windows.tenants.entry(count.tenant).or_default().insert(count);
        }
    }

    /// Drops windows without requests in the last minute.
    pub(crate) fn drop_idle(&self, now: Timestamp) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.calls.retain(|_, window| window.is_live(now.0));
        windows.connecting.retain(|_, window| window.is_live(now.0));
        windows.tenants.retain(|_, window| window.is_live(now.0));
    }
}

impl Windows {
    fn admit_call(&mut self, applicant: Applicant, now: i64) -> Admission {
        let Applicant { credential, credential_limit, tenant, tenant_limit, .. } = applicant;
        if credential_limit == 0 && tenant_limit == 0 {
            return Admission::UNLIMITED;
        }
        let own = up_to_date(&mut self.calls, credential, now);
        let shared = up_to_date(&mut self.tenants, tenant, now);
        let refused_for =
            own.wait(credential_limit, now).max(tenant_wait(own, shared, applicant, now));
        if refused_for.is_none() {
            own.0.push_back(now);
            if tenant_limit > 0 {
                shared.0.push_back(now);
            }
            *self.unpublished.entry((credential, tenant)).or_default() += 1;
        }
        Admission { refused_for, ..standings(own, shared, applicant, now) }
    }

    fn admit_connecting(&mut self, applicant: Applicant, now: i64) -> Admission {
        let own = up_to_date(&mut self.calls, applicant.credential, now);
        let shared = up_to_date(&mut self.tenants, applicant.tenant, now);
        let mut admission = standings(own, shared, applicant, now);
        let limit = applicant.connecting_limit();
        if limit > 0 {
            let window = up_to_date(&mut self.connecting, applicant.credential, now);
            admission.refused_for = window.wait(limit, now);
            if admission.refused_for.is_none() {
                window.0.push_back(now);
            }
            admission.connecting = window.standing(limit, now);
        }
        admission
    }
}

/// The standings for calls. `refused_for` is `None`.
fn standings(own: &Window, shared: &Window, applicant: Applicant, now: i64) -> Admission {
    let of_tenant = shared.standing(applicant.tenant_limit, now).map(|standing| Standing {
        remaining: standing.remaining.max(own.remaining(applicant.reserved_calls())),
        reset: tenant_wait(own, shared, applicant, now).unwrap_or(standing.reset),
        ..standing
    });
    Admission {
        credential: own.standing(applicant.credential_limit, now),
        tenant: of_tenant,
        ..Admission::UNLIMITED
    }
}

/// The window of `key`, without requests older than a minute.
fn up_to_date<K: Eq + Hash>(windows: &mut HashMap<K, Window>, key: K, now: i64) -> &mut Window {
    let window = windows.entry(key).or_default();
    window.advance(now);
    window
}

/// Seconds until the tenant's limit, or the part reserved for the credential, has room for a call.
fn tenant_wait(own: &Window, shared: &Window, applicant: Applicant, now: i64) -> Option<u64> {
    let wait = shared.wait(applicant.tenant_limit, now)?;
    own.wait(applicant.reserved_calls(), now).map(|own_wait| own_wait.min(wait))
}

impl Window {
    fn remaining(&self, limit: u32) -> u32 {
        limit.saturating_sub(u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }

    /// Seconds until there is room for one more request; `None` if there is room now, or no limit. Several requests
    /// must leave the window first if the limit was lowered, or if other credentials used their reserved calls.
    fn wait(&self, limit: u32, now: i64) -> Option<u64> {
        if limit == 0 {
            return None;
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let leaving = (self.0.len() + 1).saturating_sub(limit).checked_sub(1)?;
        self.0.get(leaving).map(|admitted| seconds_until(admitted + WINDOW, now))
    }

    fn standing(&self, limit: u32, now: i64) -> Option<Standing> {
        if limit == 0 {
            return None;
        }
        let oldest = self.0.front().map_or(0, |oldest| seconds_until(oldest + WINDOW, now));
        let reset = self.wait(limit, now).unwrap_or(oldest);
        Some(Standing { quota: limit, remaining: self.remaining(limit), reset })
    }

    /// Inserts another process's requests in time order.
    fn insert(&mut self, count: &RequestCount) {
        let index = self.0.partition_point(|time| *time <= count.admitted_at.0);
        for _ in 0..count.requests {
            self.0.insert(index, count.admitted_at.0);
        }
    }

    fn advance(&mut self, now: i64) {
        // The clock was set back: times in the future would stay in the window too long.
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

/// Whole seconds, rounded up, so that the wait is always long enough.
fn seconds_until(time: i64, now: i64) -> u64 {
    u64::try_from((time - now).max(0)).unwrap_or(0).div_ceil(1_000_000)
}

#[cfg(test)]
mod tests;
