//! Lost passwords: sends reset links by mail, and shows the page that they lead to.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::links::{self, Factor, Followed, LinkSignIn};
use zoop_crm::identity::sign_in::password::Password;
use zoop_crm::values::secret::{Secret, SecretKind};

use super::sign_in::ask_for_code;
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::mail::Mailer;
use crate::web::next::HOME;
use crate::web::page;
use crate::web::page_context::{PageContext, either, give_session};

const PATH: &str = "/password/";

#[derive(Template)]
#[template(path = "forgot.html")]
struct Forgot;

#[derive(Template)]
#[template(path = "new_password.html")]
struct NewPassword<'a> {
    path: &'a str,
    email: &'a str,
    /// Whether the second factor is turned off too.
    ends_factor: bool,
    fault: &'a str,
}

/// `GET /sign-in/forgot`
pub(super) async fn forgot(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::Page)?;
        mailer(&context)?;
        Ok(page::page(StatusCode::OK, &Forgot))
    };
    either(answer.await)
}

/// The mailer. Without one, the pages that send links do not exist.
fn mailer(context: &PageContext) -> Result<Mailer, Response> {
    context.shared.settings.mail.clone().ok_or_else(page::not_found)
}

/// `POST /sign-in/forgot`. Neither the answer nor the time that it takes shows whether the address is known.
pub(super) async fn ask(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::SignIn)?;
        let form = context.form().await?;
        let mailer = mailer(&context)?;
        let (email, from) = (form.text("email").trim().to_owned(), context.address);
        let asked = email.clone();
        let may_send = context
            .write(move |tx, environment| links::admit_request(tx, environment, &asked, from))
            .await?;
        if may_send {
            send(&context, mailer, email);
        }
        Ok(page::stop(
            StatusCode::OK,
            "Check your e-mail",
            "If there is an account for this e-mail address, we are sending you a link for a new password. \
             The link works for 30 minutes. If no message arrives, check your spam folder, or ask an \
             owner of your business.",
        ))
    };
    either(answer.await)
}

/// Looks the address up and sends the mail in the background. If the page waited for that, its time would show whether
/// there is an account.
fn send(context: &PageContext, mailer: Mailer, email: String) {
    let Some(permit) = mailer.permit() else {
        tracing::warn!("a password reset link was not sent: too many mails are being sent");
        return;
    };
    let (shared, deadline, from) = (context.shared.clone(), context.deadline, context.address);
    let db = context.db();
    tokio::spawn(async move {
        let environment = shared.environment.clone();
        let creating = db.write::<_, Error>(deadline, move |tx| {
            links::create_for_mail(tx, &environment, &email, from)
        });
        let (user, link) = match creating.await {
            Ok(Some(created)) => created,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(?error, "a password reset link could not be created");
                return;
            }
        };
        let link = format!("{}{}", shared.settings.public_url, link.path());
        let post = move || mailer.send_password_link(&user.email, &link);
        match tokio::task::spawn_blocking(post).await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => tracing::warn!(%cause, "a password reset link could not be sent"),
            Err(cause) => tracing::error!(%cause, "sending a password reset link failed"),
        }
        drop(permit);
    });
}

/// `GET /password/{token}`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::SignIn)?;
        let (_, link) = open(&context).await?;
        Ok(form(&context, &link, ""))
    };
    either(answer.await)
}

fn form(context: &PageContext, link: &Followed, fault: &str) -> Response {
    let template = NewPassword {
        path: &context.target,
        email: &link.user.email,
        ends_factor: link.factor == Factor::Ends,
        fault,
    };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page::page(status, &template)
}

/// The link's secret, and what the link allows, if it still works.
async fn open(context: &PageContext) -> Result<(Secret, Followed), Response> {
    let token = context.target.strip_prefix(PATH).unwrap_or_default();
    let secret = Secret::parse_as(SecretKind::PasswordLink, token).ok_or_else(gone)?;
    let known = secret.clone();
    let found = context.read(move |tx, environment| {
        let now = environment.clock.now();
        links::find(tx, &known, now)
    });
    let link = found.await?.ok_or_else(gone)?;
    Ok((secret, link))
}

fn gone() -> Response {
    page::stop(
        StatusCode::GONE,
        "This link no longer works",
        "A link for a new password works once and for a limited time. Ask for a new one.",
    )
}

/// `POST /password/{token}`
pub(super) async fn choose(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::SignIn)?;
        let sent = context.form().await?;
        let (secret, link) = open(&context).await?;
        if sent.text("password") != sent.text("repeated") {
            return Ok(form(&context, &link, "The passwords do not match."));
        }
        let password = match Password::choose(sent.text("password"), &link.user.email) {
            Ok(password) => password,
            Err(Error::InvalidInput { message, .. }) => return Ok(form(&context, &link, &message)),
            Err(error) => return Err(page::failed(&error)),
        };
        let entropy = context.shared.environment.entropy.clone();
        let hash = move || password.hash(&entropy);
        let hash = context.shared.hashing.run(context.deadline, hash).await?;
        let (origin, before) = (context.origin(), context.session());
        let followed = context.try_write(move |tx, environment| {
            links::follow(tx, environment, &secret, &hash, &origin, before.as_ref())
        });
        match followed.await {
            Ok(LinkSignIn::In(session)) => {
                let mut response = page::go_to("/account?done=new-password");
                give_session(&mut response, &session);
                Ok(response)
            }
            Ok(LinkSignIn::NeedsCode(pending)) => Ok(ask_for_code(&pending, HOME)),
            Err(Error::Conflict { retry_after_s: None, .. }) => Err(gone()),
            Err(error) => Err(page::failed(&error)),
        }
    };
    either(answer.await)
}
