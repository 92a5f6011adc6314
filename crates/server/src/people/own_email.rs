//! One's own e-mail address: a link goes to the new one, and following it changes the address.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::OwnedSemaphorePermit;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::own_email::{self, Followed};
use zoop_crm::identity::sign_in::{SignedIn, password_login};
use zoop_crm::values::secret::{Secret, SecretKind};

use super::account;
use super::change::{WRONG_PASSWORD, begin, check_current_password, frame};
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::mail::{Mailer, Unsent};
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::{PageContext, either, give_session};

const PATH: &str = "/account/email/";

/// The page that the link in the mail leads to.
#[derive(Template)]
#[template(path = "new_email.html")]
struct NewEmail<'a> {
    frame: Frame,
    path: &'a str,
    email: &'a str,
}

/// The mailer. Without one, no address can be proved, so none can be changed.
fn mailer(context: &PageContext) -> Result<Mailer, Response> {
    context.shared.settings.mail.clone().ok_or_else(page::not_found)
}

/// `POST /account/email`. The answer is the same whether or not another account has the address.
pub(super) async fn ask(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::SignIn).await?;
        let mailer = mailer(&context)?;
        let email = match own_email::parse(form.text("email"), &signed_in) {
            Ok(email) => email,
            Err(Error::InvalidInput { message, .. }) => {
                return account::show_again(&context, &signed_in, &message).await;
            }
            Err(error) => return Err(page::failed(&error)),
        };
        let (attempt, renewed) = check_current_password(&context, &signed_in, &form).await?;
        let new = email.clone();
        let request = context.write(move |tx, environment| {
            password_login::confirm_then(tx, &attempt, renewed.as_deref(), |tx, user| {
                own_email::request(tx, environment, user, &new)
            })
        });
        match request.await? {
            Some(Ok(secret)) => {
                if let Some(secret) = secret {
                    let link = format!(
                        "{}{}",
                        context.shared.settings.public_url,
                        own_email::path(&secret)
                    );
                    if let Some(permit) = mailer.permit() {
                        let post = move || mailer.send_email_link(&email.0, &link);
                        tokio::spawn(deliver(permit, post));
                    } else {
                        tracing::warn!(
                            "a link to a new e-mail address was not sent: too many mails are being sent"
                        );
                    }
                }
                Ok(page::go_to("/account?done=email-sent"))
            }
            Some(Err(Error::InvalidInput { message, .. })) => {
                account::show_again(&context, &signed_in, &message).await
            }
            Some(Err(error)) => Err(page::failed(&error)),
            None => account::show_again(&context, &signed_in, WRONG_PASSWORD).await,
        }
    };
    either(answer.await)
}

/// Tells the former mailbox, once a mail can be sent: many other mails must not keep the notice back. The page does not
/// wait for it.
async fn notify(mailer: Mailer, old: String, address: String) {
    let Some(permit) = mailer.next_permit().await else { return };
    deliver(permit, move || mailer.send_email_changed(&old, &address)).await;
}

/// Sends a mail with this permit.
async fn deliver(
    permit: OwnedSemaphorePermit,
    post: impl FnOnce() -> Result<(), Unsent> + Send + 'static,
) {
    match tokio::task::spawn_blocking(post).await {
        Ok(Ok(())) => {}
        Ok(Err(cause)) => {
            tracing::warn!(%cause, "a mail about an e-mail address could not be sent");
        }
        Err(cause) => tracing::error!(%cause, "sending a mail about an e-mail address failed"),
    }
    drop(permit);
}

/// `GET /account/email/{token}`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::SignIn)?;
        let signed_in = context.require_sign_in(&context.target).await?;
        let (_, email) = open(&context, &signed_in).await?;
        let frame = frame(&context, &signed_in).await?;
        let template = NewEmail { frame, path: &context.target, email: &email };
        Ok(page::page(StatusCode::OK, &template))
    };
    either(answer.await)
}

/// The link's secret and address, if it still works for this user.
async fn open(context: &PageContext, signed_in: &SignedIn) -> Result<(Secret, String), Response> {
    let token = context.target.strip_prefix(PATH).unwrap_or_default();
    let secret = Secret::parse_as(SecretKind::EmailLink, token).ok_or_else(gone)?;
    let (known, user) = (secret.clone(), signed_in.user);
    let found = context
        .read(move |tx, environment| own_email::find(tx, &known, user, environment.clock.now()));
    Ok((secret, found.await?.ok_or_else(gone)?))
}

fn gone() -> Response {
    page::stop(
        StatusCode::GONE,
        "This link no longer works",
        "A link for a new e-mail address works once, for 30 minutes, and only for the person who asked for it. Ask for \
         a new one on your account page.",
    )
}

/// `POST /account/email/{token}`
pub(super) async fn confirm(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, _, signed_in) = begin(&app, request, Action::SignIn).await?;
        let (secret, _) = open(&context, &signed_in).await?;
        let (who, from) = (signed_in.clone(), context.address);
        let followed = context.try_write(move |tx, environment| {
            own_email::follow(tx, environment, &secret, &who, from)
        });
        match followed.await {
            Ok(Followed::Changed { old, session }) => {
                if let Ok(mailer) = mailer(&context) {
                    let address = context.shared.settings.public_url.to_string();
                    tokio::spawn(notify(mailer, old, address));
                }
                let mut response = page::go_to("/account?done=email");
                give_session(&mut response, &session);
                Ok(response)
            }
            Ok(Followed::Refused(message)) => {
                account::show_again(&context, &signed_in, message).await
            }
            Ok(Followed::Gone) => Err(gone()),
            Err(Error::Conflict { message, retry_after_s: None }) => {
                account::show_again(&context, &signed_in, &message).await
            }
            Err(error) => Err(page::failed(&error)),
        }
    };
    either(answer.await)
}
