//! The log line and the metrics of a page request, including when the browser disconnects early.
//!
//! A page is identified by its route, never by its URL, which may contain a secret. A user is
//! identified by id, never by a name or an e-mail address.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{Extensions, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tracing::field;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::{SignedIn, sessions};
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::secret::Secret;

use crate::app::{App, Shared};
use crate::request_log::{CLIENT_CLOSED_REQUEST, request_id, write_id_header};

/// The sign-in routes: HTTP method, route, and the name of the sign-in method in the metrics.
const SIGN_IN_ROUTES: [(Method, &str, &str); 5] = [
    (Method::POST, "/sign-in", "password"),
    (Method::POST, "/sign-in/second-factor", "second_factor"),
    (Method::GET, "/sign-in/company/callback", "company"),
    (Method::POST, "/invitations/{token}", "invitation"),
    (Method::POST, "/password/{token}", "password_link"),
];

/// An outcome of a page request that the answer's status does not show. The handler puts the outcome into the
/// extensions of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageOutcome {
    /// The form came from a page of another site.
    ForeignForm,
    /// The user allowed a client.
    Allowed,
    /// The user denied a client.
    Denied,
}

impl PageOutcome {
    fn word(self) -> &'static str {
        match self {
            Self::ForeignForm => "foreign_form",
            Self::Allowed => "allowed",
            Self::Denied => "denied",
        }
    }
}

/// The session that a response starts, in the response's extensions.
#[derive(Clone)]
pub(crate) struct NewSession(pub(crate) Secret);

/// The user who sent a request, once known. Stored in the request's extensions.
#[derive(Clone, Default)]
pub(crate) struct Visitor(Arc<OnceLock<Id<kinds::User>>>);

impl Visitor {
    /// The visitor of the request with these extensions.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    pub(crate) fn set(&self, user: Id<kinds::User>) {
        // A request's user never changes, so a second call has no effect.
        let _ = self.0.set(user);
    }
}

/// Answers a page request and logs it. If the public URL is on loopback, a GET or HEAD request that uses another
/// name of this machine is redirected to the public URL, because the browser has its session there.
pub(crate) async fn layer(
    State(app): State<App>,
    route: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let visitor = Visitor::default();
    request.extensions_mut().insert(visitor.clone());
    let line = Line::start(&app.shared, &route, &request, visitor);
    let mut response = match redirect_to_public_url(&app.shared, &request) {
        Some(redirect) => redirect,
        None => next.run(request).await,
    };
    let session = response.extensions_mut().remove::<NewSession>();
    let has_session = session.is_some();
    if let Some(NewSession(secret)) = session {
        line.look_up_user(secret).await;
    }
    line.finish(&mut response, has_session);
    response
}

/// The redirect to the public URL, if the request needs one.
fn redirect_to_public_url(shared: &Shared, request: &Request) -> Option<Response> {
    let public_url = &shared.settings.public_url;
    let requested_origin = public_url.asked_at(request.uri(), request.headers());
    if requested_origin == *public_url || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let target = request.uri().path_and_query()?;
    let mut response = Redirect::temporary(&format!("{public_url}{target}")).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

/// A request in progress. Dropping it writes the log line and the metrics.
struct Line<'a> {
    shared: &'a Arc<Shared>,
    id: String,
    route: MatchedPath,
    method: Method,
    address: Option<IpAddr>,
    visitor: Visitor,
    started: Instant,
    outcome: &'static str,
    status: u16,
}

impl<'a> Line<'a> {
    fn start(
        shared: &'a Arc<Shared>,
        route: &MatchedPath,
        request: &Request,
        visitor: Visitor,
    ) -> Self {
        Self {
            shared,
            id: request_id(shared),
            route: route.clone(),
            method: request.method().clone(),
            address: shared.proxies.client(request.extensions(), request.headers()),
            visitor,
            started: Instant::now(),
            outcome: "abandoned",
            status: CLIENT_CLOSED_REQUEST,
        }
    }

    /// Looks up the user who has just signed in. If the lookup fails, the log line has no user.
    async fn look_up_user(&self, secret: Secret) {
        let now = self.shared.environment.clock.now();
        let deadline = self.started + self.shared.settings.request_deadline;
        let read = self
            .shared
            .db_for(None, self.address)
            .read(deadline, move |tx| sessions::find(tx, &secret, now));
        let found: Result<Option<SignedIn>, Error> = read.await;
        match found {
            Ok(found) => {
                if let Some(signed_in) = found {
                    self.visitor.set(signed_in.user);
                }
            }
            Err(error) => tracing::debug!(?error, "a new session could not be looked up"),
        }
    }

    /// The sign-in method of this request, if it is a sign-in.
    fn sign_in_method(&self) -> Option<&'static str> {
        let found = SIGN_IN_ROUTES
            .iter()
            .find(|(method, route, _)| self.method == *method && self.route.as_str() == *route);
        found.map(|(_, _, name)| *name)
    }

    fn finish(mut self, response: &mut Response, has_session: bool) {
        let outcome = response.extensions_mut().remove::<PageOutcome>();
        self.status = response.status().as_u16();
        self.outcome = match outcome {
            Some(outcome) => outcome.word(),
            None if has_session && self.sign_in_method().is_some() => "signed_in",
            None => self.outcome_of(response.status()),
        };
        write_id_header(&self.id, response.headers_mut());
    }

    /// The outcome for an answer with this status.
    fn outcome_of(&self, status: StatusCode) -> &'static str {
        match status {
            // The password was right, and the second factor follows.
            StatusCode::SEE_OTHER if self.sign_in_method() == Some("password") => "code_needed",
            status if status.is_success() || status.is_redirection() => "ok",
            StatusCode::FORBIDDEN => "refused",
            StatusCode::NOT_FOUND | StatusCode::GONE => "not_found",
            StatusCode::TOO_MANY_REQUESTS => "rate_limited",
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => "unavailable",
            status if status.is_server_error() => "internal",
            _ => "invalid",
        }
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let metrics = &self.shared.metrics;
        metrics.count_page(self.route.as_str(), self.outcome, took);
        if let Some(method) = self.sign_in_method() {
            metrics.count_sign_in(method, self.outcome);
        }
        tracing::info!(
            request_id = self.id,
            client_address = self.address.map(field::display),
            method = self.method.as_str(),
            route = self.route.as_str(),
            outcome = self.outcome,
            status = self.status,
            user_id = self.visitor.0.get().map(field::display),
            duration_ms = took.as_secs_f64() * 1_000.0,
            "page"
        );
    }
}
