//! Counts tokens that have the right form but that the database does not know, by network. After too many, other
//! tokens from the network are answered 429 without a lookup, unless this process knows them to be good.

use std::net::{IpAddr, Ipv4Addr};

use zoop_db::Timestamp;

use crate::anonymous_limits::{Action, AnonymousLimits};
use crate::network;

/// Seconds until unknown tokens from this address are looked up again; `None` if there is nothing to wait for.
pub(crate) fn wait(
    limits: &AnonymousLimits,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Option<u64> {
    let waits = counters(address).map(|(action, network)| limits.wait(action, network, now));
    waits.into_iter().flatten().max()
}

/// Counts one unknown token.
pub(crate) fn count(limits: &AnonymousLimits, address: Option<IpAddr>, now: Timestamp) {
    for (action, network) in counters(address) {
        // An error means that the limit was reached meanwhile. Then there is nothing left to count.
        let _ = limits.admit(action, network, now);
    }
}

fn counters(address: Option<IpAddr>) -> [(Action, IpAddr); 2] {
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
