//! The page of an invitation's link.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::email;
use zoop_crm::error::Error;
use zoop_crm::invitations::{self, Invited, Standing};
use zoop_crm::secret::{Secret, SecretKind};
use zoop_crm::sign_in::SignedIn;
use zoop_crm::sign_in::password::Password;

use super::visit::{Visit, either, give_session};
use crate::app::App;
use crate::visitors::Action;
use crate::web::form::Form;
use crate::web::{next, page};

#[derive(Template)]
#[template(path = "invitation.html")]
struct Page<'a> {
    invited: &'a Invited,
    role: &'static str,
    path: &'a str,
    /// Where the person signs in first.
    sign_in: String,
    chooses: bool,
    /// Who is signed in here.
    signed_in: Option<&'a SignedIn>,
    is_theirs: bool,
    fault: &'a str,
}

/// `GET /invitations/{token}`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let visit = Visit::begin(&app, request, Action::SignIn)?;
        let (_, invited) = open(&visit).await?;
        let signed_in = visit.signed_in().await?;
        Ok(form(&visit, &invited, signed_in.as_ref(), ""))
    };
    either(answer.await)
}

fn form(visit: &Visit, invited: &Invited, signed_in: Option<&SignedIn>, fault: &str) -> Response {
    let own = |it: &SignedIn| email::key(&it.email) == email::key(&invited.record.email);
    let template = Page {
        invited,
        role: invited.record.role.word(),
        path: &visit.target,
        sign_in: next::sign_in(next::next_page(Some(&visit.target))),
        chooses: invited.standing == Standing::ChoosePassword,
        signed_in,
        is_theirs: signed_in.is_some_and(own),
        fault,
    };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page::page(status, &template)
}

/// The invitation of this link, if it can be accepted.
async fn open(visit: &Visit) -> Result<(Secret, Invited), Response> {
    let token = visit.target.strip_prefix("/invitations/").unwrap_or_default();
    let secret = Secret::parse_as(SecretKind::Invitation, token).ok_or_else(unknown)?;
    let known = secret.clone();
    let environment = visit.shared.environment.clone();
    let read = visit
        .shared
        .db
        .read(visit.deadline, move |tx| invitations::find(tx, &known, environment.clock.now()));
    let invited = match read.await {
        Ok(invited) => invited,
        Err(Error::NotFound { .. }) => return Err(unknown()),
        Err(error) => return Err(page::failed(&error)),
    };
    let over = |title, message| Err(page::stop(StatusCode::GONE, title, message));
    match invited.standing {
        Standing::ChoosePassword | Standing::SignIn => Ok((secret, invited)),
        Standing::NeedsPassword => Err(page::stop(
            StatusCode::CONFLICT,
            "You need a password first",
            "You work here already but have no password: ask whoever runs this server for one.",
        )),
        Standing::Accepted => {
            over("This invitation was accepted", "It works once: sign in to go on.")
        }
        Standing::Revoked => {
            over("This invitation was revoked", "Ask whoever invited you for a new one.")
        }
        Standing::Expired => {
            over("This invitation has expired", "Ask whoever invited you for a new one.")
        }
    }
}

fn unknown() -> Response {
    page::stop(
        StatusCode::NOT_FOUND,
        "There is no such invitation",
        "Check that the whole link was copied, or ask whoever invited you for a new one.",
    )
}

/// `POST /invitations/{token}`
pub(super) async fn accept(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let visit = Visit::begin(&app, request, Action::SignIn)?;
        let sent = visit.form().await?;
        let (secret, invited) = open(&visit).await?;
        match invited.standing {
            Standing::ChoosePassword => accept_as_new(&visit, &sent, secret, &invited).await,
            _ => accept_as_member(&visit, secret).await,
        }
    };
    either(answer.await)
}

async fn accept_as_new(
    visit: &Visit,
    sent: &Form,
    secret: Secret,
    invited: &Invited,
) -> Result<Response, Response> {
    if sent.text("password") != sent.text("repeated") {
        let fault = "The password was typed in two ways: type it twice the same.";
        return Ok(form(visit, invited, None, fault));
    }
    let password = match Password::choose(sent.text("password"), &invited.record.email) {
        Ok(password) => password,
        Err(Error::InvalidInput { message, .. }) => {
            return Ok(form(visit, invited, None, &message));
        }
        Err(error) => return Err(page::failed(&error)),
    };
    let entropy = visit.shared.environment.entropy.clone();
    let hash = move || password.hash(&entropy);
    let hash = visit.shared.hashing.run(visit.deadline, hash).await?;
    let (origin, before) = (visit.origin(), visit.session());
    let accepted = visit.write(move |tx, environment| {
        let before = before.as_ref();
        invitations::accept_as_new(tx, environment, &secret, &hash, &origin, before)
    });
    let session = accepted.await?;
    let mut response = page::go_to("/account?done=joined");
    give_session(&mut response, &session);
    Ok(response)
}

async fn accept_as_member(visit: &Visit, secret: Secret) -> Result<Response, Response> {
    let person = visit.person(&visit.target).await?;
    let origin = visit.origin();
    let accepted = visit.write(move |tx, environment| {
        invitations::accept_as_member(tx, environment, &secret, &person, &origin)
    });
    accepted.await?;
    Ok(page::go_to("/account?done=joined"))
}
