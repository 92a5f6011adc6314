//! The log line and the metrics of a request to the endpoint, including when the client disconnects early. Page
//! requests are logged by `page_log`.
//!
//! Neither a token nor any part of a body may appear here.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use tracing::field;
use zoop_crm::call::access::{Actor, Rights};

use crate::answer::{Answer, write_rate_limit_headers};
use crate::app::Shared;
use crate::auth::AuthContext;
use crate::background;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The status in the log if the client disconnected. Proxies use the same number; it is never sent.
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// A new request id: 16 hexadecimal digits.
pub(crate) fn request_id(shared: &Shared) -> String {
    let mut random = [0; 8];
    shared.environment.entropy.fill(&mut random);
    format!("{:016x}", u64::from_ne_bytes(random))
}

/// Adds the request's id in the log to the response's headers.
pub(crate) fn write_id_header(id: &str, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(&REQUEST_ID, id);
    }
}

/// A request in progress. Dropping it writes the log line and the metrics.
pub(crate) struct RequestLog<'a> {
    shared: &'a Arc<Shared>,
    /// The request's id in the log: 16 hexadecimal digits.
    pub(crate) id: String,
    /// The tool's or method's name, from a fixed set.
    pub(crate) tool: &'static str,
    /// The request's token, and the caller once the token has been looked up.
    pub(crate) auth: Option<Arc<AuthContext>>,
    /// The rights of the tokens that this request issued.
    pub(crate) granted: OnceLock<Rights>,
    /// The IP address of the client.
    pub(crate) address: Option<IpAddr>,
    started: Instant,
    outcome: &'static str,
    status: u16,
}

impl<'a> RequestLog<'a> {
    /// Starts when the request's headers have arrived.
    pub(crate) fn start(shared: &'a Arc<Shared>, request: &Request) -> Self {
        shared.metrics.in_flight.inc();
        Self {
            shared,
            id: request_id(shared),
            tool: "none",
            auth: None,
            granted: OnceLock::new(),
            address: shared.proxies.client(request.extensions(), request.headers()),
            started: Instant::now(),
            outcome: "abandoned",
            status: CLIENT_CLOSED_REQUEST,
        }
    }

    /// Builds the response, with headers for the request's id and the caller's limits.
    pub(crate) fn finish(mut self, answer: Answer) -> Response {
        self.outcome = answer.outcome;
        self.status = answer.status.as_u16();
        let mut response = answer.into_response();
        let headers = response.headers_mut();
        write_id_header(&self.id, headers);
        if let Some(authenticated) = self.auth.as_ref().and_then(|auth| auth.authenticated()) {
            write_rate_limit_headers(&authenticated.admission, headers);
            if let Some(used) = authenticated.used {
                background::record_use(self.shared, used);
            }
        }
        response
    }
}

impl Drop for RequestLog<'_> {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        self.shared.metrics.in_flight.dec();
        self.shared.metrics.count(self.tool, self.outcome, took);
        let authenticated = self.auth.as_ref().and_then(|auth| auth.authenticated());
        let granted = self.granted.get();
        let granted_account = granted.and_then(|rights| rights.account);
        let account = authenticated.map_or(granted_account, |authenticated| authenticated.account);
        let credential = authenticated.map(|authenticated| authenticated.credential);
        let credential = credential.or(granted.map(|rights| rights.credential.uuid()));
        let user = granted.and_then(|rights| match rights.actor {
            Actor::User { id, .. } => Some(id),
            Actor::Tenant | Actor::Operator => None,
        });
        tracing::info!(
            request_id = self.id,
            tenant_id = account.map(|account| field::display(account.id)),
            credential_id = credential.map(field::display),
            user_id = user.map(field::display),
            client_address = self.address.map(field::display),
            tool = self.tool,
            outcome = self.outcome,
            status = self.status,
            duration_ms = took.as_secs_f64() * 1_000.0,
            "request"
        );
    }
}
