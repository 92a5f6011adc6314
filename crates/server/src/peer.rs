//! From where a request comes: the other end of its connection, or whom a trusted proxy says that it
//! speaks for. Limits are counted by it and the history keeps it; nobody is let in for it.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;
pub(crate) use zoop_crm::sign_in::attempts::neighbourhood;

/// What proxies tell of whom they speak for: each adds the address that it was called from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of a connection, as every request of it carries it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The proxies whose word is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    pub(crate) fn new(trusted: &[IpNet]) -> Self {
        Self(trusted.to_vec())
    }

    /// From where a request comes: the last address on its way that is no trusted proxy's. What stands
    /// before that anybody may have written.
    pub(crate) fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let Peer(peer) = *extensions.get::<Peer>()?;
        let mut client = peer.to_canonical();
        let lists = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut told = lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(','));
        while self.trusts(client) {
            let Some(before) = told.next() else { break };
            let Ok(before) = before.trim().parse::<IpAddr>() else { break };
            client = before.to_canonical();
        }
        Some(client)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let trusted: Vec<_> = trusted.iter().map(|it| it.parse().unwrap()).collect();
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(list));
        }
        Proxies::new(&trusted).client(&extensions, &headers).unwrap().to_string()
    }

    #[test]
    fn only_a_trusted_proxys_word_is_taken_and_only_about_its_own_caller() {
        assert_eq!(client(&[], "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        let own = ["10.0.0.0/8"];
        assert_eq!(client(&own, "10.0.0.2", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&own, "10.0.0.2", &["1.1.1.1, 198.51.100.1, 10.0.0.1"]), "198.51.100.1");
        assert_eq!(client(&own, "10.0.0.2", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&own, "10.0.0.2", &["198.51.100.1, nonsense"]), "10.0.0.2");
        assert_eq!(client(&own, "10.0.0.2", &[]), "10.0.0.2");
        assert_eq!(client(&own, "::ffff:10.0.0.2", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn an_ipv6_address_counts_as_its_network() {
        let counted = |address: &str| neighbourhood(address.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("203.0.113.9"), "203.0.113.9");
    }
}
