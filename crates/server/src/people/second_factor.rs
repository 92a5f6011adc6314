//! The page that asks for the second factor after the password.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::identity::sign_in::second_factor::{self, CodeSignIn};

use super::sign_in::{PENDING, pending};
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::web::browser::set_cookie;
use crate::web::next::{self, next_page};
use crate::web::page;
use crate::web::page_context::{PageContext, either, give_session, remember};

#[derive(Template)]
#[template(path = "second_factor.html")]
struct Code<'a> {
    next: &'a str,
    fault: &'a str,
}

/// `GET /sign-in/second-factor`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    either(async { show_form(&PageContext::begin(&app, request, Action::Page)?).await }.await)
}

async fn show_form(context: &PageContext) -> Result<Response, Response> {
    let next = next_page(context.query.get("next"));
    let Some(secret) = pending(context) else { return Ok(start_over(next)) };
    let is_pending = context.read(move |tx, environment| {
        second_factor::is_pending(tx, &secret, environment.clock.now())
    });
    if !is_pending.await? {
        return Ok(start_over(next));
    }
    Ok(page::page(StatusCode::OK, &Code { next, fault: "" }))
}

/// `POST /sign-in/second-factor`
pub(super) async fn enter(State(app): State<App>, request: Request) -> Response {
    either(async { try_code(&PageContext::begin(&app, request, Action::SignIn)?).await }.await)
}

async fn try_code(context: &PageContext) -> Result<Response, Response> {
    let form = context.form().await?;
    let next = next_page(form.get("next"));
    let Some(secret) = pending(context) else { return Ok(start_over(next)) };
    let (sent_code, origin, before) =
        (form.text("code").to_owned(), context.origin(), context.session());
    let device = context.device();
    let outcome = context.write(move |tx, environment| {
        let (before, device) = (before.as_ref(), device.as_ref());
        second_factor::try_code(tx, environment, &secret, &sent_code, &origin, before, device)
    });
    Ok(match outcome.await? {
        CodeSignIn::In(entered) => {
            let mut response = page::go_to(next);
            give_session(&mut response, &entered.session);
            remember(&mut response, &entered.device);
            set_cookie(&mut response, PENDING, "", 0);
            response
        }
        CodeSignIn::Wrong => {
            let fault = "Wrong or already used code. Use the next code from your app, or another recovery code.";
            page::page(StatusCode::FORBIDDEN, &Code { next, fault })
        }
        CodeSignIn::StartOver => start_over(next),
    })
}

/// Sends the browser back to the sign-in page.
fn start_over(next: &str) -> Response {
    let mut response = page::go_to(&next::sign_in(next));
    set_cookie(&mut response, PENDING, "", 0);
    response
}
