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
use serde_json::json;
use tokio::time::timeout;
use zoop_crm::arguments;
use zoop_crm::business::files::Attachment;
use zoop_crm::business::files::tools::check::CheckFile;
use zoop_crm::call::error::Error;
use zoop_crm::call::run::Runner;

use super::caller::{BearerCaller, seat};
use super::parts::{self, Parts};
use super::receive::{Received, Receiver};
use super::refusal;
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::auth::CallFailure;
use crate::bodies;
use crate::origin::{self, Sender};
use crate::request_log::RequestLog;

/// How long a refused body is read on, so that its sender sees the answer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// An upload whose caller may add files to the note.
struct Upload<'a> {
    shared: &'a Arc<Shared>,
    caller: BearerCaller,
    note: &'a str,
    request_id: &'a str,
    receiver: Receiver<'a>,
}

/// Answers any request to the address.
pub(super) async fn files(
    State(app): State<App>,
    note: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What is not even text is no id.
    let note = note.map(|Path(id)| id).unwrap_or_default();
    let shared = &app.shared;
    let mut request_log = RequestLog::start(shared, &request);
    request_log.tool = "notes.add_file";
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
                origin::open_preflight(response.headers_mut());
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
    let upload = match admitted.await {
        Ok(upload) => upload,
        Err(refusal) => {
            let is_short = announced.is_none_or(|length| length <= parts::limit(false));
            let is_read = if !is_sent || !is_short {
                false
            } else if refusal.status == StatusCode::UNAUTHORIZED {
                bodies::let_go(body).await
            } else {
                timeout(DRAIN_TIMEOUT, parts::drain(body)).await.unwrap_or(false)
            };
            return Answer { close: !is_read, ..refusal };
        }
    };
    let mut parts = Parts::new(&head.headers, body);
    match upload.receiver.receive_all(&mut parts, announced).await {
        Ok(received) => upload.add_all(received, parts::is_form(&head.headers)).await,
        Err(refusal) => {
            let drained = timeout(DRAIN_TIMEOUT, parts.drain()).await.unwrap_or(false);
            Answer { close: !drained, ..refusal }
        }
    }
}

impl<'a> Upload<'a> {
    /// Checks the length, the caller, the note and the room for the file, before the body is read.
    async fn admit(
        shared: &'a Arc<Shared>,
        headers: &HeaderMap,
        announced: Option<u64>,
        caller: BearerCaller,
        note: &'a str,
        request_id: &'a str,
    ) -> Result<Self, Answer> {
        let limit = parts::limit(parts::is_form(headers));
        if announced.is_some_and(|length| length > limit) {
            return Err(refusal::too_large(limit));
        }
        let deadline = Instant::now() + shared.settings.request_deadline;
        let _seat = seat(shared, caller.holder, deadline).await?;
        let (db, environment) = (&caller.auth.db(), &shared.environment);
        let runner = Runner { db, environment, deadline };
        let size = announced.unwrap_or(0);
        let checked =
            runner.query(caller.auth.clone(), arguments!(CheckFile { note_id: note, size: size }));
        let tenant = checked
            .await
            .map_err(|failure| refusal::of_call(&caller.auth, request_id, &failure))?;
        let receiver = Receiver::begin(shared, tenant, caller.holder, request_id)?;
        Ok(Self { shared, caller, note, request_id, receiver })
    }

    /// Adds the stored files to the note, one after the other.
    async fn add_all(&self, received: Vec<Received>, is_form: bool) -> Answer {
        let mut added = Vec::new();
        let mut left = received.into_iter();
        for file in left.by_ref() {
            match self.add(&file).await {
                Ok(attachment) => added.push(attachment),
                Err(problem) => {
                    for file in left {
                        self.receiver.discard(&file).await;
                    }
                    return problem;
                }
            }
        }
        let body = match added.as_slice() {
            [one] if !is_form => serde_json::to_vec(one),
            all => serde_json::to_vec(&json!({ "attachments": all })),
        };
        match body {
            Ok(body) => Answer { status: StatusCode::CREATED, ..Answer::ok(body, "ok") },
            Err(error) => refusal::failed(&error.into(), self.request_id),
        }
    }

    /// Adds a stored file to the note. If that fails, the content is deleted at once.
    async fn add(&self, file: &Received) -> Result<Attachment, Answer> {
        let deadline = Instant::now() + self.shared.settings.request_deadline;
        let seat = seat(self.shared, self.caller.holder, deadline).await;
        let _seat = match seat {
            Ok(seat) => seat,
            Err(problem) => {
                self.receiver.discard(file).await;
                return Err(problem);
            }
        };
        let (db, environment) = (&self.caller.auth.db(), &self.shared.environment);
        let runner = Runner { db, environment, deadline };
        let arguments = file.arguments(self.note);
        let added = runner.command(self.caller.auth.clone(), arguments).await;
        match added {
            Ok(attachment) => Ok(attachment),
            Err(failure) => {
                if !is_uncertain(&failure) {
                    self.receiver.discard(file).await;
                }
                Err(refusal::of_call(&self.caller.auth, self.request_id, &failure))
            }
        }
    }
}

/// Whether it is unknown if the file was added: the connection to the database broke while it was being committed.
const fn is_uncertain(failure: &CallFailure) -> bool {
    matches!(failure, CallFailure::Failed(Error::Unavailable { cause: zoop_db::Error::Unknown(_) }))
}
