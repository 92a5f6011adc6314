//! The IP address of a request's client: the other end of the connection or, behind a trusted proxy, an address
//! from `X-Forwarded-For`. Limits and the history use the address; it never grants access.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;
pub(crate) use zoop_crm::identity::sign_in::attempts::client_prefix;

/// The header in which each proxy appends the address that called it.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of a connection's other end, in the extensions of each request on the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The trusted proxies.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    /// Whether a header from an untrusted peer has been logged.
    has_warned: AtomicBool,
}

impl Proxies {
    pub(crate) fn new(trusted: &[IpNet]) -> Self {
        Self { trusted: trusted.to_vec(), has_warned: AtomicBool::new(false) }
    }

    /// The client's address. The search starts at the peer and goes back through `X-Forwarded-For` while the address
    /// is a trusted proxy's. Any client can forge the entries further back.
    pub(crate) fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let Peer(peer) = *extensions.get::<Peer>()?;
        let mut client = peer.to_canonical();
        let lists = headers.get_all(FORWARDED_FOR).iter().rev();
        let parts = lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(','));
        let mut forwarded = parts.map(str::trim).filter(|part| !part.is_empty()).peekable();
        if forwarded.peek().is_some() && !self.trusts(client) {
            self.warn(client);
        }
        while self.trusts(client) {
            let Some(before) = forwarded.next().and_then(address) else { break };
            client = before;
        }
        Some(client)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Logs once: either a setting is missing, or a client is forging the header.
    fn warn(&self, peer: IpAddr) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "X-Forwarded-For came from an address that is not in server.trusted_proxies and is not \
                 believed: if your proxy has this address, add it there, or all callers share its limits"
            );
        }
    }
}

/// The address in one element of the header. Some proxies add a port, brackets, a zone or quotes, or use the
/// syntax of the header `Forwarded`.
fn address(text: &str) -> Option<IpAddr> {
    let text = match text.split_at_checked("for=".len()) {
        Some((name, value)) if name.eq_ignore_ascii_case("for=") => value,
        _ => text,
    };
    let text = text.trim_matches('"');
    let host = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_number);
            is_port.then_some(host)?
        }
        // An IPv6 address has more than one colon, so a single colon begins a port.
        None => match text.split_once(':') {
            Some((host, port)) if is_number(port) => host,
            _ => text,
        },
    };
    let host = host.split_once('%').map_or(host, |(host, _zone)| host);
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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
    fn only_a_trusted_proxy_is_believed_and_only_about_its_own_caller() {
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
    fn addresses_are_understood_as_proxies_write_them() {
        let client_of = |list| client(&["10.0.0.0/8"], "10.0.0.2", &[list]);
        for (list, address) in [
            ("203.0.113.5:4711", "203.0.113.5"),
            ("203.0.113.5:4711, 10.0.0.1:80", "203.0.113.5"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("fe80::7%eth0", "fe80::7"),
            ("[fe80::7%25eth0]:80", "fe80::7"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
            ("For=\"[2001:db8::7]\"", "2001:db8::7"),
            ("203.0.113.5, , ,", "203.0.113.5"),
            (" 203.0.113.5 ", "203.0.113.5"),
        ] {
            assert_eq!(client_of(list), address, "{list}");
        }
        for list in [
            "",
            ",",
            "unknown",
            "_hidden",
            "203.0.113.5:",
            "203.0.113.5:x",
            "[2001:db8::7",
            "[2001:db8::7]x",
            "203.0.113",
            "localhost",
        ] {
            assert_eq!(client_of(list), "10.0.0.2", "{list}: the proxy's own address counts");
        }
    }

    #[test]
    fn an_ipv6_address_counts_as_its_network() {
        let counted = |address: &str| client_prefix(address.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("203.0.113.9"), "203.0.113.9");
    }
}
