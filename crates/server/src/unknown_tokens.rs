//! Tokens that look right and that the database does not know, counted by network. Past its limit a network
//! is answered 429 before the database is asked. Tokens that this process knows to be good are not counted.

use std::net::{IpAddr, Ipv4Addr};

use zoop_db::Timestamp;

use crate::anonymous_limits::{Action, AnonymousLimits};
use crate::network;

/// Seconds until unknown tokens from this address are looked up again; none if they are now.
pub(crate) fn wait(
    limits: &AnonymousLimits,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Option<u64> {
    counted(address).into_iter().filter_map(|(action, it)| limits.wait(action, it, now)).max()
}

/// Counts one.
pub(crate) fn count(limits: &AnonymousLimits, address: Option<IpAddr>, now: Timestamp) {
    for (action, address) in counted(address) {
        // One over the limit was on its way already when it was reached.
        let _ = limits.admit(action, address, now);
    }
}

fn counted(address: Option<IpAddr>) -> [(Action, IpAddr); 2] {
    let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    [
        (Action::UnknownToken, network::narrow(address).addr()),
        (Action::UnknownTokenWide, network::wide(address).addr()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_waits_once_its_tokens_are_counted_and_its_neighbors_do_later() {
        let limits = AnonymousLimits::default();
        let at = |second: i64| Timestamp(second * 1_000_000);
        let from = |site: u8, host: u8| Some(IpAddr::from([203, 0, site, host]));
        for n in 0..60 {
            assert_eq!(wait(&limits, from(0, n), at(0)), None);
            count(&limits, from(0, n), at(0));
        }
        assert_eq!(wait(&limits, from(0, 200), at(10)), Some(50));
        assert_eq!(wait(&limits, from(1, 1), at(10)), None, "another site");
        for n in 0..540 {
            count(&limits, from(u8::try_from(1 + n / 50).unwrap(), 1), at(10));
        }
        assert_eq!(wait(&limits, from(99, 1), at(20)), Some(40), "the whole organization");
        assert_eq!(wait(&limits, Some(IpAddr::from([198, 51, 100, 1])), at(20)), None);
        assert_eq!(wait(&limits, from(0, 1), at(60)), None);
        assert_eq!(wait(&limits, from(0, 1), at(-3_600)), None, "a clock set back");
    }
}
