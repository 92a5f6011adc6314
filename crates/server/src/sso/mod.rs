//! "Sign in with your company account": a user signs in at the OpenID Connect provider that the operator has
//! configured, and comes back signed in to this server.
//!
//! The provider only says who the user is. Rights come from the membership, and users still connect clients on this
//! server. Without a configured provider, these pages do not exist.

mod fetch;
mod pending;
pub(crate) mod provider;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use zoop_crm::identity::sign_in::identities::{self, Claimed, ProviderSignIn};
use zoop_crm::values::secret::Secret;

use self::pending::{COOKIE, LIFETIME, Pending};
use self::provider::{Provider, SsoFailure};
use crate::anonymous_limits::Action;
use crate::app::{App, Shared};
use crate::web::browser::set_cookie;
use crate::web::next::{next_page, with_next};
use crate::web::page;
use crate::web::page_context::{PageContext, either, give_session};

/// The path that the button leads to.
const START: &str = "/sign-in/company";
/// The path to which the provider sends the browser back. The operator registers it at the provider.
const CALLBACK: &str = "/sign-in/company/callback";

/// A page that says why the sign-in ended, with a link back to the start.
#[derive(Template)]
#[template(path = "company_stop.html")]
struct Stop<'a> {
    title: &'a str,
    message: &'a str,
}

/// The button for a sign-in at the company: the company's name, and the path that the button leads to.
pub(crate) struct Button<'a> {
    pub(crate) name: &'a str,
    pub(crate) address: String,
}

impl<'a> Button<'a> {
    /// The button for a sign-in that continues to `next`, if a provider is configured.
    pub(crate) fn leading_to(shared: &'a Shared, next: &str) -> Option<Self> {
        let name = shared.company.as_ref()?.name();
        Some(Self { name, address: with_next(START, next) })
    }
}

/// The routes. They answer 404 if no provider is configured.
pub(crate) fn routes() -> Router<App> {
    Router::new().route(START, get(start)).route(CALLBACK, get(callback))
}

/// `GET /sign-in/company`: sends the browser to the provider.
async fn start(State(app): State<App>, request: Request) -> Response {
    either(async { leave(&PageContext::begin(&app, request, Action::SsoProvider)?).await }.await)
}

async fn leave(context: &PageContext) -> Result<Response, Response> {
    let provider = provider(context)?;
    let environment = &context.shared.environment;
    let pending = Pending::start(environment, next_page(context.query.get("next")));
    let now = environment.clock.now();
    let address = provider.address(pending.clone(), now, context.deadline).await;
    let mut response = page::go_to(&address.map_err(|failure| failed(&failure))?);
    set_cookie(&mut response, COOKIE, &pending.cookie(), LIFETIME);
    Ok(response)
}

/// `GET /sign-in/company/callback`: the browser comes back. Whatever the outcome, the sign-in's cookie is deleted.
async fn callback(State(app): State<App>, request: Request) -> Response {
    let back = async { come_back(&PageContext::begin(&app, request, Action::SsoProvider)?).await };
    let mut response = either(back.await);
    set_cookie(&mut response, COOKIE, "", 0);
    response
}

async fn come_back(context: &PageContext) -> Result<Response, Response> {
    let provider = provider(context)?;
    let now = context.shared.environment.clock.now();
    let pending = Pending::from_headers(&context.headers).ok_or_else(started_elsewhere)?;
    if context.query.text("state") != pending.state() {
        return Err(started_elsewhere());
    }
    if pending.has_expired(now) {
        return Err(stop(
            StatusCode::BAD_REQUEST,
            "That took too long",
            "You have ten minutes to sign in with your company account. Start again.",
        ));
    }
    if !provider.is_issuer(context.query.get("iss")) {
        tracing::warn!("a sign-in's answer came from another provider than the company's");
        return Err(started_elsewhere());
    }
    let Some(code) = context.query.get("code") else {
        return Err(declined(context.query.text("error")));
    };
    let claimed = provider.identify(code.to_owned(), pending.clone(), now, context.deadline).await;
    let secret = session(context, claimed.map_err(|failure| failed(&failure))?).await?;
    let mut response = page::go_to(next_page(Some(pending.next())));
    give_session(&mut response, &secret);
    Ok(response)
}

/// The provider, if one is configured.
fn provider(context: &PageContext) -> Result<&Arc<Provider>, Response> {
    context.shared.company.as_ref().ok_or_else(page::not_found)
}

/// Starts a session for the user that the provider named.
async fn session(context: &PageContext, claimed: Claimed) -> Result<Secret, Response> {
    let (origin, before) = (context.origin(), context.session());
    let session = context.write(move |tx, environment| {
        identities::sign_in(tx, environment, &claimed, &origin, before.as_ref())
    });
    match session.await? {
        ProviderSignIn::In(secret) => Ok(secret),
        ProviderSignIn::Nobody => Err(stop(
            StatusCode::FORBIDDEN,
            "That account is not known here",
            "Ask an owner of the business to invite the e-mail address of your company account, and make \
             sure that your company has verified it.",
        )),
        ProviderSignIn::HasPassword => Err(stop(
            StatusCode::FORBIDDEN,
            "Sign in with your password once",
            "Your e-mail address has a password here. Sign in with it, then connect your company account on \
             your account page. If you did not choose that password, ask your administrator for a new one.",
        )),
    }
}

/// The page for a browser that comes back without having started this sign-in.
fn started_elsewhere() -> Response {
    stop(
        StatusCode::BAD_REQUEST,
        "This sign-in did not start here",
        "It was started in another window or browser, or has already ended. Start again.",
    )
}

/// The page for a sign-in that the provider refused or the user canceled.
fn declined(error: &str) -> Response {
    // Only known error codes are logged (RFC 6749, 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6).
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
        "The sign-in was canceled or refused there. Start again, or ask your company's \
         administrator.",
    )
}

/// The page for a sign-in in which the provider did not identify the user.
fn failed(failure: &SsoFailure) -> Response {
    match failure {
        SsoFailure::Unreachable(cause) => {
            tracing::warn!(%cause, "the company's provider cannot be used");
            stop(
                StatusCode::BAD_GATEWAY,
                "Your company does not answer",
                "Your company's sign-in cannot be reached at the moment. Try again in a minute.",
            )
        }
        SsoFailure::Refused(cause) => {
            tracing::warn!(cause, "the answer of the company's provider was rejected");
            stop(
                StatusCode::BAD_GATEWAY,
                "Your company's answer was rejected",
                "The answer of your company's sign-in could not be trusted. Start again, and tell your \
                 administrator if the problem persists.",
            )
        }
        SsoFailure::Busy => page::too_many(5),
    }
}

fn stop(status: StatusCode, title: &str, message: &str) -> Response {
    page::page(status, &Stop { title, message })
}
