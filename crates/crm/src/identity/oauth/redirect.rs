//! The rules for redirect URIs: which URIs a client may register, and which URIs match a registered URI.
//!
//! Sources: RFC 9700, 2.1 and 4.1 (exact comparison); RFC 8252, 7.1 and 7.3 (private-use schemes of
//! native apps; any port on loopback).

use url::Url;

/// Maximum length of a redirect URI, in bytes.
const MAX_LENGTH: usize = 1_024;
/// Schemes without a dot that known MCP clients register. Any other scheme must be a reversed domain name
/// (RFC 8252, 7.1): the operating system itself may handle a scheme without a dot, and no list of those schemes
/// is complete.
const KNOWN_SCHEMES: &[&str] = &[
    "antigravity",
    "boltai",
    "chatwise",
    "cherrystudio",
    "claude",
    "code-oss",
    "cursor",
    "goose",
    "jan",
    "jetbrains",
    "kiro",
    "lmstudio",
    "positron",
    "raycast",
    "trae",
    "void",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "warp",
    "windsurf",
    "windsurf-next",
    "zed",
];

/// The destination of a code, as shown to the user who is asked for consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The host, or the scheme if it is a private-use scheme.
    pub host: String,
    /// Whether the code goes to an app on the user's own device, whose name cannot be verified.
    pub is_local: bool,
}

/// Whether a client may register this redirect URI.
pub fn is_allowed(uri: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !br#"\"<>"#.contains(&byte);
    if uri.len() > MAX_LENGTH || !uri.bytes().all(is_plain) || uri.contains('#') {
        return false;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => is_loopback(&url),
        scheme => KNOWN_SCHEMES.contains(&scheme) || is_reversed_domain(scheme),
    }
}

/// Whether a scheme is a reversed domain name, such as `com.example.app`.
fn is_reversed_domain(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty())
}

/// Whether the redirect URI in a request matches the registered URI. On loopback the port may differ, since an app
/// listens on any free port.
pub fn matches(registered: &str, sent: &str) -> bool {
    if registered == sent {
        return true;
    }
    let (Ok(known), Ok(other)) = (Url::parse(registered), Url::parse(sent)) else { return false };
    is_allowed(sent)
        && known.scheme() == "http"
        && other.scheme() == "http"
        && is_loopback(&known)
        && known.host_str() == other.host_str()
        && known.path() == other.path()
        && known.query() == other.query()
}

/// The destination of a code that is sent to this redirect URI.
pub fn destination(uri: &str) -> Destination {
    let Ok(url) = Url::parse(uri) else {
        return Destination { host: String::new(), is_local: true };
    };
    match url.scheme() {
        "https" => {
            Destination { host: url.host_str().unwrap_or_default().to_owned(), is_local: false }
        }
        "http" => {
            Destination { host: url.host_str().unwrap_or_default().to_owned(), is_local: true }
        }
        scheme => Destination { host: format!("{scheme}:"), is_local: true },
    }
}

/// The redirect URI with the parameters of a response added to its query (RFC 6749, 4.1.2).
pub fn with_answer(uri: &str, answer: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(uri).ok()?;
    url.query_pairs_mut().extend_pairs(answer);
    Some(url.into())
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_can_be_sent_to_https_loopback_and_known_apps_only() {
        for uri in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://app.example:8443/cb?x=1",
            "http://localhost:3000/cb",
            "http://127.0.0.1/",
            "http://[::1]:7777/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/cb",
            "vscode://x/y",
        ] {
            assert!(is_allowed(uri), "{uri}");
        }
        for uri in [
            "",
            "cb",
            "/cb",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ms-msdt:/id",
            "search-ms:query=x",
            "shell:startup",
            "smb://a.example/x",
            "ldap://a.example",
            "feed:javascript:alert(1)",
            "chrome-extension://x/cb",
            "unknown://cb",
            "com.:/cb",
            "view-source:https://a.example/",
            "http://evil.example/cb",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "https://a.example/cb#f",
            "https://a.example/cb#",
            "https://user@a.example/",
            "https://user:word@a.example/",
            "https://a.example\\@evil.example/",
            "https://a.example/cb\nx",
            "https://a.example/ cb",
            "https://",
            "https://a.example/é",
        ] {
            assert!(!is_allowed(uri), "{uri}");
        }
        assert!(!is_allowed(&format!("https://a.example/{}", "x".repeat(MAX_LENGTH))));
    }

    #[test]
    fn a_redirect_uri_must_equal_the_registered_one_except_for_a_loopback_port() {
        let same = [
            ("https://a.example/cb", "https://a.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5555/cb"),
            ("http://localhost:33418/", "http://localhost:41000/"),
            ("http://[::1]/cb?x=1", "http://[::1]:5/cb?x=1"),
        ];
        for (registered, sent) in same {
            assert!(matches(registered, sent), "{registered} {sent}");
        }
        let other = [
            ("https://a.example/cb", "https://a.example/cb/"),
            ("https://a.example/cb", "https://a.example:444/cb"),
            ("https://a.example/cb", "https://a.example/cb?x=1"),
            ("https://a.example/cb", "https://A.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5555/cb2"),
            ("http://127.0.0.1/cb", "http://localhost:5555/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:5555/cb"),
            ("http://127.0.0.1/cb", "http://u@127.0.0.1:5555/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5555/cb#f"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5555@evil.example/cb"),
        ];
        for (registered, sent) in other {
            assert!(!matches(registered, sent), "{registered} {sent}");
        }
    }

    #[test]
    fn the_destination_of_a_code_can_be_shown() {
        let destination_of = |uri| {
            let Destination { host, is_local } = destination(uri);
            (host, is_local)
        };
        assert_eq!(destination_of("https://claude.ai/cb"), ("claude.ai".to_owned(), false));
        assert_eq!(destination_of("http://127.0.0.1:5/cb"), ("127.0.0.1".to_owned(), true));
        assert_eq!(destination_of("cursor://x/cb"), ("cursor:".to_owned(), true));
        let answer = with_answer("https://a.example/cb?x=1", &[("state", "a&b"), ("iss", "z")]);
        assert_eq!(answer.as_deref(), Some("https://a.example/cb?x=1&state=a%26b&iss=z"));
    }
}
