//! `POST /api/notes/{id}/files`: adds files to a note. Whether the caller may, and whether there is room, is checked
//! before any of the content is read, and again when the file is added. The content goes to the store piece by piece.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::EXPECT;
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use tokio::time::timeout;
use zoop_crm::arguments;
use zoop_crm::business::files::tools::add::{AddFiles, AddedFiles, StoredFile};
use zoop_crm::business::files::tools::check::CheckFile;
use zoop_crm::call::error::Error;
use zoop_crm::call::run::Runner;

use super::caller::{BearerCaller, seat};
use super::parts::{self, Parts};
use super::receive::{self, Arrival, Gone, Receiver, Unreceived};
use super::refusal::{self, is_uncertain};
use super::under_way::{self, Reserved};
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::auth::CallFailure;
use crate::bodies;
use crate::origin::{self, Sender};
use crate::request_log::RequestLog;

/// How long a refused body is read on, so that its sender sees the answer.
pub(crate) fn drain_timeout(shared: &Shared) -> Duration {
    shared.settings.request_deadline / 2
}

/// An upload whose caller may add files to the note.
struct Upload {
    shared: Arc<Shared>,
    caller: BearerCaller,
    note: String,
    request_id: String,
    is_form: bool,
    /// The idempotency key, so that a retry adds nothing again.
    key: Option<String>,
}

/// Answers any request to the address.
pub(super) async fn files(
    State(app): State<App>,
    note: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What is not even text is not an id.
    let note = note.map(|Path(id)| id).unwrap_or_default();
    let shared = &app.shared;
    let mut request_log = RequestLog::start(shared, &request);
    request_log.tool = "notes.add_files";
    let (head, body) = request.into_parts();
    match shared.origins.sender(&head.uri, &head.headers) {
        Sender::NoPage => {
            let answer = answer(shared, &head, body, &note, &mut request_log).await;
            request_log.finish(answer)
        }
        Sender::Allowed(page) => {
            let is_preflight = head.method == Method::OPTIONS;
            let answer = if is_preflight {
                Answer::empty(StatusCode::NO_CONTENT, "preflight")
            } else {
                answer(shared, &head, body, &note, &mut request_log).await
            };
            let mut response = request_log.finish(answer);
            origin::open_to(page, response.headers_mut());
            if is_preflight {
                origin::open_preflight(response.headers_mut(), "POST");
            }
            response
        }
        Sender::Refused => {
            let message = "Pages of this origin may not call this server.";
            let answer = refusal::refusal(StatusCode::FORBIDDEN, "origin_refused", message);
            request_log.finish(Answer { close: true, ..answer })
        }
    }
}

/// The answer, `Ok` or `Err`: refusals are returned as `Err` only to be able to use `?`.
async fn answer(
    shared: &Arc<Shared>,
    head: &Head,
    body: Body,
    note: &str,
    request_log: &mut RequestLog<'_>,
) -> Answer {
    // With `Expect`, the client waits for permission before it sends the body.
    let is_sent = !head.headers.contains_key(EXPECT);
    let caller = if head.method == Method::POST {
        BearerCaller::of(shared, head, request_log)
    } else {
        let message = "This address accepts only POST.";
        Err(refusal::refusal(StatusCode::METHOD_NOT_ALLOWED, "invalid_input", message))
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(refusal) => {
            return Answer { close: !(is_sent && bodies::let_go(body).await), ..refusal };
        }
    };
    let announced = body.size_hint().exact();
    let admitted = Upload::admit(shared, &head.headers, announced, caller, note, &request_log.id);
    let (upload, under_way) = match admitted.await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            let is_short = announced.is_none_or(|length| length <= parts::limit(false));
            let is_read = if !is_sent || !is_short {
                false
            } else if refusal.status == StatusCode::UNAUTHORIZED {
                bodies::let_go(body).await
            } else {
                let rest = parts::drain(body, parts::limit(false));
                timeout(drain_timeout(shared), rest).await.unwrap_or(false)
            };
            return Answer { close: !is_read, ..refusal };
        }
    };
    let parts = Parts::new(&head.headers, body);
    let answer = receive::to_the_end(|gone| upload.finish(parts, under_way, gone)).await;
    answer.unwrap_or_else(|| {
        refusal::failed(&Error::internal("an upload ended without an answer"), &request_log.id)
    })
}

impl Upload {
    /// Checks the length, the caller, the note and the room for the file, before the body is read.
    async fn admit(
        shared: &Arc<Shared>,
        headers: &HeaderMap,
        announced: Option<u64>,
        caller: BearerCaller,
        note: &str,
        request_id: &str,
    ) -> Result<(Self, Reserved), Answer> {
        let is_form = parts::is_form(headers);
        let limit = parts::limit(is_form);
        if announced.is_some_and(|length| length > limit) {
            return Err(refusal::unreceived(&Unreceived::TooLarge(limit), request_id));
        }
        let key = key(headers)?;
        let deadline = Instant::now() + shared.settings.request_deadline;
        let _seat = seat(shared, caller.holder(), deadline).await?;
        let (db, environment) = (&caller.auth.db(), &shared.environment);
        let runner = Runner { db, environment, deadline };
        let size = announced.unwrap_or(0);
        let check = arguments!(CheckFile { note_id: note, size: size, key: key.clone() });
        let checked = runner.query(caller.auth.clone(), check);
        let checked = checked
            .await
            .map_err(|failure| refusal::of_call(&caller.auth, request_id, &failure))?;
        if shared.settings.files.is_none() {
            return Err(refusal::unreceived(&Unreceived::NoStore, request_id));
        }
        let under_way = under_way::reserve(shared, checked, announced.unwrap_or(limit))
            .map_err(|problem| refusal::unreceived(&problem, request_id))?;
        let (shared, note, request_id) = (shared.clone(), note.to_owned(), request_id.to_owned());
        Ok((Self { shared, caller, note, request_id, is_form, key }, under_way))
    }

    /// Receives the files and adds them to the note.
    async fn finish(self, mut parts: Parts, under_way: Reserved, gone: Gone) -> Answer {
        let receiving = async {
            // The token was looked up meanwhile, so the memory is its tenant's.
            let holder = self.caller.holder();
            let arrival = Arrival::begin(&self.shared, gone);
            let mut receiver = Receiver::begin(&self.shared, under_way, holder, arrival)?;
            let files = receiver.receive_all(&mut parts).await?;
            Ok((receiver, files))
        };
        match receiving.await {
            Ok((receiver, files)) => self.add(&receiver, files).await,
            Err(problem) => {
                let drained = timeout(drain_timeout(&self.shared), parts.drain()).await;
                let drained = drained.unwrap_or(false);
                Answer { close: !drained, ..refusal::unreceived(&problem, &self.request_id) }
            }
        }
    }

    /// Adds the stored files to the note.
    async fn add(&self, receiver: &Receiver, files: Vec<StoredFile>) -> Answer {
        let deadline = Instant::now() + self.shared.settings.request_deadline;
        let _seat = match seat(&self.shared, self.caller.holder(), deadline).await {
            Ok(seat) => seat,
            Err(problem) => {
                receiver.discard(&files).await;
                return problem;
            }
        };
        let (db, environment) = (&self.caller.auth.db(), &self.shared.environment);
        let runner = Runner { db, environment, deadline };
        let arguments = arguments!(AddFiles { note_id: &self.note, files: files.clone() });
        let proof = self.caller.auth.clone();
        let command = match self.key.clone() {
            Some(key) => runner.command_once(proof, key, arguments),
            None => runner.command(proof, arguments),
        };
        let command = async { Ok(command.await?.output) };
        match receiver.add(&files, command, cause).await {
            Ok(added) => self.added(&added),
            Err(CallFailure::Failed(error)) if is_uncertain(&error) => refusal::uncertain(),
            Err(failure) => refusal::of_call(&self.caller.auth, &self.request_id, &failure),
        }
    }

    /// The attachment, or those of a form.
    fn added(&self, added: &AddedFiles) -> Answer {
        let body = match added.attachments.as_slice() {
            [one] if !self.is_form => serde_json::to_vec(one),
            _ => serde_json::to_vec(added),
        };
        match body {
            Ok(body) => Answer { status: StatusCode::CREATED, ..Answer::ok(body, "ok") },
            Err(error) => refusal::failed(&error.into(), &self.request_id),
        }
    }
}

/// The idempotency key in the headers. Whether it is one is checked with the note.
fn key(headers: &HeaderMap) -> Result<Option<String>, Answer> {
    let mut sent = headers.get_all("idempotency-key").iter();
    let Some(key) = sent.next() else { return Ok(None) };
    let text = std::str::from_utf8(key.as_bytes()).ok().filter(|_| sent.next().is_none());
    let message = "Send one Idempotency-Key header, in UTF-8.";
    let refused = || refusal::refusal(StatusCode::BAD_REQUEST, "invalid_input", message);
    text.map(|key| Some(key.to_owned())).ok_or_else(refused)
}

/// The error because of which the work failed, if there was any work.
const fn cause(failure: &CallFailure) -> Option<&Error> {
    match failure {
        CallFailure::Failed(error) => Some(error),
        CallFailure::Denied(_) | CallFailure::Limited => None,
    }
}
