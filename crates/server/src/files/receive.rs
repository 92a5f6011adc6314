//! Receives the files of an upload, whoever sends it. Their content goes to the store piece by piece, and is recognized
//! and hashed on the way.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use zoop_crm::business::files::tools::add::{AddedFiles, StoredFile};
use zoop_crm::business::files::{
    Content, FileName, MAX_BYTES, MAX_FILES, Unaccepted, account_is_full,
};
use zoop_crm::call::error::Error;
use zoop_crm::values::size::Size;

use super::batch::Batch;
use super::objects::{Key, Object};
use super::pace::Pace;
use super::parts::{self, Part, PartFault, Parts};
use super::refusal;
use super::room::Room;
use super::store::FileStore;
use super::under_way::Reserved;
use crate::app::Shared;
use crate::network::Holder;

/// Why an upload was not received. Nothing of it is kept.
#[derive(Debug)]
pub(crate) enum Unreceived {
    /// This server has no store.
    NoStore,
    /// The form has no file.
    Nothing,
    /// The form has too many files.
    TooMany,
    /// The file is of a type that is not accepted.
    Unaccepted(FileName),
    /// The file has no content.
    Empty(FileName),
    /// The file is too long.
    TooLong(FileName),
    /// The body is longer than this.
    TooLarge(u64),
    /// The client disconnected, or the body is not what its headers say.
    Broken,
    /// The content did not arrive in time.
    Late,
    /// The account's files have reached this limit, with those that are being sent.
    AccountIsFull(Size),
    /// There was no room for it in time.
    NoRoom,
    /// The store failed.
    Store(object_store::Error),
}

impl From<PartFault> for Unreceived {
    fn from(fault: PartFault) -> Self {
        match fault {
            PartFault::TooLarge => Self::TooLarge(parts::limit(true)),
            PartFault::Broken => Self::Broken,
        }
    }
}

impl From<object_store::Error> for Unreceived {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl Unreceived {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::NoStore | Self::AccountIsFull(_) => StatusCode::CONFLICT,
            Self::Nothing | Self::TooMany | Self::Unaccepted(_) | Self::Empty(_) | Self::Broken => {
                StatusCode::BAD_REQUEST
            }
            Self::TooLong(_) | Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::NoRoom | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Whether only this file is refused, and others of the same form need not be.
    const fn is_about_a_file(&self) -> bool {
        matches!(self, Self::Unaccepted(_) | Self::Empty(_) | Self::TooLong(_))
    }

    /// What is wrong with a field, if that is what is wrong.
    pub(super) fn problem(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::Nothing => ("file", "is required: the form has none".to_owned()),
            Self::TooMany => ("files", format!("must be at most {MAX_FILES} in one request")),
            Self::Unaccepted(_) => ("file", Unaccepted::TEXT.to_owned()),
            Self::Empty(_) => ("file", "is empty".to_owned()),
            Self::Broken => ("file", "did not arrive whole".to_owned()),
            _ => return None,
        })
    }

    /// What is wrong, for the person who sent the files.
    pub(crate) fn text(&self) -> String {
        let mib = |bytes: u64| bytes / 1024 / 1024;
        match self {
            Self::NoStore => {
                "This server stores no files yet: its operator has to set files.url.".to_owned()
            }
            Self::Nothing => "There is no file in the form: choose one first.".to_owned(),
            Self::TooMany => format!("At most {MAX_FILES} files can be sent at once."),
            Self::Unaccepted(name) => format!("{}: {}", name.as_str(), Unaccepted::TEXT),
            Self::Empty(name) => format!("{} is empty.", name.as_str()),
            Self::TooLong(name) => {
                let limit = mib(u64::from(MAX_BYTES));
                format!("{} is longer than {limit} MiB, the maximum.", name.as_str())
            }
            Self::TooLarge(limit) => {
                format!("This is longer than {} MiB, the maximum.", mib(*limit))
            }
            Self::Broken => "Not everything arrived: try again.".to_owned(),
            Self::Late => "It did not arrive in time: try again.".to_owned(),
            Self::AccountIsFull(limit) => account_is_full(*limit),
            Self::NoRoom => "The server is overloaded: try again.".to_owned(),
            Self::Store(_) => "The server's storage is not available: try again.".to_owned(),
        }
    }
}

/// Resolves when the connection of the request is gone.
pub(crate) struct Gone(oneshot::Receiver<()>);

/// Does the work of an upload in a task of its own, so that it ends in order even if the connection ends before it:
/// what was stored is either added to the note or deleted. `None` if the work panics.
pub(crate) async fn to_the_end<T, F>(work: impl FnOnce(Gone) -> F) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    // Dropped with the connection.
    let (_here, gone) = oneshot::channel();
    tokio::spawn(work(Gone(gone))).await.ok()
}

/// How a body arrives.
pub(crate) struct Arrival {
    pace: Pace,
    gone: Gone,
}

impl Arrival {
    pub(crate) fn begin(shared: &Shared, gone: Gone) -> Self {
        Self { pace: Pace::begin(Instant::now(), shared.settings.request_deadline), gone }
    }

    /// What the client sends next, if it arrives in time.
    pub(crate) async fn next<T>(
        &mut self,
        next: impl Future<Output = Result<T, PartFault>>,
    ) -> Result<T, Unreceived> {
        let asked = Instant::now();
        let until = self.pace.until(asked);
        let arrived = tokio::select! {
            biased;
            // First, so that a body whose connection was cut cannot look like one that has ended.
            _ = &mut self.gone.0 => return Err(PartFault::Broken.into()),
            arrived = timeout_at(until.into(), next) => arrived,
        };
        self.pace.waited(asked.elapsed());
        Ok(arrived.map_err(|_| Unreceived::Late)??)
    }
}

impl Arrival {
    /// Counts what has arrived: a slow client has time for as much as it sends.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.pace.received(bytes);
    }
}

/// Stores the files of one upload, for a caller who may add them to a note of the tenant.
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    store: FileStore,
    room: Room,
    arrival: Arrival,
    /// Given back when the files are added, or are not.
    under_way: Reserved,
}

impl Receiver {
    /// Begins an upload, unless this server has no store. The memory is counted for the holder.
    pub(crate) fn begin(
        shared: &Arc<Shared>,
        under_way: Reserved,
        holder: Holder,
        arrival: Arrival,
    ) -> Result<Self, Unreceived> {
        let store = shared.settings.files.clone().ok_or(Unreceived::NoStore)?;
        let room = Room::of(shared, holder, under_way.bytes);
        Ok(Self { shared: shared.clone(), store, room, arrival, under_way })
    }

    /// Stores all files of the body. If one cannot be stored, none is kept.
    pub(crate) async fn receive_all(
        &mut self,
        parts: &mut Parts,
    ) -> Result<Vec<StoredFile>, Unreceived> {
        let mut received = Vec::new();
        let problem = loop {
            match self.receive_next(parts, received.len()).await {
                Ok(Some(file)) => received.push(file),
                Ok(None) if received.is_empty() => break Unreceived::Nothing,
                Ok(None) => return Ok(received),
                Err(problem) => break problem,
            }
        };
        self.discard(&received).await;
        Err(problem)
    }

    /// Stores the files of the body that can be stored. Returns them, and what is wrong with the others.
    pub(crate) async fn receive_accepted(
        &mut self,
        parts: &mut Parts,
    ) -> Result<(Vec<StoredFile>, Vec<Unreceived>), Unreceived> {
        let (mut received, mut refused) = (Vec::new(), Vec::new());
        let problem = loop {
            match self.receive_next(parts, received.len() + refused.len()).await {
                Ok(Some(file)) => received.push(file),
                Ok(None) if received.is_empty() && refused.is_empty() => break Unreceived::Nothing,
                Ok(None) => return Ok((received, refused)),
                Err(problem) if problem.is_about_a_file() => match self.skip(parts).await {
                    Ok(()) => refused.push(problem),
                    Err(problem) => break problem,
                },
                Err(problem) => break problem,
            }
        };
        self.discard(&received).await;
        Err(problem)
    }

    /// Stores the next file of the body, after so many others.
    async fn receive_next(
        &mut self,
        parts: &mut Parts,
        others: usize,
    ) -> Result<Option<StoredFile>, Unreceived> {
        let Some((name, part)) = self.arrival.next(parts.next()).await? else { return Ok(None) };
        if others >= MAX_FILES as usize {
            return Err(Unreceived::TooMany);
        }
        self.receive(name, part).await.map(Some)
    }

    /// Reads the rest of a file that is refused.
    async fn skip(&mut self, parts: &mut Parts) -> Result<(), Unreceived> {
        while let Some(length) = self.arrival.next(parts.skip()).await? {
            self.arrival.pace.received(length);
        }
        Ok(())
    }

    /// Stores one file.
    async fn receive(
        &mut self,
        name: FileName,
        mut part: Part<'_>,
    ) -> Result<StoredFile, Unreceived> {
        let id = self.shared.receiving.next_id(&self.shared.environment);
        let key = Key { tenant: self.under_way.tenant, file: id };
        let mut writer = self.store.write(key).await?;
        let (mut content, mut hash, mut size) = (Content::default(), Sha256::new(), 0);
        let mut batch = Batch::default();
        loop {
            let piece = self.arrival.next(part.next()).await?;
            let length = piece.as_ref().map_or(0, Bytes::len);
            size += u64::try_from(length).unwrap_or(u64::MAX);
            self.arrival.pace.received(length);
            if size > u64::from(MAX_BYTES) {
                return Err(Unreceived::TooLong(name));
            }
            let is_last = piece.is_none();
            for piece in batch.push(piece) {
                content.push(&piece).map_err(|_| Unreceived::Unaccepted(name.clone()))?;
                hash.update(&piece);
                self.room.fit(writer.filled() + piece.len()).await?;
                writer.write(&piece).await?;
                if !writer.is_sending() {
                    self.room.end_ahead();
                } else if !self.room.has_ahead() {
                    writer.sent().await?;
                }
            }
            if is_last {
                break;
            }
        }
        if size == 0 {
            return Err(Unreceived::Empty(name));
        }
        let recognized = content.recognize().map_err(|_| Unreceived::Unaccepted(name.clone()))?;
        writer.finish().await?;
        self.room.end_ahead();
        let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
        Ok(StoredFile { id, name, recognized, size, sha256 })
    }

    /// Adds stored files with a command that names them. What is not on the note then is deleted: none is if the command
    /// fails, and others are if it answers a retry. If the files may have been added although it failed, they stay.
    pub(crate) async fn add<E>(
        &self,
        files: &[StoredFile],
        command: impl Future<Output = Result<AddedFiles, E>>,
        cause: impl FnOnce(&E) -> Option<&Error>,
    ) -> Result<AddedFiles, E> {
        let added = command.await;
        match &added {
            Ok(AddedFiles { attachments }) => {
                let is_added = |it: &&StoredFile| attachments.iter().any(|added| added.id == it.id);
                let others: Vec<_> = files.iter().filter(|it| !is_added(it)).cloned().collect();
                self.discard(&others).await;
            }
            Err(problem) if cause(problem).is_some_and(refusal::may_be_added) => {}
            Err(_) => self.discard(files).await,
        }
        added
    }

    /// Deletes stored content. If that fails, the sweep deletes it.
    pub(crate) async fn discard(&self, files: &[StoredFile]) {
        for file in files {
            let key = Key { tenant: self.under_way.tenant, file: file.id };
            if let Err(error) = self.store.delete(key, Object::Content).await {
                tracing::debug!(%error, "the content of a refused file could not be deleted");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_arrives_when_the_connection_is_gone_is_not_whole() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let (here, gone) = oneshot::channel();
            let pace = Pace::begin(Instant::now(), Duration::from_secs(60));
            let mut arrival = Arrival { pace, gone: Gone(gone) };
            let end = || async { Ok::<Option<Bytes>, PartFault>(None) };
            assert!(matches!(arrival.next(end()).await, Ok(None)));
            drop(here);
            assert!(matches!(arrival.next(end()).await, Err(Unreceived::Broken)));
        });
    }
}
