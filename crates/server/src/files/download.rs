//! `GET /files/{id}`: sends the content of a file to whoever may read its note.
//!
//! A file never runs as a page of this origin: its type is the one that its content was recognized as, it is sandboxed,
//! and only images and PDF are shown at all. A file that the caller may not read is as unknown as any address.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use futures_util::stream::BoxStream;
use zoop_crm::arguments;
use zoop_crm::business::files::tools::open::{OpenFile, OpenedFile};
use zoop_crm::call::access::Source;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::Error;
use zoop_crm::call::run::{self, Runner};
use zoop_crm::identity::sign_in::SignedIn;
use zoop_db::Tenant;

use super::caller::{BearerCaller, seat};
use super::ranges::{Asked, asked};
use super::store::Key;
use super::{disposition, refusal, sending};
use crate::anonymous_limits::Action;
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::auth::{CallFailure, MISSING_TOKEN};
use crate::challenges::Challenge;
use crate::ops;
use crate::origin::{self, Sender};
use crate::request_log::RequestLog;
use crate::unread::Cut;
use crate::web::refusal::is_for_person;
use crate::web::{browser, next, page};

/// Only this browser keeps a copy, and it asks whether the user may still see it.
const CACHED: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Nothing in the file runs, and it loads nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Why a file is not sent.
enum Unsent {
    /// A person has to sign in first, and comes back to this address.
    SignIn(String),
    /// There is no such file, as far as this caller may know.
    Unknown,
    /// Another reason.
    Refused(Answer),
}

impl From<Answer> for Unsent {
    fn from(answer: Answer) -> Self {
        Self::Refused(answer)
    }
}

/// Answers a request for a file.
pub(super) async fn file(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What is not even text is no id.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let shared = &app.shared;
    let mut request_log = RequestLog::start(shared, &request);
    request_log.tool = "files/read";
    let (head, _) = request.into_parts();
    match content(shared, &head, &id, &mut request_log).await {
        Ok((answer, headers, body)) => {
            let mut response = request_log.finish(answer);
            response.headers_mut().extend(headers);
            *response.body_mut() = body;
            opened_to_page(shared, &head, response)
        }
        Err(Unsent::Refused(answer)) => opened_to_page(shared, &head, request_log.finish(answer)),
        Err(Unsent::SignIn(address)) => {
            let answer = Answer::empty(StatusCode::SEE_OTHER, "unauthorized");
            let mut response = request_log.finish(answer);
            let page = page::go_to(&next::sign_in(next::next_page(Some(&address))));
            response.headers_mut().extend(page.into_parts().0.headers);
            response
        }
        Err(Unsent::Unknown) => {
            // Logged like any answer, but sent as the answer to an unknown path, which has no headers of its own.
            drop(request_log.finish(Answer::empty(StatusCode::NOT_FOUND, "not_found")));
            ops::unknown_path().await
        }
    }
}

/// Answers a page that asks whether it may ask with a token.
pub(super) async fn preflight(State(app): State<App>, request: Request) -> Response {
    let shared = &app.shared;
    let request_log = RequestLog::start(shared, &request);
    let (head, _) = request.into_parts();
    let Sender::Allowed(page) = shared.origins.sender(&head.uri, &head.headers) else {
        drop(request_log.finish(Answer::empty(StatusCode::NOT_FOUND, "not_found")));
        return ops::unknown_path().await;
    };
    let mut response = request_log.finish(Answer::empty(StatusCode::NO_CONTENT, "preflight"));
    origin::open_to(page, response.headers_mut());
    origin::open_preflight(response.headers_mut(), "GET, HEAD");
    response
}

/// Lets a page of an allowed origin read the answer. It has to send a token: a browser sends no cookie for it.
fn opened_to_page(shared: &Shared, head: &Parts, mut response: Response) -> Response {
    if let Sender::Allowed(page) = shared.origins.sender(&head.uri, &head.headers) {
        origin::open_to(page, response.headers_mut());
    }
    response
}

async fn content(
    shared: &Arc<Shared>,
    head: &Parts,
    id: &str,
    request_log: &mut RequestLog<'_>,
) -> Result<(Answer, HeaderMap, Body), Unsent> {
    let deadline = Instant::now() + shared.settings.request_deadline;
    let (opened, tenant) = if has_token(&head.headers) {
        opened_with_token(shared, head, id, request_log, deadline).await?
    } else {
        opened_in_browser(shared, head, id, request_log, deadline).await?
    };
    let tag = format!("\"{}\"", opened.sha256.get(..32).unwrap_or(&opened.sha256));
    let asked = asked(&head.headers, &tag, opened.size);
    let (status, part) = match asked {
        Asked::Whole => (StatusCode::OK, 0..opened.size),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Asked::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
        Asked::Known => (StatusCode::NOT_MODIFIED, 0..0),
    };
    let mut headers = common_headers(&tag);
    let is_sent = status.is_success();
    if status != StatusCode::NOT_MODIFIED {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    }
    if is_sent {
        let named = disposition::header(opened.media_type.is_shown(), &opened.name);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(opened.media_type.word()));
        insert_text(&mut headers, CONTENT_DISPOSITION, Some(named));
    }
    let size = opened.size;
    let range = match status {
        StatusCode::PARTIAL_CONTENT => {
            Some(format!("bytes {}-{}/{size}", part.start, part.end - 1))
        }
        StatusCode::RANGE_NOT_SATISFIABLE => Some(format!("bytes */{size}")),
        _ => None,
    };
    insert_text(&mut headers, CONTENT_RANGE, range);
    let body = if is_sent && head.method != Method::HEAD {
        let cut = head.extensions.get::<Cut>().cloned().unwrap_or_default();
        let length = part.end - part.start;
        let content = read(shared, &opened, part, request_log).await?;
        sending::body(shared.clone(), tenant, cut, content, length)
    } else {
        Body::empty()
    };
    let outcome = if status == StatusCode::RANGE_NOT_SATISFIABLE { "refused" } else { "ok" };
    Ok((Answer::empty(status, outcome), headers, body))
}

/// A part of the file's content.
async fn read(
    shared: &Shared,
    opened: &OpenedFile,
    part: Range<u64>,
    request_log: &RequestLog<'_>,
) -> Result<BoxStream<'static, object_store::Result<Bytes>>, Unsent> {
    let store = shared.settings.files.as_ref().ok_or(Unsent::Unknown)?;
    let key = Key { tenant: opened.tenant, file: opened.id };
    store.read(key, part).await.map_err(|error| match error {
        // Asking again does not help.
        object_store::Error::NotFound { .. } => {
            store.tell_missing(key);
            Unsent::Unknown
        }
        error => refusal::store_failed(&error, &request_log.id).into(),
    })
}

/// Whether a bearer token was sent. A proxy may want another `Authorization` of its own, and passes it on.
fn has_token(headers: &HeaderMap) -> bool {
    let is_bearer = |sent: &HeaderValue| {
        let scheme = sent.as_bytes().get(.."Bearer".len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer"))
    };
    headers.get_all(AUTHORIZATION).iter().any(is_bearer)
}

fn common_headers(tag: &str) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (CACHE_CONTROL, CACHED),
        (CONTENT_SECURITY_POLICY, POLICY),
        (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    ]);
    insert_text(&mut headers, ETAG, Some(tag.to_owned()));
    headers
}

/// Inserts a text that is known to be ASCII.
fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: Option<String>) {
    if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(name, value);
    }
}

/// The file, for a bearer token.
async fn opened_with_token(
    shared: &Arc<Shared>,
    head: &Parts,
    id: &str,
    request_log: &mut RequestLog<'_>,
    deadline: Instant,
) -> Result<(OpenedFile, Tenant), Unsent> {
    let caller = BearerCaller::of(shared, head, request_log)?;
    let _seat = seat(shared, caller.holder(), deadline).await?;
    let (db, environment) = (&caller.auth.db(), &shared.environment);
    let runner = Runner { db, environment, deadline };
    let opened = runner.query(caller.auth.clone(), arguments!(OpenFile { id: id })).await;
    let opened = opened.map_err(|failure| match &failure {
        CallFailure::Failed(error) if is_unknown(error) => Unsent::Unknown,
        failure => refusal::of_call(&caller.auth, &request_log.id, failure).into(),
    })?;
    let account = caller.auth.authenticated().and_then(|it| it.account).ok_or(Unsent::Unknown)?;
    Ok((opened, account.number))
}

/// The file, for a session. It may be in any of the user's tenants.
async fn opened_in_browser(
    shared: &Arc<Shared>,
    head: &Parts,
    id: &str,
    request_log: &RequestLog<'_>,
    deadline: Instant,
) -> Result<(OpenedFile, Tenant), Unsent> {
    let address = request_log.address;
    let counted = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let now = shared.environment.clock.now();
    let limits = &shared.anonymous_limits;
    limits.admit(Action::File, counted, now).map_err(refusal::limited)?;
    let failed = |error: &Error| Unsent::from(refusal::failed(error, &request_log.id));
    let signed_in = browser::signed_in(shared, &head.headers, address, deadline).await;
    let Some(signed_in) = signed_in.map_err(|error| failed(&error))? else {
        if is_for_person(&head.method, &head.headers) {
            return Err(Unsent::SignIn(head.uri.path().to_owned()));
        }
        let asked_at = shared.settings.public_url.asked_at(&head.uri, &head.headers);
        return Err(refusal::unauthorized(MISSING_TOKEN, Challenge(&asked_at).missing()).into());
    };
    let db = shared.db_for(browser::cookie_value(&head.headers, browser::SESSION), address);
    let (environment, id) = (shared.environment.clone(), id.to_owned());
    let source = Source { client: None, address };
    let found = db.read::<_, Error>(deadline, move |tx| {
        for membership in signed_in.memberships(tx)? {
            let proof = SignedIn::in_tenant(&signed_in, membership.account.id, source.clone());
            match run::query(tx, &environment, &proof, arguments!(OpenFile { id: &id })) {
                Ok(opened) => return Ok(Some((opened, membership.account.number))),
                Err(Refusal::Failed(error)) if is_unknown(&error) => {}
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Denied(_)) => return Ok(None),
            }
        }
        Ok(None)
    });
    found.await.map_err(|error| failed(&error))?.ok_or(Unsent::Unknown)
}

/// Whether an error means that there is no such file for this caller. No id at all is such a file too.
const fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::Unusable { .. } | Error::InvalidInput { .. })
}
