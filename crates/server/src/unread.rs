//! Answers that their callers have not read yet. Their bytes are counted until the operating system has them. A
//! caller that takes too long to read is disconnected.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use zoop_crm::call::definition::LONGEST_ANSWER;
use zoop_db::Tenant;

use crate::memory::{ByteBudget, HeldBytes};

/// Maximum unread bytes of all callers together.
const TOTAL: u32 = 64 * MIB;
/// Maximum unread bytes of one tenant's callers. The longest answer fits.
const SHARE: u32 = 4 * MIB;
const MIB: u32 = 1024 * 1024;
/// Maximum unread bytes of the files of one tenant, which are sent piece by piece to many readers at once.
const FILES_SHARE: u32 = 16 * MIB;
/// Shorter answers are not counted: a connection holds few of them, and its caller soon reaches the request limit.
const MIN_COUNTED: usize = 16 * 1024;
/// How long a caller may take to read a counted answer.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

// An answer contains its JSON twice: as it is, and as a string with up to one backslash for each byte.
const _: () = assert!(SHARE as usize >= 3 * LONGEST_ANSWER);

/// The unread answers of this process.
pub(crate) struct UnreadAnswers(ByteBudget<Tenant>);

/// Ends a connection whose caller does not read. Each request of the connection has it as an extension.
#[derive(Clone, Default)]
pub(crate) struct Cut(Arc<Notify>);

/// An answer's bytes, counted until they are dropped.
struct Unread {
    bytes: Bytes,
    timer: AbortHandle,
    _held: HeldBytes<Tenant>,
}

/// Room for an answer. Short ones need none.
pub(crate) struct Room(Option<HeldBytes<Tenant>>);

impl Default for UnreadAnswers {
    fn default() -> Self {
        Self(ByteBudget::new(TOTAL, SHARE))
    }
}

impl UnreadAnswers {
    /// Counts an answer to a tenant's caller, as soon as there is room for it. Returns `None` if there is no room by
    /// the deadline.
    pub(crate) async fn count(
        &self,
        tenant: Tenant,
        answer: Bytes,
        cut: Cut,
        deadline: Instant,
    ) -> Option<Bytes> {
        let room = self.room(tenant, answer.len(), deadline).await?;
        Some(room.count(answer, cut))
    }

    /// Waits for the room for so many bytes of an answer that is not there yet. Returns `None` if there is no room by the
    /// deadline.
    pub(crate) async fn room(
        &self,
        tenant: Tenant,
        bytes: usize,
        deadline: Instant,
    ) -> Option<Room> {
        if bytes < MIN_COUNTED {
            return Some(Room(None));
        }
        let room = self.0.hold(tenant, bytes);
        let held = tokio::time::timeout_at(deadline.into(), room).await.ok()?.ok()?;
        Some(Room(Some(held)))
    }

    /// For the content of files, which must not leave answers without room.
    pub(crate) fn of_files() -> Self {
        Self(ByteBudget::new(TOTAL, FILES_SHARE))
    }

    /// The number of unread bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.held()
    }
}

impl Room {
    /// An answer that fits in the room, which it takes until it is dropped.
    pub(crate) fn count(self, answer: Bytes, cut: Cut) -> Bytes {
        let Some(held) = self.0 else { return answer };
        let timer = tokio::spawn(async move {
            tokio::time::sleep(READ_TIMEOUT).await;
            cut.0.notify_one();
        });
        let timer = timer.abort_handle();
        Bytes::from_owner(Unread { bytes: answer, timer, _held: held })
    }
}

impl Cut {
    /// Resolves when the connection must end.
    pub(crate) async fn requested(&self) {
        self.0.notified().await;
    }
}

impl AsRef<[u8]> for Unread {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.timer.abort();
    }
}
