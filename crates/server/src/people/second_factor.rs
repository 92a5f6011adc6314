//! The code that follows the password.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::secret::Secret;
use zoop_crm::sign_in::second_factor::{self, Outcome};

use super::sign_in::{PENDING, pending};
use super::visit::{Visit, either, give_session};
use crate::app::App;
use crate::visitors::Action;
use crate::web::browser::set_cookie;
use crate::web::next::{self, next_page};
use crate::web::page;

#[derive(Template)]
#[template(path = "second_factor.html")]
struct Code<'a> {
    next: &'a str,
    fault: &'a str,
}

/// `GET /sign-in/second-factor`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    either(async { show_form(&Visit::begin(&app, request, Action::Page)?).await }.await)
}

async fn show_form(visit: &Visit) -> Result<Response, Response> {
    let next = next_page(visit.query.get("next"));
    let Some(secret) = pending(visit) else { return Ok(start_over(next)) };
    let waits = visit.read(move |tx, environment| {
        second_factor::is_waiting(tx, &secret, environment.clock.now())
    });
    if !waits.await? {
        return Ok(start_over(next));
    }
    Ok(page::page(StatusCode::OK, &Code { next, fault: "" }))
}

/// `POST /sign-in/second-factor`
pub(super) async fn enter(State(app): State<App>, request: Request) -> Response {
    either(async { try_code(&Visit::begin(&app, request, Action::SignIn)?).await }.await)
}

async fn try_code(visit: &Visit) -> Result<Response, Response> {
    let form = visit.form().await?;
    let next = next_page(form.get("next"));
    let Some(secret) = pending(visit) else { return Ok(start_over(next)) };
    let (typed, origin, before) = (form.text("code").to_owned(), visit.origin(), visit.session());
    let outcome = visit.write(move |tx, environment| {
        second_factor::try_code(tx, environment, &secret, &typed, &origin, before.as_ref())
    });
    Ok(match outcome.await? {
        Outcome::In(secret) => enter_with(&secret, next),
        Outcome::Wrong => {
            let fault = "This code is not the one of now, or was used before: try again.";
            page::page(StatusCode::FORBIDDEN, &Code { next, fault })
        }
        Outcome::StartOver => start_over(next),
    })
}

fn enter_with(secret: &Secret, next: &str) -> Response {
    let mut response = page::go_to(next);
    give_session(&mut response, secret);
    set_cookie(&mut response, PENDING, "", 0);
    response
}

/// Back to the password.
fn start_over(next: &str) -> Response {
    let mut response = page::go_to(&next::sign_in(next));
    set_cookie(&mut response, PENDING, "", 0);
    response
}
