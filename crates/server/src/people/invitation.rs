//! The page that an invitation link opens.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::access::Role;
use zoop_crm::call::error::Error;
use zoop_crm::identity::invitations::{self, Invited, Status};
use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::identity::sign_in::links::LinkSignIn;
use zoop_crm::identity::sign_in::password::Password;
use zoop_crm::values::email;
use zoop_crm::values::secret::{Secret, SecretKind};

use super::sign_in::ask_for_code;
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::web::form::Form;
use crate::web::page_context::{PageContext, either, give_session};
use crate::web::{next, page};

const ASK_FOR_ANOTHER: &str = "Ask the person who invited you for a new one.";

#[derive(Template)]
#[template(path = "invitation.html")]
struct Page<'a> {
    invited: &'a Invited,
    /// The role, as part of a sentence.
    role: &'static str,
    path: &'a str,
    /// The path of the sign-in page, which leads back here.
    sign_in: String,
    /// The signed-in user, if any.
    signed_in: Option<&'a SignedIn>,
    is_theirs: bool,
    fault: &'a str,
}

/// `GET /invitations/{token}`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::SignIn)?;
        let (_, invited) = open(&context).await?;
        let signed_in = context.signed_in().await?;
        Ok(form(&context, &invited, signed_in.as_ref(), ""))
    };
    either(answer.await)
}

fn form(
    context: &PageContext,
    invited: &Invited,
    signed_in: Option<&SignedIn>,
    fault: &str,
) -> Response {
    let template = Page {
        invited,
        role: in_words(invited.record.role),
        path: &context.target,
        sign_in: sign_in_first(context),
        signed_in,
        is_theirs: signed_in.is_some_and(|signed_in| is_own(signed_in, invited)),
        fault,
    };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page::page(status, &template)
}

/// Whether the invitation is for the signed-in user.
fn is_own(signed_in: &SignedIn, invited: &Invited) -> bool {
    email::key(&signed_in.email) == email::key(&invited.record.email)
}

/// The path of the sign-in page for a user who has to sign in before accepting.
fn sign_in_first(context: &PageContext) -> String {
    next::sign_in(next::next_page(Some(&context.target)))
}

/// A role as part of a sentence.
const fn in_words(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Office => "office staff",
        Role::Tech => "a technician",
    }
}

/// The link's secret and invitation. The error is the page that says why the invitation cannot be accepted.
async fn open(context: &PageContext) -> Result<(Secret, Invited), Response> {
    let token = context.target.strip_prefix("/invitations/").unwrap_or_default();
    let secret = Secret::parse_as(SecretKind::Invitation, token).ok_or_else(unknown)?;
    let known = secret.clone();
    let environment = context.shared.environment.clone();
    let read = context
        .db()
        .read(context.deadline, move |tx| invitations::find(tx, &known, environment.clock.now()));
    let invited = match read.await {
        Ok(invited) => invited,
        Err(Error::NotFound { .. }) => return Err(unknown()),
        Err(error) => return Err(page::failed(&error)),
    };
    let gone = |title, message| Err(page::stop(StatusCode::GONE, title, message));
    match invited.status {
        Status::Open => Ok((secret, invited)),
        Status::Accepted => gone(
            "This invitation has already been accepted",
            "An invitation works once. Sign in to continue.",
        ),
        Status::Revoked => gone("This invitation was revoked", ASK_FOR_ANOTHER),
        Status::Expired => gone("This invitation has expired", ASK_FOR_ANOTHER),
    }
}

fn unknown() -> Response {
    page::stop(
        StatusCode::NOT_FOUND,
        "Invitation not found",
        "Check that you copied the whole link, or ask the person who invited you for a new one.",
    )
}

/// `POST /invitations/{token}`
pub(super) async fn accept(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::SignIn)?;
        let sent = context.form().await?;
        let (secret, invited) = open(&context).await?;
        let is_by_password = sent.get("password").is_some();
        match context.signed_in().await? {
            Some(signed_in) if is_own(&signed_in, &invited) || !is_by_password => {
                accept_as_member(&context, secret, signed_in, &next::joined(invited.account)).await
            }
            None if !is_by_password => Ok(page::go_to(&sign_in_first(&context))),
            _ => accept_by_password(&context, &sent, secret, &invited).await,
        }
    };
    either(answer.await)
}

/// Accepts the invitation for a visitor who chose a password. A known user is usually sent to the sign-in page
/// instead; until then, no page shows whether the user is known.
async fn accept_by_password(
    context: &PageContext,
    sent: &Form,
    secret: Secret,
    invited: &Invited,
) -> Result<Response, Response> {
    if sent.text("password") != sent.text("repeated") {
        let fault = "The passwords do not match.";
        return Ok(form(context, invited, None, fault));
    }
    let password = match Password::choose(sent.text("password"), &invited.record.email) {
        Ok(password) => password,
        Err(Error::InvalidInput { message, .. }) => {
            return Ok(form(context, invited, None, &message));
        }
        Err(error) => return Err(page::failed(&error)),
    };
    let entropy = context.shared.environment.entropy.clone();
    let hash = move || password.hash(&entropy);
    let hash = context.shared.hashing.run(context.deadline, hash).await?;
    let (origin, before) = (context.origin(), context.session());
    let accepted = context.write(move |tx, environment| {
        let before = before.as_ref();
        invitations::accept_by_password(tx, environment, &secret, &hash, &origin, before)
    });
    let next = next::joined(invited.account);
    match accepted.await? {
        Some(LinkSignIn::In(session)) => {
            let mut response = page::go_to(&next);
            give_session(&mut response, &session);
            Ok(response)
        }
        Some(LinkSignIn::NeedsCode(pending)) => Ok(ask_for_code(&pending, &next)),
        None => Ok(page::go_to(&sign_in_first(context))),
    }
}

async fn accept_as_member(
    context: &PageContext,
    secret: Secret,
    signed_in: SignedIn,
    next: &str,
) -> Result<Response, Response> {
    let origin = context.origin();
    let accepted = context.write(move |tx, environment| {
        invitations::accept_as_member(tx, environment, &secret, &signed_in, &origin)
    });
    accepted.await?;
    Ok(page::go_to(next))
}
