//! Networks of IP addresses, and who a request's seat and body are counted for.
//!
//! Whoever controls one address often controls its neighbors, so strangers are counted by network: a narrow
//! one (IPv4 /24, IPv6 /64), which is usually one site, and a wide one (/16, /48), which is usually one
//! organization.

use std::net::IpAddr;

use ipnet::IpNet;
use zoop_db::Tenant;

/// The prefix lengths of narrow networks: IPv4, IPv6.
const NARROW: (u8, u8) = (24, 64);
/// The prefix lengths of wide networks: IPv4, IPv6.
const WIDE: (u8, u8) = (16, 48);

/// The narrow network of an address.
pub(crate) fn narrow(address: IpAddr) -> IpNet {
    network(address, NARROW)
}

/// The wide network of an address.
pub(crate) fn wide(address: IpAddr) -> IpNet {
    network(address, WIDE)
}

fn network(address: IpAddr, (v4, v6): (u8, u8)) -> IpNet {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { v4 } else { v6 };
    // The lengths above are valid, so the fallback is never used.
    IpNet::new(address, length).map_or_else(|_| address.into(), |network| network.trunc())
}

/// Who a request's seat and the bytes of its body are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// The tenant of a token that this process knows to be good.
    Tenant(Tenant),
    /// All other callers in a wide network.
    Strangers(IpNet),
    /// All other callers whose address is unknown.
    UnknownAddress,
}

impl Holder {
    /// A caller without a known token.
    pub(crate) fn stranger(address: Option<IpAddr>) -> Self {
        address.map_or(Self::UnknownAddress, |address| Self::Strangers(wide(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbors_share_their_networks() {
        for (address, small, large) in [
            ("203.0.113.9", "203.0.113.0/24", "203.0.0.0/16"),
            ("::ffff:203.0.113.9", "203.0.113.0/24", "203.0.0.0/16"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(narrow(address).to_string(), small);
            assert_eq!(wide(address).to_string(), large);
        }
    }
}
