//! HTTP requests to the identity provider, limited in time and size and without redirects.
//!
//! The operator sets the provider's address, so it may be an internal one. An address from a visitor must never be
//! fetched here.

use std::fmt;
use std::time::{Duration, Instant};

use openidconnect::{HttpRequest, HttpResponse};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The time limit for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The size limit of an answer, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// Why a fetch failed. The text contains neither the query of a URL nor a body.
#[derive(Debug)]
pub(super) struct FetchFailure(String);

impl fmt::Display for FetchFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for FetchFailure {}

/// Creates the HTTP client. It uses the machine's trust store, so that a company's own certificate authority is
/// accepted.
pub(super) fn agent(https_only: bool) -> Agent {
    let found = rustls_native_certs::load_native_certs();
    let own: Vec<_> = found.certs.iter().map(|it| Certificate::from_der(it).to_owned()).collect();
    let roots = if own.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&own) };
    Agent::config_builder()
        .https_only(https_only)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build()
        .into()
}

/// Sends a request. Blocks until the answer has arrived.
pub(super) fn fetch(
    agent: &Agent,
    deadline: Instant,
    request: HttpRequest,
) -> Result<HttpResponse, FetchFailure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(FetchFailure("the request's deadline has passed".into()));
    }
    let timeout = Some(left.min(TIMEOUT));
    let (parts, body) = request.into_parts();
    // A GET with an empty body would be sent with a Content-Length.
    let answer = if body.is_empty() {
        let request = axum::http::Request::from_parts(parts, ());
        agent.run(agent.configure_request(request).timeout_global(timeout).build())
    } else {
        let request = axum::http::Request::from_parts(parts, body);
        agent.run(agent.configure_request(request).timeout_global(timeout).build())
    };
    let (parts, mut body) = answer.map_err(|error| FetchFailure(error.to_string()))?.into_parts();
    let body = body.with_config().limit(MAX_BYTES).read_to_vec();
    let body = body.map_err(|error| FetchFailure(error.to_string()))?;
    Ok(HttpResponse::from_parts(parts, body))
}
