//! Forms with files. They are received as they arrive, so their other fields come before the files.

use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::future::BoxFuture;
use tokio::time::timeout;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::SignedIn;

use super::Fault;
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::bodies;
use crate::files::{self, Gone, Parts, Unreceived};
use crate::web::form::{self, Form};
use crate::web::page;
use crate::web::page_context::PageContext;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// Reads a form and answers it.
pub(super) type Answering = for<'p> fn(
    PageContext,
    SignedIn,
    &'p mut Parts,
    Gone,
) -> BoxFuture<'p, Result<Response, Response>>;

/// Why no file was kept.
pub(super) enum Refused {
    /// With what is wrong.
    Because(StatusCode, String),
    /// With a page that any form could be answered with.
    Page(Response),
}

impl From<Response> for Refused {
    fn from(page: Response) -> Self {
        Self::Page(page)
    }
}

impl From<Unreceived> for Refused {
    fn from(problem: Unreceived) -> Self {
        if let Unreceived::Store(error) = &problem {
            tracing::error!(%error, "the file store failed");
        }
        Self::Because(problem.status(), problem.text())
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match Fault::of(error) {
            Ok(Fault { status, text }) => Self::Because(status, text),
            Err(page) => Self::Page(page),
        }
    }
}

/// Answers a form with files, whether or not the connection lasts. A form that is refused is read on for a while, so that
/// the browser sees the answer.
pub(super) async fn answer(
    app: &App,
    request: Request,
    section: Section,
    answering: Answering,
) -> Result<Response, Response> {
    let context = PageContext::begin(app, request, Action::Console)?;
    let body = context.take_body();
    let signed_in = match admit(&context, section).await {
        Ok(signed_in) => signed_in,
        Err(refusal) => return Err(closing_unless(bodies::let_go(body).await, refusal)),
    };
    let mut parts = Parts::new(&context.headers, body);
    let patience = files::drain_timeout(&context.shared);
    let work = |gone| async move {
        match answering(context, signed_in, &mut parts, gone).await {
            Ok(response) => response,
            Err(refusal) => {
                let is_read = timeout(patience, parts.drain()).await.unwrap_or(false);
                closing_unless(is_read, refusal)
            }
        }
    };
    let answer = files::to_the_end(work).await;
    answer.ok_or_else(|| page::failed(&Error::internal("an upload ended without an answer")))
}

/// Who sent the form, if a page of this server did.
async fn admit(context: &PageContext, section: Section) -> Result<SignedIn, Response> {
    form::require_own(&context.shared.settings.public_url, &context.headers)?;
    context.require_sign_in(section.path()).await
}

/// The answer, after which the connection must end if the form was not read to its end.
pub(super) fn closing_unless(is_read: bool, mut response: Response) -> Response {
    if !is_read {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The request in the business that the form names.
pub(super) async fn in_business(
    mut context: PageContext,
    signed_in: SignedIn,
    section: Section,
    form: &Form,
) -> Result<TenantContext, Response> {
    context.renew_deadline();
    let business = form.get("business").ok_or_else(page::not_found)?;
    TenantContext::choose(context, signed_in, section, Some(business)).await
}
