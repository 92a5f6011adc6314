//! Which pages of other sites may call the endpoint, and the CORS headers for them.
//!
//! Sources: MCP, basic/transports ("Servers MUST validate the Origin header"); Fetch standard, CORS
//! protocol. Only browsers send `Origin`, and no page can omit it from a POST.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::web_origin::WebOrigin;

/// Headers that a page may send.
const ALLOWED_HEADERS: &str = "authorization, content-type, content-disposition, mcp-protocol-version, mcp-method, mcp-name, idempotency-key";
/// Headers of the answer that a page may read.
const EXPOSED_HEADERS: &str =
    "www-authenticate, retry-after, ratelimit, ratelimit-policy, x-request-id";
/// How long a browser may cache the answer to a preflight, in seconds.
const PREFLIGHT_SECONDS: &str = "600";

/// The origins whose pages may call the endpoint.
pub(crate) struct Origins {
    own: WebOrigin,
    allowed: Vec<WebOrigin>,
}

/// The sender of a request, according to its `Origin` header.
pub(crate) enum Sender {
    /// Not a page: the request has no `Origin` header.
    NoPage,
    /// A page that may call the endpoint, with its origin.
    Allowed(HeaderValue),
    /// A page that may not call.
    Refused,
}

impl Origins {
    pub(crate) fn new(public_url: &WebOrigin, allowed: &[WebOrigin]) -> Self {
        Self { own: public_url.clone(), allowed: allowed.to_vec() }
    }

    pub(crate) fn sender(&self, target: &Uri, headers: &HeaderMap) -> Sender {
        let mut sent = headers.get_all(ORIGIN).iter();
        let Some(origin) = sent.next() else { return Sender::NoPage };
        let page = WebOrigin::in_header(origin).filter(|_| sent.next().is_none());
        let is_allowed = page.is_some_and(|page| {
            page == self.own
                || self.allowed.contains(&page)
                || page == self.own.asked_at(target, headers)
        });
        if is_allowed { Sender::Allowed(origin.clone()) } else { Sender::Refused }
    }
}

/// Adds the headers that allow the page to read the answer.
pub(crate) fn open_to(origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(VARY, HeaderValue::from_static("origin"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
}

/// Adds the headers that answer an allowed page's preflight.
pub(crate) fn open_preflight(headers: &mut HeaderMap, methods: &'static str) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        let origin = |text: &str| text.parse::<WebOrigin>().unwrap();
        let own = origin("HTTPS://CRM.example.com:443");
        let origins = Origins::new(&own, &[origin("http://app.test:80/")]);
        let allows = |page: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ORIGIN, HeaderValue::from_static(page));
            matches!(origins.sender(&Uri::from_static("/"), &headers), Sender::Allowed(_))
        };
        assert!(allows("https://crm.example.com"));
        assert!(allows("http://app.test"));
        assert!(!allows("http://crm.example.com"));
        assert!(!allows("https://crm.example.com.evil.test"));
        assert!(!allows("https://crm.example.com:8443"));
        assert!(!allows("null"));
    }
}
