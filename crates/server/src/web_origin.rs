//! [`WebOrigin`]: scheme, host and port of a web address, in the normalized form that browsers write.
//!
//! Addresses are compared in this form, never as typed. An origin has no path.
//!
//! Sources: WHATWG URL standard; HTML standard, "origin".

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderValue, Uri};
use url::{Host, Url};

/// The origin of a web address, such as `https://crm.example.com` or `http://127.0.0.1:8080`. Dereferences to that
/// string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    text: String,
    scheme: Scheme,
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// Why a string is not an origin. Its `Display` says what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnOrigin {
    /// The string does not begin with `http://` or `https://` and a host, or it has a user name.
    Unreadable,
    /// A path, query or fragment follows the host and port.
    HasPath,
}

impl fmt::Display for NotAnOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unreadable => "write scheme and host, such as https://crm.example.com",
            Self::HasPath => {
                "write scheme and host without a path, such as https://crm.example.com"
            }
        })
    }
}

impl std::error::Error for NotAnOrigin {}

impl FromStr for WebOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        // `Url::parse` would drop tabs and line breaks, read a backslash as a slash, and accept a `*` in a name.
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '*');
        if text.contains(is_odd) {
            return Err(NotAnOrigin::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| NotAnOrigin::Unreadable)?;
        let origin = Self::of(&url).ok_or(NotAnOrigin::Unreadable)?;
        let has_no_path = url.path().chars().all(|c| c == '/')
            && url.query().is_none()
            && url.fragment().is_none();
        if has_no_path { Ok(origin) } else { Err(NotAnOrigin::HasPath) }
    }
}

/// The address of a server without a configured public URL.
impl Default for WebOrigin {
    fn default() -> Self {
        let host = Host::Ipv4(std::net::Ipv4Addr::LOCALHOST);
        Self::new(Scheme::Http, host, 8080)
    }
}

impl Deref for WebOrigin {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

impl WebOrigin {
    fn new(scheme: Scheme, host: Host, port: u16) -> Self {
        let (name, default_port) = match scheme {
            Scheme::Http => ("http", 80),
            Scheme::Https => ("https", 443),
        };
        let text = if port == default_port {
            format!("{name}://{host}")
        } else {
            format!("{name}://{host}:{port}")
        };
        Self(Arc::new(Parts { text, scheme, host, port }))
    }

    /// The origin of a URL, whatever its path. `None` unless the URL is http or https and has no user name.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let host = match url.host()? {
            // A name with a trailing dot is the same host.
            Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(name).to_owned()),
            Host::Ipv4(address) => Host::Ipv4(address),
            Host::Ipv6(address) => Host::Ipv6(address),
        };
        Some(Self::new(scheme, host, url.port_or_known_default()?))
    }

    /// The origin in a header.
    pub(crate) fn in_header(value: &HeaderValue) -> Option<Self> {
        value.to_str().ok()?.parse().ok()
    }

    /// Whether browsers keep the cookies of a server at this origin. Without TLS they do so only for this machine.
    pub fn keeps_cookies(&self) -> bool {
        self.0.scheme == Scheme::Https || self.is_loopback()
    }

    /// Host and port, as in a `Host` header.
    fn authority(&self) -> &str {
        self.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether the host is one of the three loopback names.
    fn is_loopback(&self) -> bool {
        match &self.0.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => *address == std::net::Ipv4Addr::LOCALHOST,
            Host::Ipv6(address) => *address == std::net::Ipv6Addr::LOCALHOST,
        }
    }

    /// Whether `other` leads to the server with this public URL: it is the same origin, or, on loopback, another
    /// name of this machine with the same scheme and port.
    pub(crate) fn is_also(&self, other: &Self) -> bool {
        self == other
            || (self.is_loopback()
                && other.is_loopback()
                && (self.0.scheme, self.0.port) == (other.0.scheme, other.0.port))
    }

    /// The origin under which a request reached the server with this public URL. It is the public URL, unless that
    /// is on loopback and the request used another name of this machine.
    pub(crate) fn asked_at(&self, target: &Uri, headers: &HeaderMap) -> Self {
        if !self.is_loopback() {
            return self.clone();
        }
        let sent = target.authority().map(|authority| authority.as_str());
        let sent = sent.or_else(|| headers.get(HOST)?.to_str().ok());
        // Nearly every request uses the host of the public URL, which needs no parsing.
        if sent.is_none_or(|host| host.eq_ignore_ascii_case(self.authority())) {
            return self.clone();
        }
        let scheme = if self.0.scheme == Scheme::Https { "https" } else { "http" };
        let named = sent.and_then(|host| format!("{scheme}://{host}").parse::<Self>().ok());
        named.filter(|named| self.is_also(named)).unwrap_or_else(|| self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> WebOrigin {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn an_address_has_one_normalized_form() {
        for (typed, form) in [
            ("https://crm.example.com", "https://crm.example.com"),
            ("HTTPS://CRM.Example.COM:443/", "https://crm.example.com"),
            ("https://crm.example.com.", "https://crm.example.com"),
            ("https://crm.example.com.:8443//", "https://crm.example.com:8443"),
            ("http://LocalHost:19716", "http://localhost:19716"),
            ("http://127.1:80", "http://127.0.0.1"),
            ("http://[0:0:0:0:0:0:0:1]:19716", "http://[::1]:19716"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(&*origin(typed), form, "{typed}");
        }
    }

    #[test]
    fn a_string_that_is_not_an_origin_is_rejected() {
        for text in [
            "",
            "*",
            "null",
            "crm.example.com",
            "crm.example.com:8080",
            "https://",
            "https://*.example.com",
            "ftp://a",
            "https://user@a.example",
            "https://a.example\\b",
            "https://a.exa\tmple",
            " https://a.example",
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(NotAnOrigin::Unreadable), "{text}");
        }
        for text in ["https://a.example/crm", "https://a.example?x", "https://a.example/#x"] {
            assert_eq!(text.parse::<WebOrigin>(), Err(NotAnOrigin::HasPath), "{text}");
        }
    }

    #[test]
    fn browsers_keep_cookies_of_https_origins_and_of_this_machine() {
        for address in [
            "https://crm.example.com",
            "https://10.0.0.5",
            "http://localhost",
            "http://LOCALHOST:8080",
            "http://127.0.0.1:8080",
            "http://[::1]",
            "http://[::1]:8080",
        ] {
            assert!(origin(address).keeps_cookies(), "{address}");
        }
        for address in [
            "http://10.0.0.5",
            "http://crm.example.com:8080",
            "http://localhost.example.com",
            "http://[2001:db8::1]",
            "http://[2001:db8::1]:8080",
        ] {
            assert!(!origin(address).keeps_cookies(), "{address}");
        }
    }

    #[test]
    fn only_a_loopback_server_has_other_names() {
        let local = origin("http://127.0.0.1:8080");
        for name in ["http://localhost:8080", "http://[::1]:8080", "http://127.0.0.1:8080"] {
            assert!(local.is_also(&origin(name)), "{name}");
        }
        for name in [
            "http://localhost:8081",
            "https://localhost:8080",
            "http://127.0.0.2:8080",
            "http://evil.localhost:8080",
            "http://localhost.evil.test:8080",
        ] {
            assert!(!local.is_also(&origin(name)), "{name}");
        }
        let public = origin("https://crm.example.com");
        assert!(!public.is_also(&origin("https://localhost")));
        assert!(!public.is_also(&origin("https://crm.example.com:8443")));
    }

    #[test]
    fn a_request_under_an_unknown_name_counts_as_one_to_the_public_url() {
        let requested_origin = |own: &str, target: &str, host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::try_from(host).unwrap());
            origin(own).asked_at(&target.parse().unwrap(), &headers).to_string()
        };
        let local = "http://127.0.0.1:8080";
        let localhost = "http://localhost:8080";
        assert_eq!(requested_origin(local, "/x", "LOCALHOST:8080"), localhost);
        assert_eq!(requested_origin(local, "http://localhost:8080/x", "evil.test"), localhost);
        for host in ["evil.test:8080", "localhost", "localhost:80", "a@localhost:8080", "x y"] {
            assert_eq!(requested_origin(local, "/x", host), local, "{host}");
        }
        let public = "https://crm.example.com";
        assert_eq!(requested_origin(public, "/x", "localhost"), public);
    }
}
