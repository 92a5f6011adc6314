//! Rate limits for unauthenticated requests, by IP address. They are kept in this process and checked before
//! anything is read or written, so that a flood costs next to nothing. Limits by user, or across processes, are
//! counted in the database.
//!
//! Memory is bounded. Beyond `MAX_ADDRESSES` pairs of action and address, a new address is counted together with
//! its larger network, so that a caller with many addresses blocks only its own neighbors. At twice that number,
//! a new pair is refused.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use zoop_db::Timestamp;

use crate::peer::client_prefix;

/// The number of pairs of action and address that are counted separately.
const MAX_ADDRESSES: usize = 65_536;
const SECOND: i64 = 1_000_000;

macro_rules! actions {
    ($($(#[$about:meta])* $action:ident = $times:literal in $seconds:literal;)*) => {
        /// An action that needs no credential.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Action { $($(#[$about])* $action),* }

        impl Action {
            /// How often an address may do this, and in how many seconds.
            const fn allowance(self) -> (u32, i64) {
                match self { $(Self::$action => ($times, $seconds)),* }
            }
        }
    };
}

actions! {
    /// Opens a page, or sends a form without a narrower limit.
    Page = 300 in 60;
    /// Opens a page of a business or sends its form. A search follows the typing, and an office shares an address.
    Console = 3_000 in 60;
    /// Opens a file in a browser. A page shows many of them at once.
    File = 3_000 in 60;
    /// Tries a password, a code or an invitation.
    SignIn = 20 in 60;
    /// Goes to the company's identity provider, or comes back.
    SsoProvider = 60 in 60;
    /// Requests or revokes tokens.
    Token = 120 in 60;
    /// Names a client whose document must be fetched.
    Document = 20 in 60;
    /// Registers a client.
    Registration = 20 in 3600;
    /// Presents an unknown token of the right form. Counted by narrow network.
    UnknownToken = 60 in 60;
    /// The same, counted by wide network.
    UnknownTokenWide = 600 in 60;
}

/// This process's counts.
#[derive(Default)]
pub(crate) struct AnonymousLimits {
    windows: Mutex<HashMap<(Action, IpAddr), Window>>,
}

struct Window {
    ends: i64,
    count: u32,
}

impl Window {
    /// Whether the window is open. After the clock was set back, a window that would stay open too long has ended.
    fn is_current(&self, seconds: i64, now: Timestamp) -> bool {
        now.0 < self.ends && self.ends <= now.0 + seconds * SECOND
    }

    fn seconds_left(&self, now: Timestamp) -> u64 {
        u64::try_from(self.ends - now.0).unwrap_or(0).div_ceil(1_000_000)
    }
}

impl AnonymousLimits {
    /// Counts an action of an address. Over the limit, the error is the number of seconds to wait.
    pub(crate) fn admit(&self, action: Action, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let (times, seconds) = action.allowance();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (action, client_prefix(address));
        if windows.len() >= MAX_ADDRESSES && !windows.contains_key(&key) {
            windows.retain(|_, window| window.ends > now.0);
            if windows.len() >= MAX_ADDRESSES {
                key = (action, network(address));
            }
            if windows.len() >= 2 * MAX_ADDRESSES && !windows.contains_key(&key) {
                return Err(60);
            }
        }
        let fresh = || Window { ends: now.0 + seconds * SECOND, count: 0 };
        let window = windows.entry(key).or_insert_with(fresh);
        if !window.is_current(seconds, now) {
            *window = fresh();
        }
        if window.count >= times {
            return Err(window.seconds_left(now));
        }
        window.count += 1;
        Ok(())
    }

    /// Seconds to wait, if an address has reached its limit. Counts nothing.
    pub(crate) fn wait(&self, action: Action, address: IpAddr, now: Timestamp) -> Option<u64> {
        let (times, seconds) = action.allowance();
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |address| (action, address);
        let window = match windows.get(&key(client_prefix(address))) {
            // Without room for a window of its own, the address was counted with its network.
            None if windows.len() >= MAX_ADDRESSES => windows.get(&key(network(address)))?,
            own => own?,
        };
        (window.count >= times && window.is_current(seconds, now)).then(|| window.seconds_left(now))
    }

    /// Drops windows that have ended.
    pub(crate) fn drop_idle(&self, now: Timestamp) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|_, window| window.ends > now.0);
    }
}

/// The network that an address is counted with if there is no room for more addresses: a /16 (IPv4) or /32 (IPv6),
/// the usual block of one organization.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            IpAddr::from([a, b, 0, 0])
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            IpAddr::from([a, b, 0, 0, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * SECOND)
    }

    #[test]
    fn an_address_over_its_limit_waits_for_the_next_window() {
        let anonymous_limits = AnonymousLimits::default();
        for _ in 0..20 {
            assert_eq!(anonymous_limits.admit(Action::SignIn, HERE, at(0)), Ok(()));
        }
        assert_eq!(anonymous_limits.admit(Action::SignIn, HERE, at(10)), Err(50));
        assert_eq!(anonymous_limits.admit(Action::Token, HERE, at(10)), Ok(()), "another action");
        assert_eq!(anonymous_limits.admit(Action::SignIn, HERE, at(60)), Ok(()));
        assert_eq!(
            anonymous_limits.admit(Action::SignIn, HERE, at(-3_600)),
            Ok(()),
            "a clock set back"
        );
    }

    #[test]
    fn a_caller_with_very_many_addresses_locks_no_one_else_out() {
        let anonymous_limits = AnonymousLimits::default();
        let flood = |n: u128| IpAddr::from((0x2001_0db8_u128 << 96 | n << 64).to_be_bytes());
        let many = u128::try_from(MAX_ADDRESSES).unwrap();
        // Not from 0: that address is also the address of its network.
        for n in 1..=many {
            assert_eq!(anonymous_limits.admit(Action::SignIn, flood(n), at(0)), Ok(()));
        }
        for n in many + 1..=many + 20 {
            assert_eq!(anonymous_limits.admit(Action::SignIn, flood(n), at(1)), Ok(()));
        }
        assert_eq!(anonymous_limits.admit(Action::SignIn, flood(many + 21), at(1)), Err(60));
        assert_eq!(
            anonymous_limits.admit(Action::SignIn, flood(7), at(1)),
            Ok(()),
            "known address"
        );
        assert_eq!(anonymous_limits.admit(Action::SignIn, HERE, at(1)), Ok(()), "another network");
        assert_eq!(anonymous_limits.windows.lock().unwrap().len(), MAX_ADDRESSES + 2, "bounded");
        assert_eq!(anonymous_limits.admit(Action::SignIn, flood(many + 21), at(62)), Ok(()));
        assert_eq!(anonymous_limits.windows.lock().unwrap().len(), 1);
    }
}
