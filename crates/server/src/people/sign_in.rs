//! Sign-in and sign-out.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::password::{self, Comparison};
use zoop_crm::identity::sign_in::password_login::{self, Attempt, PasswordSignIn};
use zoop_crm::identity::sign_in::{devices, second_factor, sessions};
use zoop_crm::values::secret::{Secret, SecretKind};

use crate::anonymous_limits::Action;
use crate::app::App;
use crate::sso::Button;
use crate::web::browser::{SESSION, set_cookie};
use crate::web::form::Form;
use crate::web::next::{self, next_page};
use crate::web::page;
use crate::web::page_context::{PageContext, either, give_session, remember};

/// The cookie of a sign-in that waits for its second factor.
pub(super) const PENDING: &str = "__Host-zoop-sign-in";

/// The keyword of the page that says so.
const SIGNED_OUT: &str = "signed-out";
/// The message is the same whether or not the account exists.
const WRONG: &str = "Wrong e-mail address or password. Try again.";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    next: &'a str,
    email: &'a str,
    fault: &'a str,
    company: Option<Button<'a>>,
    keeps_cookies: bool,
    /// Whether password reset links can be sent.
    sends_mail: bool,
    /// Whether the user has just signed out.
    is_signed_out: bool,
}

impl<'a> SignIn<'a> {
    fn new(context: &'a PageContext, next: &'a str, email: &'a str, fault: &'a str) -> Self {
        let keeps_cookies = context.shared.settings.public_url.keeps_cookies();
        let company = Button::leading_to(&context.shared, next);
        let sends_mail = context.shared.settings.mail.is_some();
        let is_signed_out = context.query.get("done") == Some(SIGNED_OUT);
        Self { next, email, fault, company, keeps_cookies, sends_mail, is_signed_out }
    }
}

/// `GET /sign-in`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    either(async { show_form(&PageContext::begin(&app, request, Action::Page)?).await }.await)
}

async fn show_form(context: &PageContext) -> Result<Response, Response> {
    let next = next_page(context.query.get("next"));
    if context.signed_in().await?.is_some() && context.query.get("again").is_none() {
        return Ok(page::go_to(next));
    }
    Ok(page::page(StatusCode::OK, &SignIn::new(context, next, "", "")))
}

/// `POST /sign-in`
pub(super) async fn enter(State(app): State<App>, request: Request) -> Response {
    either(async { try_password(&PageContext::begin(&app, request, Action::SignIn)?).await }.await)
}

async fn try_password(context: &PageContext) -> Result<Response, Response> {
    let form = context.form().await?;
    let next = next_page(form.get("next"));
    let email = form.text("email");
    let Some((attempt, renewed)) = check(context, email, form.text("password")).await? else {
        let wrong = SignIn::new(context, next, email, WRONG);
        return Ok(page::page(StatusCode::FORBIDDEN, &wrong));
    };
    let (origin, before, device) = (context.origin(), context.session(), context.device());
    let user = attempt.user;
    let outcome = context.write(move |tx, environment| {
        let renewed = renewed.as_deref();
        let outcome =
            password_login::finish(tx, environment, &attempt, renewed, &origin, before.as_ref())?;
        let known = match (&outcome, user) {
            (PasswordSignIn::In(_), Some(user)) => {
                Some(devices::remember(tx, environment, user, device.as_ref())?)
            }
            _ => None,
        };
        Ok((outcome, known))
    });
    let (outcome, known) = outcome.await?;
    Ok(match outcome {
        PasswordSignIn::In(secret) => {
            let mut response = page::go_to(next);
            give_session(&mut response, &secret);
            if let Some(device) = known {
                remember(&mut response, &device);
            }
            response
        }
        PasswordSignIn::NeedsCode(secret) => ask_for_code(&secret, next),
        PasswordSignIn::Wrong => {
            page::page(StatusCode::FORBIDDEN, &SignIn::new(context, next, email, WRONG))
        }
    })
}

/// Checks a password. If it is right, returns the attempt, and a new hash if the stored one is outdated.
pub(super) async fn check(
    context: &PageContext,
    email: &str,
    sent_password: &str,
) -> Result<Option<(Attempt, Option<String>)>, Response> {
    let slot = context.shared.hashing.slot()?;
    let (owned, from, device) = (email.to_owned(), context.address, context.device());
    let attempt = context.write(move |tx, environment| {
        password_login::begin(tx, environment, &owned, from, device.as_ref())
    });
    let attempt = attempt.await?;
    let (hash, sent_password) = (attempt.hash.clone(), sent_password.to_owned());
    let entropy = context.shared.environment.entropy.clone();
    let compare = move || password::compare(hash.as_deref(), &sent_password, &entropy);
    match slot.run(context.deadline, compare).await? {
        Comparison::Right { renewed } => Ok(Some((attempt, renewed))),
        Comparison::Wrong => {
            record_refusal(context, attempt);
            Ok(None)
        }
    }
}

/// Records a refused sign-in in the background. If the page waited for that, its time would show whether the account
/// exists.
fn record_refusal(context: &PageContext, attempt: Attempt) {
    let (from, environment) = (context.address, context.shared.environment.clone());
    let write = context.db().write::<_, Error>(context.deadline, move |tx| {
        password_login::refuse(tx, &environment, &attempt, from)
    });
    // The engine skips a job whose caller has left, so a task waits for this job.
    tokio::spawn(async move {
        if let Err(error) = write.await {
            tracing::warn!(?error, "a refused sign-in could not be recorded in the history");
        }
    });
}

/// `POST /sign-out`
pub(super) async fn leave(State(app): State<App>, request: Request) -> Response {
    either(async { sign_out(&PageContext::begin(&app, request, Action::Page)?).await }.await)
}

async fn sign_out(context: &PageContext) -> Result<Response, Response> {
    let form: Form = context.form().await?;
    if let Some(secret) = context.session() {
        let from = context.address;
        let write = context
            .write(move |tx, environment| sessions::sign_out(tx, environment, &secret, from));
        write.await?;
    }
    let next = next_page(form.get("next"));
    let sign_in = next::sign_in(next);
    let mark = if sign_in.contains('?') { '&' } else { '?' };
    let mut response = page::go_to(&format!("{sign_in}{mark}done={SIGNED_OUT}"));
    set_cookie(&mut response, SESSION, "", 0);
    Ok(response)
}

/// Sends the browser to the page that asks for the second factor.
pub(super) fn ask_for_code(secret: &Secret, next: &str) -> Response {
    let mut response = page::go_to(&next::with_next("/sign-in/second-factor", next));
    let seconds = second_factor::PENDING_LIFETIME / 1_000_000;
    set_cookie(&mut response, PENDING, secret.expose(), seconds);
    response
}

/// The secret of this browser's sign-in that waits for its second factor, if any.
pub(super) fn pending(context: &PageContext) -> Option<Secret> {
    crate::web::browser::cookie(&context.headers, PENDING, SecretKind::PendingSignIn)
}
