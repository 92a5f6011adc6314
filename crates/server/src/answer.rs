//! [`Answer`]: the answer to a request before it becomes an HTTP response, and the headers of every answer.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use zoop_mcp::Refusal;

use crate::limiter::{Admission, WINDOW_SECONDS};

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The answer to one request.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// JSON, or empty.
    pub(crate) body: Bytes,
    /// The label of the outcome in the log and the metrics, from a small fixed set.
    pub(crate) outcome: &'static str,
    /// Seconds after which the client may try again.
    pub(crate) retry_after: Option<u64>,
    /// `WWW-Authenticate`.
    pub(crate) challenge: Option<HeaderValue>,
    /// Whether the connection must be closed, because the request was not read to its end.
    pub(crate) close: bool,
}

impl Answer {
    /// An answer with status 200 and this body.
    pub(crate) fn ok(body: impl Into<Bytes>, outcome: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            body: body.into(),
            outcome,
            retry_after: None,
            challenge: None,
            close: false,
        }
    }

    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode, outcome: &'static str) -> Self {
        Self { status, ..Self::ok(Bytes::new(), outcome) }
    }

    /// An answer with a protocol error.
    pub(crate) fn refusal(refusal: &Refusal, outcome: &'static str) -> Self {
        let status =
            StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, ..Self::ok(refusal.body(), outcome) }
    }

    pub(crate) fn into_response(self) -> Response {
        let has_body = !self.body.is_empty();
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(12);
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Adds headers with the caller's limits and the number of requests left.
///
/// Source: draft-ietf-httpapi-ratelimit-headers-10.
pub(crate) fn write_rate_limit_headers(admission: &Admission, headers: &mut HeaderMap) {
    let (mut policy, mut left) = (String::new(), String::new());
    let standings = [
        ("credential", admission.credential),
        ("tenant", admission.tenant),
        ("connecting", admission.connecting),
    ];
    for (name, standing) in standings {
        let Some(standing) = standing else { continue };
        let comma = if policy.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(policy, "{comma}\"{name}\";q={};w={WINDOW_SECONDS}", standing.quota);
        let _ = write!(left, "{comma}\"{name}\";r={};t={}", standing.remaining, standing.reset);
    }
    if policy.is_empty() {
        return;
    }
    if let (Ok(policy), Ok(left)) = (HeaderValue::try_from(policy), HeaderValue::try_from(left)) {
        headers.insert(&RATE_LIMIT_POLICY, policy);
        headers.insert(&RATE_LIMIT, left);
    }
}
