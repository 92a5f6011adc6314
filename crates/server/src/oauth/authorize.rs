//! `GET /oauth/authorize`: a client's request is checked, stored as pending, and shown to the signed-in user.
//!
//! Until the client and its redirect URI are verified, errors are shown on a page of this server. Only then is
//! anything sent back to the client (RFC 6749, 4.1.2.1; RFC 9700, 4.11).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, ScopeNames, Scopes};
use zoop_crm::identity::oauth::clients::{self, Client};
use zoop_crm::identity::oauth::requests::{self, PendingRequest, Request as Asked};
use zoop_crm::identity::oauth::tokens;
use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_db::Timestamp;

use super::consent::{self, offered};
use super::token::{MAX_ID, OFFLINE_ACCESS};
use crate::anonymous_limits::Action;
use crate::app::{App, Shared};
use crate::web::browser;
use crate::web::form::Form;
use crate::web::next;
use crate::web::page;

/// The size limit of the query, in bytes: it is encoded a second time into the link to the sign-in page.
const MAX_QUERY: usize = 8 * 1024;

/// An error that is sent back to the client: its code and a description.
struct Refusal(&'static str, &'static str);

/// The endpoint.
pub(super) async fn ask(State(app): State<App>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    asked(&app.shared, &head).await.unwrap_or_else(|refusal| refusal)
}

async fn asked(shared: &Arc<Shared>, head: &Parts) -> Result<Response, Response> {
    let address = super::admit(shared, head, Action::Page).map_err(page::too_many)?;
    let query = head.uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY {
        return Err(stop("The link is too long."));
    }
    let deadline = Instant::now() + shared.settings.request_deadline;
    let person = browser::signed_in(shared, &head.headers, Some(address), deadline).await;
    let Some(person) = person.map_err(|error| page::failed(&error))? else {
        return Err(page::go_to(&sign_in_first(query)));
    };
    let form = Form::parse(query.as_bytes())
        .map_err(|_| stop("The request has a duplicate or invalid parameter."))?;
    let client = client(shared, head, &form, deadline).await?;
    let wrong = || stop("Its redirect_uri does not match a registered one.");
    let redirect_uri = redirect_uri(&client, &form).ok_or_else(wrong)?;
    let state = form.get("state").map(str::to_owned);
    let back = |Refusal(error, description): Refusal| {
        consent::offer_back(shared, &redirect_uri, state.as_deref(), error, description)
    };
    let (challenge, scopes) = read(shared, &form).map_err(back)?;
    let request = Asked {
        client_id: client.id,
        redirect_uri: redirect_uri.clone(),
        state: state.clone(),
        challenge,
        scopes,
    };
    let (secret, places) = park(shared, head, &person, &request, deadline)
        .await
        .map_err(|error| page::failed(&error))?;
    let Some(secret) = secret else {
        return Err(back(Refusal(
            "access_denied",
            "The user cannot grant any of the requested scopes.",
        )));
    };
    let pending = PendingRequest { request, client_name: client.name };
    Ok(consent::page(&person, &pending, &places, &secret, None))
}

/// The sign-in page, from which the browser comes back here.
pub(super) fn sign_in_first(query: &str) -> String {
    next::sign_in(&format!("/oauth/authorize?{query}"))
}

/// The page for an error that only the user gets to see.
fn stop(what: &str) -> Response {
    let message =
        format!("{what} Start again from the program. If this happens again, tell its publisher.");
    page::stop(StatusCode::BAD_REQUEST, "This program cannot be connected", &message)
}

/// The requesting client: known by its id, or by its document.
async fn client(
    shared: &Shared,
    head: &Parts,
    form: &Form,
    deadline: Instant,
) -> Result<Client, Response> {
    let unknown = || stop("It is not registered here.");
    let id = form.get("client_id").filter(|id| id.len() <= MAX_ID).ok_or_else(unknown)?;
    let asked = id.to_owned();
    let known = super::db(shared, head).read(deadline, move |tx| clients::find(tx, &asked)).await;
    let known = known.map_err(|error: Error| page::failed(&error))?;
    let now = shared.environment.clock.now();
    match known {
        Some(client) if client.is_fresh(now) => Ok(client),
        None if Secret::parse_as(SecretKind::Client, id).is_some() => Err(unknown()),
        None if !id.starts_with("https://") => Err(unknown()),
        _ => documented(shared, head, id, deadline).await,
    }
}

/// The client whose document is at this URL.
async fn documented(
    shared: &Shared,
    head: &Parts,
    address: &str,
    deadline: Instant,
) -> Result<Client, Response> {
    super::admit(shared, head, Action::Document).map_err(page::too_many)?;
    let document = shared.documents.fetch(address).await.map_err(|cause| {
        tracing::info!(cause, "a client's document could not be used");
        stop("Its description could not be read at the address that is its id.")
    })?;
    let environment = shared.environment.clone();
    let stale_after = i64::try_from(document.seconds).unwrap_or(0) * 1_000_000;
    let stale_at = Timestamp(environment.clock.now().0 + stale_after);
    let address = address.to_owned();
    let kept = super::db(shared, head).write(deadline, move |tx| {
        clients::keep_document(tx, &environment, &address, &document.metadata, stale_at)
    });
    kept.await.map_err(|error| page::failed(&error))
}

/// Where the answer goes: one of the client's redirect URIs. It may be omitted if there is only one.
fn redirect_uri(client: &Client, form: &Form) -> Option<String> {
    match (form.get("redirect_uri"), client.redirect_uris.as_slice()) {
        (Some(sent), _) if client.may_return_to(sent) => Some(sent.to_owned()),
        (None, [only]) => Some(only.clone()),
        _ => None,
    }
}

/// The challenge and the scopes of a verified client's request.
fn read(shared: &Shared, form: &Form) -> Result<(String, ScopeNames), Refusal> {
    match form.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(Refusal("unsupported_response_type", "response_type must be code."));
        }
        None => return Err(Refusal("invalid_request", "response_type must be code.")),
    }
    let challenge = form.get("code_challenge").filter(|it| tokens::is_challenge(it));
    let is_s256 = form.get("code_challenge_method") == Some("S256");
    let Some(challenge) = challenge.filter(|_| is_s256) else {
        return Err(Refusal("invalid_request", "PKCE with the method S256 is needed."));
    };
    let public_url = &shared.settings.public_url;
    if form.get("resource").is_some_and(|sent| !super::is_resource(public_url, sent)) {
        return Err(Refusal("invalid_target", "This server does not have this resource."));
    }
    let sent = form.text("scope");
    let names_none = sent.split_ascii_whitespace().all(|name| name == OFFLINE_ACCESS);
    // A request without scopes asks for those that the endpoint's own challenge names.
    let scopes = if names_none {
        ScopeNames::own(Scopes::of(Scope::GRANTABLE))
    } else {
        ScopeNames::known(sent)
    };
    if scopes.is_empty() {
        return Err(Refusal("invalid_scope", "This server does not have this scope."));
    }
    Ok((challenge.to_owned(), scopes))
}

/// Stores the request as pending, if the user can grant any of it in one of their businesses.
async fn park(
    shared: &Shared,
    head: &Parts,
    person: &SignedIn,
    request: &Asked,
    deadline: Instant,
) -> Result<(Option<Secret>, Vec<consent::Place>), Error> {
    let (person, request) = (person.clone(), request.clone());
    let environment = shared.environment.clone();
    let parking = super::db(shared, head).write(deadline, move |tx| {
        let places = offered(&person.workplaces(tx)?, request.scopes.scopes());
        if places.is_empty() {
            return Ok((None, places));
        }
        let secret = requests::park(tx, &environment, &person, &request)?;
        Ok((Some(secret), places))
    });
    parking.await
}
