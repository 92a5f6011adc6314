//! What of a request's head hyper takes and this server does not: a head that a proxy in front could read
//! in another way. Such a request is refused and its connection closed.
//!
//! A line of a head that ends with a bare LF is taken, as RFC 9112, 2.2 allows: hyper tells nobody of it.
//!
//! Source: RFC 9112, 3.2 and 6.1.

use axum::body::Body;
use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Request, StatusCode, Version};
use axum::response::Response;

use crate::answer::Answer;

/// The answer to a request with such a head; none to any other.
pub(crate) fn refusal<B>(request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers();
    let message = if !has_one_host(request.version(), headers) {
        "Send one Host header that names a host."
    } else if !is_plainly_framed(headers) {
        "Send no Transfer-Encoding but chunked, and that once."
    } else {
        return None;
    };
    let body = format!(r#"{{"error":"bad_request","message":"{message}"}}"#).into_bytes();
    let answer = Answer { body, close: true, ..Answer::empty(StatusCode::BAD_REQUEST, "refused") };
    Some(answer.into_response())
}

/// Whether one host is named; before HTTP/1.1 it need not be.
fn has_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => Authority::try_from(host.as_bytes())
            .is_ok_and(|authority| !authority.as_str().contains('@')),
        (Some(_), Some(_)) => false,
    }
}

fn is_plainly_framed(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}
