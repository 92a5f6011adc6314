//! The page that asks a user whether a client may act for them, and their answer.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::REFERRER_POLICY;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::identity::oauth::consent::{self, Choice, Outcome};
use zoop_crm::identity::oauth::redirect;
use zoop_crm::identity::oauth::requests::{self, PendingRequest, Request as Asked};
use zoop_crm::identity::sign_in::sessions::Workplace;
use zoop_crm::identity::sign_in::{SignedIn, sessions};
use zoop_crm::values::id::Id;
use zoop_crm::values::secret::{Secret, SecretKind};

use crate::anonymous_limits::Action;
use crate::app::{App, Shared};
use crate::page_log::{self, Visitor};
use crate::web::browser::{self, SESSION};
use crate::web::form::{self, Form};
use crate::web::page;

/// A business in which the user can grant the client something.
#[derive(Debug, Clone)]
pub(super) struct Place {
    id: String,
    name: String,
    scopes: Scopes,
}

/// A scope in words.
struct Wish {
    name: &'static str,
    title: &'static str,
    about: &'static str,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    program: &'a str,
    /// The host of the client's document, if it has one.
    known_by: Option<String>,
    returns_to: String,
    is_local: bool,
    person: &'a str,
    email: &'a str,
    other_account: String,
    places: &'a [Place],
    wishes: Vec<Wish>,
    request: &'a str,
    fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "return.html")]
struct ReturnPage<'a> {
    address: &'a str,
    host: &'a str,
    /// What is wrong with the request, if the user has not been asked anything yet.
    fault: Option<&'a str>,
}

/// The businesses where the user's role has any of these scopes.
pub(super) fn offered(places: &[Workplace], scopes: Scopes) -> Vec<Place> {
    let places = places.iter().map(|place| Place {
        id: place.account.id.to_string(),
        name: place.name.clone(),
        scopes: scopes.and(place.role.scopes()),
    });
    places.filter(|place| !place.scopes.is_empty()).collect()
}

/// The consent page.
pub(super) fn page(
    person: &SignedIn,
    pending: &PendingRequest,
    places: &[Place],
    secret: &Secret,
    fault: Option<&str>,
) -> Response {
    let PendingRequest { request, client_name } = pending;
    let destination = redirect::destination(&request.redirect_uri);
    let is_documented = request.client_id.starts_with("https://");
    let scopes = places.iter().fold(Scopes::NONE, |all, place| all.or(place.scopes));
    let status = if fault.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    page::page(
        status,
        &ConsentPage {
            program: client_name,
            known_by: is_documented.then(|| redirect::destination(&request.client_id).host),
            returns_to: destination.host,
            is_local: destination.is_local,
            person: &person.name,
            email: &person.email,
            other_account: super::authorize::sign_in_first(&query(request)),
            places,
            wishes: scopes.iter().map(wish).collect(),
            request: secret.expose(),
            fault,
        },
    )
}

/// The query of the same request.
fn query(request: &Asked) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &request.client_id)
        .append_pair("redirect_uri", &request.redirect_uri)
        .append_pair("code_challenge", &request.challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("scope", &request.scopes.list());
    if let Some(state) = &request.state {
        query.append_pair("state", state);
    }
    query.finish()
}

fn wish(scope: Scope) -> Wish {
    Wish { name: scope.name(), title: scope.title(), about: scope.about() }
}

/// Sends the browser back to the client once the user has answered. The answer is a page, not a redirect:
/// browsers check `form-action` against every URL that the answer redirects to, and would block it.
fn back(
    shared: &Shared,
    redirect_uri: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> Response {
    leave(shared, redirect_uri, state, answer, None)
}

/// Offers a link back to a client whose request is invalid, instead of redirecting: anyone can register a
/// client, and a link to this server must not redirect a user to that client (RFC 9700, 4.11.2).
pub(super) fn offer_back(
    shared: &Shared,
    redirect_uri: &str,
    state: Option<&str>,
    error: &str,
    description: &str,
) -> Response {
    let answer = [("error", error), ("error_description", description)];
    leave(shared, redirect_uri, state, &answer, Some(description))
}

fn leave(
    shared: &Shared,
    redirect_uri: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
    fault: Option<&str>,
) -> Response {
    let mut answer = answer.to_vec();
    answer.extend(state.map(|state| ("state", state)));
    // RFC 9207: it shows the client that no other server answered.
    answer.push(("iss", &shared.settings.public_url));
    let Some(address) = redirect::with_answer(redirect_uri, &answer) else {
        return page::not_found();
    };
    let host = redirect::destination(redirect_uri).host;
    let template = ReturnPage { address: &address, host: &host, fault };
    let mut response = page::page(StatusCode::OK, &template);
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// `POST /oauth/authorize`: the user's answer.
pub(super) async fn answer(State(app): State<App>, request: Request) -> Response {
    answered(&app.shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn answered(shared: &Arc<Shared>, request: Request) -> Result<Response, Response> {
    let (head, body) = request.into_parts();
    let address = super::admit(shared, &head, Action::Page).map_err(page::too_many)?;
    let deadline = Instant::now() + shared.settings.request_deadline;
    let form = form::read(shared, &head.headers, body, Some(address), deadline).await?;
    let session = browser::cookie(&head.headers, SESSION, SecretKind::Session).ok_or_else(over)?;
    let visitor = Visitor::of(&head.extensions);
    let pending = Secret::parse_as(SecretKind::ConsentRequest, form.text("request"));
    let pending = pending.ok_or_else(over)?;
    let choice = choice(&form).ok_or_else(over)?;
    let environment = shared.environment.clone();
    let secret = pending.clone();
    let answering = shared.db.write(deadline, move |tx| {
        let now = environment.clock.now();
        let Some(person) = sessions::find(tx, &session, now)? else { return Ok(None) };
        let address = Some(address);
        let outcome = consent::answer(tx, &environment, &person, &pending, choice, address)?;
        Ok(Some((person, outcome)))
    });
    let done = answering.await.map_err(|error: Error| page::failed(&error))?;
    let (person, outcome) = done.ok_or_else(over)?;
    visitor.is(person.user);
    match outcome {
        Outcome::Allowed(asked, code) => {
            let code = [("code", code.expose())];
            let response = back(shared, &asked.redirect_uri, asked.state.as_deref(), &code);
            Ok(logged(response, page_log::Outcome::Allowed))
        }
        Outcome::Denied(asked) => {
            let error =
                [("error", "access_denied"), ("error_description", "The user denied the request.")];
            let response = back(shared, &asked.redirect_uri, asked.state.as_deref(), &error);
            Ok(logged(response, page_log::Outcome::Denied))
        }
        Outcome::NoScope => {
            let fault = "Leave at least one box checked, or choose Deny.";
            again(shared, &person, &secret, fault, deadline).await
        }
        Outcome::NoBusiness => {
            let fault = "You cannot connect it to this business: choose another one.";
            again(shared, &person, &secret, fault, deadline).await
        }
        Outcome::Gone => Err(over()),
    }
}

fn logged(mut response: Response, outcome: page_log::Outcome) -> Response {
    response.extensions_mut().insert(outcome);
    response
}

/// The choice in a form, if it is complete.
fn choice(form: &Form) -> Option<Choice> {
    let is_allowed = match form.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return None,
    };
    let tenant = Id::parse(form.text("business"))?;
    let ticked: Vec<_> =
        Scope::GRANTABLE.iter().copied().filter(|scope| form.get(scope.name()).is_some()).collect();
    Some(Choice { tenant, scopes: Scopes::of(&ticked), is_allowed })
}

/// Shows the page again with an error.
async fn again(
    shared: &Shared,
    person: &SignedIn,
    secret: &Secret,
    fault: &str,
    deadline: Instant,
) -> Result<Response, Response> {
    let (asked, hidden) = (person.clone(), secret.clone());
    let now = shared.environment.clock.now();
    let reading = shared.db.read(deadline, move |tx| {
        let places = asked.workplaces(tx)?;
        Ok(requests::find(tx, &asked, &hidden, now)?.map(|pending| (pending, places)))
    });
    let found = reading.await.map_err(|error: Error| page::failed(&error))?;
    let (pending, places) = found.ok_or_else(over)?;
    let places = offered(&places, pending.request.scopes.scopes());
    Ok(page(person, &pending, &places, secret, Some(fault)))
}

/// The request no longer exists, or belongs to another session.
fn over() -> Response {
    page::stop(
        StatusCode::BAD_REQUEST,
        "This request is over",
        "It was answered already, took too long, or you have been signed out: start again from the \
         program.",
    )
}
