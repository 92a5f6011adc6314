//! `GET /files/{id}` and `GET /files/{id}/thumbnail`: sends the content of a file, or a smaller copy of a picture, to whoever
//! may read its note.
//!
//! A file never runs as a page of this origin: its type is the one that its content was recognized as, it is sandboxed,
//! and only images and PDF are shown at all. A file that the caller may not read is as unknown as any address.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use zoop_crm::business::files::MediaType;
use zoop_crm::business::files::tools::open::OpenedFile;
use zoop_db::Tenant;

use super::objects::Key;
use super::opening::{Unsent, opened};
use super::pictures::{self, NoPicture, PictureSize, picture};
use super::ranges::{Asked, asked};
use super::{disposition, refusal, sending};
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::ops;
use crate::origin::{self, Sender};
use crate::request_log::RequestLog;
use crate::unread::Cut;
use crate::web::{next, page};

/// Only this browser keeps a copy, and it asks whether the user may still see it.
const CACHED: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Nothing in the file runs, and it loads nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What of a file is asked for.
#[derive(Debug, Clone, Copy)]
enum Form {
    Content,
    Thumbnail,
}

/// Answers a request for a file.
pub(super) async fn file(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    answer(&app.shared, id, request, Form::Content).await
}

/// Answers a request for a thumbnail.
pub(super) async fn thumbnail(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    answer(&app.shared, id, request, Form::Thumbnail).await
}

async fn answer(
    shared: &Arc<Shared>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    form: Form,
) -> Response {
    // What is not even text is not an id.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let mut request_log = RequestLog::start(shared, &request);
    request_log.tool = match form {
        Form::Content => "files/read",
        Form::Thumbnail => "files/thumbnail",
    };
    let (head, _) = request.into_parts();
    match found(shared, &head, &id, form, &mut request_log).await {
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

/// What is sent: the content of a file, or a smaller copy of it.
struct Sent {
    name: String,
    media_type: MediaType,
    size: u64,
    source: Source,
}

enum Source {
    Store(Key),
    Memory(Bytes),
}

async fn found(
    shared: &Arc<Shared>,
    head: &Parts,
    id: &str,
    form: Form,
    request_log: &mut RequestLog<'_>,
) -> Result<(Answer, HeaderMap, Body), Unsent> {
    let deadline = Instant::now() + shared.settings.request_deadline;
    let (opened, tenant) = opened(shared, head, id, request_log, deadline).await?;
    let hash = opened.sha256.get(..32).unwrap_or(&opened.sha256);
    let tag = match form {
        Form::Content => format!("\"{hash}\""),
        Form::Thumbnail if pictures::is_picture(opened.media_type) => format!("\"{hash}-320\""),
        Form::Thumbnail => return Err(Unsent::Unknown),
    };
    // Before a thumbnail is made, because it may not be needed.
    if asked(&head.headers, &tag, 0) == Asked::Known {
        let answer = Answer::empty(StatusCode::NOT_MODIFIED, "ok");
        return Ok((answer, common_headers(&tag), Body::empty()));
    }
    let sent = match form {
        Form::Content => Sent::content(opened),
        Form::Thumbnail => Sent::thumbnail(shared, opened, tenant, request_log, deadline).await?,
    };
    let size = sent.size;
    let (status, part) = match asked(&head.headers, &tag, size) {
        Asked::Whole | Asked::Known => (StatusCode::OK, 0..size),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Asked::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
    };
    let mut headers = common_headers(&tag);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    let range = match status {
        StatusCode::PARTIAL_CONTENT => {
            Some(format!("bytes {}-{}/{size}", part.start, part.end - 1))
        }
        StatusCode::RANGE_NOT_SATISFIABLE => Some(format!("bytes */{size}")),
        _ => None,
    };
    insert_text(&mut headers, CONTENT_RANGE, range);
    if !status.is_success() {
        return Ok((Answer::empty(status, "refused"), headers, Body::empty()));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(sent.media_type.word()));
    let named = disposition::header(sent.media_type.is_shown(), &sent.name);
    insert_text(&mut headers, CONTENT_DISPOSITION, Some(named));
    let answer = Answer::empty(status, "ok");
    if head.method == Method::HEAD {
        return Ok((answer, headers, Body::empty()));
    }
    let length = part.end - part.start;
    let content = sent.source.read(shared, size, part, &request_log.id).await?;
    let cut = head.extensions.get::<Cut>().cloned().unwrap_or_default();
    let body = sending::body(shared.clone(), tenant, cut, content, length);
    Ok((answer, headers, body))
}

impl Sent {
    fn content(opened: OpenedFile) -> Self {
        let key = Key::from(&opened);
        let OpenedFile { name, media_type, size, .. } = opened;
        Self { name, media_type, size, source: Source::Store(key) }
    }

    async fn thumbnail(
        shared: &Arc<Shared>,
        opened: OpenedFile,
        tenant: Tenant,
        request_log: &RequestLog<'_>,
        deadline: Instant,
    ) -> Result<Self, Unsent> {
        let made = picture(shared, &opened, tenant, PictureSize::Thumbnail, deadline).await;
        let made = made.map_err(|reason| match reason {
            NoPicture::None | NoPicture::Missing => Unsent::Unknown,
            NoPicture::Busy => refusal::overloaded().into(),
            NoPicture::Store(error) => refusal::store_failed(&error, &request_log.id).into(),
        })?;
        let stem = opened.name.rsplit_once('.').map_or(&*opened.name, |(stem, _)| stem);
        Ok(Self {
            name: format!("{stem}.jpg"),
            media_type: pictures::MEDIA_TYPE,
            size: made.len() as u64,
            source: Source::Memory(made),
        })
    }
}

impl Source {
    /// A part of all that is sent, which has this size.
    async fn read(
        self,
        shared: &Shared,
        size: u64,
        part: Range<u64>,
        request_id: &str,
    ) -> Result<BoxStream<'static, object_store::Result<Bytes>>, Unsent> {
        match self {
            Self::Memory(bytes) => {
                let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
                let part = bytes.slice(at(part.start)..at(part.end));
                Ok(stream::once(async { Ok(part) }).boxed())
            }
            Self::Store(key) => {
                let store = shared.settings.files.as_ref().ok_or(Unsent::Unknown)?;
                let content = store.read(key, size, part).await;
                let content = content.map_err(|error| refusal::store_failed(&error, request_id))?;
                content.ok_or_else(|| {
                    // Asking again does not help.
                    store.tell_missing(key);
                    Unsent::Unknown
                })
            }
        }
    }
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
