//! Rejects request heads that hyper accepts but that a proxy in front of this server might parse differently, and
//! closes the connection.
//!
//! A line that ends with a bare LF is accepted, as RFC 9112, 2.2 allows: hyper does not report it.
//!
//! Source: RFC 9112, 3.2 and 6.1.

use axum::body::Body;
use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Request, StatusCode, Version};
use axum::response::Response;

use crate::answer::Answer;

/// The answer that rejects an ambiguous head; `None` if the head is fine.
pub(crate) fn refusal<B>(request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers();
    let message = if !has_one_host(request.version(), headers) {
        "Send exactly one Host header, with the name of a host."
    } else if !is_plainly_framed(headers) {
        "Send at most one Transfer-Encoding header, with the value chunked."
    } else {
        return None;
    };
    let body = format!(r#"{{"error":"bad_request","message":"{message}"}}"#).into_bytes();
    let answer = Answer {
        body: body.into(),
        close: true,
        ..Answer::empty(StatusCode::BAD_REQUEST, "refused")
    };
    Some(answer.into_response())
}

/// Whether there is exactly one valid `Host` header. Before HTTP/1.1 it may be missing.
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
