//! The context of a page request.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::sessions::{self, Origin};
use zoop_crm::identity::sign_in::{SignedIn, devices};
use zoop_crm::values::clock::{Environment, Moment};
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_db::{Db, ReadTx, WriteTx};

use super::browser::{self, DEVICE, SESSION, set_cookie};
use super::form::{self, Form};
use super::{next, page};
use crate::anonymous_limits::Action;
use crate::app::{App, Shared};
use crate::page_log::{NewSession, Visitor};

/// An admitted page request, with what its handler needs.
pub(crate) struct PageContext {
    pub(crate) shared: Arc<Shared>,
    pub(crate) headers: HeaderMap,
    pub(crate) address: Option<IpAddr>,
    /// The time by which the answer must be sent.
    pub(crate) deadline: Instant,
    /// The query of the URL.
    pub(crate) query: Form,
    /// Path and query, as sent.
    pub(crate) target: String,
    visitor: Visitor,
    /// Taken when the form is read. The lock is there only because a body is not `Sync`.
    body: Mutex<Option<Body>>,
}

impl PageContext {
    /// Counts the request for its client's IP address, and refuses it if the address is over the limit.
    pub(crate) fn begin(app: &App, request: Request, action: Action) -> Result<Self, Response> {
        let shared = app.shared.clone();
        let (head, body) = request.into_parts();
        let address = shared.proxies.client(&head.extensions, &head.headers);
        let counted = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let now = shared.environment.clock.now();
        shared.anonymous_limits.admit(action, counted, now).map_err(page::too_many)?;
        let query = Form::parse(head.uri.query().unwrap_or_default().as_bytes()).map_err(|_| {
            refused("The link to this page has a duplicate or invalid parameter. Start again.")
        })?;
        let target = head.uri.path_and_query().map_or("/", |whole| whole.as_str()).to_owned();
        let deadline = Instant::now() + shared.settings.request_deadline;
        let visitor = Visitor::of(&head.extensions);
        let (headers, body) = (head.headers, Mutex::new(Some(body)));
        Ok(Self { shared, headers, address, deadline, query, target, visitor, body })
    }

    /// The form in the request, if a page of this server sent it.
    pub(crate) async fn form(&self) -> Result<Form, Response> {
        self.form_up_to(form::MAX_BYTES).await
    }

    /// The form in the request, which may have the texts of a business's records.
    pub(crate) async fn long_form(&self) -> Result<Form, Response> {
        self.form_up_to(form::MAX_LONG_BYTES).await
    }

    async fn form_up_to(&self, limit: usize) -> Result<Form, Response> {
        let body = self.take_body();
        form::read(limit, &self.shared, &self.headers, body, self.address, self.deadline).await
    }

    /// The body of the request. The reader of a form must check first that a page of this server sent it.
    pub(crate) fn take_body(&self) -> Body {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    /// Begins the time for the answer again, after something long has arrived.
    pub(crate) fn renew_deadline(&mut self) {
        self.deadline = Instant::now() + self.shared.settings.request_deadline;
    }

    /// The signed-in user, if any.
    pub(crate) async fn signed_in(&self) -> Result<Option<SignedIn>, Response> {
        let found = browser::signed_in(&self.shared, &self.headers, self.address, self.deadline)
            .await
            .map_err(|error| page::failed(&error))?;
        if let Some(signed_in) = &found {
            self.visitor.set(signed_in.user);
        }
        Ok(found)
    }

    /// The signed-in user. Other visitors are redirected to the sign-in page, which continues to `next`.
    pub(crate) async fn require_sign_in(&self, next: &str) -> Result<SignedIn, Response> {
        let signed_in = self.signed_in().await?;
        signed_in.ok_or_else(|| page::go_to(&next::sign_in(next::next_page(Some(next)))))
    }

    /// The time of the page.
    pub(crate) fn now(&self) -> Moment {
        Moment(self.shared.environment.clock.now())
    }

    /// The address and the browser of a sign-in.
    pub(crate) fn origin(&self) -> Origin {
        let browser = self.headers.get(USER_AGENT).and_then(|name| name.to_str().ok());
        Origin { address: self.address, browser: browser.unwrap_or_default().to_owned() }
    }

    /// The browser's session cookie, valid or not.
    pub(crate) fn session(&self) -> Option<Secret> {
        browser::cookie(&self.headers, SESSION, SecretKind::Session)
    }

    /// The cookie of a browser that a user has signed in with before, valid or not.
    pub(crate) fn device(&self) -> Option<Secret> {
        browser::cookie(&self.headers, DEVICE, SecretKind::Device)
    }

    /// The storage, for the jobs of this browser.
    pub(crate) fn db(&self) -> Db {
        self.shared.db_for(browser::cookie_value(&self.headers, SESSION), self.address)
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>, &Environment) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Response> {
        let environment = self.shared.environment.clone();
        let read = self.db().read(self.deadline, move |tx| work(tx, &environment));
        read.await.map_err(|error| page::failed(&error))
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut WriteTx<'_>, &Environment) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Response> {
        self.try_write(work).await.map_err(|error| page::failed(&error))
    }

    /// Runs a write job whose error the caller handles.
    pub(crate) async fn try_write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut WriteTx<'_>, &Environment) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let environment = self.shared.environment.clone();
        self.db().write(self.deadline, move |tx| work(tx, &environment)).await
    }
}

/// Sets the session cookie.
pub(crate) fn give_session(response: &mut Response, secret: &Secret) {
    set_cookie(response, SESSION, secret.expose(), sessions::MAX_LIFETIME / 1_000_000);
    response.extensions_mut().insert(NewSession(secret.clone()));
}

/// Sets the cookie that identifies this browser at the next sign-in.
pub(crate) fn remember(response: &mut Response, device: &Secret) {
    set_cookie(response, DEVICE, device.expose(), devices::LIFETIME / 1_000_000);
}

/// The page that answers a rejected form or query.
pub(crate) fn refused(message: &str) -> Response {
    page::stop(StatusCode::BAD_REQUEST, "Something was wrong with the form", message)
}

/// The page to send, `Ok` or `Err`: handlers return refusals as `Err` only to be able to use `?`.
pub(crate) fn either(answer: Result<Response, Response>) -> Response {
    answer.unwrap_or_else(|refusal| refusal)
}
