//! `POST /api/notes/{id}/files`: adds files to a note. Whether the caller may, and whether there is room, is checked
//! before any of the content is read, and again when the file is added. The content goes to the store piece by piece.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::EXPECT;
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::{timeout, timeout_at};
use zoop_crm::arguments;
use zoop_crm::business::files::tools::add::AddFile;
use zoop_crm::business::files::tools::check::CheckFile;
use zoop_crm::business::files::{
    Attachment, Content, FileName, MAX_BYTES, MAX_FILES, Recognized, Unaccepted,
};
use zoop_crm::call::error::Error;
use zoop_crm::call::run::Runner;
use zoop_crm::values::id::{Id, kinds};

use super::caller::{BearerCaller, seat};
use super::parts::{self, Part, PartFault, Parts};
use super::store::{FileStore, Key};
use super::{refusal, writer};
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::auth::CallFailure;
use crate::bodies;
use crate::origin::{self, Sender};
use crate::request_log::RequestLog;
use crate::seats::halfway;

/// How long all of an upload may take: a phone in a van is slow.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// How long a refused body is read on, so that its sender sees the answer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// A file that is stored, and that no note has yet.
struct Received {
    key: Key,
    name: FileName,
    recognized: Recognized,
    size: u64,
    sha256: String,
}

/// An upload whose caller may add files to the note.
struct Upload<'a> {
    shared: &'a Arc<Shared>,
    store: FileStore,
    caller: BearerCaller,
    note: &'a str,
    tenant: Id<kinds::Tenant>,
    request_id: &'a str,
    /// The time by which the content must have arrived.
    until: Instant,
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
    match upload.receive_all(&mut parts, announced).await {
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
        let Some(store) = shared.settings.files.clone() else {
            let message = "This server stores no files yet: its operator has to set files.url.";
            return Err(refusal::refusal(StatusCode::CONFLICT, "conflict", message));
        };
        let until = Instant::now() + TIMEOUT;
        Ok(Self { shared, store, caller, note, tenant, request_id, until })
    }

    /// Stores all files of the body. If one cannot be stored, none is kept.
    async fn receive_all(
        &self,
        parts: &mut Parts,
        announced: Option<u64>,
    ) -> Result<Vec<Received>, Answer> {
        let length = announced.unwrap_or(u64::MAX).min(u64::from(MAX_BYTES));
        let memory = writer::memory(usize::try_from(length).unwrap_or(usize::MAX));
        let wait = halfway(Instant::now() + self.shared.settings.request_deadline);
        let room = self.shared.receiving.room.hold(self.caller.holder, memory);
        let room = timeout_at(wait.into(), room).await;
        let _room = room.ok().and_then(Result::ok).ok_or_else(refusal::overloaded)?;
        let mut received = Vec::new();
        let problem = loop {
            let next = match timeout_at(self.until.into(), parts.next()).await {
                Ok(next) => next.map_err(faulty),
                Err(_) => Err(late()),
            };
            match next {
                Ok(Some(_)) if received.len() >= MAX_FILES as usize => {
                    let message = format!("must be at most {MAX_FILES} in one request");
                    break refusal::invalid("files", &message);
                }
                Ok(Some((name, part))) => match self.receive(name, part).await {
                    Ok(file) => received.push(file),
                    Err(problem) => break problem,
                },
                Ok(None) if received.is_empty() => {
                    break refusal::invalid("file", "is required: the form has none");
                }
                Ok(None) => return Ok(received),
                Err(problem) => break problem,
            }
        };
        for file in received {
            self.discard(file.key).await;
        }
        Err(problem)
    }

    /// Stores one file.
    async fn receive(&self, name: FileName, mut part: Part<'_>) -> Result<Received, Answer> {
        let file = self.shared.receiving.next_id(&self.shared.environment);
        let key = Key { tenant: self.tenant, file };
        let failed = |error| refusal::store_failed(&error, self.request_id);
        let mut writer = self.store.write(key).map_err(failed)?;
        let (mut content, mut hash, mut size) = (Content::default(), Sha256::new(), 0);
        let patience = self.shared.settings.request_deadline;
        loop {
            let until = (Instant::now() + patience).min(self.until);
            let next = timeout_at(until.into(), part.next()).await.map_err(|_| late())?;
            let Some(piece): Option<Bytes> = next.map_err(faulty)? else { break };
            size += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if size > u64::from(MAX_BYTES) {
                return Err(refusal::too_large(u64::from(MAX_BYTES)));
            }
            content.push(&piece).map_err(unaccepted)?;
            hash.update(&piece);
            writer.write(&piece).await.map_err(failed)?;
        }
        if size == 0 {
            return Err(refusal::invalid("file", "is empty"));
        }
        let recognized = content.recognize().map_err(unaccepted)?;
        writer.finish().await.map_err(failed)?;
        let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
        Ok(Received { key, name, recognized, size, sha256 })
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
                        self.discard(file.key).await;
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
                self.discard(file.key).await;
                return Err(problem);
            }
        };
        let (db, environment) = (&self.caller.auth.db(), &self.shared.environment);
        let runner = Runner { db, environment, deadline };
        let dimensions = file.recognized.dimensions;
        let arguments = arguments!(AddFile {
            id: file.key.file,
            note_id: self.note,
            name: file.name.as_str(),
            media_type: file.recognized.media_type.word(),
            size: file.size,
            sha256: file.sha256.as_str(),
            width: dimensions.map(|(width, _)| width),
            height: dimensions.map(|(_, height)| height),
        });
        let added = runner.command(self.caller.auth.clone(), arguments).await;
        match added {
            Ok(attachment) => Ok(attachment),
            Err(failure) => {
                if !is_uncertain(&failure) {
                    self.discard(file.key).await;
                }
                Err(refusal::of_call(&self.caller.auth, self.request_id, &failure))
            }
        }
    }

    /// Deletes stored content. If that fails, the sweep deletes it.
    async fn discard(&self, key: Key) {
        if let Err(error) = self.store.delete(key).await {
            tracing::debug!(%error, "the content of a refused file could not be deleted");
        }
    }
}

/// Whether it is unknown if the file was added: the connection to the database broke while it was being committed.
const fn is_uncertain(failure: &CallFailure) -> bool {
    matches!(failure, CallFailure::Failed(Error::Unavailable { cause: zoop_db::Error::Unknown(_) }))
}

fn unaccepted(_: Unaccepted) -> Answer {
    refusal::invalid("file", Unaccepted::TEXT)
}

fn faulty(fault: PartFault) -> Answer {
    match fault {
        PartFault::TooLarge => refusal::too_large(parts::limit(true)),
        PartFault::Broken => refusal::invalid("file", "did not arrive whole"),
    }
}

fn late() -> Answer {
    let message = "The file did not arrive in time.";
    refusal::refusal(StatusCode::REQUEST_TIMEOUT, "invalid_input", message)
}
