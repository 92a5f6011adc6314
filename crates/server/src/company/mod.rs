//! "Sign in with your company account": somebody signs in at the provider that the operator named
//! (OpenID Connect), and comes back as a person of this server.
//!
//! The provider says who somebody is and nothing else: what they may do is their membership's, and
//! programs are still connected here. Off unless it is set up.

mod fetch;
mod pending;
mod provider;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use zoop_crm::secret::Secret;
use zoop_crm::sign_in::identities::{self, Claimed};
use zoop_crm::sign_in::sessions::{self, Origin};

use self::pending::{COOKIE, LIFETIME, Pending};
pub(crate) use self::provider::Provider;
use self::provider::Trouble;
use crate::app::{App, Shared};
use crate::visitors::Action;
use crate::web::form::Form;
use crate::web::next::next_page;
use crate::web::{browser, page};

/// Where the button leads.
const START: &str = "/sign-in/company";
/// Where the provider sends the browser back to; it has to be registered there.
const CALLBACK: &str = "/sign-in/company/callback";

/// The company's provider of identities.
#[derive(Clone, PartialEq, Eq)]
pub struct Company {
    /// Its issuer, exactly as it writes it: an https URL, or http on this machine.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// What this server proves itself with there.
    pub client_secret: String,
    /// The words for the company on the button.
    pub name: String,
}

impl fmt::Debug for Company {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, client_id, .. } = self;
        formatter
            .debug_struct("Company")
            .field("issuer", issuer)
            .field("client_id", client_id)
            .finish_non_exhaustive()
    }
}

/// A page that says why the sign-in ended, and leads back to where it begins.
#[derive(Template)]
#[template(path = "company_stop.html")]
struct Stop<'a> {
    title: &'a str,
    message: &'a str,
}

/// The routes; there is nothing behind them where no provider is set up.
pub(crate) fn routes() -> Router<App> {
    Router::new().route(START, get(start)).route(CALLBACK, get(callback))
}

/// What both pages know of a request.
struct Visit {
    shared: Arc<Shared>,
    provider: Arc<Provider>,
    headers: HeaderMap,
    address: Option<IpAddr>,
    query: String,
    deadline: Instant,
}

impl Visit {
    fn of(app: &App, query: Option<&str>, request: &Request) -> Result<Self, Box<Response>> {
        let shared = app.shared.clone();
        let Some(provider) = shared.company.clone() else { return Err(page::not_found().into()) };
        let address = shared.proxies.client(request.extensions(), request.headers());
        let now = shared.environment.clock.now();
        if let Some(address) = address {
            let admitted = shared.visitors.admit(Action::Company, address, now);
            admitted.map_err(page::too_many)?;
        }
        let query = query.unwrap_or_default().to_owned();
        let deadline = Instant::now() + shared.settings.request_deadline;
        let headers = request.headers().clone();
        Ok(Self { shared, provider, headers, address, query, deadline })
    }

    /// The parameters. Which of two is meant is not for us to choose (RFC 6749, 3.1).
    fn query(&self) -> Result<Form, Box<Response>> {
        Form::parse(self.query.as_bytes()).map_err(|_| started_elsewhere().into())
    }
}

/// `GET /sign-in/company`: sends the browser to the provider.
async fn start(State(app): State<App>, RawQuery(query): RawQuery, request: Request) -> Response {
    let visit = match Visit::of(&app, query.as_deref(), &request) {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let query = match visit.query() {
        Ok(query) => query,
        Err(response) => return *response,
    };
    let environment = &visit.shared.environment;
    let pending = Pending::start(environment, next_page(query.text("next")));
    let now = environment.clock.now();
    match visit.provider.address(pending.clone(), now, visit.deadline).await {
        Ok(address) => {
            let mut response = page::go_to(&address);
            browser::set_cookie(&mut response, COOKIE, &pending.cookie(), LIFETIME);
            response
        }
        Err(trouble) => troubled(&trouble),
    }
}

/// `GET /sign-in/company/callback`: the browser is back. However that ends, this sign-in is over.
async fn callback(State(app): State<App>, RawQuery(query): RawQuery, request: Request) -> Response {
    let visit = match Visit::of(&app, query.as_deref(), &request) {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let mut response = match finish(&visit).await {
        Ok((secret, next)) => {
            let mut response = page::go_to(next_page(&next));
            let lifetime = sessions::LONGEST / 1_000_000;
            browser::set_cookie(&mut response, browser::SESSION, secret.expose(), lifetime);
            response
        }
        Err(response) => response,
    };
    browser::set_cookie(&mut response, COOKIE, "", 0);
    response
}

/// The new session and the page to open, or the page that says why there is none.
async fn finish(visit: &Visit) -> Result<(Secret, String), Response> {
    let now = visit.shared.environment.clock.now();
    let query = visit.query().map_err(|response| *response)?;
    let pending = Pending::of(&visit.headers).ok_or_else(started_elsewhere)?;
    if query.text("state") != pending.state() {
        return Err(started_elsewhere());
    }
    if pending.has_ended(now) {
        return Err(stop(
            StatusCode::BAD_REQUEST,
            "That took too long",
            "You have ten minutes to sign in at your company: start again.",
        ));
    }
    if !visit.provider.is_issuer(query.get("iss")) {
        tracing::warn!("another provider answered than the company's");
        return Err(started_elsewhere());
    }
    let Some(code) = query.get("code") else {
        return Err(declined(query.text("error")));
    };
    let next = pending.next().to_owned();
    let claimed = visit.provider.claimed(code.to_owned(), pending, now, visit.deadline).await;
    let claimed = claimed.map_err(|trouble| troubled(&trouble))?;
    Ok((session(visit, claimed).await?, next))
}

/// A session for whom the provider named.
async fn session(visit: &Visit, claimed: Claimed) -> Result<Secret, Response> {
    let environment = visit.shared.environment.clone();
    let origin = Origin { address: visit.address, browser: browser::name(&visit.headers) };
    let job = visit
        .shared
        .db
        .write(visit.deadline, move |tx| identities::sign_in(tx, &environment, &claimed, &origin));
    match job.await {
        Ok(Some(secret)) => Ok(secret),
        Ok(None) => Err(stop(
            StatusCode::FORBIDDEN,
            "Nobody here is known by that account",
            "Ask an owner of the business to invite the e-mail address of your company account, and make \
             sure that your company has verified it.",
        )),
        Err(error) => Err(page::failed(&error)),
    }
}

/// The browser brought back no sign-in that it has begun here.
fn started_elsewhere() -> Response {
    stop(
        StatusCode::BAD_REQUEST,
        "This sign-in did not start here",
        "It was started in another window or browser, or is over already: start again.",
    )
}

/// The provider, or the person there, said no.
fn declined(error: &str) -> Response {
    // Words that RFC 6749, 4.1.2.1 and OpenID Connect Core 1.0, 3.1.2.6 know: nothing else is logged.
    const KNOWN: [&str; 8] = [
        "access_denied",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "unauthorized_client",
    ];
    let cause = KNOWN.iter().find(|known| **known == error).copied().unwrap_or("another error");
    tracing::warn!(cause, "the company's provider refused a sign-in");
    stop(
        StatusCode::FORBIDDEN,
        "Your company did not sign you in",
        "The sign-in was cancelled or refused there: start again, or ask whoever runs your company's \
         accounts.",
    )
}

/// The provider did not say who somebody is.
fn troubled(trouble: &Trouble) -> Response {
    match trouble {
        Trouble::Unreachable(cause) => {
            tracing::warn!(%cause, "the company's provider cannot be used");
            stop(
                StatusCode::BAD_GATEWAY,
                "Your company does not answer",
                "Your company's sign-in cannot be reached at the moment: try again in a minute.",
            )
        }
        Trouble::Refused(cause) => {
            tracing::warn!(cause, "the word of the company's provider was not taken");
            stop(
                StatusCode::BAD_GATEWAY,
                "Your company's answer was not taken",
                "What your company's sign-in said could not be trusted: start again, and tell whoever runs \
                 this server if it stays.",
            )
        }
        Trouble::Busy => page::too_many(5),
    }
}

fn stop(status: StatusCode, title: &str, message: &str) -> Response {
    page::page(status, &Stop { title, message })
}
