//! Receives the files of an upload, whoever sends it. Their content goes to the store piece by piece, and is recognized
//! and hashed on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use tokio::time::timeout_at;
use zoop_crm::arguments;
use zoop_crm::business::files::tools::add::AddFile;
use zoop_crm::business::files::{Content, FileName, MAX_BYTES, MAX_FILES, Recognized, Unaccepted};
use zoop_crm::call::argument::Arguments;
use zoop_crm::values::id::{Id, kinds};

use super::parts::{self, Part, PartFault, Parts};
use super::store::{FileStore, Key};
use super::{refusal, writer};
use crate::answer::Answer;
use crate::app::Shared;
use crate::network::Holder;
use crate::seats::halfway;

/// How long all of an upload may take: a phone in a van is slow.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A file that is stored, and that no note has yet.
pub(super) struct Received {
    key: Key,
    name: FileName,
    recognized: Recognized,
    size: u64,
    sha256: String,
}

impl Received {
    /// The arguments that add the file to a note.
    pub(super) fn arguments(&self, note: &str) -> Arguments<AddFile> {
        let dimensions = self.recognized.dimensions;
        arguments!(AddFile {
            id: self.key.file,
            note_id: note,
            name: self.name.as_str(),
            media_type: self.recognized.media_type.word(),
            size: self.size,
            sha256: self.sha256.as_str(),
            width: dimensions.map(|(width, _)| width),
            height: dimensions.map(|(_, height)| height),
        })
    }
}

/// Stores the files of one upload, for a caller who may add them to a note of the tenant.
pub(super) struct Receiver<'a> {
    shared: &'a Arc<Shared>,
    store: FileStore,
    tenant: Id<kinds::Tenant>,
    /// Who the memory is counted for.
    holder: Holder,
    request_id: &'a str,
    /// The time by which the content must have arrived.
    until: Instant,
}

impl<'a> Receiver<'a> {
    /// Begins an upload, unless this server has no store.
    pub(super) fn begin(
        shared: &'a Arc<Shared>,
        tenant: Id<kinds::Tenant>,
        holder: Holder,
        request_id: &'a str,
    ) -> Result<Self, Answer> {
        let Some(store) = shared.settings.files.clone() else {
            let message = "This server stores no files yet: its operator has to set files.url.";
            return Err(refusal::refusal(StatusCode::CONFLICT, "conflict", message));
        };
        let until = Instant::now() + TIMEOUT;
        Ok(Self { shared, store, tenant, holder, request_id, until })
    }

    /// Stores all files of the body. If one cannot be stored, none is kept.
    pub(super) async fn receive_all(
        &self,
        parts: &mut Parts,
        announced: Option<u64>,
    ) -> Result<Vec<Received>, Answer> {
        let length = announced.unwrap_or(u64::MAX).min(u64::from(MAX_BYTES));
        let memory = writer::memory(usize::try_from(length).unwrap_or(usize::MAX));
        let wait = halfway(Instant::now() + self.shared.settings.request_deadline);
        let room = self.shared.receiving.room.hold(self.holder, memory);
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
        for file in &received {
            self.discard(file).await;
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

    /// Deletes stored content. If that fails, the sweep deletes it.
    pub(super) async fn discard(&self, file: &Received) {
        if let Err(error) = self.store.delete(file.key).await {
            tracing::debug!(%error, "the content of a refused file could not be deleted");
        }
    }
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
