//! The page that asks a user whether a client may act for them, and the user's answer.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::REFERRER_POLICY;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::identity::oauth::consent::{self, Choice, ConsentOutcome};
use zoop_crm::identity::oauth::redirect;
use zoop_crm::identity::oauth::requests::{self, AuthorizationRequest, PendingRequest};
use zoop_crm::identity::sign_in::sessions::Membership;
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
pub(super) struct OfferedTenant {
    id: String,
    name: String,
    scopes: Scopes,
}

/// A requested scope, described for the user.
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
    user: &'a str,
    email: &'a str,
    other_account: String,
    tenants: &'a [OfferedTenant],
    wishes: Vec<Wish>,
    request: &'a str,
    fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "return.html")]
struct ReturnPage<'a> {
    address: &'a str,
    host: &'a str,
    /// What is wrong with the request, if it was rejected without asking the user.
    fault: Option<&'a str>,
}

/// The businesses where the user's role has any of these scopes.
pub(super) fn offers(memberships: &[Membership], scopes: Scopes) -> Vec<OfferedTenant> {
    let tenants = memberships.iter().map(|membership| OfferedTenant {
        id: membership.account.id.to_string(),
        name: membership.name.clone(),
        scopes: scopes.and(membership.role.scopes()),
    });
    tenants.filter(|tenant| !tenant.scopes.is_empty()).collect()
}

/// The consent page.
pub(super) fn page(
    signed_in: &SignedIn,
    pending: &PendingRequest,
    tenants: &[OfferedTenant],
    secret: &Secret,
    fault: Option<&str>,
) -> Response {
    let PendingRequest { request, client_name } = pending;
    let destination = redirect::destination(&request.redirect_uri);
    let is_documented = request.client_id.starts_with("https://");
    let scopes = tenants.iter().fold(Scopes::NONE, |all, tenant| all.or(tenant.scopes));
    let status = if fault.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    page::page(
        status,
        &ConsentPage {
            program: client_name,
            known_by: is_documented.then(|| redirect::destination(&request.client_id).host),
            returns_to: destination.host,
            is_local: destination.is_local,
            user: &signed_in.name,
            email: &signed_in.email,
            other_account: super::authorize::sign_in_first(&query(request)),
            tenants,
            wishes: scopes.iter().map(wish).collect(),
            request: secret.expose(),
            fault,
        },
    )
}

/// The query of the URL that starts this request again.
fn query(request: &AuthorizationRequest) -> String {
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
/// browsers check `form-action` against every URL that a form's answer redirects to, and would block the redirect.
fn back(
    shared: &Shared,
    redirect_uri: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> Response {
    leave(shared, redirect_uri, state, answer, None)
}

/// Shows a link back to a client whose request is invalid. There is no redirect: anyone can register a client, and a
/// link to this server must not lead to another site by itself (RFC 9700, 4.11.2).
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
    // RFC 9207: `iss` shows the client which server answered.
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
    try_answer(&app.shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn try_answer(shared: &Arc<Shared>, request: Request) -> Result<Response, Response> {
    let (head, body) = request.into_parts();
    let address = super::admit(shared, &head, Action::Page).map_err(page::too_many)?;
    let deadline = Instant::now() + shared.settings.request_deadline;
    let form =
        form::read(form::MAX_BYTES, shared, &head.headers, body, Some(address), deadline).await?;
    let session = browser::cookie(&head.headers, SESSION, SecretKind::Session).ok_or_else(gone)?;
    let visitor = Visitor::of(&head.extensions);
    let pending = Secret::parse_as(SecretKind::ConsentRequest, form.text("request"));
    let pending = pending.ok_or_else(gone)?;
    let choice = choice(&form).ok_or_else(gone)?;
    let environment = shared.environment.clone();
    let secret = pending.clone();
    let answering = super::db(shared, &head).write(deadline, move |tx| {
        let now = environment.clock.now();
        let Some(signed_in) = sessions::find(tx, &session, now)? else { return Ok(None) };
        let address = Some(address);
        let outcome = consent::answer(tx, &environment, &signed_in, &pending, choice, address)?;
        Ok(Some((signed_in, outcome)))
    });
    let done = answering.await.map_err(|error: Error| page::failed(&error))?;
    let (signed_in, outcome) = done.ok_or_else(gone)?;
    visitor.set(signed_in.user);
    match outcome {
        ConsentOutcome::Allowed(request, code) => {
            let code = [("code", code.expose())];
            let response = back(shared, &request.redirect_uri, request.state.as_deref(), &code);
            Ok(with_outcome(response, page_log::PageOutcome::Allowed))
        }
        ConsentOutcome::Denied(request) => {
            let error =
                [("error", "access_denied"), ("error_description", "The user denied the request.")];
            let response = back(shared, &request.redirect_uri, request.state.as_deref(), &error);
            Ok(with_outcome(response, page_log::PageOutcome::Denied))
        }
        ConsentOutcome::NoScope => {
            let fault = "Leave at least one box checked, or choose Deny.";
            show_again(shared, &head, &signed_in, &secret, fault, deadline).await
        }
        ConsentOutcome::NoBusiness => {
            let fault = "You cannot connect this program to that business. Choose another one.";
            show_again(shared, &head, &signed_in, &secret, fault, deadline).await
        }
        ConsentOutcome::Gone => Err(gone()),
    }
}

fn with_outcome(mut response: Response, outcome: page_log::PageOutcome) -> Response {
    response.extensions_mut().insert(outcome);
    response
}

/// The user's choice, if the form is complete.
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

/// Shows the consent page again with an error.
async fn show_again(
    shared: &Shared,
    head: &Parts,
    signed_in: &SignedIn,
    secret: &Secret,
    fault: &str,
    deadline: Instant,
) -> Result<Response, Response> {
    let (who, hidden) = (signed_in.clone(), secret.clone());
    let now = shared.environment.clock.now();
    let reading = super::db(shared, head).read(deadline, move |tx| {
        let memberships = who.memberships(tx)?;
        Ok(requests::find(tx, &who, &hidden, now)?.map(|pending| (pending, memberships)))
    });
    let found = reading.await.map_err(|error: Error| page::failed(&error))?;
    let (pending, memberships) = found.ok_or_else(gone)?;
    let tenants = offers(&memberships, pending.request.scopes.scopes());
    Ok(page(signed_in, &pending, &tenants, secret, Some(fault)))
}

/// The page for a request that no longer exists, or that belongs to another session.
fn gone() -> Response {
    page::stop(
        StatusCode::BAD_REQUEST,
        "This request is over",
        "It has already been answered or has expired, or you have been signed out. Start again from the \
         program.",
    )
}
