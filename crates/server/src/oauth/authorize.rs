//! `GET /oauth/authorize`: checks a client's request, stores it as pending, and shows it to the signed-in user.
//!
//! Errors are shown on a page of this server. After the client and its redirect URI have been verified, the page also
//! links back to the client, with the error (RFC 6749, 4.1.2.1; RFC 9700, 4.11).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, ScopeNames, Scopes};
use zoop_crm::identity::oauth::clients::{self, Client};
use zoop_crm::identity::oauth::requests::{self, AuthorizationRequest, PendingRequest};
use zoop_crm::identity::oauth::tokens;
use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_db::Timestamp;

use super::consent::{self, offers};
use super::token::{MAX_CLIENT_ID_LENGTH, OFFLINE_ACCESS};
use crate::anonymous_limits::Action;
use crate::app::{App, Shared};
use crate::web::browser;
use crate::web::form::Form;
use crate::web::next;
use crate::web::page;

/// The size limit of the query, in bytes. The link to the sign-in page contains the whole query, encoded again.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// An error for the client: its code and a description.
struct AuthorizationError(&'static str, &'static str);

/// `GET /oauth/authorize`: shows the consent page, or an error page.
pub(super) async fn ask(State(app): State<App>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    answer(&app.shared, &head).await.unwrap_or_else(|refusal| refusal)
}

async fn answer(shared: &Arc<Shared>, head: &Parts) -> Result<Response, Response> {
    let address = super::admit(shared, head, Action::Page).map_err(page::too_many)?;
    let query = head.uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        return Err(stop("The link is too long."));
    }
    let deadline = Instant::now() + shared.settings.request_deadline;
    let signed_in = browser::signed_in(shared, &head.headers, Some(address), deadline).await;
    let Some(signed_in) = signed_in.map_err(|error| page::failed(&error))? else {
        return Err(page::go_to(&sign_in_first(query)));
    };
    let form = Form::parse(query.as_bytes())
        .map_err(|_| stop("The request has a duplicate or invalid parameter."))?;
    let client = client(shared, head, &form, deadline).await?;
    let wrong = || stop("Its redirect_uri does not match a registered one.");
    let redirect_uri = redirect_uri(&client, &form).ok_or_else(wrong)?;
    let state = form.get("state").map(str::to_owned);
    let back = |AuthorizationError(error, description): AuthorizationError| {
        consent::offer_back(shared, &redirect_uri, state.as_deref(), error, description)
    };
    let (challenge, scopes) = read(shared, &form).map_err(back)?;
    let request = AuthorizationRequest {
        client_id: client.id,
        redirect_uri: redirect_uri.clone(),
        state: state.clone(),
        challenge,
        scopes,
    };
    let (secret, tenants) = start_request(shared, head, &signed_in, &request, deadline)
        .await
        .map_err(|error| page::failed(&error))?;
    let Some(secret) = secret else {
        return Err(back(AuthorizationError(
            "access_denied",
            "The user cannot grant any of the requested scopes.",
        )));
    };
    let pending = PendingRequest { request, client_name: client.name };
    Ok(consent::page(&signed_in, &pending, &tenants, &secret, None))
}

/// The address of the sign-in page, which leads back here.
pub(super) fn sign_in_first(query: &str) -> String {
    next::sign_in(&format!("/oauth/authorize?{query}"))
}

/// The page for an error that the client does not get.
fn stop(what: &str) -> Response {
    let message =
        format!("{what} Start again from the program. If this happens again, tell its publisher.");
    page::stop(StatusCode::BAD_REQUEST, "This program cannot be connected", &message)
}

/// The requesting client: a registered client, or one whose id is the URL of its metadata document.
async fn client(
    shared: &Shared,
    head: &Parts,
    form: &Form,
    deadline: Instant,
) -> Result<Client, Response> {
    let unknown = || stop("It is not registered here.");
    let id =
        form.get("client_id").filter(|id| id.len() <= MAX_CLIENT_ID_LENGTH).ok_or_else(unknown)?;
    let searched = id.to_owned();
    let known =
        super::db(shared, head).read(deadline, move |tx| clients::find(tx, &searched)).await;
    let known = known.map_err(|error: Error| page::failed(&error))?;
    let now = shared.environment.clock.now();
    match known {
        Some(client) if client.is_fresh(now) => Ok(client),
        None if Secret::parse_as(SecretKind::Client, id).is_some() => Err(unknown()),
        None if !id.starts_with("https://") => Err(unknown()),
        _ => fetch_client(shared, head, id, deadline).await,
    }
}

/// Fetches the document of the client with this id, and stores its metadata.
async fn fetch_client(
    shared: &Shared,
    head: &Parts,
    address: &str,
    deadline: Instant,
) -> Result<Client, Response> {
    super::admit(shared, head, Action::Document).map_err(page::too_many)?;
    let document = shared.documents.fetch(address).await.map_err(|cause| {
        tracing::info!(cause, "a client's document could not be used");
        stop("Its description could not be read.")
    })?;
    let environment = shared.environment.clone();
    let stale_after = i64::try_from(document.cache_seconds).unwrap_or(0) * 1_000_000;
    let stale_at = Timestamp(environment.clock.now().0 + stale_after);
    let address = address.to_owned();
    let storing = super::db(shared, head).write(deadline, move |tx| {
        clients::keep_document(tx, &environment, &address, &document.metadata, stale_at)
    });
    storing.await.map_err(|error| page::failed(&error))
}

/// The redirect URI for the answer. It must be one of the client's; a client with only one may omit it.
fn redirect_uri(client: &Client, form: &Form) -> Option<String> {
    match (form.get("redirect_uri"), client.redirect_uris.as_slice()) {
        (Some(sent), _) if client.may_return_to(sent) => Some(sent.to_owned()),
        (None, [only]) => Some(only.clone()),
        _ => None,
    }
}

/// The PKCE challenge and the scopes in a verified client's request.
fn read(shared: &Shared, form: &Form) -> Result<(String, ScopeNames), AuthorizationError> {
    match form.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(AuthorizationError(
                "unsupported_response_type",
                "response_type must be code.",
            ));
        }
        None => return Err(AuthorizationError("invalid_request", "response_type must be code.")),
    }
    let challenge = form.get("code_challenge").filter(|it| tokens::is_challenge(it));
    let is_s256 = form.get("code_challenge_method") == Some("S256");
    let Some(challenge) = challenge.filter(|_| is_s256) else {
        return Err(AuthorizationError(
            "invalid_request",
            "PKCE with the method S256 is required.",
        ));
    };
    let public_url = &shared.settings.public_url;
    if form.get("resource").is_some_and(|sent| !super::is_resource(public_url, sent)) {
        return Err(AuthorizationError(
            "invalid_target",
            "This server does not have this resource.",
        ));
    }
    let sent = form.text("scope");
    let names_none = sent.split_ascii_whitespace().all(|name| name == OFFLINE_ACCESS);
    // A request without scopes asks for the scopes that the endpoint's `WWW-Authenticate` lists.
    let scopes = if names_none {
        ScopeNames::own(Scopes::of(Scope::GRANTABLE))
    } else {
        ScopeNames::parse_known(sent)
    };
    if scopes.is_empty() {
        return Err(AuthorizationError("invalid_scope", "This server has none of these scopes."));
    }
    Ok((challenge.to_owned(), scopes))
}

/// Stores the request as pending, if the user can grant any of its scopes in one of their businesses.
async fn start_request(
    shared: &Shared,
    head: &Parts,
    signed_in: &SignedIn,
    request: &AuthorizationRequest,
    deadline: Instant,
) -> Result<(Option<Secret>, Vec<consent::OfferedTenant>), Error> {
    let (signed_in, request) = (signed_in.clone(), request.clone());
    let environment = shared.environment.clone();
    let starting = super::db(shared, head).write(deadline, move |tx| {
        let tenants = offers(&signed_in.memberships(tx)?, request.scopes.scopes());
        if tenants.is_empty() {
            return Ok((None, tenants));
        }
        let secret = requests::start(tx, &environment, &signed_in, &request)?;
        Ok((Some(secret), tenants))
    });
    starting.await
}
